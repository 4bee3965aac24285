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
from typing import Any

from . import _endpoint, _fastapi, _registry

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
        self.name = function.__name__
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


_hooks: list[_Hook] = []
_marked_endpoints: set[bool] = set()  # filled when there is one


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
    _hooks.append(_solving(function))
    _place(_containing, _fastapi.handle_exceptions_function)
    _place(_streaming, _fastapi.iterate_in_threadpool_function)
    _place(_finishing, _fastapi.background_task_function)
    if _marked_endpoints:  # from before the hooks were taken out
        install_for_endpoints()
    return True


def install_for_endpoints() -> None:
    """Put those hooks in that only marked `def` endpoints need; without effect if they are.

    PERF: without them a request makes two coroutines less, 2 % of one without dependencies.
    """
    _marked_endpoints.add(True)
    placed = {hook.name for hook in _hooks}
    if "run_endpoint_function" not in placed:
        _place(_calling, _fastapi.run_endpoint_function)
    if "serialize_response" not in placed:
        _place(_validating, _fastapi.serialize_response_function)


def _place(hook: Callable[[FunctionType], _Hook], find: Callable[[], FunctionType | None]) -> None:
    function = find()
    if function is None:
        _say_once_that_fastapi_is_unknown(f"{find.__name__} finds nothing as known here")
    else:
        _hooks.append(hook(function))


def remove() -> None:
    """Take the hooks out: FastAPI and Starlette are as they were."""
    while _hooks:
        _hooks.pop().remove()


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
        _endpoint.serve_by(None)
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


def _solving(function: FunctionType) -> _Hook:
    names = list(inspect.signature(function).parameters)
    known = (*_fastapi.SOLVE_PARAMETERS, *_fastapi.IGNORED_PARAMETERS)
    # An argument that is not known here may mean anything: FastAPI's own code gets the call.
    new = [name for name in names if name not in known]
    guard = " and ".join(f'{name} is {{defaults}}["{name}"]' for name in new) or "True"
    return _Hook(
        function,
        f"async def solve_dependencies(*, {', '.join(names)}):\n"
        f"    if {guard}:\n"
        f"        solved = {{enter}}({', '.join(_fastapi.SOLVE_PARAMETERS)})\n"
        f"        if solved is not None:\n"
        f"            if solved.__class__ is {{solved}}:\n"
        f"                return solved\n"
        f"            return await solved\n"
        f"    else:\n"
        f"        {{unknown}}(request, dependant, {new})\n"
        f"    return await {{stock}}({_handed_on(names)})\n",
        enter=enter,
        solved=_fastapi.SolvedDependency,
        defaults=dict(function.__kwdefaults__ or {}),
        unknown=_say_once_that_call_is_unknown,
    )


def _calling(function: FunctionType) -> _Hook:
    return _Hook(
        function,
        "async def run_endpoint_function(*, dependant, values, is_coroutine):\n"
        "    if not is_coroutine and {inline}(dependant):\n"
        "        return {call}(dependant, values)\n"
        "    return await {stock}(\n"
        "        dependant=dependant, values=values, is_coroutine=is_coroutine\n"
        "    )\n",
        inline=_endpoint.is_called_inline,
        call=_fastapi.call_endpoint,
    )


def _validating(function: FunctionType) -> _Hook:
    names = list(inspect.signature(function).parameters)
    return _Hook(
        function,
        f"async def serialize_response(*, {', '.join(names)}):\n"
        f"    if not is_coroutine and {{inline}}(field):\n"
        f"        is_coroutine = True\n"
        f"    return await {{stock}}({_handed_on(names)})\n",
        inline=_endpoint.is_validated_inline,
    )


def _streaming(function: FunctionType) -> _Hook:
    return _Hook(
        function,
        "async def iterate_in_threadpool(iterator):\n"
        "    iterate = {iterate} if {inline}() else {stock}\n"
        "    async for item in iterate(iterator):\n"
        "        yield item\n",
        inline=_endpoint.is_streamed_inline,
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
        inline=_endpoint.is_task_inline,
    )


def _containing(function: FunctionType) -> _Hook:
    return _Hook(
        function,
        "def wrap_app_handling_exceptions(app, conn):\n"
        "    return {contained}({stock}(app, conn), conn)\n",
        contained=_endpoint.contained,
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
