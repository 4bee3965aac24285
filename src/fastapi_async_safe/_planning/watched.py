"""Inline calls that somebody watches: contexts with a watch, calls that are made by an observer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from time import perf_counter
from typing import Any

from ..slow_calls import InlineCall, Observer, SlowCalls, Watch, observers
from .contexts import InlineContext, inline_context


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
) -> Callable[..., AbstractContextManager[Any, bool | None]]:
    """Make of a sync `yield` dependency what gives the context of one request.

    Parameters:
        call: the dependency.
        slow_calls: who wants to know of entering and leaving it.
        path: of the route.
    """
    entering = slow_calls.watch(call, "enter", path)
    leaving = slow_calls.watch(call, "exit", path)
    if observers:
        return _observed_context(call, path, list(observers), entering, leaving)
    if entering is None or leaving is None:
        return inline_context(call)
    manager = contextmanager(call)

    def make(*args: Any, **kwargs: Any) -> TimedContext:
        return TimedContext(manager(*args, **kwargs), entering, leaving)

    return make


class TimedContext(InlineContext):
    """An inline context that says when entering or leaving it took too long."""

    __slots__ = ("_entering", "_leaving")

    def __init__(
        self, manager: AbstractContextManager[Any, bool | None], entering: Watch, leaving: Watch
    ) -> None:
        self._manager = manager
        self._entering = entering
        self._leaving = leaving

    def __enter__(self) -> Any:
        started = perf_counter()
        try:
            return InlineContext.__enter__(self)
        finally:
            if perf_counter() - started > self._entering.limit:
                self._entering.held(perf_counter() - started)

    def __exit__(self, *exception: Any) -> bool | None:
        started = perf_counter()
        try:
            return InlineContext.__exit__(self, *exception)
        finally:
            if perf_counter() - started > self._leaving.limit:
                self._leaving.held(perf_counter() - started)


def _observed_context(
    call: Callable[..., Iterator[Any]],
    path: str | None,
    watching: list[Observer],
    entering: Watch | None,
    leaving: Watch | None,
) -> Callable[..., AbstractContextManager[Any, bool | None]]:
    made = inline_context(call)
    manager = contextmanager(call)

    def make(*args: Any, **kwargs: Any) -> AbstractContextManager[Any, bool | None]:
        context: AbstractContextManager[Any, bool | None]
        if entering is None or leaving is None:
            context = made(*args, **kwargs)
        else:
            context = TimedContext(manager(*args, **kwargs), entering, leaving)
        for observer in watching:
            context = _ObservedContext(context, call, path, observer)
        return context

    return make


class _ObservedContext(AbstractContextManager[Any, bool | None]):
    """A context that an observer enters and leaves."""

    __slots__ = ("_call", "_context", "_observer", "_path")

    def __init__(
        self,
        context: AbstractContextManager[Any, bool | None],
        call: Any,
        path: str | None,
        observer: Observer,
    ) -> None:
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
