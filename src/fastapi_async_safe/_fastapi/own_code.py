"""What FastAPI runs to read parameters, and whether all of it is FastAPI's own.

Plain parameters are read from the raw request, with the results that FastAPI's functions would
give. That is right only while each of these functions is the one it came with: projects replace
them, to strip white space off every value for one, and tools wrap them to see what was received.
Which functions there are differs from release to release, so they are not listed here: the code of
the first ones is followed to all that it looks up.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cached_property, lru_cache
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType, WrapperDescriptorType
from typing import Any, NamedTuple, TypeAlias, cast

from fastapi import _compat
from fastapi.dependencies import utils as _utils
from pydantic import TypeAdapter
from pydantic.fields import FieldInfo
from starlette.datastructures import Headers, ImmutableMultiDict, MutableHeaders, QueryParams
from starlette.responses import Response

from .dependants import Dependant

# Owner (a module, a class or a function), attribute, and what it was.
Row: TypeAlias = tuple[Any, str, Any]

_Attribute: TypeAlias = tuple[Any, str]

_READ: _Attribute = (_utils, "request_params_to_args")

_RECEIVED = ("path_params", "query_params", "headers", "cookies")

_CONTAINERS = (QueryParams, ImmutableMultiDict, Headers)

# Methods that no code names: of calls, `in`, square brackets, loops, and of every attribute.
_UNNAMED = (
    "__new__",
    "__init__",
    "__contains__",
    "__getitem__",
    "__iter__",
    "__getattribute__",
    "__setattr__",
)

ModelField: Any = getattr(getattr(_compat, "v2", _compat), "ModelField", None)

# Classes of objects, whose methods are called without the class being named.
_CLASSES = tuple(
    kind for kind in (*_CONTAINERS, ModelField, FieldInfo, TypeAdapter) if isinstance(kind, type)
)

_LIBRARIES = ("fastapi", "starlette", "pydantic")
_TYPING = ("typing", "types", "typing_extensions")

# Where the functions, classes and other values come from that these libraries look up.
_KNOWN = frozenset(sys.stdlib_module_names - {"unittest"}).union(
    _LIBRARIES, ("pydantic_core", "typing_extensions", "typing_inspection", "annotated_types")
)

_CachedFunction: Any = type(lru_cache(lambda: None))


class OwnCode(NamedTuple):
    """What FastAPI runs for one thing, as it was when it was looked at."""

    is_own: bool  # all of it is as FastAPI, Starlette and pydantic came with it
    rows: tuple[Row, ...]

    def is_as_seen(self) -> bool:
        """Say whether nothing of it was replaced since."""
        return all(getattr(owner, name, None) is value for owner, name, value in self.rows)


_reading: dict[tuple[type, bool], OwnCode] = {}


def reading(connection_class: type, *, anything: bool = True) -> OwnCode:
    """Look at what reads the parameters of a `Request` or a `WebSocket`.

    Parameters:
        connection_class: one of these two classes.
        anything: there are parameters; without any FastAPI asks for what it does not need.
    """
    known = _reading.get((connection_class, anything))
    if known is None or not known.is_as_seen():
        unnamed = [(kind, name) for kind in _CONTAINERS for name in _UNNAMED]
        received = [(connection_class, name) for name in (*_RECEIVED, *_UNNAMED_OF_CONNECTIONS)]
        known = _reading[connection_class, anything] = _look_at(
            [_READ, *unnamed, *received],
            classes=(connection_class, *_CLASSES),
            followed=_LIBRARIES if anything else ("starlette",),
        )
    return known


_UNNAMED_OF_CONNECTIONS = ("__getattribute__", "__setattr__")


def reading_bodies() -> OwnCode:
    """Look at what reads body parameters. It is not followed: it runs to most of FastAPI."""
    return _look_at([(_utils, "request_body_to_args")], classes=(), followed=())


def responding() -> OwnCode:
    """Look at what makes the response that dependencies may set headers on."""
    made = [(kind, name) for kind in (Response, MutableHeaders) for name in _UNNAMED_OF_RESPONSES]
    return _look_at(
        [(_utils, "Response"), *made], classes=(Response, MutableHeaders), followed=("starlette",)
    )


_UNNAMED_OF_RESPONSES = (
    "__new__",
    "__init__",
    "__setattr__",
    "__delitem__",
    "__getattribute__",
    "headers",
)


def solving(*, under_overrides: bool) -> OwnCode:
    """Look at what FastAPI asks of each dependency on each request, and a plan asks once."""
    asked = [(owner, name) for owner in (_utils, Dependant) for name in _ASKED_OF_EACH]
    found = _look_at(asked, classes=(cast(type, Dependant),), followed=("fastapi",))
    if not under_overrides:
        return found
    # What makes the dependants of overrides is not followed: it runs to most of FastAPI.
    making = _look_at([(_utils, "get_dependant")], classes=(), followed=())
    return OwnCode(found.is_own and making.is_own, found.rows + making.rows)


# Functions of utils under these names from 0.140 on and to 0.120; else attributes of Dependant.
_ASKED_OF_EACH = (
    "SolvedDependency",
    "_get_cache_key",
    "_get_oauth_scopes",
    "_is_async_gen_callable",
    "_is_coroutine_callable",
    "_is_gen_callable",
    "cache_key",
    "is_async_gen_callable",
    "is_coroutine_callable",
    "is_gen_callable",
    "oauth_scopes",
)


def _look_at(
    pending: list[_Attribute], *, classes: tuple[type, ...], followed: tuple[str, ...]
) -> OwnCode:
    rows: dict[tuple[int, str], Row] = {}
    while pending:
        owner, name = pending.pop()
        if (id(owner), name) in rows or not hasattr(owner, name):
            continue
        value = getattr(owner, name)
        rows[id(owner), name] = (owner, name, value)
        for function in _within(value):
            rows[id(function), "__code__"] = (function, "__code__", function.__code__)
            if _package(function.__module__) in followed and _is_own(value):
                pending += _looked_up_by(function, classes)
    is_own = all(_is_own(value) for _, name, value in rows.values() if name != "__code__")
    return OwnCode(is_own, tuple(rows.values()))


def _looked_up_by(function: FunctionType, classes: tuple[type, ...]) -> Iterator[_Attribute]:
    names = {name for name in _names_in(function.__code__) if not name.startswith("__")}
    module = sys.modules[function.__module__]
    for name in names & vars(module).keys():
        value = getattr(module, name)
        if not _is_worth_watching(module, value):
            continue
        yield module, name
        if isinstance(value, ModuleType):
            yield from ((value, each) for each in names & vars(value).keys())
    for kind in classes:
        yield from ((kind, name) for name in names if hasattr(kind, name))


def _is_worth_watching(module: ModuleType, value: Any) -> bool:
    if _package(module.__name__) == "pydantic":  # the rest of it is not for others to use
        return isinstance(value, ModuleType) or bool(_within(value)) or not _is_own(value)
    # What annotations are made of.
    return getattr(value, "__module__", type(value).__module__) not in _TYPING


def _names_in(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names_in(constant)


def _within(value: Any) -> list[FunctionType]:
    """List the function of one of the libraries that a value is, or is made of."""
    if type(value) is property:
        value = value.fget
    elif type(value) is cached_property:
        value = value.func
    elif type(value) is _CachedFunction:
        value = value.__wrapped__
    is_function = type(value) is FunctionType and _package(value.__module__) in _LIBRARIES
    return [value] if is_function else []


def _is_own(value: Any) -> bool:
    """Say whether a value came with FastAPI, what it depends on, or Python."""
    if functions := _within(value):
        return _was_made_at_home(functions[0])
    if type(value) in (property, cached_property, _CachedFunction):
        return False
    if value is object.__new__:
        return True
    if isinstance(value, (type, FunctionType, BuiltinFunctionType)):
        return not hasattr(value, "__wrapped__") and _package(value.__module__) in _KNOWN
    if isinstance(value, ModuleType):
        return _package(value.__name__) in _KNOWN
    if callable(value):  # such as a `partial`; or `typing.Mapping`, which Starlette to 0.46 has
        return type(value) is WrapperDescriptorType or type(value).__module__ in _TYPING
    return _package(type(value).__module__) in _KNOWN


def _was_made_at_home(function: FunctionType) -> bool:
    """Say whether a function that says to be of one of the libraries was made there."""
    module = sys.modules.get(function.__module__)
    code = function.__code__
    path, home = code.co_filename.replace("\\", "/"), function.__module__.replace(".", "/")
    return (
        function.__globals__ is getattr(module, "__dict__", None)
        and not hasattr(function, "__wrapped__")
        and code.co_name == function.__name__
        and path.endswith((f"{home}.py", f"{home}/__init__.py"))
    )


def _package(module: Any) -> str:
    return str(module).split(".")[0]
