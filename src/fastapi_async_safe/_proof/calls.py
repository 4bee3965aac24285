"""Calls: of functions, classes, instances and what is listed; which code they run."""

from __future__ import annotations

import ast
import enum
import functools
import typing
from types import (
    BuiltinFunctionType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    WrapperDescriptorType,
)
from typing import Any

from ..markers import MARK
from . import attributes, enumerations
from .analysis import Frame
from .blocking import is_of_threads, why_class_blocks, why_function_blocks, why_method_blocks
from .libraries import constructed_by_library
from .listed import listed
from .lookup import (
    ABSENT,
    ABSTRACT_TYPE,
    EXCEPTION_INIT,
    EXCEPTION_NEW,
    HEAP_TYPE,
    find,
    flags_of,
    is_class,
    is_one_of,
    mro_of,
    name_of,
)
from .operations import existing
from .values import (
    NEVER,
    Above,
    Bound,
    Box,
    Held,
    Known,
    Made,
    Opaque,
    Plain,
    Value,
    any_of,
    class_of,
    is_scalar,
    options_of,
)
from .written import text_of

_GENERIC_CALL = typing._GenericAlias.__call__.__code__  # type: ignore[attr-defined]
_CALL = type.__dict__["__call__"]
_NEW = object.__new__
_INIT = object.__dict__["__init__"]
_SETATTR = object.__dict__["__setattr__"]
_PLACEHOLDER = getattr(functools, "Placeholder", functools)  # since 3.14


def call(
    frame: Frame, node: ast.AST, callee: Value, args: list[Value], kwargs: dict[str, Value]
) -> Value:
    """Give what calling `callee` gives."""
    frame.analysis.spend(node, 2)
    return any_of([_call_one(frame, node, option, args, kwargs) for option in options_of(callee)])


def _call_one(
    frame: Frame, node: ast.AST, callee: Value, args: list[Value], kwargs: dict[str, Value]
) -> Value:
    if isinstance(callee, Known):
        return call_object(frame, node, callee.obj, args, kwargs)
    if isinstance(callee, Bound):
        bound = args if callee.receiver is None else [callee.receiver, *args]
        return _call_function(frame, node, callee.function, bound, kwargs, callee.owner)
    if isinstance(callee, (Made, Held)):
        return _call_instance(frame, node, callee, callee.cls, args, kwargs)
    if isinstance(callee, (Plain, Box)):
        return NEVER  # a TypeError
    if isinstance(callee, Opaque):
        return frame.refuse(node, f"calls {_named(node)}, and what that is is not known")
    return frame.refuse(node, f"calls {_named(node)}, which is made by the call itself")


def _named(node: ast.AST) -> str:
    return f"`{text_of(node.func)}`" if isinstance(node, ast.Call) else f"`{text_of(node)}`"


def call_object(
    frame: Frame, node: ast.AST, obj: Any, args: list[Value], kwargs: dict[str, Value]
) -> Value:
    """Give what calling an object that exists gives."""
    watched = frame.analysis.watched
    kind = type(obj)
    if kind is functools.partial:
        watched.add(obj, "func", obj.func)
        watched.add(obj, "args", obj.args)
        watched.add(obj, "keywords", obj.keywords)
        watched.items(obj.keywords)
        if any(each is _PLACEHOLDER for each in obj.args):
            return frame.refuse(node, f"calls {_named(node)}, which has places left free")
        before = [existing(frame, each) for each in obj.args]
        by_name = {name: existing(frame, each) for name, each in obj.keywords.items()}
        return call_object(frame, node, obj.func, [*before, *args], {**by_name, **kwargs})
    if kind is MethodType:
        receiver = existing(frame, obj.__self__)
        of = obj.__self__ if isinstance(obj.__self__, type) else type(obj.__self__)
        owner = find(of, getattr(obj.__func__, "__name__", ""))[1]
        return _call_function(frame, node, obj.__func__, [receiver, *args], kwargs, owner)
    if issubclass(kind, type):
        return construct(frame, node, obj, args, kwargs)
    if kind is typing._GenericAlias:  # type: ignore[attr-defined]
        return _construct_generic(frame, node, obj, args, kwargs)
    if kind in (FunctionType, BuiltinFunctionType, MethodDescriptorType, WrapperDescriptorType):
        return _call_function(frame, node, obj, args, kwargs, None)
    if kind is MethodWrapperType:
        if obj.__self__ is _SETATTR and obj.__name__ == "__get__" and len(args) == 1:
            return Bound(_SETATTR, args[0])
        return frame.refuse(node, f"calls {_named(node)}, which is not listed")
    return _call_instance(frame, node, Known(obj), kind, args, kwargs)


def _call_function(
    frame: Frame,
    node: ast.AST,
    function: Any,
    args: list[Value],
    kwargs: dict[str, Value],
    owner: type | None,
) -> Value:
    if type(function) is FunctionType:
        frame.analysis.watched.call(function)
        if function.__dict__.get(MARK) is False:
            return frame.refuse(node, f"calls `{name_of(function)}`, which is marked async_unsafe")
    why = why_function_blocks(function)
    if why is not None:
        return frame.refuse(node, f"calls `{name_of(function)}`, which {why}", blocks=True)
    if is_of_threads(function):
        return frame.refuse(
            node, f"calls `{name_of(function)}`, which tells the thread that it runs in"
        )
    if type(function) is FunctionType:
        return frame.analysis.run_function(frame, node, function, args, kwargs, owner)
    if type(function) is MethodType:
        return call_object(frame, node, function, args, kwargs)
    entry = listed(function)
    if entry is not None and type(function) is MethodDescriptorType and not args:
        return frame.refuse(node, f"calls `{entry.name}` of nothing")
    if entry is not None:
        result = entry.rule(frame, node, args, kwargs)
        if result is None:
            text = f"calls `{entry.name}` with other than {entry.asks}"
            return frame.refuse(node, text, large=True)
        return result
    special = _object_function(frame, node, function, args, kwargs)
    if special is not None:
        return special
    return frame.refuse(node, f"calls `{name_of(function)}`, which is not listed")


def _object_function(
    frame: Frame, node: ast.AST, function: Any, args: list[Value], kwargs: dict[str, Value]
) -> Value | None:
    """Call what `object`, `tuple` and the exceptions have for making and filling instances."""
    first = args[0] if args else NEVER
    if function is _SETATTR:
        name = args[1] if len(args) == 3 else None
        if not isinstance(first, Made) or not isinstance(name, Known) or kwargs:
            return None
        if type(name.obj) is not str:
            return None
        # NOTE: `object.__setattr__` refuses classes that it is not the one of.
        attributes.store(frame, node, first, name.obj, args[2])
        return Known(None)
    if is_one_of(function, (*EXCEPTION_NEW, *EXCEPTION_INIT)):
        given = [*args[1:], *kwargs.values()]
        of = first.obj if isinstance(first, Known) else class_of(first)
        if not is_class(of) or (_takes_apart(of) and not all(map(is_scalar, given))):
            return None
    if function is _INIT or is_one_of(function, EXCEPTION_INIT):
        return Known(None) if isinstance(first, (Made, Held)) else None
    cls = first.obj if isinstance(first, Known) else None
    if not isinstance(cls, type):
        return None
    if function is _NEW or is_one_of(function, EXCEPTION_NEW):
        return _new_instance(frame, node, cls, args[1:])
    if function is tuple.__new__:
        if len(args) != 2 or not isinstance(args[1], Box) or args[1].type is not tuple:
            return None
        if _has_destructor(frame, node, cls):
            return None
        return Held(cls, f"an object of the class {name_of(cls)}")
    return None


def _takes_apart(cls: type) -> bool:
    """Say whether exceptions of a class convert or go through what they are given."""
    return any(
        base is each for base in mro_of(cls) for each in (OSError, SyntaxError, UnicodeError)
    )


def _has_destructor(frame: Frame, node: ast.AST, cls: type) -> bool:
    if frame.analysis.watched.class_attribute(cls, "__del__") is ABSENT:
        return False
    frame.refuse(node, f"makes an object of the class {name_of(cls)}, which has a `__del__`")
    return True


def _new_instance(frame: Frame, node: ast.AST, cls: type, args: list[Value]) -> Value:
    _has_destructor(frame, node, cls)
    frame.analysis.watched.abstract_methods(cls)
    if flags_of(cls) & ABSTRACT_TYPE:
        return frame.refuse(node, f"makes an object of the class {name_of(cls)}, which is abstract")
    if cls is OSError and len(args) > 1:
        return frame.refuse(node, "makes an OSError by its number, which gives another class")
    for base in mro_of(cls):
        if base is object or flags_of(base) & HEAP_TYPE or issubclass(base, BaseException):
            continue
        return frame.refuse(
            node, f"makes an object of the class {name_of(cls)}, a kind of {name_of(base)}"
        )
    return Made(cls)


def construct(
    frame: Frame, node: ast.AST, cls: type, args: list[Value], kwargs: dict[str, Value]
) -> Value:
    """Give what calling the class `cls` gives."""
    watched = frame.analysis.watched
    entry = listed(cls)
    if entry is not None:
        result = entry.rule(frame, node, args, kwargs)
        if result is None:
            text = f"calls `{entry.name}` with other than {entry.asks}"
            return frame.refuse(node, text, large=True)
        return result
    watched.call(cls)
    watched.class_of(cls)
    if find(cls, MARK)[0] is False:
        return frame.refuse(node, f"calls {name_of(cls)}, which is marked async_unsafe")
    if cls is super:
        return _above(frame, node, args)
    meta = type(cls)
    if meta is type(_TYPED_DICT) and not args:
        return Box(dict, list(kwargs.values()), [Known(name) for name in kwargs])
    if meta is enum.EnumType and enumerations.is_looked_up(frame, cls):
        return enumerations.member_of_value(frame, node, cls, args, kwargs)
    if meta is not type:
        of_meta = watched.class_attribute(meta, "__call__")
        if of_meta is not _CALL:
            known = constructed_by_library(frame, node, cls, args, kwargs, call)
            if known is not None:
                return known
            if why_class_blocks(cls) is None:
                return frame.refuse(
                    node, f"calls {name_of(cls)}, which runs `__call__` of a metaclass"
                )
    why = why_class_blocks(cls)
    if why is not None:
        # NOTE: making one may be quick, so that this alone is no proof that it waits.
        frame.refuse(node, f"makes an object of the class {name_of(cls)}, which {why}")
        return Opaque(f"an object of the class {name_of(cls)}", cls)
    known = constructed_by_library(frame, node, cls, args, kwargs, call)
    if known is not None:
        return known
    return _construct_plain(frame, node, cls, args, kwargs)


def _construct_plain(
    frame: Frame, node: ast.AST, cls: type, args: list[Value], kwargs: dict[str, Value]
) -> Value:
    watched = frame.analysis.watched
    new = watched.class_attribute(cls, "__new__")
    owner = find(cls, "__new__")[1]
    if _takes_apart(cls) and not all(map(is_scalar, [*args, *kwargs.values()])):
        return frame.refuse(
            node, f"makes an exception {name_of(cls)}, which takes its arguments apart"
        )
    if new is _NEW or is_one_of(new, EXCEPTION_NEW):
        made: Value = _new_instance(frame, node, cls, args)
    elif type(new) is staticmethod:
        made = _call_function(frame, node, new.__func__, [Known(cls), *args], kwargs, owner)
    elif type(new) is FunctionType:
        made = _call_function(frame, node, new, [Known(cls), *args], kwargs, owner)
    else:
        return frame.refuse(
            node, f"makes an object of the class {name_of(cls)}, which is not listed"
        )
    init = watched.class_attribute(cls, "__init__")
    for option in options_of(made):
        own = option.cls if isinstance(option, (Made, Held)) else None
        if own is None:
            if isinstance(option, (Opaque, Known)):
                frame.refuse(node, f"`__new__` of {name_of(cls)} gives an object of unknown class")
            continue
        if not type.__subclasscheck__(cls, own):
            continue
        if own is not cls:
            frame.refuse(node, f"`__new__` of {name_of(cls)} gives an object of another class")
            continue
        if init is _INIT or is_one_of(init, EXCEPTION_INIT):
            continue
        if type(init) is not FunctionType:
            frame.refuse(node, f"runs `__init__` of {name_of(cls)}, which is not a function")
            continue
        _call_function(frame, node, init, [option, *args], kwargs, find(cls, "__init__")[1])
    return made


class _TYPED_DICT(typing.TypedDict):  # noqa: N801
    """Tells what makes classes of that kind."""


def _construct_generic(
    frame: Frame, node: ast.AST, alias: Any, args: list[Value], kwargs: dict[str, Value]
) -> Value:
    origin = alias.__origin__
    frame.analysis.watched.add(alias, "__origin__", origin)
    function = frame.analysis.watched.class_attribute(type(alias), "__call__")
    frame.analysis.watched.add(function, "__code__", _GENERIC_CALL)
    if not isinstance(origin, type):
        return frame.refuse(node, f"calls {_named(node)}")
    made = construct(frame, node, origin, args, kwargs)
    # NOTE: `typing` tells the object what it was made by: `made.__orig_class__ = alias`.
    for option in options_of(made):
        if isinstance(option, Made):
            attributes.write(frame, node, option, "__orig_class__", Known(alias))
        elif not isinstance(option, (Box, Plain)):
            frame.refuse(node, f"makes an object of the class {name_of(origin)}")
    return made


def _above(frame: Frame, node: ast.AST, args: list[Value]) -> Value:
    if not args:
        code = frame.function.__code__
        start: Any = None
        if "__class__" in code.co_freevars and frame.function.__closure__ is not None:
            cell = frame.function.__closure__[code.co_freevars.index("__class__")]
            start = cell.cell_contents
            frame.analysis.watched.add(cell, "cell_contents", start)
        receiver = frame.env.get(frame.first_name) if frame.first_name is not None else None
    elif len(args) == 2 and isinstance(args[0], Known):
        start, receiver = args[0].obj, args[1]
    else:
        start, receiver = None, None
    if not isinstance(start, type) or receiver is None:
        return frame.refuse(node, "uses `super()` in a way that is not known")
    found: list[Value] = []
    for option in options_of(receiver):
        if isinstance(option, (Made, Held)) and start in mro_of(option.cls):
            found.append(Above(option.cls, option, start))
        elif (
            isinstance(option, Known)
            and isinstance(option.obj, type)
            and start in mro_of(option.obj)
        ):
            found.append(Above(option.obj, option, start))
        elif isinstance(option, Known) and start in mro_of(type(option.obj)):
            found.append(Above(type(option.obj), option, start))
        else:
            found.append(frame.refuse(node, "uses `super()` in a way that is not known"))
    return any_of(found)


def _call_instance(
    frame: Frame,
    node: ast.AST,
    instance: Value,
    cls: type,
    args: list[Value],
    kwargs: dict[str, Value],
) -> Value:
    why = why_method_blocks(cls, "__call__")
    if why is not None:
        return frame.refuse(node, f"calls {name_of(cls)}, which {why}", blocks=True)
    found = frame.analysis.watched.class_attribute(cls, "__call__")
    if found is ABSENT:
        return NEVER
    owner = find(cls, "__call__")[1]
    if type(found) is FunctionType:
        return _call_function(frame, node, found, [instance, *args], kwargs, owner)
    if type(found) is staticmethod and type(found.__func__) is FunctionType:
        return _call_function(frame, node, found.__func__, args, kwargs, owner)
    return frame.refuse(node, f"calls {_named(node)}, {name_of(cls)}, which is not listed")
