"""Times contenders against each other: a block of each in turn, round after round."""

import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median
from typing import Self

from benchmarks.runs.process import Prepared, TimingProcess
from benchmarks.subjects.client import Answer
from benchmarks.subjects.contenders import Peer, UnavailableError, is_ours
from benchmarks.subjects.workloads import WORKLOADS, Variant


class DifferentAnswersError(Exception):
    """Two variants of a workload did not answer the same, so there is nothing to compare."""


@dataclass(frozen=True)
class Seconds:
    """Seconds a call: the median over all blocks, the best one, and how many there were."""

    median: float
    best: float
    count: int

    @classmethod
    def of(cls, blocks: Sequence[float]) -> Self:
        """The figures of these blocks, to six digits."""
        return cls(float(f"{median(blocks):.6g}"), float(f"{min(blocks):.6g}"), len(blocks))


@dataclass
class Timing:
    """What one contender took for one workload, by level; `missing` says why there is nothing."""

    workload: str
    contender: str
    thread_trips: int = 0
    seconds: dict[str, Seconds] = field(default_factory=dict)
    missing: str = ""


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
    blocks: Blocks = {}
    for generation in range(generations):
        place = f"processes {generation + 1} of {generations}"
        with Processes() as processes:
            for contenders in timings.values():  # all of them start at once, then wait
                for timing in contenders:
                    processes.of(timing)
            for workload, contenders in timings.items():
                progress(f"{place}, {workload} is made ready")
                _prepare(contenders, levels, processes, blocks)
            for turn in range(rounds):
                for workload, contenders in timings.items():
                    progress(f"{place}, round {turn + 1} of {rounds}, {workload}")
                    _time(contenders, levels, processes, blocks)
    found = [timing for contenders in timings.values() for timing in contenders]
    for timing in found:
        for level in levels:
            if times := blocks.get((timing.workload, timing.contender, level)):
                timing.seconds[level] = Seconds.of(times)
    return found


Blocks = dict[tuple[str, str, str], list[float]]
"""Seconds a call of each block, by workload, contender and level."""


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


def _prepare(
    timings: Sequence[Timing], levels: Sequence[str], processes: Processes, blocks: Blocks
) -> None:
    right: Answer | None = None
    for timing in timings:
        try:
            prepared = processes.of(timing).prepare(timing.workload, timing.contender)
        except UnavailableError as reason:
            timing.missing = str(reason)
            continue
        right = right or prepared.answer
        _check(prepared, right, timing)
        timing.thread_trips = prepared.thread_trips
        for level in levels:
            if level in prepared.levels:
                blocks.setdefault((timing.workload, timing.contender, level), [])


def _time(
    timings: Sequence[Timing], levels: Sequence[str], processes: Processes, blocks: Blocks
) -> None:
    for level in levels:
        for timing in timings:
            key = timing.workload, timing.contender, level
            if key in blocks:
                blocks[key].append(processes.of(timing).block(*key))


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
