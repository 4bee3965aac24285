"""The hooks for marked code that runs after the dependencies of a request are solved.

FastAPI hands a `def` endpoint to the thread pool, then the validation of its response, then each
item of a sync stream, then each sync background task. Before it does the hooks ask the core whether
that is to run inline.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from time import perf_counter
from types import FrameType, FunctionType
from typing import Any

from .. import _fastapi, _registry
from .._backend import current_request
from .._trips import called_on_trip, validated_on_trip
from ..markers import is_async_safe
from ..slow_calls import InlineCall, Phase, limits
from .exchange import Hook, file_of_hook, handed_on


def calling(function: FunctionType) -> Hook:
    return Hook(
        function,
        "    if not is_coroutine:\n"
        "        called = {called_on_trip}(values)\n"
        "        if called is not None:\n"
        "            return called.result()\n"
        "        if {inline}(dependant):\n"
        "            limit = {limits}.lowest\n"
        "            started = 0.0 if limit is None else {clock}()\n"
        "            try:\n"
        "                try:\n"
        f"                    return {_fastapi.endpoint_call()}\n"
        "                finally:\n"
        "                    if limit is not None and {clock}() - started > limit:\n"
        "                        {took}({clock}() - started)\n"
        "            except StopIteration as error:\n"
        "                stopped = {as_from_thread}(error)\n"
        "            except BaseException:\n"
        "                {clear}()\n"  # what handles it is not the endpoint's
        "                raise\n"
        "            {clear}()\n"
        "            try:\n"
        "                raise stopped\n"
        "            finally:\n"
        "                del stopped\n"
        f"    return await {{stock}}({handed_on(function)})\n",
        called_on_trip=called_on_trip,
        inline=current_request.is_called_inline,
        clear=current_request.clear,
        clock=perf_counter,
        limits=limits,
        took=_endpoint_took,
        as_from_thread=_fastapi.as_from_thread,
    )


def _endpoint_took(seconds: float) -> None:
    route = current_request.current_route()
    if route is not None:
        route.took("endpoint", seconds)


def validating(function: FunctionType) -> Hook:
    return Hook(
        function,
        f"    if not is_coroutine:\n"
        f"        validated = {{validated_on_trip}}(field, response_content)\n"
        f"        if validated is not None:\n"
        f"            field, is_coroutine = validated, True\n"
        f"        elif {{inline}}(field):\n"
        f"            is_coroutine = True\n"
        f"            try:\n"
        f"                return await {{stock}}({handed_on(function)})\n"
        f"            except BaseException as error:\n"
        f"                {{clear}}()\n"  # what handles it is not the endpoint's
        f"                {{forget_context}}(error)\n"
        f"                raise\n"
        f"    return await {{stock}}({handed_on(function)})\n",
        validated_on_trip=validated_on_trip,
        inline=current_request.is_validated_inline,
        clear=current_request.clear,
        forget_context=_fastapi.forget_context_of_stopped,
    )


def streaming(function: FunctionType) -> Hook:
    return Hook(
        function,
        "    iterate = {iterate} if {inline}() else {stock}\n"
        "    async for item in iterate(iterator):\n"
        "        yield item\n",
        inline=current_request.is_streamed_inline,
        iterate=iterate_inline,
    )


def finishing(function: FunctionType) -> Hook:
    return Hook(
        function,
        "    if not self.is_async and {inline}(self.func):\n"
        "        limit = {limits}.lowest\n"
        "        started = 0.0 if limit is None else {clock}()\n"
        "        try:\n"
        "            try:\n"
        "                self.func(*self.args, **self.kwargs)\n"
        "                return\n"
        "            finally:\n"
        "                if limit is not None and {clock}() - started > limit:\n"
        "                    {took}(self.func, {clock}() - started)\n"
        "        except StopIteration as error:\n"
        "            stopped = {as_from_thread}(error)\n"
        "        try:\n"
        "            raise stopped\n"
        "        finally:\n"
        "            del stopped\n"
        "    await {stock}(self)\n",
        inline=_is_task_inline,
        clock=perf_counter,
        limits=limits,
        took=_task_took,
        as_from_thread=_fastapi.as_from_thread,
    )


def _task_took(func: Any, seconds: float) -> None:
    scope = scope_of_caller()
    resolver = None if scope is None else _registry.resolver_of(scope)
    if resolver is not None:
        resolver.slow_calls.took(_inline_task(func, scope), seconds)


def _inline_task(func: Any, scope: Any) -> InlineCall:
    path = None if scope is None else _fastapi.path_of(_fastapi.route_of(scope))
    return InlineCall(func, "background task", path)


def _is_task_inline(func: Any) -> bool:
    if is_async_safe(func) is False:
        return False
    scope = scope_of_caller()
    resolver = None if scope is None else _registry.resolver_of(scope)
    return resolver is not None and resolver.policy.is_inline(func, classes=False)


def isolating(function: FunctionType) -> Hook:
    return Hook(
        function,
        "    return {isolate_nested}({stock}(app, conn), conn)\n",
        isolate_nested=current_request.isolate_nested,
    )


async def iterate_inline(iterator: Iterable[Any]) -> AsyncIterator[Any]:
    """Iterate on the event loop, with a checkpoint before each item, as before each trip."""
    limit = limits.lowest
    route = None if limit is None else current_request.current_route()
    if limit is not None and route is not None:
        iterator = _timed(iterator, route, limit)
    await _fastapi.checkpoint()
    for item in iterator:
        yield item
        await _fastapi.checkpoint()


def _timed(iterator: Iterable[Any], route: Any, limit: float) -> Iterator[Any]:
    items = iter(iterator)
    while True:
        started = perf_counter()
        try:
            item = next(items)
        except StopIteration:
            return
        finally:
            if perf_counter() - started > limit:
                route.took("stream item", perf_counter() - started)
        yield item


def inline_call_at(frame: FrameType) -> InlineCall | None:
    """Say which inline call, after the dependencies, is made by a frame that is running on the
    event loop; None if it makes none.
    """
    code, values = frame.f_code, frame.f_locals
    if code is _timed.__code__:
        return _named_by_route("stream item")
    if code.co_filename == file_of_hook(_fastapi.RUN_ENDPOINT):
        return None if values["is_coroutine"] else _named_by_route("endpoint")
    if code.co_filename == file_of_hook("__call__"):
        task = values["self"]
        return None if task.is_async else _inline_task(task.func, scope_of_caller(frame))
    return None


def _named_by_route(phase: Phase) -> InlineCall | None:
    route = current_request.current_route()
    return None if route is None else route.inline(phase)


def scope_of_caller(frame: FrameType | None = None) -> Any:
    """Find the ASGI scope of the response whose background tasks are running, None without one.

    NOTE: Starlette hands a background task nothing of the request. What sends the response, and
    runs its tasks afterwards, has the scope as a parameter, and is among the callers.
    """
    frame = frame or sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        if "scope" in code.co_varnames[: code.co_argcount]:
            scope = frame.f_locals.get("scope")
            if isinstance(scope, Mapping):
                return scope
        frame = frame.f_back
    return None
