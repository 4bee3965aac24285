"""What the package costs before the first request: its import, and the plans of many routes."""

import asyncio
import gc
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from inspect import Parameter, Signature
from statistics import median
from time import process_time
from typing import Annotated, Any

from fastapi import Depends, FastAPI

from benchmarks.subjects.client import ClientRequest, call
from fastapi_async_safe import async_safe, init_app

ROUTES = 1000
DEPENDENCIES = 10

TIME_IMPORT = """
import fastapi, time
start = time.perf_counter()
import fastapi_async_safe
print(time.perf_counter() - start)
"""


@dataclass(frozen=True)
class Plans:
    """What the plans of `ROUTES` routes, `DEPENDENCIES` each, cost with one core.

    `init_app` makes none. The seconds, of processor time, are what the first requests to all routes
    took longer than the second ones; the bytes are what tracemalloc found more after the first ones
    than before. Both count whatever FastAPI itself does once a route as the plans', too.
    """

    init_app_seconds: float
    seconds: float
    bytes_per_route: float


def import_seconds(times: int = 9) -> float:
    """Median seconds that importing the package adds to importing FastAPI, each in a process."""
    return median(
        float(subprocess.check_output([sys.executable, "-W", "ignore", "-c", TIME_IMPORT]))
        for _ in range(times)
    )


def plans(core: str) -> Plans:
    """What plans cost with that core, `python` or `compiled`."""
    init_app_seconds, first, *later = _in_process(core, "time")
    (grown,) = _in_process(core, "memory")
    return Plans(
        init_app_seconds=init_app_seconds,
        seconds=first - min(later),
        bytes_per_route=grown / ROUTES,
    )


def _in_process(core: str, what: str) -> list[float]:
    command = [sys.executable, "-m", "benchmarks.runs.start_up", core, what]
    return [float(number) for number in subprocess.check_output(command).split()]


def _main(core: str, what: str) -> None:
    app = FastAPI(openapi_url=None)
    for number in range(ROUTES):
        app.add_api_route(f"/{number}", _endpoint())
    start = process_time()
    init_app(app, accelerated=core == "compiled")
    if what == "time":
        print(process_time() - start)
    asyncio.run(_time(app) if what == "time" else _memory(app))


def _endpoint() -> Callable[..., Any]:
    async def endpoint(**given: Any) -> dict[str, int]:
        return {"given": len(given)}

    endpoint.__signature__ = Signature(  # type: ignore[attr-defined]
        [
            Parameter(
                f"given{at}",
                Parameter.KEYWORD_ONLY,
                annotation=Annotated[Any, Depends(_dependency())],
            )
            for at in range(DEPENDENCIES)
        ]
    )
    return endpoint


def _dependency() -> type:
    @async_safe
    class Parameters:
        def __init__(self, page: int = 0, q: str | None = None) -> None:
            self.page = page
            self.q = q

    return Parameters


async def _ask_all(app: FastAPI) -> None:
    for number in range(ROUTES):
        answer = await call(app, ClientRequest(f"/{number}"))
        if answer.status != 200:
            raise RuntimeError(f"route {number} answered {answer}")


async def _time(app: FastAPI) -> None:
    await call(app, ClientRequest("/none"))  # builds the middleware
    for _ in range(4):
        start = process_time()
        await _ask_all(app)
        print(process_time() - start)


async def _memory(app: FastAPI) -> None:
    await call(app, ClientRequest("/none"))
    gc.collect()
    tracemalloc.start()
    await _ask_all(app)
    gc.collect()
    print(tracemalloc.get_traced_memory()[0])


if __name__ == "__main__":
    _main(*sys.argv[1:])
