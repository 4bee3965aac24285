"""How FastAPI goes to the thread pool, and how its handler of a route does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from types import CodeType, FrameType, FunctionType
from typing import Any, NamedTuple

import anyio
import anyio.from_thread
import anyio.to_thread
from fastapi import concurrency as _concurrency
from fastapi import routing as _routing
from fastapi.dependencies import utils as _utils
from starlette import concurrency as _starlette

from .dependants import Dependant
from .hook_points import own_function

# Where a call goes on its way to a thread: owner, attribute, the module that defines it.
_POOL: tuple[tuple[Any, str, Any], ...] = (
    (_utils, "run_in_threadpool", _starlette),
    (_utils, "contextmanager_in_threadpool", _concurrency),
    (anyio.to_thread, "run_sync", anyio.to_thread),
)
# Between the dependencies of a request and its response.
_HANDLING: tuple[tuple[Any, str, Any], ...] = (
    (_routing, "solve_dependencies", _utils),
    (_routing, "run_endpoint_function", _routing),
    (_routing, "run_in_threadpool", _starlette),
    (_routing, "serialize_response", _routing),
)


def parts_of_pool() -> list[tuple[Any, str, Any]]:
    """List what a tool would replace to see calls on their way to a thread."""
    return [(owner, name, getattr(owner, name, None)) for owner, name, _ in (*_POOL, *_HANDLING)]


def pool_is_plain() -> bool:
    """Say whether calls reach the thread pool by FastAPI's, Starlette's and anyio's own code."""
    return check_cancelled is not None and all(_is_own(*part) for part in _POOL)


def endpoints_are_plain() -> bool:
    """Say whether FastAPI's handler runs endpoints and validates responses by its own code."""
    return _HANDLER_CODE is not None and all(_is_own(*part) for part in _HANDLING)


def leaves_contexts_shielded() -> bool:
    """Say whether a sync `yield` dependency is left even if the request was cancelled (0.162)."""
    function = getattr(_utils.contextmanager_in_threadpool, "__wrapped__", None)
    return "CancelScope" in getattr(getattr(function, "__code__", None), "co_names", ())


def _is_own(owner: Any, name: str, module: Any) -> bool:
    function = getattr(owner, name, None)
    wrapped = getattr(function, "__wrapped__", None)
    if wrapped is not None:  # by `asynccontextmanager`
        if type(function) is not FunctionType:
            return False
        if function.__code__.co_filename != contextlib.__file__:
            return False
        function = wrapped
    return type(function) is FunctionType and function.__globals__ is vars(module)


# Raises in a thread whose trip was cancelled; anyio has it from 4.1.
check_cancelled: Callable[[], None] | None = getattr(anyio.from_thread, "check_cancelled", None)


async def leave_in_thread(call: Callable[..., Any], *arguments: Any) -> Any:
    """Leave sync contexts in a thread, as FastAPI's `contextmanager_in_threadpool` does (0.162):
    shielded, and with a limiter of their own, so that it waits for no free thread.
    """
    with anyio.CancelScope(shield=True):
        return await anyio.to_thread.run_sync(call, *arguments, limiter=anyio.CapacityLimiter(1))


async def while_handling(
    pending: BaseException | None, wait: Callable[..., Awaitable[Any]], *arguments: Any
) -> Any:
    """Wait for something where FastAPI's `contextmanager_in_threadpool` does: while the exception
    is being handled that its context is left with.
    """
    if pending is None:
        return await wait(*arguments)
    traceback, context = pending.__traceback__, pending.__context__
    try:
        raise pending
    except BaseException:
        # What is raised now has it as its context, as from within FastAPI's context.
        pending.__traceback__, pending.__context__ = traceback, context
        return await wait(*arguments)


def as_from_thread(error: BaseException) -> BaseException:
    """Give what comes of an exception on its way from a thread."""
    if not isinstance(error, StopIteration) or not _is_on_asyncio():
        return error  # which trio lets a coroutine raise
    raised = RuntimeError("coroutine raised StopIteration")
    raised.__cause__ = error
    return raised


def called_as_in_thread(call: Callable[..., Any], *arguments: Any, **values: Any) -> Any:
    """Call something here; what it raises is what would come of it on its way from a thread."""
    stopped: BaseException
    try:
        return call(*arguments, **values)
    except StopIteration as error:
        stopped = as_from_thread(error)
    try:
        raise stopped  # and its context is not what is handled above
    finally:
        del stopped


def forget_context_of_stopped(error: BaseException) -> None:
    """Let what was made of a StopIteration that ended a coroutine be as from `as_from_thread`.

    To be called by the one who awaits that coroutine.
    """
    stopped, traceback = error.__cause__, error.__traceback__
    is_raised = traceback is None or traceback.tb_next is not None  # by a frame
    if isinstance(stopped, StopIteration) and _is_on_asyncio() and not is_raised:
        error.__context__ = None


async def raise_as_from_thread(error: BaseException) -> None:
    """Raise an exception as the event loop does that has it from a thread.

    On asyncio the task is resumed with it, and then whatever is being handled in a coroutine on its
    way becomes its context; where it is raised without that, it keeps the one it has.
    """
    error = as_from_thread(error)
    try:
        if not _is_on_asyncio():
            raise error
        loop = asyncio.get_running_loop()
        failing: asyncio.Future[None] = loop.create_future()
        loop.call_soon(_fail, failing, error)
        with anyio.CancelScope(shield=True):
            await failing
    finally:
        del error


def _fail(future: asyncio.Future[None], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)


async def resume_as_from_thread() -> None:
    """End what `raise_as_from_thread` began: the task is resumed without an exception."""
    if _is_on_asyncio():
        with anyio.CancelScope(shield=True):
            await asyncio.sleep(0)


def _is_on_asyncio() -> bool:
    return asyncio._get_running_loop() is not None


def _handler_code() -> CodeType | None:
    function = own_function(_routing, "get_request_handler", ("dependant", "response_field"))
    for constant in () if function is None else function.__code__.co_consts:
        if isinstance(constant, CodeType) and constant.co_name == "app":
            return constant
    return None


_HANDLER_CODE = _handler_code()


class Handler(NamedTuple):
    """FastAPI's handler of one route, which calls a sync endpoint after its dependencies."""

    dependant: Dependant
    field: Any  # what validates the response, None without one

    @property
    def call(self) -> Any:
        """The endpoint."""
        return self.dependant.call


def is_handler(frame: FrameType) -> bool:
    """Say whether this is a running handler of FastAPI's."""
    return frame.f_code is _HANDLER_CODE


def handler_of(frame: FrameType, dependant: Dependant) -> Handler | None:
    """Give what is known of a running handler; None if it does not call the endpoint itself, as
    one that streams.
    """
    found = frame.f_locals
    if found.get("dependant") is not dependant or found.get("is_coroutine") is not False:
        return None
    if found.get("is_sse_stream") or found.get("is_json_stream"):
        return None
    return Handler(dependant, found.get("response_field"))


def is_traced() -> bool:
    """Say whether FastAPI tells telemetry of the request at hand (0.142)."""
    return _get_request_telemetry is not None and _get_request_telemetry() is not None


_get_request_telemetry: Any = None
try:
    from fastapi.telemetry import _api as _telemetry
except ImportError:
    pass
else:
    _get_request_telemetry = getattr(_telemetry, "_get_request_telemetry", None)


def is_response(content: Any) -> bool:
    """Say whether FastAPI sends what an endpoint returned as it is."""
    return isinstance(content, _routing.Response)


async def run_in_pool(call: Callable[..., Any], *arguments: Any) -> Any:
    """Make one trip to the thread pool."""
    return await _utils.run_in_threadpool(call, *arguments)
