"""The technique of fastapi-async-safe-dependencies: a coroutine around each marked callable.

FastAPI then awaits it on the event loop instead of sending it to the thread pool, and does all
else as before. Generators are left alone: what awaits one gets the generator, not its value.
"""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant

from fastapi_async_safe import is_async_safe


def wrap_marked(app: FastAPI) -> FastAPI:
    """Put a coroutine around each marked dependency of each route of `app`, and return `app`."""
    for route in app.routes:
        dependant = getattr(route, "dependant", None)
        if dependant is not None:
            _wrap_below(dependant)
    return app


def _wrap_below(dependant: Dependant) -> None:
    for dependency in dependant.dependencies:
        _wrap_below(dependency)
        call = dependency.call
        if call is not None and is_async_safe(call) and not inspect.isgeneratorfunction(call):
            dependency.call = _in_coroutine(call)


def _in_coroutine(call: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(call)
    async def awaited(*args: Any, **kwargs: Any) -> Any:
        return call(*args, **kwargs)

    return awaited
