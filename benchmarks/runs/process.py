"""Processes to time in: for FastAPI as installed, for each core, for each peer.

Whatever changes FastAPI while it is imported or initialised changes it in its own process only, and
no two of them run at once.
"""

import asyncio
import gc
import multiprocessing
import traceback
import warnings
from dataclasses import dataclass
from importlib import import_module
from multiprocessing.connection import Connection as Pipe
from types import TracebackType
from typing import Any, Self

from benchmarks.runs.isolation import leave_fastapi_alone, load_nothing_compiled, new_event_loop
from benchmarks.subjects.client import Answer

BLOCK_SECONDS = 0.008


@dataclass(frozen=True)
class Prepared:
    """What a process reports of a subject before it is timed."""

    answer: Answer
    thread_trips: int
    levels: tuple[str, ...]


class TimingProcess:
    """The near end of one such process.

    `stock` keeps the package from touching FastAPI in it, `pure` from loading what is compiled.
    """

    def __init__(self, *, stock: bool = False, pure: bool = False) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, far_end = context.Pipe()
        self._process = context.Process(target=_serve, args=(far_end, stock, pure), daemon=True)
        self._process.start()
        far_end.close()

    def prepare(self, workload: str, contender: str) -> Prepared:
        """Make a subject ready.

        Raises:
            UnavailableError: the package or the core that it needs is not there.
        """
        prepared: Prepared = self._ask("prepare", workload, contender)
        return prepared

    def block(self, workload: str, contender: str, level: str) -> float:
        """Time one block of calls, some milliseconds long; seconds a call."""
        seconds: float = self._ask("block", workload, contender, level)
        return seconds

    def _ask(self, *request: str) -> Any:
        self._pipe.send(request)
        reply = self._pipe.recv()
        if isinstance(reply, Exception):
            raise reply
        return reply

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pipe.close()
        self._process.join(timeout=5)
        if self._process.is_alive():
            self._process.kill()


def _serve(pipe: Pipe, stock: bool, pure: bool) -> None:
    with warnings.catch_warnings():
        # The table says itself which core there is.
        warnings.simplefilter("ignore")
        if pure:
            load_nothing_compiled()
        if stock:
            leave_fastapi_alone()
        import_module("benchmarks.subjects.contenders")
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(_answer(pipe))


async def _answer(pipe: Pipe) -> None:
    # NOTE: one task for the life of the process, because anyio ends its worker threads with the
    # task that first used them. Waiting on the pipe blocks the loop, on which nothing else runs.
    from benchmarks.runs.calls import Level
    from benchmarks.runs.subject import Subject, prepare
    from benchmarks.subjects.contenders import UnavailableError

    subjects: dict[tuple[str, str], tuple[Subject, dict[Level, int]]] = {}
    while True:
        try:
            task, workload, contender, *rest = pipe.recv()
        except EOFError:
            return
        try:
            if task == "prepare":
                subject = await prepare(workload, contender)
                counts = {
                    level: await calls.count_for(BLOCK_SECONDS)
                    for level, calls in subject.calls.items()
                }
                subjects[workload, contender] = subject, counts
                gc.collect()
                gc.freeze()
                pipe.send(Prepared(subject.answer, subject.thread_trips, tuple(counts)))
            else:
                subject, counts = subjects[workload, contender]
                level = Level(rest[0])
                await subject.calls[level].seconds(2)
                pipe.send(await subject.calls[level].seconds(counts[level]))
        except Exception as error:
            if not isinstance(error, UnavailableError):
                error = RuntimeError(f"{workload}, {contender}: {traceback.format_exc()}")
            pipe.send(error)
