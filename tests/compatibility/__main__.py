"""The command line of the compatibility run."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import platformdirs
import typer
from packaging.version import Version

from .case import Outcome, Runner
from .releases import published, select
from .table import markdown
from .wheel import build

_CHECKOUT = Path(__file__).parents[2]
_CACHE = platformdirs.user_cache_path("fastapi-async-safe") / "compatibility"


def main(
    pytest_arguments: Annotated[
        list[str] | None, typer.Argument(help="Arguments for pytest, after `--`.")
    ] = None,
    only: Annotated[
        str | None,
        typer.Option(help="Minors or exact versions, between commas; also `oldest`, `newest`."),
    ] = None,
    python: Annotated[
        Path, typer.Option(help="The interpreter to run the suite with.", exists=True)
    ] = Path(sys.executable),
    wheel: Annotated[
        Path | None, typer.Option(help="A wheel to test; without it one is built.", exists=True)
    ] = None,
    jobs: Annotated[int, typer.Option(help="Cases at a time.", min=1)] = os.cpu_count() or 1,
    time_limit: Annotated[
        float, typer.Option(help="Seconds that the tests of one case may take.")
    ] = 900,
    cache: Annotated[Path, typer.Option(help="Where environments and logs are kept.")] = _CACHE,
    as_markdown: Annotated[
        bool,
        typer.Option("--markdown", help="Print the table for docs/compatibility.md."),
    ] = False,
) -> None:
    """Run the test suite against the last patch of every supported FastAPI minor."""
    python = python.absolute()
    with tempfile.TemporaryDirectory(prefix="compatibility-") as temporary:
        tested = wheel.resolve() if wheel else build(_CHECKOUT, python, Path(temporary))
        try:
            versions = select(only, published(python), tested)
        except LookupError as error:
            raise typer.BadParameter(str(error)) from error
        runner = Runner(tested, python, cache.resolve(), time_limit, pytest_arguments or ())
        outcomes = asyncio.run(_run_all(runner, versions, jobs))
    bad = sum(not outcome.good for outcome in outcomes)
    typer.echo(f"releases of FastAPI: {len(outcomes)}, bad: {bad}, with {tested.name}")
    if as_markdown:
        typer.echo("\n" + markdown(outcomes))
    raise typer.Exit(bool(bad))


async def _run_all(runner: Runner, versions: Sequence[Version], jobs: int) -> list[Outcome]:
    """Run every case, as many at a time as allowed; print each line when it is known."""
    places = asyncio.Semaphore(jobs)

    async def run(version: Version) -> Outcome:
        async with places:
            outcome = await runner.run(version)
        typer.echo(outcome)
        return outcome

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(run(version)) for version in versions]
    return [task.result() for task in tasks]


if __name__ == "__main__":
    typer.run(main)
