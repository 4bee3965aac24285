"""Enumerations: their members, by name and by value, and what a member is called and stands for."""

from __future__ import annotations

import ast
import enum
from types import FunctionType
from typing import Any

from .analysis import Frame
from .lookup import ABSENT, CLASS_READING, dict_of, find, instance_dict, name_of
from .operations import existing
from .values import (
    Held,
    Known,
    Opaque,
    Value,
    bits_of,
    is_hashable,
    is_scalar,
    size_of,
)
from .written import SMALL_BITS, small_text, text_of

_MEMBER_BY_NAME = enum.EnumMeta.__dict__["__getitem__"]
_MEMBER_BY_NAME_CODE = _MEMBER_BY_NAME.__code__
_CALL = enum.EnumType.__call__
_PROPERTIES = {
    name: enum.Enum.__dict__[name] for name in ("value", "name") if name in enum.Enum.__dict__
}


def _unwrapped(found: Any) -> Any:
    return found.__func__ if type(found) is staticmethod else found


_NEW = _unwrapped(enum.Enum.__dict__["__new__"])
_MISSING = enum.Enum.__dict__["_missing_"]


def is_looked_up(frame: Frame, cls: type) -> bool:
    """Say whether calling an enumeration looks for a member, and makes no other enumeration."""
    return _unwrapped(frame.analysis.watched.class_attribute(cls, "__new__")) is _NEW


def member_of_value(
    frame: Frame, node: ast.AST, cls: type, args: list[Value], kwargs: dict[str, Value]
) -> Value:
    """Give what `cls(value)` gives."""
    watched = frame.analysis.watched
    if watched.class_attribute(enum.EnumType, "__call__") is not _CALL:
        return frame.refuse(node, f"calls {name_of(cls)}, which runs `__call__` of a metaclass")
    if kwargs or len(args) != 1 or not is_hashable(args[0]):
        return frame.refuse(node, f"looks up a member of {name_of(cls)} by other than plain values")
    if watched.class_attribute(cls, "_missing_") is not _MISSING:
        return frame.refuse(node, f"looks up a member of {name_of(cls)}, which has a `_missing_`")
    # NOTE: what is not found is written into the text of the exception.
    if bits_of(args[0]) > SMALL_BITS:
        text = f"looks up a member of {name_of(cls)} by what may be a large integer"
        return frame.refuse(node, text, large=True)
    frame.analysis.spend(node, size_of(args[0]) * 400)
    members = _own(cls, "_value2member_map_")
    watched.size(members)  # tools add some: before they are read, as another thread may do so
    values = list(members)
    if len(values) > 256 or not all(type(each) in (str, int) for each in values):
        return frame.refuse(
            node, f"looks up a member of {name_of(cls)}, whose values are not plain"
        )
    frame.analysis.spend(node, 40 + len(values))
    return Held(cls, f"a member of {name_of(cls)}")


def member_by_name(frame: Frame, node: ast.AST, cls: type, name: Value) -> Value:
    """Give what `cls[name]` gives."""
    watched = frame.analysis.watched
    watched.class_of(cls)
    members = _own(cls, "_member_map_")
    found = watched.class_attribute(type(cls), "__getitem__")
    if type(found) is FunctionType and found is not _MEMBER_BY_NAME:
        owner = find(type(cls), "__getitem__")[1]
        return frame.analysis.run_function(frame, node, found, [Known(cls), name], {}, owner)
    if (
        found is not _MEMBER_BY_NAME
        or watched.class_attribute(type(cls), "__getattribute__") is not CLASS_READING
        or type(members) is not dict
        or not all(type(each) is str for each in members)
        or not all(type(member) is cls for member in members.values())
        or not is_scalar(name)
    ):
        return frame.refuse(node, f"looks up `{text_of(node)}` in a way that is not known")
    watched.add(_MEMBER_BY_NAME, "__code__", _MEMBER_BY_NAME_CODE)
    watched.size(members)
    frame.analysis.spend(node, 4)
    return Held(cls, f"a member of {name_of(cls)}")


def member_named(frame: Frame, node: ast.AST, cls: type, name: str) -> Value | None:
    """Give what `cls.NAME` gives; None if that is no member."""
    members = _own(cls, "_member_map_")
    if type(members) is not dict or name not in members:
        return None
    member = frame.analysis.watched.class_attribute(cls, name)
    if member is members[name] and type(member) is cls:
        return existing(frame, member)
    return frame.refuse(node, f"reads `{text_of(node)}`, which is not as `enum` left it")


def is_of_members(found: Any, name: str) -> bool:
    """Say whether what was found under a name is `enum`'s own `name` or `value`."""
    return name in _PROPERTIES and found is _PROPERTIES[name]


def of_member(frame: Frame, node: ast.AST, cls: type, name: str) -> Value:
    """Give what `member.name` and `member.value` give, whichever member it is."""
    watched = frame.analysis.watched
    if watched.class_attribute(cls, f"_{name}_") is not ABSENT:
        return frame.refuse(node, f"reads `{text_of(node)}`, which runs a descriptor")
    members = list(_own(cls, "_member_map_").values())
    values = [instance_dict(each).get(f"_{name}_") for each in members]
    if not values or len(values) > 16 or not all(type(each) is str for each in values):
        return Opaque("a value of an enumeration")
    for each in members:
        watched.of_instance(each, f"_{name}_")
    return small_text(max(len(each) for each in values if type(each) is str))


def _own(cls: type, name: str) -> Any:
    return dict_of(cls).get(name, ABSENT)
