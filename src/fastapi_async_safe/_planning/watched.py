"""Inline calls that somebody watches: contexts with a watch, calls that are made by an observer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, _GeneratorContextManager, contextmanager
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
    manager: Callable[..., Manager] = contextmanager(call)
    if entering is not None and leaving is not None:
        manager = _timed_manager(call, entering, leaving)
    watching = list(observers)
    if not watching:
        return inline_context(manager)

    def observed_manager(*args: Any, **kwargs: Any) -> Manager:
        made: Manager = manager(*args, **kwargs)
        for observer in watching:
            made = _Observed(made, call, path, observer)
        return made

    return inline_context(observed_manager)


def _timed_manager(call: Any, entering: Watch, leaving: Watch) -> Callable[..., Manager]:
    """Give what `contextmanager` gives, with a watch on what it makes."""
    # PERF: a class for each dependency, not a context around each that is made: 545 -> 212 ns to
    # enter or leave one, on a busy machine on which reading the clock twice took 130.
    enter, leave = _GeneratorContextManager.__enter__, _GeneratorContextManager.__exit__
    limit = entering.limit

    class TimedManager(_GeneratorContextManager[Any]):
        def __enter__(self) -> Any:
            started = perf_counter()
            try:
                return enter(self)
            finally:
                if perf_counter() - started > limit:
                    entering.held(perf_counter() - started)

        def __exit__(self, kind: Any, exception: Any, traceback: Any) -> bool | None:
            started = perf_counter()
            try:
                return leave(self, kind, exception, traceback)
            finally:
                if perf_counter() - started > limit:
                    leaving.held(perf_counter() - started)

    def make(*args: Any, **kwargs: Any) -> TimedManager:
        return TimedManager(call, args, kwargs)

    return make


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
