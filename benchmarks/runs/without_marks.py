"""Workloads without a mark, run inline by proofs: `python -m benchmarks.runs.without_marks`.

Each workload is timed as it is, with its marks, and with all marks taken off its dependencies and
`init_app(proven_safe=True)`, in one process, by turns; a request's trips to the thread pool are
counted. Both must answer the same.

With `--instructions`, the instructions of one request of both are counted by valgrind instead: what
the proofs add is what their plans compare for changes.
"""

from __future__ import annotations

import asyncio
import linecache
import sys
import time
from statistics import median
from typing import Any

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


async def row(name: str) -> str:
    of = WORKLOADS[name]
    apps = [init_app(of.create_app(), accelerated=True), proven_app(name)]
    answers = [await call(app, of.request) for app in apps]
    assert answers[0].body == answers[1].body, name
    trips = []
    for app in apps:
        with counted_thread_trips() as counted:
            await call(app, of.request)
        trips.append(counted.count)
    times: list[list[float]] = [[], []]
    for _ in range(ROUNDS):
        for app, taken in zip(apps, times, strict=True):
            taken.append(await timed(app, of.request))
    shown = [f"{min(taken):.1f} ({median(taken):.1f})" for taken in times]
    return f"| {name} | {trips[0]} | {trips[1]} | {shown[0]} | {shown[1]} |"


def print_times() -> None:
    print("| workload | trips with marks | 0 marks | µs with marks, best (median) | 0 marks |")
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
