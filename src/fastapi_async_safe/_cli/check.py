"""`check`: the routes of an application with what each calls, where, and why."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from .. import CallExplanation, Explanation, RouteExplanation, explain
from . import wording
from .app_loading import AppName, load_app
from .bad_input import BadInputError
from .totals import core_of, totals_of

#: Which routes are asked for.
PathOption = Annotated[
    str,
    typer.Option("--path", help="Only routes whose path begins with this; * stands for anything."),
]


class Only(StrEnum):
    """Which routes and callables are shown."""

    THREAD = "thread"
    INLINE = "inline"
    DECLINED = "declined"


_STYLES = {"inline": "green", "thread pool": "yellow", "event loop": "cyan"}
_NAME_WIDTH = 28
# Lines that are longer than any terminal: they are cropped to it, and not at all in a pipe.
_ENDLESS = 100_000


def check(
    app: AppName,
    path: PathOption = "",
    only: Annotated[
        Only | None,
        typer.Option(help="Only what runs in the thread pool or inline, or is declined."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON, with all that is known.")
    ] = False,
    max_trips: Annotated[
        int | None,
        typer.Option(
            min=0, metavar="N", help="Exit with 1 if a request to a route makes more trips."
        ),
    ] = None,
    fail_on_declined: Annotated[
        bool, typer.Option(help="Exit with 1 if FastAPI's own code runs a route.")
    ] = False,
) -> None:
    """Show where each dependency and endpoint runs, and why. Nothing of it is run."""
    explanation = explain(load_app(app))
    chosen = chosen_routes(explanation, path, app)
    shown = [route for route in chosen if only is None or _has(route, only)]
    if as_json:
        json.dump(wording.as_json(app, explanation, shown), sys.stdout, indent=2)
        print()
    else:
        _show(explanation, shown, only)
    failures = list(_failures(chosen, max_trips, fail_on_declined))
    for line in failures:
        print(line, file=sys.stderr)
    if failures:
        raise typer.Exit(1)


def chosen_routes(explanation: Explanation, path: str, app: str) -> list[RouteExplanation]:
    """Give the routes that `--path` asks for.

    Raises:
        BadInputError: it asks for some, and there is none.
    """
    chosen = [route for route in explanation.routes if _is_below(path, route.path)]
    if path and not chosen:
        raise BadInputError(f"no route's path begins with {path!r}; `check {app}` lists them")
    return chosen


def _is_below(asked: str, path: str) -> bool:
    return fnmatchcase(path, f"{asked}*") if "*" in asked else path.startswith(asked)


def _has(route: RouteExplanation, only: Only) -> bool:
    if only is Only.DECLINED:
        return core_of(route) == "declined"
    return any(_is_shown(call, only) for call in route.calls)


def _is_shown(call: CallExplanation, only: Only | None) -> bool:
    if only is None or only is Only.DECLINED:
        return True
    place = "inline" if only is Only.INLINE else "thread pool"
    return call.place == place and not call.is_cached


def _show(explanation: Explanation, routes: list[RouteExplanation], only: Only | None) -> None:
    console = Console(highlight=False)
    is_cropped = console.is_terminal or "COLUMNS" in os.environ
    width = console.width if is_cropped else _ENDLESS
    lines: list[Text] = []
    for route in routes:
        lines += _route_lines(route, only, width if is_cropped else 80)
    for line in lines:
        line.truncate(width, overflow="ellipsis")
        console.print(line, soft_wrap=True)
    rest = ["", *wording.counted(totals_of(routes))]
    if explanation.idle_marks:
        rest += ["", "marks that change nothing here:"]
        rest += [
            f"  {wording.short_name(mark.name)} ({wording.source(mark.source)}): {mark.why}"
            for mark in explanation.idle_marks
        ]
    for text in rest:
        console.print(text, soft_wrap=True, markup=False)


def _route_lines(route: RouteExplanation, only: Only | None, width: int) -> Iterator[Text]:
    told = wording.trips(route.trips)
    if route.trips != route.stock_trips:
        told += f", {route.stock_trips} on FastAPI alone"
    name = wording.title(route)
    room = width - len(told) - 2
    if len(name) > room:
        name = f"{name[: max(room - 1, 8)]}…"
    yield Text.assemble((name, "bold"), " " * max(room + 2 - len(name), 2), told)
    if route.declined is not None:
        yield Text(f"  FastAPI's own code runs it: {route.declined}", style="red")
    for call in route.calls:
        if _is_shown(call, only):
            yield _call_line(call)


def _call_line(call: CallExplanation) -> Text:
    name = wording.short_name(call.name)
    if call.yields:
        name += " (yield)"
    style = "dim" if call.is_cached else _STYLES[call.place]
    why = "" if call.is_cached else wording.why(call)
    return Text.assemble(
        "  ", (f"{wording.place(call):<9} ", style), f"{name:<{_NAME_WIDTH}} ", (why, "dim")
    )


def _failures(
    routes: list[RouteExplanation], max_trips: int | None, fail_on_declined: bool
) -> Iterator[str]:
    for route in routes:
        if max_trips is not None and route.trips > max_trips:
            yield (
                f"{wording.title(route)} makes {wording.trips(route.trips)}, more than {max_trips}"
            )
        if fail_on_declined and route.declined is not None:
            yield f"{wording.title(route)} is declined: {route.declined}"
