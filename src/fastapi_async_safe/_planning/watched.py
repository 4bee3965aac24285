"""Inline calls that somebody watches: contexts with a watch, calls that are made by an observer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

from ..slow_calls import InlineCall, Observer, SlowCalls, observers
from .contexts import InlineContext, Manager, Watches, inline_context


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
    call: Callable[..., Iterator[Any]], watches: Watches | None, path: str | None
) -> Callable[..., InlineContext]:
    """Make of a sync `yield` dependency what gives the context of one request.

    Parameters:
        call: the dependency.
        watches: on entering and leaving it.
        path: of the route.
    """
    manager: Callable[..., Manager] = contextmanager(call)
    watching = list(observers)
    if not watching:
        return inline_context(manager, watches)

    def observed_manager(*args: Any, **kwargs: Any) -> Manager:
        made: Manager = manager(*args, **kwargs)
        for observer in watching:
            made = _Observed(made, call, path, observer)
        return made

    return inline_context(observed_manager, watches)


def watches_of(call: Any, slow_calls: SlowCalls, path: str | None) -> Watches | None:
    """Give the watches on a sync `yield` dependency, None if nobody wants to know.

    Parameters:
        call: the dependency.
        slow_calls: who is told.
        path: of the route.
    """
    entering = slow_calls.watch(call, "enter", path)
    leaving = slow_calls.watch(call, "exit", path)
    if entering is None or leaving is None:
        return None
    return Watches(entering, leaving)


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
