"""Puts the resolver behind FastAPI's functions, and takes it out again.

FastAPI's own function objects stay; only their `__code__` is exchanged. So every closure and every
`from fastapi.dependencies.utils import solve_dependencies` reaches the resolver, in whatever order
things were imported; identity, signature and kind of the function are as before; and a tool that
wraps the function wraps the resolver.
"""

from __future__ import annotations

import inspect
import linecache
import logging
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any, TypeAlias

from . import _endpoint, _fastapi, _registry
from ._backend import served
from .markers import is_async_safe

logger = logging.getLogger("fastapi_async_safe")

_PREFIX = "_fastapi_async_safe_"
_FILENAME = "<fastapi-async-safe hooks>"


class _Hook:
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


_Maker: TypeAlias = Callable[[FunctionType], _Hook]
_hooks: dict[_Maker, _Hook] = {}


def install() -> bool:
    """Put the hooks in; without effect if they are.

    Returns:
        False if the installed FastAPI has no place for them; this has then been logged, once.
    """
    if _hooks:
        return True
    function = _fastapi.solve_dependencies_function()
    problem = _fastapi.unusable()
    if function is None or problem is not None:
        _say_once_that_fastapi_is_unknown(problem or "it has no solve_dependencies as known here")
        return False
    _hooks[_solving] = _solving(function)
    _place(_finishing, _fastapi.background_task_function)
    if _endpoint.marked_endpoints:  # from before the hooks were taken out
        install_for_endpoints()
    return True


def install_for_endpoints() -> None:
    """Put those hooks in that only marked endpoints need; without effect if they are.

    PERF: without them a request makes two coroutines less and keeps no note of itself, a fifteenth
    of one without dependencies.
    """
    _endpoint.marked_endpoints.add(True)
    _place(_containing, _fastapi.handle_exceptions_function)
    _place(_calling, _fastapi.run_endpoint_function)
    _place(_validating, _fastapi.serialize_response_function)
    _place(_streaming, _fastapi.iterate_in_threadpool_function)


def _place(make: _Maker, find: Callable[[], FunctionType | None]) -> None:
    if make in _hooks:
        return
    function = find()
    if function is None:
        _say_once_that_fastapi_is_unknown(f"{find.__name__} finds nothing as known here")
    else:
        _hooks[make] = make(function)


def remove() -> None:
    """Take the hooks out: FastAPI and Starlette are as they were."""
    while _hooks:
        _hooks.popitem()[1].remove()


def _solving(function: FunctionType) -> _Hook:
    names = list(inspect.signature(function).parameters)
    known = (*_fastapi.SOLVE_PARAMETERS, *_fastapi.IGNORED_PARAMETERS)
    # An argument that is not known here may mean anything: FastAPI's own code gets the call.
    new = [name for name in names if name not in known]
    guard = " and ".join(f'{name} is {{defaults}}["{name}"]' for name in new) or "True"
    # What the resolver gives is a `SolvedDependency`, a coroutine that gives one, or None.
    return _Hook(
        function,
        f"async def solve_dependencies(*, {', '.join(names)}):\n"
        f"    if {guard}:\n"
        f"        resolver = {{resolver_of}}(request.scope)\n"
        f"        if resolver is not None:\n"
        f"            solved = resolver.solve({', '.join(_fastapi.SOLVE_PARAMETERS)})\n"
        f"            if solved.__class__ is {{solved}}:\n"
        f"                return solved\n"
        f"            if solved is not None:\n"
        f"                return await solved\n"
        f"    else:\n"
        f"        {{unknown}}(request, dependant, {new})\n"
        f"    {{abandon}}()\n"
        f"    return await {{stock}}({_handed_on(names)})\n",
        resolver_of=_registry.resolver_of,
        abandon=served.abandon,
        solved=_fastapi.SolvedDependency,
        defaults=dict(function.__kwdefaults__ or {}),
        unknown=_say_once_that_call_is_unknown,
    )


def _calling(function: FunctionType) -> _Hook:
    return _Hook(
        function,
        "async def run_endpoint_function(*, dependant, values, is_coroutine):\n"
        "    if not is_coroutine and {inline}(dependant):\n"
        "        try:\n"
        f"            return {_fastapi.endpoint_call()}\n"
        "        except BaseException:\n"
        "            {abandon}()\n"  # what handles it is not the endpoint's
        "            raise\n"
        "    return await {stock}(\n"
        "        dependant=dependant, values=values, is_coroutine=is_coroutine\n"
        "    )\n",
        inline=served.is_called_inline,
        abandon=served.abandon,
    )


def _validating(function: FunctionType) -> _Hook:
    names = list(inspect.signature(function).parameters)
    return _Hook(
        function,
        f"async def serialize_response(*, {', '.join(names)}):\n"
        f"    if not is_coroutine and {{inline}}(field):\n"
        f"        is_coroutine = True\n"
        f"        try:\n"
        f"            return await {{stock}}({_handed_on(names)})\n"
        f"        except BaseException:\n"
        f"            {{abandon}}()\n"  # what handles it is not the endpoint's
        f"            raise\n"
        f"    return await {{stock}}({_handed_on(names)})\n",
        inline=served.is_validated_inline,
        abandon=served.abandon,
    )


def _streaming(function: FunctionType) -> _Hook:
    return _Hook(
        function,
        "async def iterate_in_threadpool(iterator):\n"
        "    iterate = {iterate} if {inline}() else {stock}\n"
        "    async for item in iterate(iterator):\n"
        "        yield item\n",
        inline=served.is_streamed_inline,
        iterate=_endpoint.iterate_inline,
    )


def _finishing(function: FunctionType) -> _Hook:
    return _Hook(
        function,
        "async def __call__(self):\n"
        "    if not self.is_async and {inline}(self.func):\n"
        "        self.func(*self.args, **self.kwargs)\n"
        "    else:\n"
        "        await {stock}(self)\n",
        inline=_is_task_inline,
    )


def _is_task_inline(func: Any) -> bool:
    if is_async_safe(func) is False:
        return False
    scope = _endpoint.scope_of_caller()
    resolver = None if scope is None else _registry.resolver_of(scope)
    return resolver is not None and resolver.runs_inline(func)


def _containing(function: FunctionType) -> _Hook:
    return _Hook(
        function,
        "def wrap_app_handling_exceptions(app, conn):\n"
        "    return {contained}({stock}(app, conn), conn)\n",
        contained=served.contained,
    )


def _handed_on(names: list[str]) -> str:
    return ", ".join(f"{name}={name}" for name in names)


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


_said: set[str] = set()


def _say_once_that_fastapi_is_unknown(problem: str) -> None:
    if problem not in _said:
        _said.add(problem)
        logger.warning(
            "FastAPI %s is not known to fastapi-async-safe: %s. What cannot be accelerated runs "
            "as without it",
            _fastapi.VERSION,
            problem,
        )


def _say_once_that_call_is_unknown(request: Any, dependant: Any, names: list[str]) -> None:
    path = str(dependant.path or request.scope.get("path"))
    if path not in _said:
        _said.add(path)
        logger.warning(
            "%s is left to FastAPI %s, its dependencies run as without fastapi-async-safe: "
            "solve_dependencies was called with an argument that is not known here (%s)",
            path,
            _fastapi.VERSION,
            ", ".join(names),
        )
