"""The command `bench`."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from ..app_loading import AppName
from ..profiling.command import AsJson, FromFile, Headers, Requests
from ..requests_given import requests_of
from .rounds import compare
from .table import as_json, show


def bench_command(
    app: AppName,
    request: Requests = [],  # noqa: B006
    from_file: FromFile = None,
    header: Headers = [],  # noqa: B006
    rounds: Annotated[int, typer.Option(min=1, help="How often each variant has its turn.")] = 30,
    as_json_wanted: AsJson = False,
) -> None:
    """Time the same requests on plain FastAPI, as the application is, with proven_safe, and with
    everything marked that profile recommends.

    Each variant runs in a process of its own, in turns. Their responses are compared first.
    """
    requests = requests_of(request, from_file, header)
    console = Console(stderr=True)
    with Progress(
        console=console, auto_refresh=False, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("start", total=rounds)

        def progress(text: str, done: int) -> None:
            bar.update(task, description=text, completed=done, refresh=True)

        outcome = compare(app, requests, rounds=rounds, progress=progress)
    if as_json_wanted:
        print(json.dumps(as_json(outcome), indent=2))
    else:
        show(outcome, Console())
