"""Inline calls that somebody watches: contexts with a watch, calls that are made by an observer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from time import perf_counter
from typing import Any

from ..slow_calls import InlineCall, Observer, SlowCalls, Watch, observers
from .contexts import InlineContext, Manager, inline_context


def observed(call: Callable[..., Any], named: Any, path: str | None) -> Callable[..., Any]:
    """Give what calls an inline dependency: itself, unless there are observers.

    Parameters:
        call: what is called.
        named: the dependency.
        path: of the route.
    """
    for observer in observers:
        call = partial(observer.run, InlineCall(named, "dependency", path), call)
    return call


def watched_context(
    call: Callable[..., Iterator[Any]], slow_calls: SlowCalls, path: str | None
) -> Callable[..., InlineContext]:
    """Make of a sync `yield` dependency what gives the context of one request.

    Parameters:
        call: the dependency.
        slow_calls: who wants to know of entering and leaving it.
        path: of the route.
    """
    entering = slow_calls.watch(call, "enter", path)
    leaving = slow_calls.watch(call, "exit", path)
    watching = list(observers)
    is_timed = entering is not None and leaving is not None
    if not watching and not is_timed:
        return inline_context(call)

    def around(manager: Manager) -> Manager:
        if entering is not None and leaving is not None:
            manager = _Timed(manager, entering, leaving)
        for observer in watching:
            manager = _Observed(manager, call, path, observer)
        return manager

    return inline_context(call, around)


class _Timed(AbstractContextManager[Any, bool | None]):
    """A context that says when entering or leaving it took too long."""

    __slots__ = ("_context", "_entering", "_leaving")

    def __init__(self, context: Manager, entering: Watch, leaving: Watch) -> None:
        self._context = context
        self._entering = entering
        self._leaving = leaving

    def __enter__(self) -> Any:
        started = perf_counter()
        try:
            return self._context.__enter__()
        finally:
            if perf_counter() - started > self._entering.limit:
                self._entering.held(perf_counter() - started)

    def __exit__(self, *exception: Any) -> bool | None:
        started = perf_counter()
        try:
            return self._context.__exit__(*exception)
        finally:
            if perf_counter() - started > self._leaving.limit:
                self._leaving.held(perf_counter() - started)


class _Observed(AbstractContextManager[Any, bool | None]):
    """A context that an observer enters and leaves."""

    __slots__ = ("_call", "_context", "_observer", "_path")

    def __init__(self, context: Manager, call: Any, path: str | None, observer: Observer) -> None:
        self._context = context
        self._call = call
        self._path = path
        self._observer = observer

    def __enter__(self) -> Any:
        inline = InlineCall(self._call, "enter", self._path)
        return self._observer.run(inline, self._context.__enter__)

    def __exit__(self, *exception: Any) -> Any:
        inline = InlineCall(self._call, "exit", self._path)
        return self._observer.run(inline, self._context.__exit__, *exception)
