"""The commands, each of a module of its own."""

from __future__ import annotations

from typing import Annotated

import fastapi
import typer

from .. import __version__, resolver_backend
from .benching.command import bench_command
from .check import check
from .profiling.command import profile_command
from .report import report

cli = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _say_version(wanted: bool) -> None:
    if wanted:
        print(
            f"fastapi-async-safe {__version__}, {resolver_backend()} core, "
            f"FastAPI {fastapi.__version__}"
        )
        raise typer.Exit


@cli.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_say_version, is_eager=True, help="Say the versions, and exit."
        ),
    ] = False,
) -> None:
    """See where everything in a FastAPI application runs, and what marking would gain."""


cli.command()(check)
cli.command()(report)
cli.command("profile")(profile_command)
cli.command("bench")(bench_command)
