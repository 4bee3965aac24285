"""Subjects for the benchmarks: an app, a loop, and a function that makes a number of calls."""

import asyncio
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

with warnings.catch_warnings():
    # The example apps ask for the compiled core, which a pure build does not have.
    warnings.simplefilter("ignore", RuntimeWarning)
    from benchmarks.runs.subject import prepare
    from benchmarks.subjects.contenders import is_ours
from benchmarks.runs.calls import Level
from benchmarks.runs.isolation import new_event_loop
from benchmarks.subjects.workloads import Variant
from fastapi_async_safe import _hooks

Time = Callable[[str, str, Level], None]

CALLS = 100
ROUNDS = 30
SLOW = {"W10/1000": 2, "long query": 2}


@pytest.fixture(scope="session")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        yield runner


@pytest.fixture
def time(runner: asyncio.Runner, benchmark: BenchmarkFixture) -> Iterator[Time]:
    """Times a contender on a workload, after checking that it answers as stock does.

    One round is a hundred calls, or two where a call is very long; as a plain test it is one.
    """

    def time_contender(workload: str, contender: str, level: Level) -> None:
        right = runner.run(prepare(workload, Variant.STOCK)).answer
        if not is_ours(contender):
            _hooks.remove()
        subject = runner.run(prepare(workload, contender))
        assert subject.answer == right
        count = 1 if benchmark.disabled else SLOW.get(workload, CALLS)
        benchmark.group = f"{workload}, {level}, {count} calls"
        benchmark.extra_info["thread trips"] = subject.thread_trips
        calls = subject.calls[level]

        def made() -> tuple[tuple[list[Any]], dict[str, Any]]:
            return ([calls.make() for _ in range(count)],), {}

        def run(made: list[Any]) -> None:
            runner.get_loop().run_until_complete(calls.run(made))

        def close(made: list[Any]) -> None:
            for each in reversed(made):
                runner.get_loop().run_until_complete(calls.close(each))

        async def once() -> None:
            each = calls.make()
            await calls.run([each])
            await calls.close(each)

        if benchmark.disabled:  # NOTE: pytest-benchmark then tears nothing down
            benchmark(lambda: runner.run(once()))
            return
        benchmark.pedantic(  # type: ignore[no-untyped-call]
            run, setup=made, teardown=close, rounds=ROUNDS, warmup_rounds=2
        )

    yield time_contender
    _hooks.install()
