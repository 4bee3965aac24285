"""Puts the hooks in, and takes them out again."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import TypeAlias

from .. import _fastapi, _registry
from .._core_py import joined_endpoints, marked_endpoints
from .._locks import changing_hooks
from .._messages import notices, saying_afterwards
from .endpoints import calling, finishing, isolating, streaming, validating
from .exchange import Hook
from .solving import solving

_Maker: TypeAlias = Callable[[FunctionType], Hook]

_hooks: dict[_Maker, Hook] = {}


def install() -> bool:
    """Put the hooks in; without effect if they are.

    Returns:
        False if FastAPI has no place for them; this has then been logged, once.
    """
    with saying_afterwards(), changing_hooks:
        problem = _fastapi.imported_again()
        if problem is None and solving in _hooks:
            _prepare()  # some of them may have been taken out, below a tool's code
            return True
        function = _fastapi.solve_dependencies_function()
        problem = problem or _fastapi.unusable()
        if function is None or problem is not None:
            notices.say_that_fastapi_is_unsupported(
                problem or "its solve_dependencies is not as it was"
            )
            return False
        _prepare()
        # NOTE: last, as by it the next call takes all to be in: something may have failed before.
        hook = _hooks[solving] = solving(function)
        _registry.note_hooks(are_in=True, others=hook.others())
        return True


def _prepare() -> None:
    _place(finishing, _fastapi.background_task_function)
    for need, prepare in (
        (marked_endpoints, install_for_endpoints),
        (joined_endpoints, install_for_trips),
    ):
        need.prepare = prepare
        if need.enabled:  # from before the hooks were taken out
            prepare()


def install_for_endpoints() -> None:
    """Put those hooks in that only marked endpoints need; without effect if they are.

    PERF: without them a request makes two coroutines less, and no record of itself.
    """
    with saying_afterwards(), changing_hooks:
        _place(isolating, _fastapi.handle_exceptions_function)
        _place(calling, _fastapi.run_endpoint_function)
        _place(validating, _fastapi.serialize_response_function)
        _place(streaming, _fastapi.iterate_in_threadpool_function)


def install_for_trips() -> None:
    """Put those hooks in that `def` endpoints need which share a trip to the thread pool."""
    with saying_afterwards(), changing_hooks:
        _place(calling, _fastapi.run_endpoint_function)
        _place(validating, _fastapi.serialize_response_function)


def _place(make: _Maker, find: Callable[[], FunctionType | None]) -> None:
    if make in _hooks:
        return
    function = find()
    if function is None:
        notices.say_that_fastapi_is_unsupported(f"{find.__name__} is not as it was")
    else:
        _hooks[make] = make(function)


def remove() -> None:
    """Take the hooks out: FastAPI and Starlette are as they were, or as another copy of this
    package has them.
    """
    with changing_hooks:
        for make, hook in list(_hooks.items()):
            if hook.remove():
                del _hooks[make]
        if solving not in _hooks:
            _registry.note_hooks(are_in=False, others=[])
