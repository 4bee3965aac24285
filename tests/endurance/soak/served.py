"""What the servers serve: workloads of the benchmarks, and what clients leave in the middle."""

import asyncio
import gc
import itertools
import os
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any

from fastapi import BackgroundTasks, Body, Depends, FastAPI, WebSocket
from fastapi.responses import StreamingResponse

from benchmarks.apps.query_classes import Page, Search
from benchmarks.subjects.workloads import WORKLOADS
from fastapi_async_safe import async_safe

# W2 is the application of W13 too.
SERVED = [each for each in ("W2", "W4", "W5", "W7", "W11", "W15", "stream") if each in WORKLOADS]

LINES = 20
PAUSE = 0.02
NUMBERS = 20_000


class Contexts:
    """Counts what requests entered in this worker, and did not leave."""

    def __init__(self) -> None:
        # NOTE: no number and no lock: threads change it, and the garbage collector at any time.
        self._entered: list[None] = []

    @property
    def open(self) -> int:
        """How many of them there are."""
        return len(self._entered)

    def __enter__(self) -> None:
        self._entered.append(None)

    def __exit__(self, *_: object) -> None:
        self._entered.pop()


contexts = Contexts()


@async_safe
def inline() -> Iterator[int]:
    with contexts:
        yield os.getpid()


async def awaited(first: Annotated[int, Depends(inline)]) -> AsyncIterator[int]:
    with contexts:
        yield first


def in_threads(first: Annotated[int, Depends(awaited)]) -> Iterator[int]:
    with contexts:
        yield first


Worker = Annotated[int, Depends(in_threads)]


def application(fault: str | None) -> FastAPI:
    """Make the application.

    Parameters:
        fault: what is broken on purpose, one of `FAULTS`.
    """
    app = FastAPI(openapi_url=None, dependencies=[] if fault is None else [Depends(FAULTS[fault])])
    for name in SERVED:
        app.include_router(WORKLOADS[name].create_app().router)

    @app.get("/ready")
    async def ready() -> list[int]:
        gc.collect()  # sync iterators of streams that were left
        return [os.getpid(), contexts.open]

    @app.post("/waiting")
    async def waiting(
        worker: Worker, text: Annotated[str, Body(embed=True)], tasks: BackgroundTasks
    ) -> int:
        tasks.add_task(asyncio.sleep, PAUSE)
        await asyncio.sleep(PAUSE)
        return len(text)

    @app.get("/large")
    def large(worker: Worker, page: Annotated[Page, Depends()]) -> list[int]:
        return list(range(page.skip, NUMBERS))

    @app.get("/lines/awaited")
    async def awaited_lines(worker: Worker) -> StreamingResponse:
        async def lines() -> AsyncIterator[str]:
            with contexts:
                for number in range(LINES):
                    yield f"{number}\n"
                    await asyncio.sleep(PAUSE)

        return StreamingResponse(lines())

    def lines() -> Iterator[str]:
        with contexts:
            for number in range(LINES):
                yield f"{number}\n"

    @app.get("/lines/in-threads")
    def lines_in_threads(worker: Worker) -> StreamingResponse:
        return StreamingResponse(lines())

    @app.get("/lines/inline")
    @async_safe
    def inline_lines(worker: Annotated[int, Depends(inline)]) -> StreamingResponse:
        return StreamingResponse(lines())

    @app.websocket("/echo")
    async def echo(
        websocket: WebSocket, worker: Worker, search: Annotated[Search, Depends()]
    ) -> None:
        await websocket.accept()
        with contexts:
            async for text in websocket.iter_text():
                await websocket.send_json([search.q, text])

    return app


STREAMS = ("/lines/awaited", "/lines/in-threads", "/lines/inline")

_requests = itertools.count(1)
_kept: list[bytes] = []
SELDOM = 500


@async_safe
def leak() -> None:
    """Keep 1 KB of each request."""
    _kept.append(bytes(1024))


@async_safe
def fail() -> None:
    """Fail now and then."""
    if next(_requests) % SELDOM == 0:
        raise RuntimeError("broken on purpose")


@async_safe
def forget() -> None:
    """Forget now and then to await something."""
    if next(_requests) % SELDOM == 0:
        asyncio.sleep(0)  # type: ignore[unused-coroutine]


@async_safe
def enter() -> None:
    """Enter now and then what is never left."""
    if next(_requests) % SELDOM == 0:
        contexts.__enter__()


FAULTS: dict[str, Callable[..., Any]] = {
    each.__name__: each for each in (leak, fail, forget, enter)
}
