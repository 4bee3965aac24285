"""Puts the hooks in, and takes them out again."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import TypeAlias

from .. import _fastapi
from .._core_py import marked_endpoints
from .._messages import say_once_that_fastapi_is_unknown
from .endpoints import calling, containing, finishing, streaming, validating
from .exchange import Hook
from .solving import solving

_Maker: TypeAlias = Callable[[FunctionType], Hook]

_hooks: dict[_Maker, Hook] = {}


def install() -> bool:
    """Put the hooks in; without effect if they are.

    Returns:
        False if the installed FastAPI has no place for them; this has then been logged, once.
    """
    if _hooks:
        return True
    function = _fastapi.solve_dependencies_function()
    problem = _fastapi.unusable()
    if function is None or problem is not None:
        say_once_that_fastapi_is_unknown(problem or "it has no solve_dependencies as known here")
        return False
    _hooks[solving] = solving(function)
    _place(finishing, _fastapi.background_task_function)
    if marked_endpoints:  # from before the hooks were taken out
        install_for_endpoints()
    return True


def install_for_endpoints() -> None:
    """Put those hooks in that only marked endpoints need; without effect if they are.

    PERF: without them a request makes two coroutines less and keeps no note of itself, a fifteenth
    of one without dependencies.
    """
    marked_endpoints.add(True)
    _place(containing, _fastapi.handle_exceptions_function)
    _place(calling, _fastapi.run_endpoint_function)
    _place(validating, _fastapi.serialize_response_function)
    _place(streaming, _fastapi.iterate_in_threadpool_function)


def install_for_trips() -> None:
    """Put those hooks in that `def` endpoints need which share a trip to the thread pool."""
    _place(calling, _fastapi.run_endpoint_function)
    _place(validating, _fastapi.serialize_response_function)


def _place(make: _Maker, find: Callable[[], FunctionType | None]) -> None:
    if make in _hooks:
        return
    function = find()
    if function is None:
        say_once_that_fastapi_is_unknown(f"{find.__name__} finds nothing as known here")
    else:
        _hooks[make] = make(function)


def remove() -> None:
    """Take the hooks out: FastAPI and Starlette are as they were."""
    while _hooks:
        _hooks.popitem()[1].remove()
