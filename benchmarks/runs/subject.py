"""A contender on a workload, asked once and ready to be timed."""

from dataclasses import dataclass

from benchmarks.runs.calls import Calls, Level, extract_calls, request_calls, solve_calls
from benchmarks.runs.thread_trips import counted_thread_trips
from benchmarks.subjects.client import Answer, call, start
from benchmarks.subjects.contenders import Peer, create_app
from benchmarks.subjects.workloads import WORKLOADS, Variant


@dataclass(frozen=True)
class Subject:
    """What it answered, how often it went to the thread pool for that, and what can be timed."""

    answer: Answer
    thread_trips: int
    calls: dict[Level, Calls]


async def prepare(workload: str, contender: str) -> Subject:
    """Make a contender ready: ask it once for the answer, once more, warm, for its thread trips.

    Raises:
        UnavailableError: the compiled core was not built, or the peer is not installed.
    """
    app, of = create_app(workload, contender), WORKLOADS[workload]
    if contender in tuple(Peer):
        await start(app)
    answer = await call(app, of.request)
    with counted_thread_trips() as trips:
        await call(app, of.request)
    calls = {Level.REQUEST: request_calls(app, of.request)}
    if contender == Variant.BY_HAND:
        if of.extract:
            calls[Level.SOLVE] = await extract_calls(app, of.request, of.extract)
    elif contender not in tuple(Peer):
        calls[Level.SOLVE] = await solve_calls(app, of.request)
    return Subject(answer, trips.count, calls)
