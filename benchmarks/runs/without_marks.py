"""Workloads without a mark, run inline by proofs: `python -m benchmarks.runs.without_marks`.

Each workload is timed as it is, with its marks, and with all marks taken off its dependencies and
`init_app(proven_safe=True)`, in one process; a request's trips to the thread pool are counted. Both
must answer the same.

With `--instructions`, the instructions of one request of both are counted by valgrind instead: what
the proofs add is what their plans compare for changes.
"""

from __future__ import annotations

import asyncio
import linecache
import sys
import time
from statistics import median
from typing import Any, NamedTuple

from fastapi import FastAPI

from benchmarks.runs.instructions import count_instructions
from benchmarks.runs.thread_trips import counted_thread_trips
from benchmarks.subjects.client import call
from benchmarks.subjects.contenders import UNMARKED
from benchmarks.subjects.unmarked import proven_app
from benchmarks.subjects.workloads import WORKLOADS, Variant
from fastapi_async_safe import init_app, prove

NAMES = ("W1", "W2", "W4", "W5", "W7", "W10/100")
ROUNDS, CALLS = 15, 200


def proving_time(count: int = 1_000) -> float:
    """Tell how many seconds of a processor it takes to prove so many classes the first time."""
    source = "".join(
        f"class Page{number}:\n"
        "    def __init__(self, skip: int = 0, limit: int = 100, q: str | None = None) -> None:\n"
        "        self.skip = skip\n"
        "        self.limit = limit\n"
        "        self.q = q.strip() if q is not None else None\n"
        for number in range(count)
    )
    file = "<classes>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    namespace: dict[str, Any] = {}
    exec(compile(source, file, "exec"), namespace)
    classes = [namespace[f"Page{number}"] for number in range(count)]
    begin = time.process_time()
    assert all(prove(each).holds for each in classes)
    return time.process_time() - begin


async def timed(app: FastAPI, request: Any) -> float:
    begin = time.perf_counter()
    for _ in range(CALLS):
        await call(app, request)
    return (time.perf_counter() - begin) / CALLS * 1e6


class Measured(NamedTuple):
    """What one application of a workload comes to."""

    body: bytes
    trips: int  # of one request to the thread pool
    times: list[float]  # of a request, in microseconds, round by round

    @property
    def shown(self) -> str:
        """The best time, and the median."""
        return f"{min(self.times):.1f} ({median(self.times):.1f})"


async def measured(app: FastAPI, request: Any) -> Measured:
    body = (await call(app, request)).body
    with counted_thread_trips() as trips:
        await call(app, request)
    return Measured(body, trips.count, [await timed(app, request) for _ in range(ROUNDS)])


async def row(name: str) -> str:
    of = WORKLOADS[name]
    # NOTE: one after the other, as taking off the marks takes them off for both.
    marked = await measured(init_app(of.create_app(), accelerated=True), of.request)
    proven = await measured(proven_app(name), of.request)
    assert proven.body == marked.body, name
    return f"| {name} | {marked.trips} | {proven.trips} | {marked.shown} | {proven.shown} |"


def print_times() -> None:
    print("| workload | trips, marks | 0 marks | µs, marks: best (median) | 0 marks |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name in NAMES:
        print(asyncio.run(row(name)))
    print(f"\nProving 1,000 classes takes {proving_time():.2f} s of a processor.")


def print_instructions() -> None:
    marked, proven = (count_instructions(NAMES, each) for each in (Variant.COMPILED, UNMARKED))
    print("| workload | with marks | 0 marks | more |")
    print("| --- | ---: | ---: | ---: |")
    for name in NAMES:
        counts = marked.instructions[name], proven.instructions[name]
        more = proven.change(marked, name)
        print(f"| {name} | {counts[0]:,.0f} | {counts[1]:,.0f} | {more:.1f} % |")


if __name__ == "__main__":
    if sys.argv[1:] == ["--instructions"]:
        print_instructions()
    else:
        print_times()
