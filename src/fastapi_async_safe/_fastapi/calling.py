"""How FastAPI calls what it does not call on the event loop, or under a limit."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, cast

import anyio.lowlevel
from fastapi import routing as _routing
from fastapi.dependencies import utils as _utils
from starlette.requests import HTTPConnection

from .dependants import Dependant
from .parameters import solved_alone

ENTERING_PARAMETERS: tuple[str, ...] = ("dependant", "stack", "sub_values")

if hasattr(_utils, "_solve_generator") and (
    "request" in inspect.signature(_utils._solve_generator).parameters  # 0.162
):
    ENTERING_PARAMETERS += ("request",)


async def run_in_thread(call: Any, values: dict[str, Any]) -> Any:
    """Call a sync dependency in the thread pool."""
    return await _utils.run_in_threadpool(call, **values)


async def enter_context(
    dependant: Dependant, stack: Any, values: dict[str, Any], request: HTTPConnection
) -> Any:
    """Enter a `yield` dependency as FastAPI does, a sync one in the thread pool."""
    older = getattr(_utils, "solve_generator", None)  # to 0.121.2
    if older is not None:
        return await older(call=dependant.call, stack=stack, sub_values=values)
    known = {"dependant": dependant, "stack": stack, "sub_values": values, "request": request}
    arguments = {name: known[name] for name in ENTERING_PARAMETERS}
    return await _utils._solve_generator(**arguments)


def limit_of(concurrency: Any) -> AbstractAsyncContextManager[Any]:
    """Give the semaphore of `Depends(max_concurrency=...)` in this event loop."""
    semaphore: AbstractAsyncContextManager[Any] = concurrency.get_semaphore()
    return semaphore


@asynccontextmanager
async def limited(
    context: AbstractAsyncContextManager[Any], concurrency: Any
) -> AsyncIterator[Any]:
    """Hold the limit of `Depends(max_concurrency=...)` from entering `context` to leaving it."""
    async with limit_of(concurrency), context as value:
        yield value


async def solve_alone(declared: Dependant, endpoint: Dependant, **arguments: Any) -> Any:
    """Solve one dependency of an endpoint, and what it depends on, with `solve_dependencies`."""
    root = cast(Any, Dependant)(dependencies=[declared], call=endpoint.call, path=endpoint.path)
    solved_alone.add(id(root))
    try:
        return await _utils.solve_dependencies(dependant=root, **arguments)
    finally:
        solved_alone.discard(id(root))


def endpoint_call() -> str:
    """Give the expression that calls a sync endpoint as FastAPI does in the thread, from within
    `run_endpoint_function`.
    """
    if hasattr(_routing, "_run_sync_endpoint"):  # 0.142: with its telemetry
        return "_run_sync_endpoint(function=dependant.call, arguments=values)"
    return "dependant.call(**values)"


async def checkpoint() -> None:
    """Let others run, and a cancellation arrive."""
    await anyio.lowlevel.checkpoint()
