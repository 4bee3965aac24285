"""The command `profile`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from ..app_loading import AppName, load_app
from ..in_process import run
from ..requests_given import requests_of
from .session import profile
from .table import as_json, show

Requests = Annotated[
    list[str],
    typer.Option(
        "--request",
        "-r",
        metavar="REQUEST",
        help='"GET /items?q=x", "POST /items {...}", or a curl command; repeatable.',
        show_default=False,
    ),
]
FromFile = Annotated[
    Path | None,
    typer.Option("--from", metavar="FILE", help="A file of such lines, or a HAR file."),
]
Headers = Annotated[
    list[str],
    typer.Option(
        "--header",
        "-H",
        metavar="HEADER",
        help='"Authorization: Bearer ...", for all requests; repeatable.',
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON in place of a table.")]


def profile_command(
    app: AppName,
    request: Requests = [],  # noqa: B006
    from_file: FromFile = None,
    header: Headers = [],  # noqa: B006
    rounds: Annotated[int, typer.Option(min=1, help="How often each request is sent.")] = 60,
    as_json_wanted: AsJson = False,
) -> None:
    """Measure what each sync callable costs, and recommend what to mark.

    The requests are sent to the application in this process, one after the other, with its lifespan
    running. They do what they do: send those that create rows to a database for tests.
    """
    requests = requests_of(request, from_file, header)
    loaded = load_app(app)
    with progress_bar("profile", rounds * len(requests)) as advance:
        found = run(profile(loaded, requests, rounds=rounds, progress=advance))
    if as_json_wanted:
        print(json.dumps(as_json(found), indent=2))
    else:
        show(found, Console())


@contextmanager
def progress_bar(text: str, total: int) -> Iterator[Callable[[], None]]:
    """Show a progress bar on stderr while this lasts; give what moves it by one."""
    console = Console(stderr=True)
    # NOTE: a bar that refreshes itself has a thread that does so, in the middle of what is timed.
    with Progress(
        console=console, auto_refresh=False, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(text, total=total)
        done = 0

        def advance() -> None:
            nonlocal done
            done += 1
            bar.update(task, advance=1, refresh=done % max(total // 100, 1) == 0)

        yield advance
