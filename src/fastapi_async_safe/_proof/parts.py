"""Parts of a value: by index or key, one after the other, unpacked."""

from __future__ import annotations

import ast
import enum
from types import EllipsisType, FunctionType, NoneType
from typing import Any

from . import enumerations
from .analysis import Frame
from .listed import item_under, viewed
from .lookup import find
from .operations import constant_dict, existing, keys_hash
from .values import (
    NEVER,
    ROUNDS,
    TEXT_CLAIMED,
    AnyOf,
    Box,
    Known,
    Opaque,
    Plain,
    Value,
    View,
    any_of,
    builtin_type,
    class_of,
    is_hashable,
    is_scalar,
    iterated,
    options_of,
    size_of,
)
from .written import text_of


def item_of(frame: Frame, node: Any, value: Value, index: Value) -> Value:
    """Give what `value[index]` gives, as `node` has it."""
    kind = builtin_type(value)
    if isinstance(value, Known) and issubclass(type(value.obj), enum.EnumMeta):
        return enumerations.member_by_name(frame, node, value.obj, index)
    if isinstance(value, Known) and type(value.obj) is dict:
        if is_hashable(index) and constant_dict(frame, value.obj):
            return any_of([existing(frame, each) for each in value.obj.values()])
        return frame.refuse(
            node, f"looks up `{text_of(node)}` in a dictionary that others may change"
        )
    if kind is dict and isinstance(value, (Box, Plain)):
        if not (is_hashable(index) and keys_hash(value)):
            return frame.refuse(
                node, f"looks up `{text_of(node)}`, which may run code of its class"
            )
        frame.analysis.spend(node, 1 + size_of(index) * 20)
        if isinstance(value, Plain):
            return item_under(frame, value, index, f"`{text_of(node)}`")
        return _looked_up(value, index)
    if kind in (str, bytes, list, tuple):
        sliced = isinstance(index, Plain) and index.type is slice
        if not sliced and not is_scalar(index):
            return frame.refuse(node, f"looks up `{text_of(node)}` by an unknown index")
        return _element(frame, node, value, kind, index, sliced)
    cls = class_of(value)
    if cls is not None and not isinstance(value, (Plain, Box)):
        found = frame.analysis.watched.class_attribute(cls, "__getitem__")
        if type(found) is FunctionType:
            owner = find(cls, "__getitem__")[1]
            return frame.analysis.run_function(frame, node, found, [value, index], {}, owner)
    return frame.refuse(node, f"looks up `{text_of(node)}`, whose class is not known")


def _looked_up(box: Box, key: Value) -> Value:
    if box.exact and isinstance(key, Known) and box.keys is not None:
        for each, element in zip(box.keys, box.elements, strict=True):
            if isinstance(each, Known) and type(each.obj) is type(key.obj) and each.obj == key.obj:
                return element
    return any_of(box.elements)


def _element(
    frame: Frame, node: Any, value: Value, kind: type | None, index: Value, sliced: bool
) -> Value:
    if kind in (str, bytes):
        frame.analysis.spend(node, size_of(value) * 40 if sliced else 1)
        if not sliced:
            return Plain(str, size=0.01) if kind is str else Plain(int, bits=8)
        return Plain(kind, size=_sliced_size(node, value))
    if isinstance(value, Known):
        frame.analysis.build(node, len(value.obj))
        value = Box(tuple, [existing(frame, each) for each in value.obj])
    if isinstance(value, Plain):
        if sliced:
            frame.analysis.spend(node, size_of(value) * 200)
            most = _sliced_most(node, value.most)
            return Plain(value.type, size=value.size, element=value.element, most=most)
        return value.element or Opaque(f"`{text_of(node)}`")
    if not isinstance(value, Box):
        return frame.refuse(node, f"looks up `{text_of(node)}`")
    if sliced:
        frame.analysis.spend(node, len(value.elements))
        return Box(value.type, list(value.elements), exact=False)
    if value.exact and isinstance(index, Known) and type(index.obj) is int:
        if not -len(value.elements) <= index.obj < len(value.elements):
            return NEVER
        return value.elements[index.obj]
    return any_of(value.elements)


def _sliced_size(node: Any, value: Value) -> float:
    upper = _upper(node)
    return size_of(value) if upper is None else min(size_of(value), upper / TEXT_CLAIMED)


def _sliced_most(node: Any, most: int | None) -> int | None:
    upper = _upper(node)
    return most if upper is None else min(upper, most if most is not None else upper)


def _upper(node: Any) -> int | None:
    """Give how much a slice gives at most; None if it does not say."""
    parts = node.slice
    if not isinstance(parts, ast.Slice) or parts.step is not None:
        return None
    upper = parts.upper.value if isinstance(parts.upper, ast.Constant) else None
    if type(upper) is not int or not (parts.lower is None or isinstance(parts.lower, ast.Constant)):
        return None
    return upper


def rounds(frame: Frame, node: ast.AST, value: Value) -> tuple[list[Value], bool] | None:
    """Give what going through `value` gives, and whether it is exactly that; None if unknown.

    Where it is not, it goes round at most as often, and each time gives any of it.
    """
    kept = [option for option in options_of(value) if builtin_type(option) not in _HAVE_NO_PARTS]
    if len(kept) != 1:
        return _rounds_of_several(frame, node, kept)
    return _rounds_of_one(frame, node, kept[0])


#: Going through one of these is a TypeError.
_HAVE_NO_PARTS = (int, float, bool, NoneType, EllipsisType)


def _rounds_of_several(
    frame: Frame, node: ast.AST, values: list[Value]
) -> tuple[list[Value], bool] | None:
    each = [_rounds_of_one(frame, node, value) for value in values]
    found = [one for one in each if one is not None]
    if len(found) < len(each):
        return None
    items = [item for one, _ in found for item in one]
    return [any_of(items)] * max((len(one) for one, _ in found), default=0), False


def _rounds_of_one(frame: Frame, node: ast.AST, value: Value) -> tuple[list[Value], bool] | None:
    found: tuple[list[Value], bool] | None = None
    if isinstance(value, Known) and type(value.obj) in (tuple, frozenset):
        found = [existing(frame, each) for each in value.obj], type(value.obj) is tuple
    elif isinstance(value, Known) and type(value.obj) is str:
        found = [Known(each) for each in value.obj], True
    elif isinstance(value, Box):
        exact = value.exact and value.type not in (set, frozenset)
        found = list(iterated(value)), exact
    elif isinstance(value, View):
        found = viewed(value)
    elif isinstance(value, Plain) and value.most is not None:
        part = value.key if value.type is dict else value.element
        found = [part or Opaque(f"an element of `{text_of(node)}`")] * value.most, False
    if found is None or len(found[0]) > ROUNDS:
        text = f"loops over `{text_of(node)}`, something of unknown or great length"
        frame.refuse(node, text, large=True)
        return None
    items, exact = found
    return found if exact or not items else ([any_of(items)] * len(items), False)


def length_now(value: Value) -> int:
    """Count what may be in what is gone through, to see whether it grows meanwhile."""
    if isinstance(value, AnyOf):
        return sum(map(length_now, value.options))
    if isinstance(value, Box):
        return len(value.elements)
    if isinstance(value, View):
        # NOTE: what else goes through it meanwhile takes from what is left.
        return value.times + sum(len(box.elements) for each in value.boxes for box in each)
    return 0


def unpacked(frame: Frame, node: ast.AST, value: Value, count: int) -> list[Value]:
    """Give the `count` parts that `value` is unpacked into."""
    columns: list[list[Value]] = [[] for _ in range(count)]
    for option in options_of(value):
        if isinstance(option, Known) and type(option.obj) is tuple:
            frame.analysis.build(node, len(option.obj))
            option = Box(  # noqa: PLW2901
                tuple, [existing(frame, each) for each in option.obj]
            )
        if isinstance(option, Box) and option.exact and option.type in (tuple, list):
            if len(option.elements) == count:
                for column, each in zip(columns, option.elements, strict=True):
                    column.append(each)
            continue  # otherwise an error
        if isinstance(option, Box) and option.type in (tuple, list, dict):
            for column in columns:
                column.append(any_of(iterated(option)))
            continue
        if isinstance(option, Plain) and option.type in (list, tuple, str):
            part = Plain(str, size=0.01) if option.type is str else option.element
            for column in columns:
                column.append(part or Opaque(f"a part of `{text_of(node)}`"))
            continue
        frame.refuse(node, f"unpacks into `{text_of(node)}` what may run code of its class")
        for column in columns:
            column.append(Opaque(f"a part of `{text_of(node)}`"))
    return [any_of(column) for column in columns]


def keywords(value: Value) -> dict[str, Value] | None:
    """Give the keywords that `**value` passes on, None if they are not known."""
    if not isinstance(value, Box) or not value.exact or value.keys is None:
        return None
    if not all(isinstance(key, Known) and type(key.obj) is str for key in value.keys):
        return None
    return {
        key.obj: each
        for key, each in zip(value.keys, value.elements, strict=True)
        if isinstance(key, Known)
    }
