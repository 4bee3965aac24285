"""The predecessor's names, for code that wraps single dependants: no `init_app`, no plan.

A wrapped dependant runs inline on stock FastAPI, as a coroutine or asynchronous generator around
the marked callable. `init_app` does not need this.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import contextmanager
from typing import Any

from fastapi import APIRouter, FastAPI

from . import _fastapi
from ._planning.contexts import inline_context
from .policy import Policy, Predicate


def wrap_dependant(
    dependant: _fastapi.Dependant,
    all_classes_safe: bool = False,
    predicates: Sequence[Predicate] | None = None,
) -> bool:
    """Let a dependency run inline, if it is marked or the arguments say so.

    Parameters:
        dependant: FastAPI's `Dependant` of the dependency.
        all_classes_safe: as in `init_app`.
        predicates: as in `init_app`.

    Returns:
        True if it was wrapped; False if it was already, is asynchronous, or is not to be inline.

    Raises:
        TypeError: an argument has a wrong type.
    """
    policy = Policy(all_classes_safe=all_classes_safe, predicates=predicates)
    call = _fastapi.Declaration(dependant).call
    if call is None or isinstance(call, _Inline):
        return False
    if _fastapi.is_coroutine(dependant) or _fastapi.is_async_generator(dependant):
        return False
    if not policy.is_inline(call):
        return False
    inline = _InlineContext if _fastapi.is_generator(dependant) else _InlineCall
    _fastapi.replace_call(dependant, inline(call))
    return True


def wrap_dependencies(
    holder: FastAPI | APIRouter,
    all_classes_safe: bool = False,
    predicates: Sequence[Predicate] | None = None,
) -> None:
    """Wrap every dependency of the routes that an application or a router has now.

    Endpoints stay as they are. Parameters and errors are those of `wrap_dependant`.
    """
    if not (isinstance(holder, _fastapi.APIRouter) or _fastapi.is_application(holder)):
        raise TypeError(f"wrap_dependencies expects a FastAPI or an APIRouter, not {holder!r}")
    for endpoint in _fastapi.dependants_of(_fastapi.router_of(holder)):
        for dependant in _fastapi.dependants_below(endpoint):
            wrap_dependant(dependant, all_classes_safe, predicates)


class _Inline:
    """Stands in for a callable, and is equal to it: so it is found in `dependency_overrides` and
    shares its place in the dependency cache.
    """

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call
        # NOTE: no __wrapped__, by which FastAPI would look at the sync callable below.
        self.__signature__ = inspect.signature(call)
        self.__name__ = getattr(call, "__name__", type(call).__name__)
        self.__doc__ = getattr(call, "__doc__", None)

    def __eq__(self, other: object) -> bool:
        return self._call == (other._call if isinstance(other, _Inline) else other)

    def __hash__(self) -> int:
        return hash(self._call)


class _InlineCall(_Inline):
    async def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return _fastapi.called_as_in_thread(self._call, *args, **kwargs)


class _InlineContext(_Inline):
    async def __call__(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        async with inline_context(contextmanager(self._call))(*args, **kwargs) as value:
            yield value
