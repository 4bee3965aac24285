"""Listed functions, and classes that are called."""

from __future__ import annotations

import binascii
import builtins
import hmac
import time
from typing import Any, TypeGuard

from .. import attributes
from ..analysis import Frame
from ..lookup import PLAIN_READING, dict_of, find, is_one_of
from ..operations import existing, keys_hash, truth_of
from ..values import (
    ROUNDS,
    Box,
    Held,
    Known,
    Opaque,
    Plain,
    Value,
    View,
    any_of,
    bits_of,
    builtin_type,
    class_of,
    is_hashable,
    is_scalar,
    iterated,
    options_of,
    size_of,
)
from ..written import SMALL_BITS, built_text, is_simple_spec, small_text, written
from .containers import contained, view_as
from .listing import Rule, put


def _len(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    if kwargs or len(args) != 1:
        return None
    return Plain(int, bits=32) if all(map(builtin_type, options_of(args[0]))) else None


def _extreme(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    if kwargs or not args:
        return None
    values = args
    if len(args) == 1:
        box = contained(frame, args[0])
        if box is None:
            return None
        values = iterated(box)
    if not all(map(is_scalar, values)):
        return None
    frame.analysis.spend(node, sum(2 + size_of(each) * 40 for each in values))
    return any_of(values)


def _bool(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    if kwargs or len(args) > 1:
        return None
    truth = truth_of(frame, node, args[0]) if args else False
    return Plain(bool) if truth is None else Known(truth)


def _int(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    if kwargs or len(args) > 1 or not all(map(is_scalar, args)):
        return None
    for option in options_of(args[0]) if args else ():
        if builtin_type(option) in (str, bytes) and size_of(option) * 2048 * 3.33 > SMALL_BITS:
            return None
    return Plain(int, bits=max([1100, *map(bits_of, args)]))


_FEW_DIGITS = 0.016


def _float(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    if kwargs or len(args) > 1 or not all(map(is_scalar, args)):
        return None
    size = sum(map(size_of, args))
    frame.analysis.spend(node, 4 if size < _FEW_DIGITS else 10 + size * 100)
    return Plain(float)


def _str(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    if kwargs or len(args) > 1 or not all(map(is_scalar, args)):
        return None
    return written(frame, node, args[0]) if args else Known("")


def _repr(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    if kwargs or len(args) != 1 or not is_scalar(args[0]):
        return None
    return written(frame, node, args[0], escaped=True)


def _format(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    if kwargs or len(args) not in (1, 2) or not is_scalar(args[0]):
        return None
    if len(args) == 2:
        spec = args[1]
        if not (isinstance(spec, Known) and type(spec.obj) is str and is_simple_spec(spec.obj)):
            return None
    return built_text(frame, node, str, [written(frame, node, args[0])], 0.5)


def _abs(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    if kwargs or len(args) != 1 or not is_scalar(args[0]):
        return None
    return any_of(
        Plain(float) if builtin_type(option) is float else Plain(int, bits=bits_of(option))
        for option in options_of(args[0])
    )


def _round(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    if kwargs or not args or not all(map(is_scalar, args)) or bits_of(args[0]) > SMALL_BITS:
        return None
    if len(args) == 2 and not (
        isinstance(args[1], Known) and type(args[1].obj) is int and abs(args[1].obj) <= 20
    ):
        return None
    return any_of([Plain(float), Plain(int, bits=1100)])


def _is_box(value: Value, kind: type) -> TypeGuard[Box]:
    return isinstance(value, Box) and value.type is kind and value.exact


def _isinstance(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    if kwargs or len(args) != 2:
        return None
    wanted = [args[1]]
    if _is_box(args[1], tuple):
        wanted = args[1].elements
    elif isinstance(args[1], Known) and type(args[1].obj) is tuple and len(args[1].obj) <= ROUNDS:
        wanted = [existing(frame, each) for each in args[1].obj]
    classes = [each.obj for each in wanted if isinstance(each, Known)]
    if len(classes) < len(wanted):
        return None
    for cls in classes:
        if not isinstance(cls, type):
            return None
        if (
            frame.analysis.watched.class_attribute(type(cls), "__instancecheck__")
            is not (find(type, "__instancecheck__")[0])
        ):
            return None
    found = set()
    for option in options_of(args[0]):
        own = class_of(option)
        # NOTE: of a class that is not the wanted one, `__class__` is asked for too.
        if (
            own is None
            or frame.analysis.watched.class_attribute(own, "__class__")
            is not (find(object, "__class__")[0])
        ):
            return None
        reading = frame.analysis.watched.class_attribute(own, "__getattribute__")
        if not is_one_of(reading, (*PLAIN_READING, *_OF_CLASSES)):
            return None
        frame.analysis.watched.order(own)
        found.add(any(type.__subclasscheck__(cls, own) for cls in classes))
    return Known(found.pop()) if len(found) == 1 else Plain(bool)


_OF_CLASSES = (dict_of(type)["__getattribute__"],)


def _type(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    if kwargs or len(args) != 1:
        return None
    classes = [class_of(option) for option in options_of(args[0])]
    if None in classes:
        return Opaque("a class that is not known")
    return any_of(Known(cls) for cls in classes)


def _range(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    numbers = [each.obj for each in args if isinstance(each, Known) and type(each.obj) is int]
    if kwargs or len(numbers) != len(args) or not 1 <= len(args) <= 3:
        return None
    if len(args) == 3 and numbers[2] == 0:
        return None
    made = range(*numbers)
    if len(made) > ROUNDS:
        return None
    return View("range", ((Box(tuple, [Known(each) for each in made]),),))


def _container(kind: type) -> Rule:
    def rule(frame: Frame, node: Any, args: list[Value], kwargs: dict[str, Value]) -> Value | None:
        if len(args) > 1 or (kwargs and kind is not dict):
            return None
        elements: list[Value] = []
        keys: list[Value] | None = [] if kind is dict else None
        exact = True
        if args:
            other = contained(frame, args[0])
            if other is None or (kind is dict) is not (other.type is dict):
                return None
            elements, exact = list(other.elements), other.exact and other.type is not set
            if keys is not None:
                keys = list(other.keys or ())
        if kwargs and keys is not None:
            keys += [Known(name) for name in kwargs]
            elements += kwargs.values()
            exact = exact and not args
        made = Box(kind, elements, keys, exact=exact and kind not in (set, frozenset))
        if kind in (set, frozenset, dict) and not keys_hash(made):
            return None
        frame.analysis.spend(node, len(elements))
        return made

    return rule


def _any_all(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    box = contained(frame, args[0]) if len(args) == 1 and not kwargs else None
    if box is None:
        return None
    for each in iterated(box):
        truth_of(frame, node, each)
    return Plain(bool)


def _sum(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    box = contained(frame, args[0]) if len(args) == 1 and not kwargs else None
    if box is None:
        return None
    kinds = {builtin_type(o) for each in iterated(box) for o in options_of(each)}
    if not kinds <= {int, float, bool}:
        return None
    frame.analysis.spend(node, len(box.elements) * 2)
    bits = max(map(bits_of, iterated(box)), default=1.0) + 8
    return any_of([Plain(float), Plain(int, bits=bits)])


def _sorted(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    if kwargs or len(args) != 1 or not isinstance(args[0], Box):
        return None
    box = args[0]
    elements = iterated(box)
    if len(elements) > ROUNDS or not all(isinstance(each, Known) for each in elements):
        return None
    if not all(map(is_scalar, elements)):
        return None
    frame.analysis.spend(node, len(elements) * 5)
    return Box(list, list(elements), exact=False)


def _callable(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    return Plain(bool) if not kwargs and len(args) == 1 else None  # it asks the class alone


def _id(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    return Plain(int, bits=64) if not kwargs and len(args) == 1 else None


def _hash(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    if kwargs or len(args) != 1 or not is_hashable(args[0]):
        return None
    frame.analysis.spend(node, 2 + size_of(args[0]) * 20)
    return Plain(int, bits=64)


def _ord(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    return Plain(int, bits=32) if not kwargs and len(args) == 1 and is_scalar(args[0]) else None


def _chr(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    return small_text() if not kwargs and len(args) == 1 and is_scalar(args[0]) else None


def _digest(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    if kwargs or len(args) != 2 or not all(map(is_scalar, args)):
        return None
    frame.analysis.spend(node, 4 + size_of(args[1]) * 60)
    return Plain(bool)


def _base64(growth: float) -> Rule:
    def rule(frame: Frame, node: Any, args: list[Value], kwargs: dict[str, Value]) -> Value | None:
        flags = kwargs.values()
        if len(args) != 1 or not all(map(is_scalar, [*args, *flags])):
            return None
        frame.analysis.spend(node, 4 + size_of(args[0]) * 60)
        return Plain(bytes, size=size_of(args[0]) * growth + 0.01)

    return rule


def _clock(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    return Plain(float) if not args and not kwargs else None


def _clock_ns(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    return Plain(int, bits=64) if not args and not kwargs else None


def _object(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    return Held(object, "an object") if not args and not kwargs else None


def _getattr(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    name = _name_in(args) if not kwargs and len(args) in (2, 3) else None
    if name is None:
        return None
    return any_of([attributes.read(frame, node, args[0], name), *args[2:]])


def _hasattr(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    name = _name_in(args) if not kwargs and len(args) == 2 else None
    if name is None:
        return None
    found = attributes.read(frame, node, args[0], name)
    return Plain(bool) if options_of(found) else Known(False)


def _name_in(args: list[Value]) -> str | None:
    name = args[1]
    return name.obj if isinstance(name, Known) and type(name.obj) is str else None


_PLAIN = "texts, numbers, None"
_BOUNDED = "a container of a bounded length"
_NAME = "a constant name of an attribute that may be read"
put(builtins.len, "len", "a built-in container or text", _len)
put(builtins.min, "min", f"{_PLAIN}; or {_BOUNDED} of such", _extreme)
put(builtins.max, "max", f"{_PLAIN}; or {_BOUNDED} of such", _extreme)
put(bool, "bool", "what has no `__bool__` or `__len__` in Python", _bool)
put(int, "int", "numbers, and texts that are surely short", _int)
put(float, "float", _PLAIN, _float)
put(str, "str", f"{_PLAIN}; integers of up to {SMALL_BITS} bits", _str)
put(builtins.repr, "repr", f"{_PLAIN}; integers of up to {SMALL_BITS} bits", _repr)
put(builtins.format, "format", f"{_PLAIN}; a constant format up to 256 wide", _format)
put(builtins.abs, "abs", "numbers", _abs)
put(builtins.round, "round", "a number, and a constant number of digits", _round)
put(builtins.isinstance, "isinstance", "a known class without `__instancecheck__`", _isinstance)
put(type, "type", "one argument", _type)
put(range, "range", f"constants, up to {ROUNDS} numbers", _range)
put(enumerate, "enumerate", _BOUNDED, view_as("enumerate"))
put(zip, "zip", "lists and tuples of a bounded length", view_as("zip"))
put(list, "list", _BOUNDED, _container(list))
put(tuple, "tuple", _BOUNDED, _container(tuple))
put(set, "set", f"plain values in {_BOUNDED}", _container(set))
put(frozenset, "frozenset", f"plain values in {_BOUNDED}", _container(frozenset))
put(dict, "dict", "keywords, or a dict of a bounded length", _container(dict))
put(builtins.any, "any", _BOUNDED, _any_all)
put(builtins.all, "all", _BOUNDED, _any_all)
put(builtins.sum, "sum", f"numbers in {_BOUNDED}", _sum)
put(builtins.sorted, "sorted", f"up to {ROUNDS} constants", _sorted)
put(builtins.callable, "callable", "anything", _callable)
put(builtins.id, "id", "anything", _id)
put(builtins.getattr, "getattr", _NAME, _getattr)
put(builtins.hasattr, "hasattr", _NAME, _hasattr)
put(builtins.hash, "hash", "plain values", _hash)
put(builtins.ord, "ord", "a text", _ord)
put(builtins.chr, "chr", "a number", _chr)
put(object, "object", "nothing", _object)
put(binascii.a2b_base64, "binascii.a2b_base64", "texts or bytes", _base64(0.75))
put(binascii.b2a_base64, "binascii.b2a_base64", "bytes", _base64(1.5))
put(hmac.compare_digest, "hmac.compare_digest", "texts or bytes", _digest)
put(time.time, "time.time", "nothing", _clock)
put(time.monotonic, "time.monotonic", "nothing", _clock)
put(time.perf_counter, "time.perf_counter", "nothing", _clock)
put(time.time_ns, "time.time_ns", "nothing", _clock_ns)
