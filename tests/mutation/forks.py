"""Mutants in forks of a process that has collected the tests, so that each takes seconds.

In a fork a function has the mutant's code, and those tests run that call the function: which they
are is seen once, by the interpreter's monitoring.
"""

import bisect
import gc
import itertools
import json
import os
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Container, Iterator, Sequence
from functools import partial
from operator import itemgetter
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest

from .mutants import Mutant, Place

_monitoring: Any = sys.monitoring  # type: ignore[attr-defined]  # from 3.12 on
_TOOL = _monitoring.COVERAGE_ID
_START = _monitoring.events.PY_START
_FIRST = 5  # in seconds: how long the tests take that each mutant is tried with first
#: What becomes of a mutant.
Verdict = tuple[str, str]  # a word, and the test that failed
Report = Callable[[Mutant, Verdict], None]


class Forks:
    """A pytest plugin that tries mutants in the place of running the tests once.

    Parameters:
        package: the directory of the package.
        mutants: what to try.
        explained: the keys of those that the first tests are enough for.
        tests: the file that keeps what the tests call; only those that it lacks are looked at.
        report: gets what became of each: "caught", "timed out", "survived"; "passed" if there are
            more tests to try; "imported" if this cannot tell, for what the function gives is used
            at import.
        jobs: how many forks there are at once.
        until: when to begin no more, by `time.monotonic`.
    """

    def __init__(
        self,
        package: Path,
        mutants: Sequence[Mutant],
        *,
        explained: Container[str],
        tests: Path,
        report: Report,
        jobs: int,
        until: float,
    ) -> None:
        self._package, self._mutants, self._report = str(package), mutants, report
        self._file, self._jobs, self._until = tests, jobs, until
        self._explained = explained
        self._seconds: dict[str, float] = {}  # how long each test takes, without a mutant
        self._words: dict[str, str] = {}  # by the key of a mutant
        self._callers: dict[str, list[str]] = {}  # the tests that call a function
        self._functions: list[FunctionType] = []  # of the package
        self._called_at_import: set[str] = set()
        self._called: set[str] = set()
        self._failed: Verdict | None = None
        _monitoring.use_tool_id(_TOOL, "mutation")
        _monitoring.register_callback(_TOOL, _START, self._note)
        _monitoring.set_events(_TOOL, _START)

    def _note(self, code: CodeType, _: int) -> object:
        if code.co_filename.startswith(self._package):
            self._called.add(self._name(code.co_filename, code.co_qualname))
        return _monitoring.DISABLE

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave out tests on stock: no mutant takes part in them."""
        items[:] = [item for item in items if not _is_on_stock(item)]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep which test failed first."""
        if report.failed and self._failed is None:
            timed_out = "Timeout (>" in report.longreprtext
            self._failed = "timed out" if timed_out else "caught", report.nodeid

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Try all mutants."""
        session.config.pluginmanager.unregister(name="terminalreporter")
        self._called_at_import = set(self._called)
        self._look_at_tests(session.items)
        self._functions = [
            each
            for each in gc.get_objects()
            if type(each) is FunctionType and each.__code__.co_filename.startswith(self._package)
        ]
        gc.collect()
        gc.freeze()  # a fork need not look at all that, nor copy it
        with tempfile.TemporaryDirectory() as directory:
            first = Path(directory, "first")
            passed = self._try_all(self._mutants, session.items, first, are_first=True)
            left = [mutant for mutant in passed if mutant.key not in self._explained]
            self._try_all(left, session.items, Path(directory, "others"), are_first=False)
        return True

    def _try_all(
        self, mutants: Sequence[Mutant], items: Sequence[pytest.Item], name: Path, are_first: bool
    ) -> list[Mutant]:
        """Try mutants with the first tests or with the others, and give those that passed."""
        running: dict[int, tuple[Mutant, Path, float]] = {}
        for number, mutant in enumerate(mutants):
            if time.monotonic() > self._until:
                break
            tests = self._tests_of(mutant, items)
            if not tests:
                self._report(mutant, ("imported", ""))
                continue
            ends = list(itertools.accumulate(self._seconds[item.nodeid] for item in tests))
            count = max(1, bisect.bisect(ends, _FIRST))
            chosen = tests[:count] if are_first else tests[count:]
            while len(running) >= self._jobs:
                self._wait(running)
            said = name.with_name(f"{name.name}-{number}")
            trial = partial(self._try, mutant, chosen, chosen[-1] is tests[-1])
            # pytest ends a test that waits for ever; the machine may be busy.
            seconds = 600 + 20 * sum(self._seconds[item.nodeid] for item in chosen)
            running[_fork(trial, said)] = mutant, said, time.monotonic() + seconds
        while running:
            self._wait(running)
        return [mutant for mutant in mutants if self._words.get(mutant.key) == "passed"]

    def _look_at_tests(self, items: Sequence[pytest.Item]) -> None:
        """Run tests without a mutant, in forks, unless it is known what they call."""
        known = {}
        if self._file.exists():
            known = {found[0]: found for found in json.loads(self._file.read_text())}
        items = [item for item in items if item.nodeid not in known]
        share = max(1, -(-len(items) // self._jobs))
        parts = {
            _fork(partial(self._look, items[start : start + share]), file): file
            for start in range(0, len(items), share)
            for file in [self._file.with_suffix(f".{start}")]
        }
        statuses = [os.waitpid(child, 0)[1] for child in parts]
        if any(statuses):
            pytest.exit("a test fails without a mutant", 1)
        for file in parts.values():
            known.update((found[0], found) for found in json.loads(file.read_text()))
        self._file.write_text(json.dumps(list(known.values())))
        for test, seconds, called in known.values():
            self._seconds[test] = seconds
            for name in called:
                self._callers.setdefault(name, []).append(test)

    def _look(self, items: Sequence[pytest.Item]) -> list[tuple[str, float, list[str]]]:
        found = []
        for item, following in _pairs(items):
            self._called.clear()
            _monitoring.restart_events()
            begun = time.monotonic()
            _run(item, following)
            found.append((item.nodeid, time.monotonic() - begun, list(self._called)))
            if self._failed is not None:
                raise RuntimeError(f"without a change {self._failed}")
        return found

    def _name(self, file: str, qualname: str) -> str:
        return f"{file.removeprefix(self._package)}:{qualname}"

    def _tests_of(self, mutant: Mutant, items: Sequence[pytest.Item]) -> list[pytest.Item]:
        """Give the tests that call what is changed, the quickest of each file first."""
        if not mutant.functions:
            return []
        innermost = self._name(str(mutant.path), list(mutant.functions)[-1][0])
        callers = set(self._callers.get(innermost, ()))
        tests = sorted(
            (item for item in items if item.nodeid in callers),
            key=lambda item: self._seconds[item.nodeid],
        )
        # One of each file in turn: tests of one file tend to notice the same.
        turns: Counter[Path] = Counter()
        in_turn = []
        for item in tests:
            in_turn.append((turns[item.path], item))
            turns[item.path] += 1
        return [item for _, item in sorted(in_turn, key=itemgetter(0))]

    def _try(self, mutant: Mutant, tests: Sequence[pytest.Item], are_all: bool) -> Verdict:
        _monitoring.set_events(_TOOL, 0)
        functions = mutant.functions or {}
        if not self._change(str(mutant.path), functions):
            return "imported", ""
        for item, following in _pairs(tests):
            try:
                _run(item, following)
            except BaseException as error:
                return "caught", f"{item.nodeid}: {error!r}"
            if self._failed is not None:
                return self._failed
        if not are_all:
            return "passed", ""
        names = {self._name(str(mutant.path), qualname) for qualname, _ in functions}
        return "imported" if names & self._called_at_import else "survived", ""

    def _change(self, path: str, functions: dict[Place, CodeType]) -> bool:
        """Give functions other code, and say whether there are some that take it."""
        found = False
        for each in self._functions:
            before = each.__code__
            code = functions.get((before.co_qualname, before.co_firstlineno))
            if before.co_filename == path and code is not None:
                if before.co_freevars != code.co_freevars:
                    return False
                each.__code__ = code
                found = True
        return found

    def _wait(self, running: dict[int, tuple[Mutant, Path, float]]) -> None:
        """Wait until one has ended, or should have."""
        while True:
            for child, (mutant, said, end) in list(running.items()):
                ended, status = os.waitpid(child, os.WNOHANG)
                if not ended and time.monotonic() < end:
                    continue
                if not ended:
                    os.kill(child, signal.SIGKILL)
                    os.waitpid(child, 0)
                del running[child]
                verdict = "timed out", ""
                if ended:  # what ends the process is noticed too
                    verdict = "caught", f"status {status}"
                    if status == 0:
                        verdict = json.loads(said.read_text())
                self._words[mutant.key] = verdict[0]
                self._report(mutant, verdict)
                return
            time.sleep(0.05)


def _is_on_stock(item: pytest.Item) -> bool:
    return hasattr(item, "callspec") and item.callspec.params.get("variant") == "stock"


def _pairs(items: Sequence[pytest.Item]) -> Iterator[tuple[pytest.Item, pytest.Item | None]]:
    return zip(items, [*items[1:], None], strict=True)


def _run(item: pytest.Item, following: pytest.Item | None) -> None:
    item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)


def _fork(work: Callable[[], Any], file: Path) -> int:
    """Do something in a fork, which writes what comes out into a file."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        file.write_text(json.dumps(work()))
        status = 0
    except BaseException:
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(status)
