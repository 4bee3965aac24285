"""What operators do with values: which code they may run, and what they may cost."""

from __future__ import annotations

import ast
import datetime as dt
from enum import EnumMeta
from math import isnan
from types import (
    BuiltinFunctionType,
    FunctionType,
    MethodDescriptorType,
    ModuleType,
    NoneType,
    WrapperDescriptorType,
)
from typing import Any

from .analysis import Frame
from .lookup import ABSENT, is_class, is_compared_plainly, is_one_of, mro_of
from .values import (
    INTEGER_BITS,
    NEVER,
    SCALARS,
    Above,
    Bound,
    Box,
    Function,
    Held,
    Known,
    Made,
    Opaque,
    Plain,
    Value,
    any_of,
    bits_of,
    builtin_type,
    class_of,
    is_class_of,
    is_comparable,
    is_constant,
    is_hashable,
    is_scalar,
    iterated,
    options_of,
    size_of,
)
from .written import SMALL_BITS, built_text, filled, text_of

_NUMBERS = (int, float, bool)

#: Classes whose `__bool__` and `__len__` look at nothing but the instance.
_OWN_TRUTH = (str, int, float, bytes, tuple, list, dict, set, frozenset, dt.timedelta)

#: C code behind `__eq__` and its like that compares nothing but itself.
_OWN_COMPARISONS = (object, str, int, float, bytes, type(None))


def existing(frame: Frame, obj: Any) -> Value:
    """Give the value of an object that was looked up."""
    cls = obj if is_class(obj) else type(obj)
    if not is_compared_plainly(cls):
        return Opaque("an object whose class is compared by code of a metaclass")
    frame.analysis.watched.class_of(obj)
    return Known(obj)


def truth_of(frame: Frame, node: ast.AST, value: Value) -> bool | None:
    """Say whether `value` is true, None if it may be either."""
    found = {_truth_of_one(frame, node, option) for option in options_of(value)}
    return found.pop() if len(found) == 1 else None


def _truth_of_one(frame: Frame, node: ast.AST, value: Value) -> bool | None:
    if isinstance(value, Known):
        kind = type(value.obj)
        if value.obj is NotImplemented:
            frame.refuse(node, "asks whether `NotImplemented` is true, which warns")
            return None
        # NOTE: by identity, as a metaclass may say that its classes are equal to these.
        if is_one_of(kind, (*SCALARS, tuple, frozenset)):
            return bool(value.obj)
        if is_one_of(kind, (FunctionType, BuiltinFunctionType, ModuleType, MethodDescriptorType)):
            return True
        if is_one_of(kind, (list, dict, set)):
            return None
        return _truth_of_instance(frame, node, kind)
    if isinstance(value, Plain):
        return False if value.type is NoneType else None
    if isinstance(value, Box):
        return bool(value.elements) if value.exact else None
    if isinstance(value, (Made, Held)):
        return _truth_of_instance(frame, node, value.cls)
    if isinstance(value, (Function, Bound, Above)):
        return True
    frame.refuse(node, f"asks whether `{text_of(node)}` is true, which may run code of its class")
    return None


def _truth_of_instance(frame: Frame, node: ast.AST, cls: type) -> bool | None:
    for name in ("__bool__", "__len__"):
        found = frame.analysis.watched.class_attribute(cls, name)
        if found is ABSENT:
            continue
        if type(found) is not WrapperDescriptorType or found.__objclass__ not in _OWN_TRUTH:
            frame.refuse(node, f"asks whether `{text_of(node)}` is true, which runs its `{name}`")
        return None
    return True


def is_equality_plain(frame: Frame, value: Value) -> bool:
    """Say whether `==` on `value` runs no Python code."""
    if is_comparable(value):
        return True
    for option in options_of(value):
        if is_comparable(option):
            continue
        cls = class_of(option)
        if cls is None or is_class_of(cls, SCALARS) or isinstance(option, (Plain, Box)):
            return False
        if isinstance(option, Known) and _is_large(option.obj):
            return False
        if isinstance(option, Held) and _may_be_large(cls):
            return False
        for name in ("__eq__", "__ne__"):
            found = frame.analysis.watched.class_attribute(cls, name)
            if type(found) is not WrapperDescriptorType:
                return False
            if not is_one_of(found.__objclass__, _OWN_COMPARISONS):
                return False
    return True


def _is_large(obj: Any) -> bool:
    return issubclass(type(obj), int) and int.bit_length(obj) > INTEGER_BITS


def _may_be_large(cls: type) -> bool:
    mro = mro_of(cls)
    return any(base in mro for base in (str, bytes, int)) and not issubclass(type(cls), EnumMeta)


def compared(frame: Frame, node: ast.AST, left: Value, op: ast.cmpop, right: Value) -> Value:
    """Give what `left op right` gives."""
    if isinstance(op, (ast.Is, ast.IsNot)):
        same = _same_object(left, right)
        if same is None:
            return Plain(bool)
        return Known(same if isinstance(op, ast.Is) else not same)
    if isinstance(op, (ast.In, ast.NotIn)):
        return _contained(frame, node, left, isinstance(op, ast.In), right)
    if isinstance(op, (ast.Eq, ast.NotEq)):
        equal = _are_equal(left, right)
        if equal is not None:
            return Known(equal is isinstance(op, ast.Eq))
        plain = is_equality_plain(frame, left) and is_equality_plain(frame, right)
    else:
        plain = is_comparable(left) and is_comparable(right)
    if not plain:
        frame.refuse(node, f"compares `{text_of(node)}`, which may run code of its class")
    frame.analysis.spend(node, min(size_of(left), size_of(right)) * 40)
    return Plain(bool)


def _are_equal(left: Value, right: Value) -> bool | None:
    """Say whether two constants are equal; None if one is no constant, or it depends."""
    options = [*options_of(left), *options_of(right)]
    if not all(isinstance(each, Known) and _is_scalar_constant(each.obj) for each in options):
        return None
    found = {
        bool(one.obj == other.obj)
        for one in options_of(left)
        for other in options_of(right)
        if isinstance(one, Known) and isinstance(other, Known)
    }
    return found.pop() if len(found) == 1 else None


def _is_scalar_constant(obj: Any) -> bool:
    return is_constant(obj) and type(obj) is not tuple and type(obj) is not frozenset


def _same_object(left: Value, right: Value) -> bool | None:
    found = set()
    for one in options_of(left):
        for other in options_of(right):
            found.add(_same_object_of_one(one, other))
    return found.pop() if len(found) == 1 else None


def _same_object_of_one(one: Value, other: Value) -> bool | None:
    if isinstance(one, Known) and isinstance(other, Known):
        if one.obj is other.obj:
            return True if type(one.obj) not in (str, int, float, bytes, tuple) else None
        if type(one.obj) in SCALARS - {bool, NoneType} and type(one.obj) is type(other.obj):
            return None
        return False
    for this, that in ((one, other), (other, one)):
        if isinstance(this, Known) and this.obj is None:
            if isinstance(that, Plain):
                return that.type is NoneType
            if isinstance(that, (Box, Made, Held, Function, Bound, Above)):
                return False
    return None


def _contained(frame: Frame, node: ast.AST, left: Value, wanted: bool, right: Value) -> Value:
    for option in options_of(right):
        kind = builtin_type(option)
        if kind in (str, bytes):
            if not is_scalar(left):
                frame.refuse(node, f"looks for `{text_of(node)}`")
            at_once = is_one_character(left)
            cost = 60 if at_once else search_cost(left)
            frame.analysis.spend(node, 1 + size_of(option) * cost)
        elif isinstance(option, Known) and type(option.obj) is dict:
            if not (is_hashable(left) and constant_dict(frame, option.obj)):
                frame.refuse(
                    node, f"looks in a dictionary that others may change: `{text_of(node)}`"
                )
        elif kind in (tuple, list) and _parts_compare(frame, option):
            if not is_equality_plain(frame, left):
                frame.refuse(node, f"compares `{text_of(node)}`, which may run code of its class")
            frame.analysis.spend(node, 1 + size_of(option) * 400)
        elif kind in (dict, set, frozenset) and is_hashable(left) and _keys_hash(option):
            frame.analysis.spend(node, 2 + size_of(left) * 20)
        else:
            frame.refuse(node, f"looks in `{text_of(node)}`, whose class is not known")
    found = {_is_among(left, option) for option in options_of(right)}
    answer = found.pop() if len(found) == 1 else None
    return Plain(bool) if answer is None else Known(answer is wanted)


def _is_among(left: Value, right: Value) -> bool | None:
    """Say whether a constant is among constants; None if it is not sure."""
    if not (isinstance(right, Box) and right.exact and right.type is not set):
        return None
    found: set[bool | None] = set()
    for option in options_of(left):
        equal = [_are_equal(option, each) for each in iterated(right)]
        # NOTE: `in` asks first whether it is the same object, which a NaN is not equal to.
        is_nan = isinstance(option, Known) and type(option.obj) is float and isnan(option.obj)
        surely = False if all(each is False for each in equal) and not is_nan else None
        found.add(True if any(each is True for each in equal) else surely)
    return found.pop() if len(found) == 1 else None


def search_cost(needle: Value) -> float:
    """Give the steps that searching a text of TEXT_CLAIMED characters for `needle` takes at most.

    Short texts are searched character by character, up to 25 ns for each, and in the worst case for
    as much of the needle each time.
    """
    return 1000 + size_of(needle) * 20_000


def is_one_character(value: Value) -> bool:
    """Say whether searching for `value` is searching for one character."""
    return isinstance(value, Known) and type(value.obj) in (str, bytes) and len(value.obj) == 1


def constant_dict(frame: Frame, mapping: dict[Any, Any]) -> bool:
    """Say whether an existing dict may be looked up in; watch all of it."""
    if len(mapping) > 16 or not all(is_class_of(type(key), SCALARS) for key in mapping):
        return False
    frame.analysis.watched.items(mapping)
    return True


def _parts_compare(frame: Frame, value: Value) -> bool:
    if isinstance(value, Known):
        return all(is_equality_plain(frame, Known(each)) for each in value.obj)
    if isinstance(value, Box):
        return all(is_equality_plain(frame, each) for each in value.elements)
    return (
        isinstance(value, Plain)
        and value.element is not None
        and is_equality_plain(frame, value.element)
    )


def _keys_hash(value: Value) -> bool:
    if isinstance(value, Known):
        return is_hashable(value)
    if isinstance(value, Box):
        return all(map(is_hashable, value.elements if value.keys is None else value.keys))
    if isinstance(value, Plain):
        key = value.key if value.type is dict else value.element
        return key is not None and is_hashable(key)
    return False


def keys_hash(value: Value) -> bool:
    """Say whether looking something up in a dict or set compares nothing but plain values."""
    return _keys_hash(value)


def combined(frame: Frame, node: ast.AST, left: Value, op: ast.operator, right: Value) -> Value:
    """Give what the arithmetic `left op right` gives."""
    return any_of(
        [
            _combined_of_one(frame, node, one, op, other)
            for one in options_of(left)
            for other in options_of(right)
        ]
    )


def _combined_of_one(
    frame: Frame, node: ast.AST, left: Value, op: ast.operator, right: Value
) -> Value:
    first, second = builtin_type(left), builtin_type(right)
    if first is None or second is None:
        return frame.refuse(node, f"computes `{text_of(node)}` with operands of unknown class")
    if first in _NUMBERS and second in _NUMBERS:
        return _arithmetic(frame, node, left, op, right)
    if isinstance(op, ast.Add) and first is second and first in (str, bytes):
        return built_text(frame, node, first, [left, right])
    if isinstance(op, ast.Add) and first is second and first in (list, tuple):
        if isinstance(left, Box) and isinstance(right, Box):
            frame.analysis.build(node, len(left.elements) + len(right.elements))
            return Box(first, [*left.elements, *right.elements], exact=left.exact and right.exact)
        return frame.refuse(node, f"joins lists of unknown length: `{text_of(node)}`")
    if isinstance(op, ast.Mod) and first is str:
        return filled(frame, node, left, right)
    if (
        isinstance(op, ast.BitOr)
        and first is second is dict
        and isinstance(left, Box)
        and isinstance(right, Box)
        and keys_hash(left)
        and keys_hash(right)
    ):
        frame.analysis.build(node, len(left.elements) + len(right.elements))
        keys = [*(left.keys or ()), *(right.keys or ())]
        return Box(dict, [*left.elements, *right.elements], keys, exact=False)
    if {first, second} <= SCALARS and not isinstance(op, (ast.Mult, ast.Mod)):
        return NEVER  # a TypeError
    return frame.refuse(node, f"computes `{text_of(node)}`")


def _arithmetic(frame: Frame, node: ast.AST, left: Value, op: ast.operator, right: Value) -> Value:
    is_float = float in (builtin_type(left), builtin_type(right))
    one, other = bits_of(left), bits_of(right)
    if isinstance(op, (ast.Pow, ast.LShift, ast.MatMult)):
        return frame.refuse(node, f"computes `{text_of(node)}`, which may grow without bound")
    if isinstance(op, ast.Div):
        return Plain(float)
    if isinstance(op, (ast.Mult, ast.FloorDiv, ast.Mod)) and not is_float:
        # A 14,300-bit integer times another takes 190 microseconds.
        small = min(one, other) if isinstance(op, ast.Mult) else min(one, max(other, 64))
        if small > SMALL_BITS and not (isinstance(op, ast.Mod) and other <= SMALL_BITS):
            return frame.refuse(
                node,
                f"computes `{text_of(node)}` with integers that may be large; bound them",
            )
        frame.analysis.spend(node, one * other / 20_000)
    if is_float:
        return Plain(float)
    if isinstance(op, ast.Mult):
        bits = one + other
    elif isinstance(op, (ast.FloorDiv, ast.RShift)):
        bits = one + 1
    elif isinstance(op, ast.Mod):
        bits = other + 1
    else:
        bits = max(one, other) + 1
    if bits > 40_000:
        return frame.refuse(node, f"computes `{text_of(node)}`, which may grow large")
    frame.analysis.spend(node, bits / 2_000)
    return Plain(int, bits=bits)
