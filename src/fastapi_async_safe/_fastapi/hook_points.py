"""Where the hooks are put: FastAPI's and Starlette's own functions, also behind wrappers."""

from __future__ import annotations

import inspect
from types import FunctionType
from typing import Any

from fastapi import routing as _routing
from fastapi.dependencies import utils as _utils
from starlette import _exception_handler
from starlette import background as _background
from starlette import concurrency as _concurrency

SOLVE_PARAMETERS = (
    "request",
    "dependant",
    "body",
    "background_tasks",
    "response",
    "dependency_overrides_provider",
    "dependency_cache",
    "async_exit_stack",
    "embed_body_fields",
)

# Arguments that are not needed: what FastAPI hands from call to call to save time.
IGNORED_PARAMETERS = ("_uses_scopes_cache",)


# The name of what runs an endpoint.
RUN_ENDPOINT = "run_endpoint_function"


def solve_dependencies_function() -> FunctionType | None:
    """Find FastAPI's own `solve_dependencies`, also where a tool has put a wrapper in its place.

    Returns:
        The function, or None if there is none with parameters that are supported.
    """
    function = own_function(_utils, "solve_dependencies", SOLVE_PARAMETERS)
    if function is None or not inspect.iscoroutinefunction(function):
        return None
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is not parameter.KEYWORD_ONLY:
            return None
        if parameter.default is parameter.empty and name not in SOLVE_PARAMETERS:
            return None
    return function


def run_endpoint_function() -> FunctionType | None:
    """Find what runs an endpoint, None if that is not as it is supported."""
    return own_function(
        _routing, RUN_ENDPOINT, ("dependant", "values", "is_coroutine"), exactly=True
    )


def serialize_response_function() -> FunctionType | None:
    """Find what validates and serializes a response, None if that is not as it is supported."""
    return own_function(
        _routing, "serialize_response", ("field", "response_content", "is_coroutine")
    )


def iterate_in_threadpool_function() -> FunctionType | None:
    """Find what iterates over sync streams, None if that is not as it is supported."""
    return own_function(_concurrency, "iterate_in_threadpool", ("iterator",), exactly=True)


def background_task_function() -> FunctionType | None:
    """Find what runs one background task, None if that is not as it is supported."""
    return own_function(_background.BackgroundTask, "__call__", ("self",), exactly=True)


def handle_exceptions_function() -> FunctionType | None:
    """Find what every request is handled in, None if that is not as it is supported."""
    return own_function(
        _exception_handler, "wrap_app_handling_exceptions", ("app", "conn"), exactly=True
    )


def own_function(
    owner: Any, name: str, parameters: tuple[str, ...], exactly: bool = False
) -> FunctionType | None:
    home = getattr(owner, "__module__", None) or owner.__name__
    pending, seen = [getattr(owner, name, None)], set()
    while pending:
        function = pending.pop()
        if function is None or id(function) in seen:
            continue
        seen.add(id(function))
        if type(function) is FunctionType and function.__globals__.get("__name__") == home:
            known = set(inspect.signature(function, follow_wrapped=False).parameters)
            fits = known == set(parameters) if exactly else known >= set(parameters)
            if fits and function.__name__ == name and not function.__code__.co_freevars:
                return function
        # Below a wrapper: where functools and wrapt keep it, or in its closure.
        pending.append(getattr(function, "__wrapped__", None))
        for cell in getattr(function, "__closure__", None) or ():
            content = getattr(cell, "cell_contents", None)
            if type(content) is FunctionType and content.__name__ == name:
                pending.append(content)
    return None
