"""A thread pool that is full: `python -m benchmarks.runs.saturation`.

Forty requests block every thread of the pool. Then a route whose every part is marked is asked
again and again, on stock FastAPI and with this package, and its latencies are held against those
it had while the pool was idle.
"""

import asyncio
import gc
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Annotated, Any

from anyio.to_thread import current_default_thread_limiter
from fastapi import Depends, FastAPI
from pydantic import BaseModel

from benchmarks.apps.memory_store import Library
from benchmarks.runs.isolation import new_event_loop
from benchmarks.subjects.client import ClientRequest, call
from fastapi_async_safe import async_safe, init_app, resolver_backend

REQUESTS = 2000
ROUNDS = 5
PATIENCE = 2.0
"""Seconds after which a request counts as not answered."""


class Book(BaseModel):
    book: dict[str, Any]
    author: dict[str, Any]


@dataclass(frozen=True)
class Saturation:
    """Latencies of one route in seconds; `saturated` is None where there was no answer."""

    route: str
    variant: str
    idle: float
    saturated: float | None


class Blocker:
    """A dependency that keeps its thread until it is released."""

    def __init__(self) -> None:
        self.release = threading.Event()

    def __call__(self) -> None:
        self.release.wait()


def create_app(blocker: Blocker) -> FastAPI:
    app = FastAPI()

    @app.get("/block")
    async def block(_: Annotated[None, Depends(blocker)]) -> None:
        return None

    @app.get("/dependencies/{key}")
    async def read_book(key: int, library: Annotated[Library, Depends()]) -> Book:
        return Book(**library.book(key))

    @app.get("/def-endpoint/{key}")
    @async_safe
    def read_book_in_def(key: int, library: Annotated[Library, Depends()]) -> Book:
        return Book(**library.book(key))

    return app


ROUTES = {
    "marked dependencies": ClientRequest("/dependencies/7"),
    "marked dependencies and def endpoint": ClientRequest("/def-endpoint/7"),
}


async def measure(variant: str) -> list[Saturation]:
    """Latencies of both routes for `stock`, `python` or `compiled`, idle and saturated in turn."""
    blocker = Blocker()
    app = create_app(blocker)
    if variant != "stock":
        init_app(app, accelerated=variant == "compiled")
    return [await _measure(app, blocker, route, variant) for route in ROUTES]


async def _measure(app: FastAPI, blocker: Blocker, route: str, variant: str) -> Saturation:
    await _p99(app, ROUTES[route])  # warm-up
    idle, saturated = [], []
    for _ in range(ROUNDS):
        idle.append(await _answered(app, ROUTES[route]))
        async with _full_pool(app, blocker):
            latency = await _p99(app, ROUTES[route])
        if latency is None:
            return Saturation(route, variant, median(idle), None)
        saturated.append(latency)
    return Saturation(route, variant, median(idle), median(saturated))


@asynccontextmanager
async def _full_pool(app: FastAPI, blocker: Blocker) -> AsyncIterator[None]:
    """Keep each thread of the pool in a request of its own."""
    limiter = current_default_thread_limiter()
    blocker.release.clear()
    blocked = [
        asyncio.create_task(call(app, ClientRequest("/block")))
        for _ in range(int(limiter.total_tokens))
    ]
    while limiter.available_tokens:
        await asyncio.sleep(0.01)
    try:
        yield
    finally:
        blocker.release.set()
        await asyncio.gather(*blocked)


async def _answered(app: FastAPI, request: ClientRequest) -> float:
    latency = await _p99(app, request)
    if latency is None:
        raise RuntimeError(f"{request.target} does not answer while the pool is idle")
    return latency


async def _p99(app: FastAPI, request: ClientRequest) -> float | None:
    """Seconds within which 99 % of the requests were answered, None if one was not."""
    latencies = []
    gc.collect()
    for _ in range(REQUESTS):
        start = perf_counter()
        try:
            async with asyncio.timeout(PATIENCE):
                answer = await call(app, request)
        except TimeoutError:
            return None
        latencies.append(perf_counter() - start)
        if answer.status != 200:
            raise RuntimeError(f"{request.target} answered {answer}")
    return sorted(latencies)[len(latencies) * 99 // 100]


def main() -> None:
    """Print both p99s of each route and variant."""
    variants = ["stock", "python"]
    if resolver_backend() == "compiled":
        variants.append("compiled")
    print(f"p99 of {REQUESTS:,} requests in microseconds, median of {ROUNDS}: pool idle, pool full")
    for variant in variants:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            for found in runner.run(measure(variant)):
                if found.saturated is None:
                    full = f"no answer within {PATIENCE:g} s"
                else:
                    ratio = found.saturated / found.idle
                    full = f"{found.saturated * 1e6:8.0f}  ({ratio:.2f} times idle)"
                print(f"{variant:9} {found.route:38} {found.idle * 1e6:8.0f}  {full}")


if __name__ == "__main__":
    main()
