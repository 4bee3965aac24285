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

# The keywords with which FastAPI's request handlers call the function, all of them or some.
_HANDED_ON = (
    "request",
    "dependant",
    "body",
    "dependency_overrides_provider",
    "async_exit_stack",
    "embed_body_fields",
)
_PREFIX = "_fastapi_async_safe_"
_FILENAME = "<fastapi-async-safe hook>"

_original_code: CodeType | None = None


def install() -> bool:
    """Put the hook in; without effect if it is in.

    Returns:
        False if the installed FastAPI has no place for it; a warning has then been logged.
    """
    global _original_code
    if _original_code is not None:
        return True
    function = _fastapi.solve_dependencies_function()
    if function is None:
        logger.warning(
            "FastAPI %s has no solve_dependencies that could be accelerated; applications run as "
            "without fastapi-async-safe. Please report this, and use an earlier FastAPI meanwhile",
            _fastapi.VERSION,
        )
        return False
    _original_code = function.__code__
    namespace = function.__globals__
    stock = FunctionType(function.__code__, namespace, function.__name__)
    stock.__kwdefaults__ = function.__kwdefaults__
    namespace[f"{_PREFIX}stock"] = stock
    namespace[f"{_PREFIX}enter"] = enter
    namespace[f"{_PREFIX}solved"] = _fastapi.SolvedDependency
    namespace[f"{_PREFIX}defaults"] = dict(function.__kwdefaults__ or {})
    function.__code__ = _hook_code(function)
    return True


def remove() -> None:
    """Take the hook out: FastAPI is as it was."""
    global _original_code
    function = _fastapi.solve_dependencies_function()
    if _original_code is None or function is None:
        return
    function.__code__ = _original_code
    for name in ("stock", "enter", "solved", "defaults"):
        del function.__globals__[f"{_PREFIX}{name}"]
    _original_code = None


def enter(
    request: Any,
    dependant: Any,
    body: Any,
    overrides_provider: Any,
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
        request, dependant, body, overrides_provider, async_exit_stack, embed_body_fields
    )


def _hook_code(function: FunctionType) -> CodeType:
    names = list(inspect.signature(function).parameters)
    # Calls with any other argument than those of the request handlers, among them the recursion
    # of FastAPI's own code and all arguments of releases to come, are FastAPI's own business.
    guard = " and ".join(
        f'{name} is {_PREFIX}defaults["{name}"]' for name in names if name not in _HANDED_ON
    )
    source = (
        f"async def solve_dependencies(*, {', '.join(names)}):\n"
        f"    if {guard or 'True'}:\n"
        f"        solved = {_PREFIX}enter(\n"
        f"            {', '.join(_HANDED_ON)}\n"
        f"        )\n"
        f"        if solved is not None:\n"
        f"            if solved.__class__ is {_PREFIX}solved:\n"
        f"                return solved\n"
        f"            return await solved\n"
        f"    return await {_PREFIX}stock({', '.join(f'{name}={name}' for name in names)})\n"
    )
    linecache.cache[_FILENAME] = (len(source), None, source.splitlines(True), _FILENAME)
    namespace: dict[str, Any] = {}
    exec(compile(source, _FILENAME, "exec"), namespace)
    code: CodeType = namespace["solve_dependencies"].__code__
    return code
