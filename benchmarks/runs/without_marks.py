"""Workloads without a mark, run inline by proofs: `python -m benchmarks.runs.without_marks`.

Each workload is timed as it is, with its marks, and once more with all marks taken off its
dependencies and `init_app(proven_safe=True)`, in one process, in turns. It must answer the same.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from benchmarks.runs.thread_trips import counted_thread_trips
from benchmarks.subjects.client import call
from benchmarks.subjects.workloads import WORKLOADS
from fastapi_async_safe import init_app, is_async_safe
from fastapi_async_safe.markers import MARK

NAMES = ("W1", "W2", "W4", "W5", "W7", "W10/100")
ROUNDS, CALLS = 15, 200


def dependency_calls(app: FastAPI) -> list[Any]:
    """List what the routes of an app depend on."""
    found: list[Any] = []
    pending = [route.dependant for route in app.routes if isinstance(route, APIRoute)]
    while pending:
        dependant = pending.pop()
        pending += dependant.dependencies
        found.append(dependant.call)
    return found


def without_marks(app: FastAPI) -> FastAPI:
    """Take the marks off everything that an app calls."""
    for each in dependency_calls(app):
        for owner in (each, *getattr(each, "__mro__", ())):
            with suppress(AttributeError, TypeError):
                if MARK in vars(owner):
                    delattr(owner, MARK)
    assert all(is_async_safe(each) is None for each in dependency_calls(app))
    return app


async def timed(app: FastAPI, request: Any) -> float:
    begin = time.perf_counter()
    for _ in range(CALLS):
        await call(app, request)
    return (time.perf_counter() - begin) / CALLS * 1e6


async def row(name: str) -> str:
    of = WORKLOADS[name]
    marked = init_app(of.create_app(), accelerated=True)
    expected = await call(marked, of.request)
    with_marks = [await timed(marked, of.request) for _ in range(ROUNDS)]
    proven = init_app(without_marks(of.create_app()), accelerated=True, proven_safe=True)
    answer = await call(proven, of.request)
    assert answer.body == expected.body, name
    with counted_thread_trips() as trips:
        await call(proven, of.request)
    without = [await timed(proven, of.request) for _ in range(ROUNDS)]
    return f"| {name} | {min(with_marks):.1f} | {min(without):.1f} | {trips.count} |"


def main() -> None:
    print("| workload | with marks, µs | 0 marks, µs | trips without marks |")
    print("| --- | ---: | ---: | ---: |")
    for name in NAMES:
        print(asyncio.run(row(name)))


if __name__ == "__main__":
    main()
