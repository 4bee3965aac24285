"""Watches the inline calls of a test run."""

from __future__ import annotations

import asyncio
import linecache
import os
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from time import perf_counter
from types import FrameType
from typing import Any

from .._hooks.endpoints import inline_call_at
from .._naming import source_of
from ..slow_calls import InlineCall

#: Folders of what the user did not write.
_LIBRARIES = tuple(
    {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    | {str(Path(__file__).parents[1])}
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One inline call that held up the event loop.

    Parameters:
        inline: the call.
        text: what it did, and where.
        is_blocking: a call that waits was found in it.
    """

    inline: InlineCall
    text: str
    is_blocking: bool

    def __str__(self) -> str:
        return f"{self.inline}, {self.text}"


#: Name, phase, route. Not the call itself, which need have no hash, and would be kept.
Key = tuple[str, str, str]


def key_of(inline: InlineCall) -> Key:
    """Give what inline calls are told apart by."""
    return inline.name, inline.phase, str(inline.route)


@dataclass(slots=True)
class Use:
    """How often an inline call was made, and how long it took at worst, in seconds."""

    times: int = 0
    worst: float = 0.0


class StrictObserver:
    """Takes each inline call, and what blocks in it.

    Parameters:
        budget: how long one may take, in seconds; None: as long as it wants.
    """

    def __init__(self, budget: float | None) -> None:
        self._budget = budget
        self._folder = f"{Path.cwd()}{os.sep}"
        self._lock = Lock()  # a test may run event loops in several threads
        self._findings: dict[str, tuple[Finding, int]] = {}
        self.uses: dict[Key, Use] = {}

    def run(
        self, inline: InlineCall, call: Callable[..., Any], /, *args: Any, **values: Any
    ) -> Any:
        """Make an inline call. NOTE: `inline` is looked for in the frame, see `_running_in`."""
        started = perf_counter()
        try:
            return call(*args, **values)
        finally:
            if _is_on_event_loop():  # what is proven may go along to a thread
                self.took(inline, perf_counter() - started)

    def took(self, inline: InlineCall, seconds: float) -> None:
        """Take how long an inline call was."""
        key = key_of(inline)
        with self._lock:
            use = self.uses.setdefault(key, Use())
            use.times += 1
            use.worst = max(use.worst, seconds)
            if self._budget is None or seconds <= self._budget:
                return
            blocking = [each.inline for each, _ in self._findings.values() if each.is_blocking]
        if any(key_of(each) == key for each in blocking):
            return  # and so it took long
        self._find(
            Finding(
                inline,
                f"took longer than async_safe_budget, which is {self._budget * 1e3:g} ms: "
                f"{seconds * 1e3:.1f} ms ({self._shown(source_of(inline.call))})",
                is_blocking=False,
            ),
            key=f"{inline} took",
        )

    def blocked(self, function: str, allowed: list[tuple[str, Any]]) -> None:
        """Take a call of a function that waits, if an inline call makes it.

        Parameters:
            function: its name.
            allowed: ends of file names, and functions in them that may.
        """
        frame: FrameType | None = sys._getframe(1)
        users: FrameType | None = None
        inline: InlineCall | None = None
        while frame is not None and (inline := _running_in(frame)) is None:
            code = frame.f_code
            name = code.co_filename.replace("\\", "/")
            if any(name.endswith(end) and code.co_name in names for end, names in allowed):
                return
            if users is None and not code.co_filename.startswith((*_LIBRARIES, "<")):
                users = frame
            frame = frame.f_back
        if inline is None:
            return
        where = (
            self._shown(source_of(inline.call)) if users is None else self._shown(_place_at(users))
        )
        self._find(
            Finding(inline, f"blocks: {function} at {where}", is_blocking=True),
            key=f"{inline} {function} {where}",
        )

    def take_findings(self) -> list[tuple[Finding, int]]:
        """Give what was found since this was called last, and how often each."""
        with self._lock:
            found = list(self._findings.values())
            self._findings.clear()
        return found

    def _shown(self, place: str) -> str:
        return place.removeprefix(self._folder)

    def _find(self, finding: Finding, *, key: str) -> None:
        with self._lock:
            _, count = self._findings.get(key, (finding, 0))
            self._findings[key] = finding, count + 1


def _running_in(frame: FrameType) -> InlineCall | None:
    """Say which inline call a frame makes, None if it makes none."""
    if frame.f_code is StrictObserver.run.__code__:
        inline: InlineCall = frame.f_locals["inline"]
        return inline
    return inline_call_at(frame)


def _is_on_event_loop() -> bool:
    if asyncio._get_running_loop() is not None:
        return True
    trio = sys.modules.get("trio")
    return trio is not None and bool(trio.lowlevel.in_trio_run())


def _place_at(frame: FrameType) -> str:
    file, line = frame.f_code.co_filename, frame.f_lineno
    text = linecache.getline(file, line).strip()
    return f"{file}:{line}" + (f": {text}" if text else "")
