"""Times the variants of an application against each other: a block of each in turn."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field
from typing import Any

from ..._variables import DISABLE
from ..bad_input import AppError, BadInputError
from ..requests_given import GivenRequest
from .comparison import difference, varies_by_itself
from .variants import Place, Variant


@dataclass
class Timing:
    """What a variant took for one request.

    Attributes:
        trips: to a thread, a request.
        seconds: a request, by block; empty where its response differs.
        difference: from the response of stock, in one line; None if there is none that matters.
    """

    trips: int
    difference: str | None
    seconds: list[float] = field(default_factory=list)

    @property
    def microseconds(self) -> float | None:
        """Those of the fastest block, as other work on the machine only ever adds some."""
        return min(self.seconds) * 1e6 if self.seconds else None


@dataclass
class Outcome:
    """All that was found.

    Attributes:
        comparisons: one for each request.
        recommended: what was marked in `Variant.RECOMMENDED`.
        is_initialised: the application has an `init_app`, so that it is not stock as it is.
    """

    comparisons: list[Comparison]
    recommended: list[Place]
    is_initialised: bool


@dataclass
class Comparison:
    """The variants on one request; `varies` where stock itself answers in several ways."""

    request: GivenRequest
    varies: bool
    timings: dict[Variant, Timing]


def compare(
    app: str,
    requests: list[GivenRequest],
    *,
    rounds: int,
    progress: Callable[[str, int], None] = lambda text, done: None,
) -> Outcome:
    """Compare the variants of an application, each in a process of its own.

    Parameters:
        app: as a command takes it.
        requests: sent to each variant in the same order, the same number of times before timing.
        rounds: blocks of each variant and request, interleaved.
        progress: is told what is at hand, and how many rounds are done.

    Raises:
        BadInputError: there is no such application, or a request fails.
        AppError: the application's code raised an exception.
    """
    progress("profile", 0)
    with ExitStack() as stack:
        profiling = stack.enter_context(_Process(app, "profile", requests, rounds=60))
        recommended: list[Place] = [tuple(each) for each in profiling.answer()]
    with ExitStack() as stack:
        progress("start", 0)
        again = stack.enter_context(_Process(app, Variant.STOCK, requests))
        processes = {
            variant: stack.enter_context(_Process(app, variant, requests, recommended))
            for variant in Variant
        }
        # One after the other: they may write to one database.
        answers = {variant: process.answer() for variant, process in processes.items()}
        others = again.answer()["responses"]
        again.end()
        comparisons = [
            _comparison(request, index, answers, others[index])
            for index, request in enumerate(requests)
        ]
        for turn in range(rounds):
            progress("time", turn)
            for index, comparison in enumerate(comparisons):
                for variant, timing in comparison.timings.items():
                    if timing.difference is None:
                        timing.seconds.append(processes[variant].ask(index))
    return Outcome(comparisons, recommended, answers[Variant.AS_IT_IS]["is_initialised"])


def _comparison(
    request: GivenRequest, index: int, answers: dict[Variant, Any], again: dict[str, Any]
) -> Comparison:
    expected = answers[Variant.STOCK]["responses"][index]
    varies = varies_by_itself(expected, again)
    return Comparison(
        request,
        varies,
        {
            variant: Timing(
                answer["trips"][index],
                difference(expected, answer["responses"][index], varies=varies),
            )
            for variant, answer in answers.items()
        },
    )


class _AppInProcessError(AppError):
    """The code of an application raised an exception in its own process, which told the text."""

    def __init__(self, text: str) -> None:
        Exception.__init__(self, text)


class _Process:
    """The near end of one process."""

    def __init__(
        self,
        app: str,
        variant: str,
        requests: list[GivenRequest],
        recommended: list[Place] | None = None,
        rounds: int = 0,
    ) -> None:
        environment = dict(os.environ)
        if variant == Variant.STOCK:
            environment[DISABLE] = "1"
        self._errors = tempfile.TemporaryFile(  # noqa: SIM115 (closed by `end`)
            "w+", encoding="utf-8", errors="replace"
        )
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env=environment,
        )
        self._send(
            {
                "app": app,
                "variant": variant,
                "rounds": rounds,
                "recommended": recommended or [],
                "requests": [
                    {**asdict(each), "body": each.body.decode("latin-1")} for each in requests
                ],
            }
        )

    def ask(self, task: Any) -> Any:
        """Give the answer to a task."""
        self._send(task)
        return self.answer()

    def _send(self, task: Any) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # it has ended, which `answer` tells
            self._process.stdin.write(json.dumps(task) + "\n")
            self._process.stdin.flush()

    def answer(self) -> Any:
        """Wait for the next answer.

        Raises:
            BadInputError, AppError: it is one of these.
        """
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._errors.seek(0)
            said = self._errors.read()
            raise _AppInProcessError(f"the process of the application ended early\n{said}")
        answer = json.loads(line)
        if isinstance(answer, dict) and "bad_input" in answer:
            raise BadInputError(answer["bad_input"])
        if isinstance(answer, dict) and "app_error" in answer:
            raise _AppInProcessError(answer["app_error"])
        return answer

    def end(self) -> None:
        """Let it end: the lifespan of its application ends first."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None and not pipe.closed:
                with suppress(BrokenPipeError):
                    pipe.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()

    def __enter__(self) -> _Process:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.end()
