"""Times contenders against each other: a block of each in turn, round after round."""

import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median

from benchmarks.asgi import Answer
from benchmarks.contenders import Peer, is_ours
from benchmarks.process import Prepared, TimingProcess, UnavailableError
from benchmarks.workloads import WORKLOADS, Variant


class DifferentAnswersError(Exception):
    """Two variants of a workload did not answer the same, so there is nothing to compare."""


@dataclass
class Timing:
    """What one contender took for one workload: seconds a call, one number a round and level."""

    workload: str
    contender: str
    thread_hops: int = 0
    seconds: dict[str, list[float]] = field(default_factory=dict)
    missing: str = ""

    def median(self, level: str) -> float | None:
        """Seconds a call, or None where this level was not timed."""
        return median(self.seconds[level]) if self.seconds.get(level) else None

    def best(self, level: str) -> float | None:
        """Seconds a call in the best round, or None where this level was not timed."""
        return min(self.seconds[level]) if self.seconds.get(level) else None


def compare(
    pairs: Iterable[tuple[str, Sequence[str]]],
    levels: Sequence[str],
    *,
    rounds: int,
    generations: int,
    progress: Callable[[str], None] = lambda text: None,
) -> list[Timing]:
    """Time each workload's contenders, interleaved, in processes of their own.

    All workloads have their turn in each round, so that a slow moment of the machine, which may
    last minutes, hits all of them. Two processes that run the same code differ by some percent in
    speed for as long as they live, because their memory is laid out differently; so all processes
    are started anew a few times.

    Args:
        pairs: workloads, and the contenders on each; the first one gives the right answer.
        levels: what is timed, see `Level`.
        rounds: blocks of each contender in each generation of processes.
        generations: how often the processes are started; the figures are medians over all rounds.
        progress: is told what is at hand.

    Raises:
        DifferentAnswersError: a contender answered something else than the first.
    """
    timings = {
        workload: [Timing(workload, contender) for contender in contenders]
        for workload, contenders in pairs
    }
    for generation in range(generations):
        place = f"processes {generation + 1} of {generations}"
        with Processes() as processes:
            for contenders in timings.values():  # all of them start at once, then wait
                for timing in contenders:
                    processes.of(timing)
            for workload, contenders in timings.items():
                progress(f"{place}, {workload} is made ready")
                _prepare(contenders, levels, processes)
            for turn in range(rounds):
                for workload, contenders in timings.items():
                    progress(f"{place}, round {turn + 1} of {rounds}, {workload}")
                    _time(contenders, levels, processes)
    return [timing for contenders in timings.values() for timing in contenders]


class Processes(ExitStack):
    """One generation of processes.

    Variants on untouched FastAPI share one. Workloads with a marked endpoint are apart from the
    others: what runs those on the event loop costs every request of the process something.
    """

    def __init__(self) -> None:
        super().__init__()
        self._running: dict[tuple[str, bool], TimingProcess] = {}

    def of(self, timing: Timing) -> TimingProcess:
        """The process of that contender on that workload, started if need be."""
        contender = timing.contender
        apart = is_ours(contender) or contender in tuple(Peer)
        key = contender if apart else "stock", WORKLOADS[timing.workload].marks_endpoint
        if key not in self._running:
            pure = contender == Variant.PYTHON
            process = TimingProcess(stock=not is_ours(contender), pure=pure)
            self._running[key] = self.enter_context(process)
        return self._running[key]


def _prepare(timings: Sequence[Timing], levels: Sequence[str], processes: Processes) -> None:
    right: Answer | None = None
    for timing in timings:
        try:
            prepared = processes.of(timing).prepare(timing.workload, timing.contender)
        except UnavailableError as reason:
            timing.missing = str(reason)
            continue
        right = right or prepared.answer
        _check(prepared, right, timing)
        timing.thread_hops = prepared.thread_hops
        for level in levels:
            if level in prepared.levels:
                timing.seconds.setdefault(level, [])


def _time(timings: Sequence[Timing], levels: Sequence[str], processes: Processes) -> None:
    for level in levels:
        for timing in timings:
            if level in timing.seconds:
                process = processes.of(timing)
                seconds = process.block(timing.workload, timing.contender, level)
                timing.seconds[level].append(seconds)


def _check(prepared: Prepared, right: Answer, timing: Timing) -> None:
    given = prepared.answer
    if timing.contender in tuple(Peer):
        # Another framework has headers and spacing of its own.
        same = given.status == right.status and json.loads(given.body) == json.loads(right.body)
    else:
        same = given == right
    if not same:
        raise DifferentAnswersError(
            f"{timing.workload}: {timing.contender} answered {given}, where {right} is right"
        )
