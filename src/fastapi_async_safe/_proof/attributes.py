"""Reading and writing attributes: which code that may run."""

from __future__ import annotations

import ast
import enum
from types import (
    BuiltinFunctionType,
    FunctionType,
    MemberDescriptorType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import Any

from pydantic import BaseModel

from . import enumerations
from .analysis import Frame
from .guesses import annotation_of
from .lookup import (
    ABSENT,
    CLASS_READING,
    HEAP_TYPE,
    PLAIN_READING,
    PLAIN_WRITING,
    dict_of,
    find,
    instance_dict,
    is_class,
    is_one_of,
    module_dict,
    mro_of,
    name_of,
)
from .operations import existing
from .values import (
    NEVER,
    SCALARS,
    Above,
    Bound,
    Box,
    Given,
    Held,
    Known,
    Made,
    Opaque,
    Plain,
    Value,
    any_of,
    options_of,
)
from .written import small_text, text_of

_TUPLE_GETTER = type(__import__("collections").namedtuple("_", "x").__dict__["x"])
_BUILTIN_METHODS = (MethodDescriptorType, WrapperDescriptorType)
_NAMES = ("__name__", "__qualname__", "__module__")


def read(frame: Frame, node: ast.AST, value: Value, name: str) -> Value:
    """Give what reading the attribute `name` of `value` gives."""
    return any_of([_read_of_one(frame, node, option, name) for option in options_of(value)])


def _read_of_one(frame: Frame, node: ast.AST, value: Value, name: str) -> Value:
    if isinstance(value, Known):
        kind = type(value.obj)
        # NOTE: by identity, as a metaclass may say that its classes are equal to these.
        if is_one_of(kind, (*SCALARS, tuple, frozenset)):
            return _of_builtin(frame, node, value, kind, name)
        if kind is ModuleType:
            return _of_module(frame, node, value.obj, name)
        if is_class(value.obj):
            return _of_class(frame, node, value.obj, name)
        if is_one_of(kind, (FunctionType, BuiltinFunctionType, MethodType)):
            if name in _NAMES:
                return small_text(200)
            return frame.refuse(node, f"reads `{text_of(node)}`, an attribute of a function")
        return _of_instance(frame, node, value, kind, name)
    if isinstance(value, (Made, Held)):
        return _of_instance(frame, node, value, value.cls, name)
    if isinstance(value, (Plain, Box)):
        return _of_builtin(frame, node, value, value.type, name)
    if isinstance(value, Above):
        return _of_above(frame, node, value, name)
    what = value.what if isinstance(value, Opaque) else "it"
    return frame.refuse(
        node,
        f"reads `{text_of(node)}` of {what}, whose class is not known",
        what=f"`{text_of(node)}`",
    )


def _of_module(frame: Frame, node: ast.AST, module: ModuleType, name: str) -> Value:
    namespace = module_dict(module)
    if namespace is None or hasattr(ModuleType, name):
        return frame.refuse(node, f"reads `{text_of(node)}`, which may run code of the module")
    found = frame.analysis.watched.global_name(namespace, name)
    frame.analysis.watched.class_of(module, always=True)
    if found is not ABSENT:
        return existing(frame, found)
    if "__getattr__" in namespace:
        return frame.refuse(
            node, f"reads `{text_of(node)}`, which runs `__getattr__` of the module"
        )
    return NEVER


def _of_class(frame: Frame, node: ast.AST, cls: type, name: str) -> Value:
    watched = frame.analysis.watched
    meta = type(cls)
    watched.class_of(cls)
    if watched.class_attribute(meta, "__getattribute__") is not CLASS_READING:
        return frame.refuse(node, f"reads `{text_of(node)}` by code of a metaclass")
    of_meta = watched.class_attribute(meta, name)
    if name in ("__name__", "__qualname__") and of_meta is type.__dict__[name]:
        return small_text(200)
    if issubclass(meta, enum.EnumMeta):
        member = enumerations.member_named(frame, node, cls, name)
        if member is not None:
            return member
    if of_meta is not ABSENT and _is_data_descriptor(frame, of_meta):
        return frame.refuse(node, f"reads `{text_of(node)}`, which a metaclass gives")
    found = watched.class_attribute(cls, name)
    if found is ABSENT:
        if of_meta is not ABSENT or _has(frame, meta, "__getattr__"):
            return frame.refuse(node, f"reads `{text_of(node)}`, which a metaclass gives")
        return NEVER
    owner = find(cls, name)[1]
    kind = type(found)
    if kind is staticmethod:
        return Known(found.__func__)
    if kind is classmethod and type(found.__func__) is FunctionType:
        return Bound(found.__func__, Known(cls), owner)
    if kind is FunctionType:
        return Bound(found, None, owner)
    if is_one_of(kind, (*_BUILTIN_METHODS, MemberDescriptorType, property, BuiltinFunctionType)):
        return Known(found)
    if _has(frame, kind, "__get__"):
        return frame.refuse(node, f"reads `{text_of(node)}`, which runs a descriptor")
    return existing(frame, found)


def _is_data_descriptor(frame: Frame, found: Any) -> bool:
    return _has(frame, type(found), "__set__") or _has(frame, type(found), "__delete__")


def _has(frame: Frame, kind: type, name: str) -> bool:
    return frame.analysis.watched.class_attribute(kind, name) is not ABSENT


def _of_instance(frame: Frame, node: ast.AST, value: Value, cls: type, name: str) -> Value:
    watched = frame.analysis.watched
    if not is_one_of(watched.class_attribute(cls, "__getattribute__"), PLAIN_READING):
        return frame.refuse(
            node, f"reads `{text_of(node)}`, which runs `__getattribute__` of {name_of(cls)}"
        )
    if name == "__class__" and find(cls, name)[0] is object.__dict__["__class__"]:
        return Known(cls)
    found = watched.class_attribute(cls, name)
    kind = type(found)
    if found is ABSENT:
        return _of_instance_alone(frame, node, value, cls, name, [])
    may_be_missing = is_one_of(kind, (property, MemberDescriptorType))
    may_be_missing |= enumerations.is_of_members(found, name)
    if may_be_missing and _asks_elsewhere(frame, cls):
        there = _by_descriptor(frame, node, value, cls, name)
        return any_of([there, _missing(frame, node, value, cls, name)])
    return _by_descriptor(frame, node, value, cls, name)


def _by_descriptor(frame: Frame, node: ast.AST, value: Value, cls: type, name: str) -> Value:
    found, owner = find(cls, name)
    kind = type(found)
    if kind is property and found.fget is not None:
        if type(found.fget) is not FunctionType:
            return frame.refuse(node, f"reads `{text_of(node)}`, a property")
        return frame.analysis.run_function(frame, node, found.fget, [value], {}, owner)
    if enumerations.is_of_members(found, name):
        return enumerations.of_member(frame, node, cls, name)
    if kind is MemberDescriptorType:
        stored = _stored(value, name)
        if stored is not None and _is_slot(found, name):
            return any_of(stored)
        return _expected(frame, node, value, name, [])
    if kind is _TUPLE_GETTER:
        return _expected(frame, node, value, name, [])
    if _is_data_descriptor(frame, found):
        return frame.refuse(node, f"reads `{text_of(node)}`, which runs a descriptor")
    bound = _bound(frame, found, kind, value, cls, owner)
    if bound is None:
        if isinstance(value, Known) and name in instance_dict(value.obj):
            return _of_instance_alone(frame, node, value, cls, name, [])
        return frame.refuse(node, f"reads `{text_of(node)}`, which runs a descriptor")
    return _of_instance_alone(frame, node, value, cls, name, [bound])


def _is_slot(found: MemberDescriptorType, name: str) -> bool:
    """Say whether it is a slot of that name, and neither another's nor one of a class made in C."""
    owner = found.__objclass__
    return (
        found.__name__ == name
        and bool(owner.__flags__ & HEAP_TYPE)
        and dict_of(owner).get(name) is found
    )


def _bound(
    frame: Frame, found: Any, kind: type, value: Value, cls: type, owner: Any
) -> Value | None:
    if kind is FunctionType or is_one_of(kind, _BUILTIN_METHODS):
        return Bound(found, value, owner)
    if kind is staticmethod:
        return Known(found.__func__)
    # NOTE: up to 3.12 it asks what it wraps for its `__get__`.
    if kind is classmethod and type(found.__func__) is FunctionType:
        return Bound(found.__func__, Known(cls), owner)
    if kind is BuiltinFunctionType or not _has(frame, kind, "__get__"):
        return Known(found)  # looked up in a class, which is watched
    return None


def _of_instance_alone(
    frame: Frame, node: ast.AST, value: Value, cls: type, name: str, of_class: list[Value]
) -> Value:
    """Give what is in the instance, or what the class has where the instance has nothing."""
    watched = frame.analysis.watched
    stored: list[Value] = []
    if isinstance(value, Known):
        own = instance_dict(value.obj)
        if of_class or name in own:
            found = watched.of_instance(value.obj, name)
            return any_of(of_class) if found is ABSENT else existing(frame, found)
    elif (found := _stored(value, name)) is not None:
        stored = found
        if of_class or (stored and watched.class_attribute(cls, "__getattr__") is ABSENT):
            return any_of([*stored, *of_class])
    elif of_class and not _has_dict(cls):
        return any_of(of_class)
    # NOTE: what is in the instance was put there by others, and may be gone again.
    if not of_class and _asks_elsewhere(frame, cls):
        there: list[Value] = []
        if isinstance(value, Known):
            watched.of_instance(value.obj, name)
        elif isinstance(value, Made):
            there = stored
        else:
            there = [Opaque(f"`{text_of(node)}`")]
            surely = _own(frame, value, name, f"`{text_of(node)}`")
            if surely is not None:
                return surely
        return any_of([*there, _missing(frame, node, value, cls, name)])
    if of_class and all(not isinstance(each, (Bound, Known)) for each in of_class):
        return any_of(of_class)
    return _expected(frame, node, value, name, of_class)


def _stored(value: Value, name: str) -> list[Value] | None:
    """Give all that may be stored under a name, None if others may have stored something."""
    if isinstance(value, Made):
        return value.attributes.get(name, [])
    if isinstance(value, Given) and name in value.attributes:
        options = options_of(value.attributes[name])
        # NOTE: of what is not known a guard may know more.
        return None if any(isinstance(each, Opaque) for each in options) else list(options)
    return [] if isinstance(value, Given) else None


def _expected(frame: Frame, node: ast.AST, value: Value, name: str, of_class: list[Value]) -> Value:
    """Give what an attribute of an instance that others have is expected to be, if it may be."""
    expected, what = frame.analysis.expected, f"`{text_of(node)}`"
    if expected is None or not isinstance(value, Held):
        return Opaque(what)
    if of_class and not frame.analysis.watched.has_own_dict(value.cls):
        return Opaque(what)  # it says itself what is in it
    if not of_class and _asks_elsewhere(frame, value.cls):
        return Opaque(what)  # looking for it would run code
    return expected.attribute(value, name, annotation_of(value.cls, name), of_class, what)


def _own(frame: Frame, value: Value, name: str, what: str) -> Value | None:
    """Give what an instance is expected to have itself, so that `__getattr__` is not asked."""
    expected = frame.analysis.expected
    if expected is None or not isinstance(value, Held):
        return None
    if not frame.analysis.watched.has_own_dict(value.cls):
        return None
    return expected.own_attribute(value, name, annotation_of(value.cls, name), what)


def _asks_elsewhere(frame: Frame, cls: type) -> bool:
    """Say whether Python code is run for what is missing, or raises an AttributeError."""
    handler = frame.analysis.watched.class_attribute(cls, "__getattr__")
    return handler is not ABSENT and handler is not BaseModel.__dict__.get("__getattr__")


def _missing(frame: Frame, node: ast.AST, value: Value, cls: type, name: str) -> Value:
    """Give what `__getattr__` of the class gives for an attribute that is not there."""
    handler, owner = find(cls, "__getattr__")
    if type(handler) is not FunctionType:
        return frame.refuse(
            node, f"reads `{text_of(node)}`, which may run `__getattr__` of {name_of(cls)}"
        )
    return frame.analysis.run_function(frame, node, handler, [value, Known(name)], {}, owner)


def _has_dict(cls: type) -> bool:
    return any("__dict__" in dict_of(base) for base in mro_of(cls))


def _of_builtin(frame: Frame, node: ast.AST, value: Value, cls: type, name: str) -> Value:
    found, _ = find(cls, name)
    if found is ABSENT:
        return NEVER  # an AttributeError
    if is_one_of(type(found), _BUILTIN_METHODS):
        return Bound(found, value)
    if name == "__class__":
        return Known(cls)
    return frame.refuse(node, f"reads `{text_of(node)}`")


def _of_above(frame: Frame, node: ast.AST, value: Above, name: str) -> Value:
    watched = frame.analysis.watched
    watched.order(value.cls)
    found, owner = find(value.cls, name, behind=value.start)
    mro = mro_of(value.cls)
    for base in mro[mro.index(value.start) + 1 :]:
        watched.class_attribute(base, name)
        if base is owner:
            break
    kind = type(found)
    if found is ABSENT:
        return NEVER
    if kind is FunctionType or is_one_of(kind, _BUILTIN_METHODS):
        if isinstance(value.receiver, Known) and value.receiver.obj is value.cls:
            return frame.refuse(node, f"reads `{text_of(node)}` in a class method")
        return Bound(found, value.receiver, owner)
    if kind is staticmethod:
        return Bound(found.__func__, None, owner)
    if kind is BuiltinFunctionType:
        return Known(found)
    return frame.refuse(node, f"reads `{text_of(node)}`, which runs a descriptor")


def write(frame: Frame, node: ast.AST, value: Value, name: str, stored: Value) -> None:
    """Store `stored` as the attribute `name` of `value`, by `value.name = ...`."""
    for option in options_of(value):
        if not isinstance(option, Made):
            frame.refuse(node, f"changes `{text_of(node)}`, which others may see")
            continue
        writing = frame.analysis.watched.class_attribute(option.cls, "__setattr__")
        if not is_one_of(writing, PLAIN_WRITING):
            frame.refuse(
                node, f"sets `{text_of(node)}`, which runs `__setattr__` of {name_of(option.cls)}"
            )
            continue
        store(frame, node, option, name, stored)


def store(frame: Frame, node: ast.AST | None, made: Made, name: str, stored: Value) -> None:
    """Store `stored` as the attribute `name` of `made`, by `object.__setattr__`."""
    found = frame.analysis.watched.class_attribute(made.cls, name)
    is_slot = found is ABSENT or (type(found) is MemberDescriptorType and _is_slot(found, name))
    if type(found) is property and type(found.fset) is FunctionType:
        owner = find(made.cls, name)[1]
        frame.analysis.run_function(frame, node, found.fset, [made, stored], {}, owner)
        return
    if not is_slot and _is_data_descriptor(frame, found):
        frame.refuse(node, f"sets `{name}` of {name_of(made.cls)}, which runs a descriptor")
        return
    made.attributes.setdefault(name, []).append(stored)
