"""What FastAPI gives to the thread pool, call by call, while somebody observes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    ExitStack,
    contextmanager,
)
from contextvars import ContextVar
from typing import Any, Literal, Protocol
from unittest.mock import patch

from fastapi import routing as _routing
from fastapi.dependencies import utils as _utils
from starlette import background as _background

#: What of a callable runs in a thread: a dependency, the two ends of a `yield` dependency, an
#: endpoint, the validation of its response, the next item of its stream, a background task.
Part = Literal["dependency", "enter", "exit", "endpoint", "validation", "item", "task"]


class Submitted(Protocol):
    """One call that was given to the thread pool."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Do in the thread what was submitted."""

    def is_back(self) -> None:
        """Note that the event loop goes on with its result."""


#: Gets the callable that a user wrote, the part of it that runs, and what runs in the thread.
Observer = Callable[[Any, Part, Callable[..., Any]], Submitted]

# The endpoint whose response is being validated.
_endpoint: ContextVar[Any] = ContextVar("fastapi_async_safe_endpoint", default=None)


@contextmanager
def observed_pool(observe: Observer) -> Iterator[None]:
    """Let `observe` see each sync call that FastAPI makes in a thread.

    While this lasts each call makes a trip of its own, as on FastAPI alone: calls share trips only
    where nobody looks (see `pool_is_plain`). Afterwards everything is as it was.
    """
    pool = _utils.run_in_threadpool
    routing_pool, task_pool = _routing.run_in_threadpool, _background.run_in_threadpool
    enter = _utils.contextmanager_in_threadpool
    iterate: Any = getattr(_routing, "iterate_in_threadpool", None)  # 0.134
    run_endpoint: Any = getattr(_routing, "_run_sync_endpoint", None)  # 0.142

    async def run_dependency(func: Any, *args: Any, **kwargs: Any) -> Any:
        return await _run(pool, observe(func, "dependency", func), args, kwargs)

    def enter_context(manager: Any) -> Any:
        call = getattr(manager, "func", None)
        return enter(manager) if call is None else _Context(manager, call, enter, observe)

    async def run_for_endpoint(func: Any, *args: Any, **kwargs: Any) -> Any:
        # 0.115 and up: a validation is a bound method of the field, anything else an endpoint.
        if func is run_endpoint and "function" in kwargs:
            call, part = kwargs["function"], "endpoint"
        elif getattr(func, "__name__", "") == "validate" and kwargs.get("loc") == ("response",):
            call, part = _endpoint.get(), "validation"
        else:
            call, part = func, "endpoint"
        if part == "endpoint":
            _endpoint.set(call)
        if call is None:
            return await routing_pool(func, *args, **kwargs)
        return await _run(routing_pool, observe(call, part, func), args, kwargs)  # type: ignore[arg-type]

    async def run_task(func: Any, *args: Any, **kwargs: Any) -> Any:
        return await _run(task_pool, observe(func, "task", func), args, kwargs)

    def iterate_items(iterator: Any) -> Any:
        return iterate(_Items(iterator, observe) if hasattr(iterator, "gi_code") else iterator)

    with ExitStack() as stack:
        for owner, name, function in (
            (_utils, "run_in_threadpool", run_dependency),
            (_utils, "contextmanager_in_threadpool", enter_context),
            (_routing, "run_in_threadpool", run_for_endpoint),
            (_routing, "iterate_in_threadpool", iterate_items),
            (_background, "run_in_threadpool", run_task),
        ):
            if hasattr(owner, name):
                stack.enter_context(patch.object(owner, name, function))
        yield


async def _run(pool: Any, submitted: Submitted, args: Any, kwargs: Any) -> Any:
    try:
        return await pool(submitted, *args, **kwargs)
    finally:
        submitted.is_back()


class _Context(AbstractAsyncContextManager[Any, Any]):
    """A sync `yield` dependency whose two ends are observed, each on its way to a thread."""

    def __init__(self, manager: Any, call: Any, enter: Callable[[Any], Any], observe: Any) -> None:
        self._context = enter(self._InThread(self))
        self._manager = manager
        self._call = call
        self._observe = observe
        self._end: Any = None

    async def __aenter__(self) -> Any:
        self._end = self._observe(self._call, "enter", self._manager.__enter__)
        try:
            return await self._context.__aenter__()
        finally:
            self._end.is_back()

    async def __aexit__(self, *exception: Any) -> Any:
        self._end = self._observe(self._call, "exit", self._manager.__exit__)
        try:
            return await self._context.__aexit__(*exception)
        finally:
            self._end.is_back()

    class _InThread(AbstractContextManager[Any, Any]):
        def __init__(self, context: _Context) -> None:
            self._around = context

        def __enter__(self) -> Any:
            return self._around._end()

        def __exit__(self, *exception: Any) -> Any:
            return self._around._end(*exception)


class _Items:
    """The items of a sync stream, each observed; their call is the generator itself."""

    def __init__(self, iterator: Any, observe: Observer) -> None:
        self._iterator = iterator
        self._observe = observe

    def __iter__(self) -> _Items:
        return self

    def __next__(self) -> Any:
        return self._observe(self._iterator, "item", self._iterator.__next__)()
