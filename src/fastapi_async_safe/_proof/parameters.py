"""What FastAPI passes to a dependency: what is known of it from the parameter's annotation.

FastAPI validates what comes from the request, so that a parameter is what its annotation says. It
does not validate defaults, results of other dependencies, and what `Annotated` puts behind a type.
"""

from __future__ import annotations

import datetime as dt
import dis
import enum
import inspect
import sys
import uuid
from collections.abc import Mapping
from contextlib import suppress
from types import FunctionType, NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
from fastapi import Request, WebSocket, params
from fastapi.security import SecurityScopes
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from starlette.requests import HTTPConnection

from .expected import Expected
from .guesses import returned_by
from .lookup import ABSENT, Watched, dict_of, find, is_compared_plainly, mro_of
from .values import (
    SCALARS,
    TEXT_CLAIMED,
    Box,
    Held,
    Known,
    Opaque,
    Plain,
    Value,
    any_of,
    bits_of,
    is_constant,
    size_of,
)

# NOTE: asked for by their exact classes: what derives from one may say how it is validated.
_FIELDS = (
    FieldInfo,
    params.Body,
    params.Cookie,
    params.File,
    params.Form,
    params.Header,
    params.Path,
    params.Query,
)
_GENERAL_METADATA = type(FieldInfo(pattern="x").metadata[0])  # of pydantic: `pattern` and the like
_DOCUMENTATION = tuple(
    getattr(sys.modules[module], name)
    for module, name in (
        ("annotated_doc", "Doc"),
        ("typing_extensions", "Doc"),
        ("typing_extensions", "deprecated"),
    )
    if hasattr(sys.modules.get(module), name)
)
#: By these names a class says how pydantic validates it.
_OWN_VALIDATION = ("__get_pydantic_core_schema__", "__get_validators__", "__pydantic_core_schema__")

_EXACT = (dt.datetime, dt.date, dt.time, dt.timedelta, uuid.UUID)
_CONTAINERS = (list, set, frozenset, tuple)
_CONSTRAINTS = (
    annotated_types.Ge,
    annotated_types.Gt,
    annotated_types.Le,
    annotated_types.Lt,
    annotated_types.MinLen,
    annotated_types.MaxLen,
    annotated_types.MultipleOf,
)
_COPYING = ("__deepcopy__", "__copy__", "__reduce_ex__", "__reduce__")
_NONE = inspect.Parameter.empty


def declared_by(call: Any) -> inspect.Signature | None:
    """Give the signature of `call` as it is written; None if there is none."""
    try:
        return inspect.signature(call)
    except Exception:  # it may run code of the user's
        return None


def evaluated(signature: inspect.Signature, call: Any) -> inspect.Signature:
    """Give the signature that FastAPI passes arguments by, with annotations that are evaluated."""
    annotations = [each.annotation for each in signature.parameters.values()]
    if any(isinstance(each, str) for each in annotations):
        with suppress(Exception):
            return inspect.signature(call, eval_str=True)
    return signature


def as_made(
    parameter: inspect.Parameter, made: Mapping[str, Any], results: Mapping[str, Any] | None
) -> inspect.Parameter:
    """Give a parameter as FastAPI understood it when it made the dependant.

    An annotation that is text, and from 3.14 on any other, may mean something else by now.

    Parameters:
        parameter: with what its annotation means now.
        made: by name, FastAPI's `FieldInfo`, or the class that it makes by itself.
        results: what is called for the parameters that are dependencies, by name.
    """
    found = made.get(parameter.name)
    if isinstance(found, FieldInfo):
        return parameter.replace(annotation=found.annotation, default=found)
    cls = parameter.annotation
    is_known = isinstance(cls, type) and any(base is found for base in mro_of(cls))
    is_dependency = results is not None and parameter.name in results
    if is_known or (is_dependency and _depended_on(parameter) is not None):
        return parameter
    return parameter.replace(annotation=_NOT_KNOWN, default=_NONE)


#: An annotation that says nothing.
_NOT_KNOWN = "not known"


def passed(
    parameter: inspect.Parameter,
    watched: Watched,
    results: Mapping[str, Any] | None = None,
    expected: Expected | None = None,
    known: Mapping[str, Value] | None = None,
) -> Value:
    """Say what FastAPI passes for a parameter.

    Parameters:
        parameter: of the dependency, or of the `def` endpoint.
        watched: where what this rests on is noted.
        results: what is called in fact for the parameters that are dependencies, None for what
            `Depends` says; a class gives an instance of itself.
        expected: where it is noted if the annotation's word is taken; None: it is not taken.
        known: what is passed for sure, by name, where more is known of it than is declared.
    """
    value = None if known is None else known.get(parameter.name)
    if value is None:
        value = _passed_surely(parameter, watched, results)
    if expected is None or (isinstance(value, Held) and value.cls in _EXACT):
        return value  # what pydantic made has nothing of others within it
    annotation = parameter.annotation
    if annotation is HTTPConnection:
        annotation = Request | WebSocket
    call = _depended_on(parameter)
    if call is not None and (annotation is _NONE or annotation is Any):
        annotation = returned_by(call)
    return expected.parameter(parameter.name, value, annotation)


def _passed_surely(
    parameter: inspect.Parameter, watched: Watched, results: Mapping[str, Any] | None
) -> Value:
    annotation, default = parameter.annotation, parameter.default
    extras: tuple[Any, ...] = ()
    if get_origin(annotation) is Annotated:
        annotation, *more = get_args(annotation)
        extras = tuple(more)
    what = f"the parameter `{parameter.name}`"
    if isinstance(annotation, str):
        return Opaque(what)
    call = _depended_on(parameter)
    if call is not None:
        is_called = results is None or results.get(parameter.name) is call
        return _result(call, annotation, watched, what, is_called)
    if annotation is SecurityScopes:
        return Held(SecurityScopes, what)
    if not _are_plain(extras) or (isinstance(default, FieldInfo) and not _is_plain_field(default)):
        return Opaque(what, _hint(annotation))
    # NOTE: FastAPI drops those of `Annotated` where the default is a `Query()` or the like.
    sources = [default] if isinstance(default, FieldInfo) else extras
    constraints = [x for each in sources for x in _constraints(each)]
    value = _validated(annotation, what, constraints, watched)
    return any_of([value, *_defaults(default, extras, what, watched)])


def _depended_on(parameter: inspect.Parameter) -> Any:
    """Give what a parameter is the dependency of, None if it is no dependency."""
    annotation, *extras = (
        get_args(parameter.annotation)
        if get_origin(parameter.annotation) is Annotated
        else (parameter.annotation,)
    )
    for each in [parameter.default, *reversed(extras)]:
        if isinstance(each, params.Depends):
            return annotation if each.dependency is None else each.dependency
    return None


def _result(call: Any, annotation: Any, watched: Watched, what: str, is_called: bool) -> Value:
    if is_called and isinstance(call, type) and _makes_itself(call, watched):
        return Held(call, what)
    hint = _hint(annotation) or _hint(_return_annotation(call))
    return Opaque(what, hint)


def _return_annotation(call: Any) -> Any:
    annotation = getattr(call, "__annotations__", {}).get("return")
    arguments = get_args(annotation)
    return arguments[0] if arguments else annotation


def _makes_itself(cls: type, watched: Watched) -> bool:
    if find(type(cls), "__call__")[0] is not type.__dict__["__call__"]:
        return False
    if not is_compared_plainly(cls):
        return False
    watched.class_attribute(type(cls), "__call__")
    if watched.class_attribute(cls, "__new__") is not object.__new__:
        return False
    return cls not in (object, type) and not any(map(_changes_its_class, mro_of(cls)))


def _changes_its_class(cls: type) -> bool:
    init = dict_of(cls).get("__init__")
    return (
        type(init) is FunctionType
        and "__class__" in init.__code__.co_names
        and any(
            each.opname == "STORE_ATTR" and each.argval == "__class__"
            for each in dis.get_instructions(init)
        )
    )


def _hint(annotation: Any) -> type | None:
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, UnionType):
        classes = [each for each in get_args(annotation) if each is not NoneType]
        annotation = classes[0] if len(classes) == 1 else None
    origin = get_origin(annotation)
    if isinstance(origin, type):
        annotation = origin
    # Both are classes, and say nothing. NOTE: by identity, as `==` may run code of the user's.
    if annotation is Any or annotation is inspect.Parameter.empty:
        return None
    return annotation if isinstance(annotation, type) else None


def _are_plain(extras: tuple[Any, ...]) -> bool:
    return all(
        type(each) in (str, *_CONSTRAINTS, *_DOCUMENTATION) or _is_plain_field(each)
        for each in extras
    )


def _is_plain_field(each: Any) -> bool:
    return type(each) in _FIELDS and all(
        type(one) in (*_CONSTRAINTS, _GENERAL_METADATA) for one in each.metadata
    )


def _constraints(each: Any) -> list[Any]:
    if isinstance(each, FieldInfo):
        return list(each.metadata)
    return [each] if isinstance(each, _CONSTRAINTS) else []


def _defaults(default: Any, extras: tuple[Any, ...], what: str, watched: Watched) -> list[Value]:
    found: list[Value] = []
    for each in [default, *extras]:
        if each is _NONE or each is ... or each is PydanticUndefined:
            continue
        if isinstance(each, FieldInfo):
            if each.default_factory is not None:
                found.append(Opaque(f"the default of {what}"))
            elif each.default is not PydanticUndefined and each.default is not ...:
                found.append(_default(each.default, what, watched))
        elif each is default:
            found.append(_default(each, what, watched))
    return found


def _default(default: Any, what: str, watched: Watched) -> Value:
    # FastAPI passes a deep copy on.
    kind = type(default)
    if is_constant(default):
        return Known(default)
    if issubclass(kind, enum.Enum) and all(
        watched.class_attribute(kind, name) is find(enum.Enum, name)[0] for name in _COPYING
    ):
        watched.class_of(default)
        return Known(default)
    if (kind is list or kind is set) and len(default) <= 32 and all(map(is_constant, default)):
        return Box(kind, [Known(each) for each in default], exact=False)
    if kind is dict and not default:
        return Box(dict, [], [], exact=False)
    return Opaque(f"the default of {what}")


def _validated(annotation: Any, what: str, constraints: list[Any], watched: Watched) -> Value:
    if annotation is None or annotation is NoneType:
        return Plain(NoneType)
    origin, arguments = get_origin(annotation), get_args(annotation)
    for cls in (annotation, origin):
        if isinstance(cls, type) and not is_compared_plainly(cls):
            return Opaque(what)
    if annotation is int:
        return Plain(int, bits=_bits(constraints))
    if annotation is bytes:
        return Opaque(what)  # a file's content, whatever its size
    if annotation is str:
        longest = _longest(constraints)
        return Plain(str, size=1.0 if longest is None else min(1.0, longest / TEXT_CLAIMED))
    if isinstance(annotation, type) and annotation in SCALARS:
        return Plain(annotation)
    if isinstance(annotation, type) and annotation in _EXACT:
        return Held(annotation, what)
    if origin in (Union, UnionType):
        return any_of(_validated(each, what, constraints, watched) for each in arguments)
    if origin is Annotated:
        if not _are_plain(arguments[1:]):
            return Opaque(what)
        more = [x for each in arguments[1:] for x in _constraints(each)]
        return _validated(arguments[0], what, [*constraints, *more], watched)
    if origin is Literal:
        if all(type(each) is str for each in arguments):
            return any_of(map(Known, arguments))
        if all(is_constant(each) for each in arguments):
            constants = map(Known, arguments)
            return any_of(
                Plain(type(each.obj), bits=max(64, bits_of(each)), size=max(0.1, size_of(each)))
                for each in constants
            )
        return Opaque(what)
    if origin in _CONTAINERS or annotation in _CONTAINERS:
        return _container(origin or annotation, arguments, what, constraints, watched)
    if origin is dict and len(arguments) == 2:
        key, element = (_validated(each, f"a part of {what}", [], watched) for each in arguments)
        return Plain(dict, key=key, element=element)
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return Held(annotation, what) if _gives_members(annotation, watched) else Opaque(what)
    return Opaque(what, _hint(annotation))


def _gives_members(cls: type[enum.Enum], watched: Watched) -> bool:
    """Say whether validating a value as `cls` gives a member of it."""
    return (
        watched.class_attribute(cls, "_missing_") is enum.Enum.__dict__["_missing_"]
        and all(find(cls, name)[0] is ABSENT for name in _OWN_VALIDATION)
        and all(type(member) is cls for member in dict_of(cls)["_member_map_"].values())
    )


def _container(
    origin: type, arguments: tuple[Any, ...], what: str, constraints: list[Any], watched: Watched
) -> Value:
    element: Value | None = None
    inner = [each for each in arguments if each is not ...]
    if inner:
        element = any_of(_validated(each, f"a part of {what}", [], watched) for each in inner)
    most = _longest(constraints)
    if origin is tuple and arguments and ... not in arguments:
        most = len(arguments)
    return Plain(origin, element=element, most=most)


def _longest(constraints: list[Any]) -> int | None:
    """Give how long something is at most, None if nothing says so."""
    lengths = [x.max_length for x in constraints if type(x) is annotated_types.MaxLen]
    if not all(type(each) is int and each >= 0 for each in lengths):
        return None
    return max(lengths, default=None)  # of several the last one counts


def _bits(constraints: list[Any]) -> float:
    if not 0 < sys.get_int_max_str_digits() <= 4300:
        return float("inf")
    lower = [getattr(x, name, None) for x in constraints for name in ("ge", "gt")]
    upper = [getattr(x, name, None) for x in constraints for name in ("le", "lt")]
    known = [
        max(x.bit_length() for x in side if type(x) is int)
        for side in (lower, upper)
        if any(type(x) is int for x in side)
    ]
    return float(max(known)) if len(known) == 2 else Plain(int).bits
