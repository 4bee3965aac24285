"""The exchange of a function's code for that of a hook.

FastAPI's own function objects stay; only their `__code__` is exchanged. So every closure and every
`from fastapi.dependencies.utils import solve_dependencies` reaches the resolver, in whatever order
things were imported; identity, signature and kind of the function are as before; and a tool that
wraps the function wraps the resolver.

Several copies of this package may have hooks in one function: one imported anew after it was taken
out of `sys.modules`, one that was vendored under another name. Each has under its hook, as `stock`,
a function with the code that it found, which may be another copy's hook. What the copies know of
each other is that `stock` is among the constants of the hook, and has as an attribute what it
stands for; so each can be taken out, whatever is above and below it.
"""

from __future__ import annotations

import inspect
import linecache
import weakref
from collections.abc import Callable, Iterator
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE
from types import CodeType, FunctionType
from typing import Any

_PREFIX = "_fastapi_async_safe_"

_FILENAME = "<fastapi-async-safe hooks>"

# NOTE: the attribute of a `stock` by which other copies of this package, of other releases too,
# find what is below a hook. Its meaning may not change.
_BELOW = f"{_PREFIX}below"

# NOTE: likewise what the copy with that hook says to others, a function.
_SAYS = f"{_PREFIX}says"


class Hook:
    """One function with its code exchanged.

    Parameters:
        function: FastAPI's or Starlette's.
        body: the source of what is to run in its place, with the same parameters and globals;
            `{stock}` stands for a function that does what `function` did, `{other}` for each of
            the names handed over.
        says: what other copies of this package may ask this one, by `others`.
        names: what the source needs.
    """

    def __init__(
        self,
        function: FunctionType,
        body: str,
        *,
        says: Callable[..., Any] | None = None,
        **names: Any,
    ) -> None:
        self._function = function
        names["stock"] = stock = _stock_of(function)
        setattr(stock, _SAYS, says)
        self._code = _compiled(body, function, names)
        function.__code__ = self._code

    def others(self) -> list[Callable[..., Any]]:
        """List what the copies of this package say that have hooks below this one."""
        said = [getattr(stock, _SAYS, None) for stock in _stocks_below(self._code)]
        return [says for says in said[1:] if says is not None]

    def remove(self) -> bool:
        """Give the function, or the hook of another copy above this one, back what was found.

        Returns:
            False if neither has this hook: then there is a code above it that is unknown here, and
            all stays as it is.
        """
        stock = _stock_in(self._code)
        assert stock is not None  # since `_compiled`
        if self._function.__code__ is self._code:
            self._function.__code__ = _code_below(stock)
        else:
            for above in _stocks_below(self._function.__code__):
                if _code_below(above) is self._code:
                    _put_below(above, _code_below(stock))
                    break
            else:
                return False
        _forget_name(stock)
        return True


def _stock_of(function: FunctionType) -> FunctionType:
    """Make a function that does what `function` does now."""
    code, names = function.__code__, function.__globals__
    stock = FunctionType(code, names, function.__name__, function.__defaults__)
    stock.__kwdefaults__ = function.__kwdefaults__
    _put_below(stock, code)
    return stock


def _code_below(stock: FunctionType) -> CodeType:
    code: CodeType = getattr(stock, _BELOW)
    return code


def _put_below(stock: FunctionType, code: CodeType) -> None:
    """Let `stock` do what a function with `code` does; where that called itself, `stock` does."""
    setattr(stock, _BELOW, code)
    own, new = code.co_name, _name_of(stock)
    if own not in code.co_names:
        stock.__code__ = code
        return
    # This is the only thing that FastAPI's modules have to know for a hook.
    stock.__globals__[new] = stock
    stock.__code__ = code.replace(
        co_names=tuple(new if name == own else name for name in code.co_names)
    )


def _name_of(stock: FunctionType) -> str:
    return f"{_PREFIX}{stock.__name__}_{id(stock)}"


def _forget_name(stock: FunctionType) -> None:
    """Take the name of `stock` out of FastAPI's module, as soon as no call of it runs any more."""
    names, name = stock.__globals__, _name_of(stock)
    if names.get(name) is not stock:
        return
    # A running call holds its function, and calls it by its name.
    names[name] = weakref.proxy(stock, lambda proxy: names.pop(name, None))


def _stock_in(code: CodeType) -> FunctionType | None:
    for constant in code.co_consts:
        if type(constant) is FunctionType and hasattr(constant, _BELOW):
            return constant
    return None


def _stocks_below(code: CodeType) -> Iterator[FunctionType]:
    stock = _stock_in(code)
    while stock is not None:
        yield stock
        stock = _stock_in(_code_below(stock))


def _compiled(body: str, function: FunctionType, names: dict[str, Any]) -> CodeType:
    """Compile `body`, with the names as local variables that are set from constants.

    PERF: a constant is read as fast as a global of the module, and there is nothing in FastAPI's
    modules that two copies of this package could both write, or that could be gone too early.
    """
    name = function.__name__
    body = body.format(**{each: f"{_PREFIX}{each}" for each in names})
    constants = {f"{_FILENAME} {each}": value for each, value in names.items()}
    bound = "; ".join(f"{_PREFIX}{each} = '{_FILENAME} {each}'" for each in names)
    source = f"{_head_of(function)}\n    {bound}\n{body}"
    # The lines are kept where tracebacks look for them.
    filename = file_of_hook(name)
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    namespace: dict[str, Callable[..., Any]] = {}
    exec(compile(source, filename, "exec"), namespace)
    code: CodeType = namespace[name].__code__
    return code.replace(
        co_consts=tuple(
            constants.get(constant, constant) if type(constant) is str else constant
            for constant in code.co_consts
        )
    )


def file_of_hook(name: str) -> str:
    """Give the file name by which tracebacks know the hook in a function of that name."""
    return f"{_FILENAME[:-1]}: {name}>"


def _head_of(function: FunctionType) -> str:
    """Give the first line of a function of that kind, name and parameters."""
    is_async = function.__code__.co_flags & (CO_COROUTINE | CO_ASYNC_GENERATOR)
    names: list[str] = []
    for name, is_keyword_only in _parameters_of(function):
        if is_keyword_only and "*" not in names:
            names.append("*")
        names.append(name)
    return f"{'async ' if is_async else ''}def {function.__name__}({', '.join(names)}):"


def handed_on(function: FunctionType) -> str:
    """Give the arguments with which a hook calls `{stock}`: those that it was called with."""
    return ", ".join(
        f"{name}={name}" if is_keyword_only else name
        for name, is_keyword_only in _parameters_of(function)
    )


def _parameters_of(function: FunctionType) -> Iterator[tuple[str, bool]]:
    for name, parameter in inspect.signature(function, follow_wrapped=False).parameters.items():
        yield name, parameter.kind is parameter.KEYWORD_ONLY
