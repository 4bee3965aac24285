"""Mutants in forks of a process that has collected the tests, so that each takes seconds.

In a fork a function has the mutant's code, and those tests run that call the function: which they
are is seen once, by the interpreter's monitoring.
"""

import gc
import json
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest

from .mutants import Mutant, Place

_monitoring: Any = sys.monitoring  # type: ignore[attr-defined]  # from 3.12 on
_TOOL = _monitoring.COVERAGE_ID
_START = _monitoring.events.PY_START
#: What becomes of a mutant.
Verdict = tuple[str, str]  # a word, and the test that failed
Report = Callable[[Mutant, Verdict], None]


@dataclass
class _Seen:
    """What is known of the tests, without a mutant."""

    at_import: set[str]  # functions, each as file and qualified name
    by_test: dict[str, set[str]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)


class Forks:
    """A pytest plugin that tries mutants in the place of running the tests once.

    Parameters:
        package: the directory of the package.
        mutants: what to try.
        report: gets what became of each: "caught", "timed out", "survived"; "imported" if this
            cannot tell, for what the function gives is used at import.
        jobs: how many forks there are at once.
        until: when to begin no more, by `time.monotonic`.
    """

    def __init__(
        self, package: Path, mutants: Sequence[Mutant], report: Report, *, jobs: int, until: float
    ) -> None:
        self._package, self._mutants, self._report = str(package), mutants, report
        self._jobs, self._until = jobs, until
        self._called: set[str] = set()
        self._failed: Verdict | None = None
        _monitoring.use_tool_id(_TOOL, "mutation")
        _monitoring.register_callback(_TOOL, _START, self._note)
        _monitoring.set_events(_TOOL, _START)

    def _note(self, code: CodeType, _: int) -> object:
        if code.co_filename.startswith(self._package):
            self._called.add(_name(code.co_filename, code.co_qualname))
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
        seen = self._look_at_tests(session)
        running: dict[int, tuple[Mutant, Path, float]] = {}
        with tempfile.TemporaryDirectory() as directory:
            for number, mutant in enumerate(self._mutants):
                if time.monotonic() > self._until:
                    break
                tests = self._tests_of(mutant, session.items, seen)
                if not tests:
                    self._report(mutant, ("imported", ""))
                    continue
                while len(running) >= self._jobs:
                    self._wait(running)
                said = Path(directory, str(number))
                limit = 60 + 5 * sum(seen.seconds[item.nodeid] for item in tests)
                child = _fork(partial(self._try, mutant, tests, seen), said)
                running[child] = mutant, said, time.monotonic() + limit
            while running:
                self._wait(running)
        return True

    def _look_at_tests(self, session: pytest.Session) -> _Seen:
        """Run all tests without a mutant, each `jobs`-th in a fork of its own."""
        seen = _Seen(at_import=set(self._called))
        with tempfile.TemporaryDirectory() as directory:
            files = [Path(directory, str(number)) for number in range(self._jobs)]
            # By folders, as what tests share is set up once for each.
            share = -(-len(session.items) // self._jobs)
            children = [
                _fork(partial(self._look, session.items[n * share : (n + 1) * share]), file)
                for n, file in enumerate(files)
            ]
            statuses = [os.waitpid(child, 0)[1] for child in children]
            if any(statuses):
                pytest.exit("there is more on standard error", 1)
            for file in files:
                for test, (seconds, called) in json.loads(file.read_text()).items():
                    seen.by_test[test], seen.seconds[test] = set(called), seconds
        return seen

    def _look(self, items: Sequence[pytest.Item]) -> dict[str, Any]:
        found = {}
        for item, following in _pairs(items):
            self._called.clear()
            _monitoring.restart_events()
            begun = time.monotonic()
            _run(item, following)
            found[item.nodeid] = time.monotonic() - begun, list(self._called)
            if self._failed is not None:
                raise RuntimeError(f"without a change {self._failed}")
        return found

    def _tests_of(
        self, mutant: Mutant, items: Sequence[pytest.Item], seen: _Seen
    ) -> list[pytest.Item]:
        """Give the tests that call what is changed, the quickest first."""
        if not mutant.functions:
            return []
        innermost = _name(str(mutant.path), list(mutant.functions)[-1][0])
        tests = (item for item in items if innermost in seen.by_test[item.nodeid])
        return sorted(tests, key=lambda item: seen.seconds[item.nodeid])

    def _try(self, mutant: Mutant, tests: Sequence[pytest.Item], seen: _Seen) -> Verdict:
        _monitoring.set_events(_TOOL, 0)
        functions = mutant.functions or {}
        if not _changed(str(mutant.path), functions):
            return "imported", ""
        for item, following in _pairs(tests):
            try:
                _run(item, following)
            except BaseException as error:
                return "caught", f"{item.nodeid}: {error!r}"
            if self._failed is not None:
                return self._failed
        names = {_name(str(mutant.path), qualname) for qualname, _ in functions}
        return "imported" if names & seen.at_import else "survived", ""

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
                self._report(mutant, verdict)
                return
            time.sleep(0.05)


def _name(file: str, qualname: str) -> str:
    return f"{file}:{qualname}"


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


def _changed(path: str, functions: dict[Place, CodeType]) -> bool:
    """Give functions other code, and say whether there are some that take it."""
    found = list(_loaded(path, functions))
    try:
        for function, code in found:
            function.__code__ = code
    except ValueError:  # it has other variables of the function around it
        return False
    return bool(found)


def _loaded(path: str, functions: dict[Place, CodeType]) -> Iterator[tuple[FunctionType, CodeType]]:
    for each in gc.get_objects():
        if type(each) is FunctionType and each.__code__.co_filename == path:
            code = functions.get((each.__code__.co_qualname, each.__code__.co_firstlineno))
            if code is not None:
                yield each, code
