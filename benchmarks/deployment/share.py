"""Which share of a request's time its dependencies take, one request at a time, in-process.

`python -m benchmarks.deployment.share PATH AUTHORIZATION` measures one route with the settings of
the environment and prints two figures in seconds.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import fastapi.middleware.asyncexitstack
import fastapi.routing
import typer
import uvloop

from benchmarks.apps.production.application import create_app
from benchmarks.apps.production.settings import StartUpError
from benchmarks.subjects.client import ClientRequest, call

REQUESTS = 300


class ShareError(Exception):
    """A route could not be measured; the message is one line."""


class _Clock:
    """Adds up what dependencies take: solving them, and ending those that `yield`."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def install(self) -> None:
        clock = self
        solve = fastapi.routing.solve_dependencies

        async def timed_solve(**arguments: Any) -> Any:
            start = perf_counter()
            try:
                return await solve(**arguments)
            finally:
                clock.seconds += perf_counter() - start

        class TimedExitStack(AsyncExitStack):
            async def __aexit__(self, *error: Any) -> bool | None:
                start = perf_counter()
                try:
                    return await super().__aexit__(*error)
                finally:
                    clock.seconds += perf_counter() - start

        fastapi.routing.solve_dependencies = timed_solve
        for module in (fastapi.routing, fastapi.middleware.asyncexitstack):
            module.AsyncExitStack = TimedExitStack  # type: ignore[attr-defined]


async def _measure(request: ClientRequest, requests: int) -> tuple[float, float]:
    """Seconds of the whole request and of its dependencies, medians."""
    clock = _Clock()
    clock.install()
    app = create_app()
    wholes, parts = [], []
    async with app.router.lifespan_context(app):
        warm_up = requests // 5
        for number in range(warm_up + requests):
            clock.seconds = 0.0
            start = perf_counter()
            answer = await call(app, request)
            whole = perf_counter() - start
            if answer.status != 200:
                raise ShareError(f"{request.target} answered {answer}")
            if number >= warm_up:
                wholes.append(whole)
                parts.append(clock.seconds)
    return median(wholes), median(parts)


def measure(
    environment: Mapping[str, str],
    routes: Mapping[str, str],
    variants: Mapping[str, Mapping[str, str]],
    headers: Mapping[str, str],
    progress: Callable[[str], None],
) -> list[list[str]]:
    """Rows: route, variant, microseconds of the request and of dependencies, share.

    Raises:
        ShareError: a route could not be measured.
    """
    rows = []
    for route, path in routes.items():
        for variant, settings in variants.items():
            progress(f"share: {route}, {variant}")
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.deployment.share", path, *headers.values()],
                env={**os.environ, **environment, **settings},
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode != 0:
                raise ShareError(f"{path}: {' '.join(done.stderr.split())}")
            whole, part = json.loads(done.stdout)
            rows.append(
                [route, variant, f"{whole * 1e6:,.0f}", f"{part * 1e6:,.0f}", f"{part / whole:.0%}"]
            )
    return rows


def main(target: str, authorization: str, requests: int = REQUESTS) -> None:
    """Measure one route and print the figures as JSON."""
    path, _, query = target.partition("?")
    request = ClientRequest(path, query, headers={"authorization": authorization})
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        typer.echo(json.dumps(runner.run(_measure(request, requests))))


if __name__ == "__main__":
    try:
        typer.run(main)
    except (ShareError, StartUpError) as error:
        raise SystemExit(f"{Path(__file__).stem}: {error}") from None
