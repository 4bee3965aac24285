"""Inline calls that hold up the event loop: which do, for how long, and who is told of it.

Nothing here runs on a request unless a threshold was given: plans are made with a watch on each
inline call, or without one.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import math
import weakref
from bisect import insort
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from types import FunctionType, MethodType
from typing import Any, Literal, Protocol, TypeAlias

from ._locks import counting_limits, counting_slow_calls
from ._messages import logger, notices, say
from ._naming import callable_name

Phase: TypeAlias = Literal[
    "dependency", "enter", "exit", "endpoint", "stream item", "background task"
]

_SECONDS_BETWEEN_WARNINGS = 60.0

_MEANING: dict[str, str] = {
    "dependency": "a dependency",
    "enter": "entering a yield dependency",
    "exit": "the exit of a yield dependency",
    "endpoint": "the endpoint",
    "stream item": "an item of the stream",
    "background task": "a background task",
}


@dataclass(frozen=True, slots=True)
class InlineCall:
    """One callable at one place where it runs on the event loop.

    Parameters:
        call: what is called: a dependency, an override in its place, an endpoint, a task.
        phase: what of it.
        route: the path of the route, None if it is not known.
    """

    call: Callable[..., Any]
    phase: Phase
    route: str | None

    @property
    def name(self) -> str:
        """Module and qualified name of what is called."""
        return callable_name(self.call)

    def __str__(self) -> str:
        return f"{self.name}, {_MEANING[self.phase]} of route {self.route}"


@dataclass(frozen=True, slots=True)
class SlowCall:
    """An inline call that held the event loop longer than the threshold.

    Parameters:
        call: what was called: a dependency, an override in its place, an endpoint, a task.
        name: its module and qualified name.
        phase: "dependency"; "enter" or "exit" of a `yield` dependency; "endpoint"; "stream item";
            "background task".
        route: the path of the route, as it was declared; None if it is not known.
        seconds: how long the loop was held.
        threshold: in seconds.
    """

    call: Callable[..., Any]
    name: str
    phase: Phase
    route: str | None
    seconds: float
    threshold: float


SlowCallHook: TypeAlias = Callable[[SlowCall], Any]


class Observer(Protocol):
    """What watches all inline calls of the process, such as a tool for tests."""

    def run(
        self, inline: InlineCall, call: Callable[..., Any], /, *args: Any, **values: Any
    ) -> Any:
        """Call a dependency, or enter or leave a `yield` dependency."""

    def took(self, inline: InlineCall, seconds: float) -> None:
        """Take how long an endpoint, a stream item or a background task held the event loop."""


#: Those that are there; plans that are made meanwhile have every inline call run by them.
observers: list[Observer] = []


class Limits:
    """From when on somebody in the process wants to know of an inline call."""

    __slots__ = ("_all", "lowest")

    def __init__(self) -> None:
        self._all: list[float] = []  # in order
        self.lowest: float | None = None  # in seconds; None: nobody does, and no clock is read

    def add(self, limit: float) -> None:
        """Note that somebody does."""
        with counting_limits:
            insort(self._all, limit)
            self.lowest = next(iter(self._all), None)

    def remove(self, limit: float) -> None:
        """Note that somebody with this limit does no more."""
        with counting_limits:
            self._all.remove(limit)
            self.lowest = next(iter(self._all), None)


limits = Limits()

_OBSERVED = -1.0


def observe(observer: Observer) -> None:
    """Let `observer` watch the inline calls of all plans that are made from now on."""
    observers.append(observer)
    limits.add(_OBSERVED)


def leave(observer: Observer) -> None:
    """Take it out again; plans that were made meanwhile keep it."""
    observers.remove(observer)
    limits.remove(_OBSERVED)


class Watch:
    """One inline call, and from when on it is slow.

    Parameters:
        inline: the call.
        limit: in seconds.
        slow_calls: who is told.
    """

    __slots__ = ("_inline", "_slow_calls", "limit")

    def __init__(self, inline: InlineCall, limit: float, slow_calls: SlowCalls) -> None:
        self._inline = inline
        self.limit = limit
        self._slow_calls = slow_calls

    def call(self, call: Callable[..., Any], values: dict[str, Any]) -> Any:
        """Call what is watched with these keywords, and take how long it was."""
        started = perf_counter()
        try:
            return call(**values)
        finally:
            seconds = perf_counter() - started
            if seconds > self.limit:
                self.held(seconds)

    def held(self, seconds: float) -> None:
        """Take a call that was longer than the limit."""
        self._slow_calls.tell(self._inline, seconds, self.limit)


class _Told:
    """What was slow of one callable since it was last said."""

    __slots__ = ("count", "definition", "said_at", "worst")

    def __init__(self, definition: Any) -> None:
        self.definition = definition  # so that nothing else gets its identity
        self.count = 0
        self.worst = 0.0
        self.said_at = -math.inf


class SlowCalls:
    """What one `init_app` wants to know of inline calls that hold up the event loop.

    Parameters:
        threshold: in seconds; None: only in asyncio's debug mode, by what the loop says.
        hook: gets each `SlowCall`.

    Raises:
        TypeError: the threshold is no number, or the hook cannot be called.
        ValueError: the threshold is not positive, or not finite.
    """

    __slots__ = ("__weakref__", "_forget_limit", "_hook", "_threshold", "_told", "limit")

    def __init__(self, threshold: float | None, hook: SlowCallHook | None) -> None:
        self._threshold = _checked(threshold)
        self._hook = _checked_hook(hook)
        self._told: dict[tuple[int, str], _Told] = {}
        self._forget_limit: weakref.finalize[..., SlowCalls] | None = None
        self.limit: float | None = None  # in seconds
        self._set_limit(self._threshold)

    def look_at_loop(self) -> None:
        """See whether asyncio's debug mode is on, where no threshold was given.

        PERF: called when a plan is made, so that requests need not ask.
        """
        if self._threshold is not None:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # another kind of event loop
            return
        duration = getattr(loop, "slow_callback_duration", 0.1)
        limit = duration if loop.get_debug() else None
        if limit != self.limit:
            self._set_limit(limit)

    def watch(self, call: Any, phase: Phase, route: str | None) -> Watch | None:
        """Give the watch on an inline call, None if nobody wants to know."""
        if self.limit is None:
            return None
        return Watch(InlineCall(call, phase, route), self.limit, self)

    def took(self, inline: InlineCall, seconds: float) -> None:
        """Take how long a call was that has no watch of its own."""
        if self.limit is not None and seconds > self.limit:
            self.tell(inline, seconds, self.limit)
        for observer in observers:
            observer.took(inline, seconds)

    def tell(self, inline: InlineCall, seconds: float, limit: float) -> None:
        """Tell the log, at most once a minute for each callable, and the hook of a slow call."""
        self._log(inline, seconds, limit)
        if self._hook is None:
            return
        record = SlowCall(inline.call, inline.name, inline.phase, inline.route, seconds, limit)
        try:
            self._hook(record)
        except Exception as error:
            notices.say_once("on_slow_call, %s, failed", self._hook, error=error)

    def _log(self, inline: InlineCall, seconds: float, limit: float) -> None:
        now = perf_counter()
        definition = _definition_of(inline.call)
        key = id(definition), inline.name
        with counting_slow_calls:  # several threads may run a loop each
            told = self._told.get(key)
            if told is None:
                told = self._told[key] = _Told(definition)
                if len(self._told) > _CALLABLES_KEPT:
                    del self._told[next(iter(self._told))]
            told.count += 1
            told.worst = max(told.worst, seconds)
            if now - told.said_at < _SECONDS_BETWEEN_WARNINGS:
                return
            count, worst = told.count, told.worst
            told.count, told.worst, told.said_at = 0, 0.0, now
        text = "%s, held the event loop for %.3f s (slow_call_threshold is %g s)"
        values = [str(inline), seconds, limit]
        if count > 1:
            text += "; since the last warning %d of its calls were slow, the worst took %.3f s"
            values += [count, worst]
        say(logger, logging.WARNING, text, *values)

    def _set_limit(self, limit: float | None) -> None:
        if self._forget_limit is not None:
            self._forget_limit()
            self._forget_limit = None
        self.limit = limit
        if limit is not None:
            limits.add(limit)
            forget = self._forget_limit = weakref.finalize(self, limits.remove, limit)
            forget.atexit = False


_CALLABLES_KEPT = 1000


def _definition_of(call: Any) -> Any:
    """Give what a callable has in common with those that are made like it: a method or a function
    that is made for each request is told once, not once a request.
    """
    while isinstance(call, (partial, MethodType)):
        call = call.func if isinstance(call, partial) else call.__func__
    if isinstance(call, FunctionType):
        return call.__code__
    return call if isinstance(call, type) else type(call)


def _checked(threshold: Any) -> float | None:
    if threshold is None:
        return None
    if isinstance(threshold, bool) or not isinstance(threshold, (int, float)):
        raise TypeError(
            "slow_call_threshold must be a number of seconds, such as 0.1, or None, not "
            f"{threshold!r}"
        )
    if not (math.isfinite(threshold) and threshold > 0):
        raise ValueError(
            "slow_call_threshold must be a positive number of seconds, such as 0.1, not "
            f"{threshold!r}"
        )
    return float(threshold)


def _checked_hook(hook: Any) -> SlowCallHook | None:
    if hook is None:
        return None
    if not callable(hook):
        raise TypeError(f"on_slow_call must be a callable that takes a SlowCall, not {hook!r}")
    if inspect.iscoroutinefunction(hook) or inspect.iscoroutinefunction(
        getattr(type(hook), "__call__", None)  # noqa: B004
    ):
        raise TypeError(
            f"on_slow_call is called, not awaited: it has to be a plain `def`, not {hook!r}"
        )
    return hook  # type: ignore[no-any-return]
