"""What pytest asks in a strict run, or in one with a report."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from .. import slow_calls
from .blocking import BlockingCalls
from .inline_calls import InlineCalls
from .observer import StrictObserver
from .report import Row, lines_of, merged

_OUTPUT = "fastapi_async_safe_report"

_ADVICE = (
    "Each holds up every other request of the worker meanwhile. Take the mark away (or mark it "
    "async_unsafe), so that it runs in the thread pool."
)


class StrictPlugin:
    """The plugin of one test run.

    Parameters:
        budget: how long an inline call may take, in seconds; None: the run is not strict.
        wants_report: say after it which inline calls the tests have made.
    """

    def __init__(self, budget: float | None, *, wants_report: bool) -> None:
        self._observer = StrictObserver(budget)
        slow_calls.observe(self._observer)
        self._blocking = None if budget is None else BlockingCalls(self._observer.blocked)
        self._inline_calls = InlineCalls() if wants_report else None
        self._of_workers: list[list[Row]] = []

    def close(self) -> None:
        """Leave everything as it was."""
        if self._blocking is not None:
            self._blocking.close()
        slow_calls.leave(self._observer)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, Any, Any]:
        return (yield from self._judged(item, "setup"))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        return (yield from self._judged(item, "call"))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, Any, Any]:
        if self._inline_calls is not None:
            self._inline_calls.look()  # before what the fixtures made is gone
        return (yield from self._judged(item, "teardown"))

    def _judged(self, item: pytest.Item, when: str) -> Generator[None, Any, Any]:
        if self._blocking is not None:
            self._blocking.look_for_drivers()
        try:
            result = yield
        except BaseException:
            if text := self._found():
                item.add_report_section(when, "async-safe", text)
            raise
        if text := self._found():
            pytest.fail(text, pytrace=False)
        return result

    def _found(self) -> str:
        findings = self._observer.take_findings()
        if not findings or self._blocking is None:
            return ""
        count = len(findings)
        lines = [f"async-safe: the event loop was held up in {count} place{'s' * (count > 1)}"]
        for finding, times in findings:
            lines.append(f"  {finding}" + (f" ({times} times)" if times > 1 else ""))
        return "\n".join([*lines, _ADVICE])

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        output = getattr(session.config, "workeroutput", None)
        if output is not None and self._inline_calls is not None:
            output[_OUTPUT] = self._rows()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        rows = getattr(node, "workeroutput", {}).get(_OUTPUT, ())
        self._of_workers.append([Row(*row) for row in rows])

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._inline_calls is None:
            return
        own = [Row(*row) for row in self._rows()]
        terminalreporter.section("async-safe: inline calls")
        for line in lines_of(merged([own, *self._of_workers])):
            terminalreporter.write_line(line)

    def _rows(self) -> list[tuple[str, str, str, int, float]]:
        assert self._inline_calls is not None
        self._inline_calls.look()
        rows: list[tuple[str, str, str, int, float]] = [
            (*key, use.times, use.worst) for key, use in self._observer.uses.items()
        ]
        for name, phase, route in self._inline_calls.found:
            # Without the prefix of what is mounted, which the route does not know.
            if not any(row[:2] == (name, phase) and route.endswith(row[2]) for row in rows):
                rows.append((name, phase, route, 0, 0.0))
        return rows
