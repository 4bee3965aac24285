"""Marks that change nothing in an application."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from functools import partial
from types import FunctionType, MethodType
from typing import Any

from .. import _marked
from .._naming import callable_name, source_of
from ..markers import AsyncSafeMixin, is_async_safe
from .following import Step
from .records import IdleMark, RouteExplanation


def idle_marks(routes: Sequence[RouteExplanation], steps: Sequence[Step]) -> tuple[IdleMark, ...]:
    """List what was marked in this process and changes nothing in an application.

    Parameters:
        routes: of the application.
        steps: of a request to each of them.
    """
    called = {id(each.call): each.call for route in routes for each in route.calls}
    awaited = {id(e.call) for route in routes for e in route.calls if e.rule == "async def"}
    bearers: dict[int, Any] = {}  # of what is called, by what may have its mark
    wrappers: dict[int, Any] = {}
    for call in called.values():
        for bearer in _bearers(call):
            bearers.setdefault(id(bearer), call)
        for wrapped in _wrapped_by(call):
            wrappers.setdefault(id(wrapped), call)
    idle = []
    for target in _marked.all_marked():
        if target is AsyncSafeMixin:
            continue
        why = None
        if id(target) in bearers:
            if id(bearers[id(target)]) in awaited:
                why = "an async def is awaited on the event loop, marked or not"
        elif id(target) in wrappers:
            wrapper = wrappers[id(target)]
            if is_async_safe(wrapper) is None:
                why = (
                    f"routes call {callable_name(wrapper)}, which wraps it and has no mark: mark "
                    "the outermost wrapper"
                )
        elif _is_async(target):
            why = "no route calls it, and an async def is awaited on the event loop, marked or not"
        else:
            why = "no route calls it; a background task may"
        if why is not None:
            idle.append(
                IdleMark(call=target, name=callable_name(target), source=source_of(target), why=why)
            )
    return tuple(idle)


def _is_async(target: Any) -> bool:
    try:
        return inspect.iscoroutinefunction(target) or inspect.isasyncgenfunction(target)
    except Exception:  # a proxy that stands for nothing now
        return False


def _bearers(call: Any) -> Iterator[Any]:
    """List what a callable may have its mark from, itself first."""
    yield call
    while isinstance(call, partial):
        call = call.func
        yield call
    if isinstance(call, MethodType):
        yield call.__func__
    elif isinstance(call, type):
        yield from call.__mro__
    elif not isinstance(call, FunctionType):
        yield from type(call).__mro__


def _wrapped_by(call: Any) -> Iterator[Any]:
    """List what a callable wraps, as far as `functools.wraps` or its closure say."""
    seen: set[int] = set()
    pending = [call]
    while pending:
        each = pending.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if each is not call:
            yield each
        inner = getattr(each, "__wrapped__", None)
        if inner is not None:
            pending.append(inner)
        if isinstance(each, FunctionType):
            for cell in each.__closure__ or ():
                try:
                    content = cell.cell_contents
                except ValueError:  # an empty cell
                    continue
                if isinstance(content, (FunctionType, type, partial)):
                    pending.append(content)
