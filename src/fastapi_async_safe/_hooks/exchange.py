"""The exchange of a function's code for that of a hook.

FastAPI's own function objects stay; only their `__code__` is exchanged. So every closure and every
`from fastapi.dependencies.utils import solve_dependencies` reaches the resolver, in whatever order
things were imported; identity, signature and kind of the function are as before; and a tool that
wraps the function wraps the resolver.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any

_PREFIX = "_fastapi_async_safe_"

_FILENAME = "<fastapi-async-safe hooks>"


class Hook:
    """One function with its code exchanged.

    Parameters:
        function: FastAPI's or Starlette's.
        source: of the function that is to run in its place, with the same parameters. Its globals
            are those of `function`; `{stock}` stands for a function that does what `function` did,
            `{other}` for each of the names handed over.
        names: what the source needs.
    """

    def __init__(self, function: FunctionType, source: str, **names: Any) -> None:
        self._function = function
        self._code = function.__code__
        prefix = f"{_PREFIX}{function.__name__.strip('_')}_"
        names["stock"] = _copy_of(function, f"{prefix}stock")
        self._added = {f"{prefix}{name}": value for name, value in names.items()}
        function.__globals__.update(self._added)
        source = source.format(**{name: f"{prefix}{name}" for name in names})
        function.__code__ = _compiled(source, function.__name__)

    def remove(self) -> None:
        """Give the function its code back."""
        self._function.__code__ = self._code
        for name in self._added:
            del self._function.__globals__[name]


def _copy_of(function: FunctionType, name: str) -> FunctionType:
    """Copy a function; where it called itself, the copy, called `name`, does."""
    code = function.__code__
    names = tuple(name if each == function.__name__ else each for each in code.co_names)
    copy = FunctionType(
        code.replace(co_names=names), function.__globals__, function.__name__, function.__defaults__
    )
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy


def _compiled(source: str, name: str) -> CodeType:
    # The lines are kept where tracebacks look for them.
    filename = f"{_FILENAME[:-1]}: {name}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    namespace: dict[str, Callable[..., Any]] = {}
    exec(compile(source, filename, "exec"), namespace)
    code: CodeType = namespace[name].__code__
    return code


def handed_on(names: list[str]) -> str:
    return ", ".join(f"{name}={name}" for name in names)
