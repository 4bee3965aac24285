"""What `slow_call_threshold` costs: `python -m benchmarks.runs.slow_calls`.

One application is initialised with a threshold that nothing reaches, and without one, by turns;
each route makes the same inline call many times. Time of the processor is taken, which is less
disturbed by what else the machine does; the best blocks are compared.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from fastapi import BackgroundTasks, Depends, FastAPI
from fastapi.responses import StreamingResponse
from rich.console import Console
from rich.table import Table

from benchmarks.subjects.client import ClientRequest
from fastapi_async_safe import async_safe, init_app, resolver_backend

CALLS = 200  # a request
REQUESTS = 5  # a block
NEVER = 1000.0  # seconds


class Cost(NamedTuple):
    """What one inline call of a kind costs, in nanoseconds."""

    kind: str
    off: float  # with all that belongs to a request of so many
    on: float


def a_function() -> Any:
    @async_safe
    def get_one() -> int:
        return 1

    return get_one


def a_class() -> Any:
    @async_safe
    class One:
        def __init__(self) -> None:
            self.value = 1

    return One


def a_context() -> Any:
    @async_safe
    def get_one() -> Iterator[int]:
        yield 1

    return get_one


def application() -> FastAPI:
    """Make an application with a route for each kind of inline call."""
    app = FastAPI()
    kinds: dict[str, Callable[[], Any]] = {
        "function": a_function,
        "class": a_class,
        "context": a_context,
    }
    for path, make in kinds.items():

        @app.get(f"/{path}", dependencies=[Depends(make()) for _ in range(CALLS)])
        async def endpoint() -> None: ...

    @app.get("/task")
    async def with_tasks(background: BackgroundTasks) -> None:
        for _ in range(CALLS):
            background.add_task(task)

    @app.get("/item")
    @async_safe
    def stream() -> StreamingResponse:
        return StreamingResponse("x" for _ in range(CALLS))

    @app.get("/endpoint")
    @async_safe
    def called() -> None: ...

    return app


@async_safe
def task() -> None: ...


#: Route, what it is called in the table, and how many inline calls a request makes.
KINDS = {
    "function": ("function", CALLS),
    "class": ("class", CALLS),
    "context": ("yield dependency, enter or exit", 2 * CALLS),
    "item": ("item of a stream", CALLS),
    "task": ("background task", CALLS),
    "endpoint": ("endpoint", 1),
}


async def seconds(app: Any, path: str, requests: int) -> float:
    """Time some requests."""
    request = ClientRequest(f"/{path}")
    connections = [(request.scope(), request.connection()) for _ in range(requests)]
    gc.disable()
    started = time.thread_time()
    for scope, connection in connections:
        await app(scope, connection.receive, connection.send)
    taken = time.thread_time() - started
    gc.enable()
    return taken


async def measured(rounds: int, *, accelerated: bool) -> list[Cost]:
    """Measure each kind of inline call, with and without a threshold by turns."""
    app = application()
    best: dict[tuple[str, bool], float] = {}
    for _ in range(rounds):
        for is_on in (False, True):
            options = {"slow_call_threshold": NEVER} if is_on else {}
            init_app(app, accelerated=accelerated, **options)  # type: ignore[arg-type]
            gc.collect()  # the threshold of before goes with what had it
            for path, (_, calls) in KINDS.items():
                requests = REQUESTS if calls > 1 else REQUESTS * 30
                await seconds(app, path, 2)
                taken = await seconds(app, path, requests) / requests / calls
                best[path, is_on] = min(best.get((path, is_on), taken), taken)
    return [
        Cost(name, best[path, False] * 1e9, best[path, True] * 1e9)
        for path, (name, _) in KINDS.items()
    ]


def clock() -> float:
    """Measure what reading the clock twice costs, in nanoseconds."""
    read, best = time.perf_counter, float("inf")
    for _ in range(200):
        started = time.thread_time()
        for _ in range(500):
            read()
            read()
        best = min(best, time.thread_time() - started)
    return best / 500 * 1e9


def main(rounds: int = 40) -> None:
    """Print a table for each core."""
    screen = Console()
    cores = ["compiled", "python"] if resolver_backend() == "compiled" else ["python"]
    for core in cores:
        costs = asyncio.run(measured(rounds, accelerated=core == "compiled"))
        table = Table(
            title=f"{core} core: nanoseconds an inline call, the best of {rounds} blocks",
            caption=f"Reading the clock twice in Python: {clock():.0f}",
        )
        table.add_column("inline call")
        for column in ("without a threshold", "with one", "difference"):
            table.add_column(column, justify="right")
        for cost in costs:
            table.add_row(
                cost.kind, f"{cost.off:.0f}", f"{cost.on:.0f}", f"{cost.on - cost.off:+.0f}"
            )
        screen.print(table)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
