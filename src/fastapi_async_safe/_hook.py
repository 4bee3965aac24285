"""Puts the resolver behind FastAPI's `solve_dependencies`, and takes it out again.

FastAPI's own function object stays; only its `__code__` is exchanged. So every closure and every
`from fastapi.dependencies.utils import solve_dependencies` reaches the resolver, in whatever order
things were imported; identity, signature and kind of the function are as before; and a tool that
wraps the function wraps the resolver.
"""

from __future__ import annotations

import inspect
import linecache
import logging
from types import CodeType, FunctionType
from typing import Any

from . import _fastapi, _registry

logger = logging.getLogger("fastapi_async_safe")

_PREFIX = "_fastapi_async_safe_"
_FILENAME = "<fastapi-async-safe hook>"

_original_code: CodeType | None = None


def install() -> bool:
    """Put the hook in; without effect if it is in.

    Returns:
        False if the installed FastAPI has no place for it; this has then been logged, once.
    """
    global _original_code
    if _original_code is not None:
        return True
    function = _fastapi.solve_dependencies_function()
    problem = _fastapi.unusable()
    if function is None or problem is not None:
        _say_once_that_fastapi_is_unknown(problem or "it has no solve_dependencies as known here")
        return False
    namespace = function.__globals__
    namespace[f"{_PREFIX}enter"] = enter
    namespace[f"{_PREFIX}stock"] = _stock(function)
    namespace[f"{_PREFIX}solved"] = _fastapi.SolvedDependency
    namespace[f"{_PREFIX}defaults"] = dict(function.__kwdefaults__ or {})
    namespace[f"{_PREFIX}unknown"] = _say_once_that_call_is_unknown
    _original_code, function.__code__ = function.__code__, _hook_code(function)
    return True


def remove() -> None:
    """Take the hook out: FastAPI is as it was."""
    global _original_code
    function = _fastapi.solve_dependencies_function()
    if _original_code is None or function is None:
        return
    function.__code__, _original_code = _original_code, None
    for name in ("enter", "stock", "solved", "defaults", "unknown"):
        del function.__globals__[f"{_PREFIX}{name}"]


def enter(
    request: Any,
    dependant: Any,
    body: Any,
    background_tasks: Any,
    response: Any,
    overrides_provider: Any,
    dependency_cache: Any,
    async_exit_stack: Any,
    embed_body_fields: bool,
) -> Any:
    """Hand a call of `solve_dependencies` to the resolver it belongs to.

    Returns:
        A `SolvedDependency`, a coroutine that gives it, or None: FastAPI's own code has to do it.
    """
    resolver = _registry.resolver_of(request.scope)
    if resolver is None:
        return None
    return resolver.solve(
        request,
        dependant,
        body,
        background_tasks,
        response,
        overrides_provider,
        dependency_cache,
        async_exit_stack,
        embed_body_fields,
    )


def _stock(function: FunctionType) -> FunctionType:
    """Make a copy of FastAPI's function that calls itself where FastAPI's calls itself."""
    code = function.__code__
    names = tuple(
        f"{_PREFIX}stock" if name == function.__name__ else name for name in code.co_names
    )
    copy = FunctionType(code.replace(co_names=names), function.__globals__, function.__name__)
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy


def _hook_code(function: FunctionType) -> CodeType:
    names = list(inspect.signature(function).parameters)
    new = [name for name in names if name not in _fastapi.SOLVE_PARAMETERS]
    # An argument that is not known here may mean anything: FastAPI's own code gets the call.
    known = " and ".join(f'{name} is {_PREFIX}defaults["{name}"]' for name in new) or "True"
    source = (
        f"async def solve_dependencies(*, {', '.join(names)}):\n"
        f"    if {known}:\n"
        f"        solved = {_PREFIX}enter({', '.join(_fastapi.SOLVE_PARAMETERS)})\n"
        f"        if solved is not None:\n"
        f"            if solved.__class__ is {_PREFIX}solved:\n"
        f"                return solved\n"
        f"            return await solved\n"
        f"    else:\n"
        f"        {_PREFIX}unknown(dependant, {', '.join(new) or None})\n"
        f"    return await {_PREFIX}stock({', '.join(f'{name}={name}' for name in names)})\n"
    )
    linecache.cache[_FILENAME] = (len(source), None, source.splitlines(True), _FILENAME)
    namespace: dict[str, Any] = {}
    exec(compile(source, _FILENAME, "exec"), namespace)
    code: CodeType = namespace["solve_dependencies"].__code__
    return code


_said: set[str] = set()


def _say_once_that_fastapi_is_unknown(problem: str) -> None:
    if problem not in _said:
        _said.add(problem)
        logger.warning(
            "FastAPI %s cannot be accelerated: %s. Applications run as without "
            "fastapi-async-safe; an update of it will know this FastAPI",
            _fastapi.VERSION,
            problem,
        )


def _say_once_that_call_is_unknown(dependant: Any, *values: Any) -> None:
    path = str(dependant.path)
    if path not in _said:
        _said.add(path)
        logger.warning(
            "%s is left to FastAPI %s: solve_dependencies was called with an argument that is "
            "not known here (%s)",
            path,
            _fastapi.VERSION,
            ", ".join(map(repr, values)),
        )
