"""`report`: a page with the dependency trees of all routes, or a Mermaid chart of some."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import fastapi
import typer
from jinja2 import Environment, PackageLoader, StrictUndefined

from .. import CallExplanation, Explanation, RouteExplanation, __version__, explain
from . import wording
from .app_loading import AppName, load_app
from .bad_input import BadInputError
from .check import PathOption, chosen_routes
from .totals import totals_of
from .trees import mermaid, tree_of


class Format(StrEnum):
    """What the report is written as."""

    HTML = "html"
    MERMAID = "mermaid"


def report(
    app: AppName,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Where to write it; report.html without, a Mermaid chart is printed.",
        ),
    ] = None,
    path: PathOption = "",
    form: Annotated[
        Format,
        typer.Option("--format", help="A page, or Mermaid charts for Markdown."),
    ] = Format.HTML,
) -> None:
    """Write a page of what each route depends on, where that runs, and what could be saved."""
    explanation = explain(load_app(app))
    routes = chosen_routes(explanation, path, app)
    if form is Format.MERMAID:
        if not routes:
            raise BadInputError(f"{app} has no route to draw; a page can be written of it")
        text = "\n".join(_chart(route) for route in routes)
        if output is None:
            print(text, end="")
            return
    else:
        text = page(app, explanation, routes)
    file = output or Path("report.html")
    _write(file, text)
    print(f"{len(routes)} route{'' if len(routes) == 1 else 's'} written to {file}")


def page(app: str, explanation: Explanation, routes: list[RouteExplanation]) -> str:
    """Give the page.

    Parameters:
        app: the name of the application.
        explanation: of it.
        routes: those of them that are shown.
    """
    environment = Environment(
        loader=PackageLoader(__name__.rpartition(".")[0], "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=False,
    )
    numbered = [_shown(number, route) for number, route in enumerate(routes)]
    numbered.sort(key=lambda each: -each["told"].trips_saved)
    return environment.get_template("report.html.jinja").render(
        app=app,
        version=__version__,
        fastapi_version=fastapi.__version__,
        totals=wording.counted(totals_of(routes)),
        candidates=_candidates(routes),
        idle_marks=[
            {"name": mark.name, "source": wording.source(mark.source), "why": mark.why}
            for mark in explanation.idle_marks
        ],
        routes=numbered,
    )


def _shown(number: int, route: RouteExplanation) -> dict[str, Any]:
    title = wording.title(route)
    return {
        "order": number,
        "told": route,
        "title": title,
        "trips": wording.trips(route.trips),
        "text": " ".join([title, *dict.fromkeys(call.name for call in route.calls)]).lower(),
        "tree": tree_of(route),
        "calls": [
            {
                "name": call.name,
                "source": wording.source(call.source),
                "place": wording.place(call),
                "why": wording.why(call),
            }
            for call in route.calls
            if not call.is_cached
        ],
    }


def _candidates(routes: list[RouteExplanation]) -> list[dict[str, Any]]:
    """List what is in the thread pool and proven, what most routes call first."""
    found: dict[int, dict[str, Any]] = {}
    for route in routes:
        for call in {id(each.call): each for each in route.calls if _is_candidate(each)}.values():
            candidate = found.setdefault(
                id(call.call),
                {"name": call.name, "source": wording.source(call.source), "routes": 0},
            )
            candidate["routes"] += 1
    return sorted(found.values(), key=lambda candidate: -candidate["routes"])


def _is_candidate(call: CallExplanation) -> bool:
    return (
        call.place == "thread pool"
        and not call.is_cached
        and call.rule not in ("unsafe", "proven", "not proven", "declined")
        and call.proof is not None
        and call.proof.holds
        and not call.proof.expects
    )


def _chart(route: RouteExplanation) -> str:
    lines: Iterator[str] = mermaid(route)
    return "\n".join(["```mermaid", f"%% {wording.title(route)}", *lines, "```", ""])


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInputError(
            f"{file} cannot be written ({error.strerror}); name another file with -o"
        ) from None
