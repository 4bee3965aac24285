"""The built-in functions and methods that a proven call may use, and what each asks for.

What is not listed is not proven. A rule gets the arguments (of a method with what it is called on
first) and gives what the call gives, or None if these arguments are not what it asks for.
"""

from __future__ import annotations

import builtins
import enum
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeGuard

from .analysis import ROUNDS, Frame
from .lookup import PLAIN_READING, dict_of, find, is_one_of
from .operations import (
    SMALL_BITS,
    built_text,
    constant_dict,
    existing,
    is_one_character,
    is_simple_spec,
    keys_hash,
    small_text,
    truth_of,
    written,
)
from .values import (
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

Rule: TypeAlias = Callable[[Frame, Any, list[Value], dict[str, Value]], Value | None]


@dataclass(frozen=True)
class Listed:
    """One function or method.

    Attributes:
        name: as a user writes it.
        asks: what its arguments have to be, in words.
        rule: gives the result for arguments that are so.
    """

    name: str
    asks: str
    rule: Rule


_by_identity: dict[int, tuple[Any, Listed]] = {}


def listed(function: Any) -> Listed | None:
    """Find a function, class or unbound method by what it is, not by its name."""
    found = _by_identity.get(id(function))
    return found[1] if found is not None and found[0] is function else None


def all_listed() -> list[Listed]:
    """Give everything that is listed, by name."""
    return sorted((each for _, each in _by_identity.values()), key=lambda each: each.name)


def _list(function: Any, name: str, asks: str, rule: Rule) -> None:
    _by_identity[id(function)] = (function, Listed(name, asks, rule))


def _methods(cls: type, asks: str, rule: Rule, *names: str) -> None:
    for name in names:
        _list(dict_of(cls)[name], f"{cls.__name__}.{name}", asks, rule)


# Texts


def _text_method(result: type, *, cost: float, growth: float = 1.0, short: bool = False) -> Rule:
    def rule(frame: Frame, node: Any, args: list[Value], kwargs: dict[str, Value]) -> Value | None:
        if kwargs or not _is_text(args[:1]) or not all(_is_affix(each) for each in args[1:]):
            return None
        if short and any(size_of(each) > _SHORT for each in args[1:]):
            return None  # the time is that of one text times that of the other
        size = size_of(args[0])
        at_once = cost == _SEARCH and len(args) > 1 and is_one_character(args[1])
        frame.analysis.spend(node, 2 + size * (60 if at_once else cost))
        if result is bool or result is int:
            return Plain(result, bits=32)
        grown = size * growth
        if grown > 16:
            return None
        return Plain(result, size=grown)

    return rule


_SHORT = 0.01
_SEARCH = 1000  # searching for more than one character takes up to 25 ns a character


def _is_text(args: list[Value]) -> bool:
    return bool(args) and all(
        builtin_type(option) in (str, bytes) or _is_text_member(option)
        for option in options_of(args[0])
    )


def _is_text_member(value: Value) -> bool:
    cls = class_of(value)
    return cls is not None and issubclass(cls, enum.Enum) and issubclass(cls, str)


def _kind_of_text(value: Value) -> type:
    kinds = {builtin_type(option) for option in options_of(value)}
    return bytes if bytes in kinds else str


def _is_affix(value: Value) -> bool:
    return is_scalar(value) or all(
        isinstance(option, Known) and type(option.obj) is tuple and is_hashable(option)
        for option in options_of(value)
    )


def _partition(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    if kwargs or not _is_text(args) or not all(map(is_scalar, args)):
        return None
    if any(size_of(x) > _SHORT for x in args[1:]):
        return None
    at_once = len(args) > 1 and is_one_character(args[1])
    frame.analysis.spend(node, 2 + size_of(args[0]) * (60 if at_once else _SEARCH))
    part = Plain(_kind_of_text(args[0]), size=size_of(args[0]))
    return Box(tuple, [part, part, part])


def _split(frame: Frame, node: Any, args: list[Value], kwargs: dict[str, Value]) -> Value | None:
    if set(kwargs) - {"sep", "maxsplit"} or not all(map(is_scalar, [*args, *kwargs.values()])):
        return None
    if any(size_of(each) > _SHORT for each in [*args[1:], *kwargs.values()]):
        return None
    size = size_of(args[0])
    # A text of nothing but separators: 57 microseconds.
    frame.analysis.spend(node, 2 + size * 1200)
    part = Plain(_kind_of_text(args[0]), size=size)
    return Plain(list, size=size, element=part)


def _replace(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    if kwargs or len(args) != 3 or not is_scalar(args[0]):
        return None
    old, new = args[1], args[2]
    if not (isinstance(old, Known) and isinstance(new, Known)):
        return None
    if type(old.obj) is not str or type(new.obj) is not str or not old.obj:
        return None
    growth = max(1.0, len(new.obj) / len(old.obj))
    if growth * size_of(args[0]) > 16:
        return None
    frame.analysis.spend(node, 2 + size_of(args[0]) * 1000)
    return Plain(str, size=size_of(args[0]) * growth)


def _encode(frame: Frame, node: Any, args: list[Value], kwargs: dict[str, Value]) -> Value | None:
    names = ("utf-8", "utf8", "ascii", "latin-1", "UTF-8")
    for each in [*args[1:], *kwargs.values()]:
        if not (isinstance(each, Known) and each.obj in (*names, "strict", "ignore", "replace")):
            return None
    is_text = all(builtin_type(option) is str for option in options_of(args[0]))
    frame.analysis.spend(node, 2 + size_of(args[0]) * 300)
    return Plain(bytes if is_text else str, size=size_of(args[0]) * 4)


def _join(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    if kwargs or len(args) != 2 or size_of(args[0]) > 0.01:
        return None
    parts = args[1]
    kind = builtin_type(args[0]) or str
    if isinstance(parts, Box) and all(map(is_scalar, iterated(parts))):
        count = len(iterated(parts))
        return built_text(frame, node, kind, iterated(parts), size_of(args[0]) * count)
    if isinstance(parts, Plain) and parts.type in (list, tuple, set, frozenset):
        if parts.element is None or not is_scalar(parts.element):
            return None
        frame.analysis.spend(node, size_of(parts) * 700)
        length = len(args[0].obj) if isinstance(args[0], Known) else 20
        return built_text(frame, node, kind, [parts], size_of(parts) * length)
    return None


def _zfill(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    width = args[1] if len(args) > 1 else None
    if kwargs or not (isinstance(width, Known) and type(width.obj) is int and width.obj <= 256):
        return None
    if len(args) > 2 and not is_scalar(args[2]):
        return None
    frame.analysis.spend(node, 2 + size_of(args[0]) * 20)
    return Plain(str, size=size_of(args[0]) + 0.125)


_TEXT = "texts"
_NEEDLE = "a text, and short ones to look for"
_methods(str, _NEEDLE, _text_method(str, cost=60, short=True), "strip", "lstrip", "rstrip")
_methods(str, _TEXT, _text_method(str, cost=400, growth=3), "lower")
_methods(str, _TEXT, _text_method(str, cost=1800, growth=3), "upper", "casefold", "capitalize")
_methods(str, _TEXT, _text_method(str, cost=1800, growth=3), "title", "swapcase")
_methods(str, _TEXT, _text_method(str, cost=40), "removeprefix", "removesuffix")
_methods(str, _TEXT, _text_method(bool, cost=40), "startswith", "endswith", "isascii")
_methods(
    str,
    _TEXT,
    _text_method(bool, cost=400),
    "isalnum",
    "isalpha",
    "isdecimal",
    "isdigit",
    "isidentifier",
    "islower",
    "isnumeric",
    "isspace",
    "isupper",
)
_methods(str, _TEXT, _text_method(int, cost=_SEARCH), "find", "index", "count")
_methods(str, _NEEDLE, _text_method(int, cost=_SEARCH, short=True), "rfind", "rindex")
_methods(str, _NEEDLE, _partition, "partition", "rpartition")
_methods(str, _NEEDLE, _split, "split", "rsplit")
_methods(str, "a constant that is not empty, and another", _replace, "replace")
_methods(str, "a common encoding", _encode, "encode")
_methods(str, "texts, and a short separator", _join, "join")
_methods(str, "a constant width up to 256", _zfill, "zfill", "ljust", "rjust", "center")
_methods(bytes, _NEEDLE, _text_method(bytes, cost=60, short=True), "strip", "lstrip", "rstrip")
_methods(bytes, _TEXT, _text_method(bool, cost=40), "startswith", "endswith")
_methods(bytes, _TEXT, _text_method(str, cost=200, growth=2), "hex")
_methods(bytes, "a common encoding", _encode, "decode")


# Containers


def _get(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    if kwargs or len(args) not in (2, 3) or not is_hashable(args[1]):
        return None
    frame.analysis.spend(node, 2 + size_of(args[1]) * 20)
    fallback = args[2] if len(args) == 3 else Known(None)
    found: list[Value] = [fallback]
    for box in options_of(args[0]):
        if isinstance(box, Known) and type(box.obj) is dict and constant_dict(frame, box.obj):
            found += [existing(frame, each) for each in box.obj.values()]
            continue
        if not keys_hash(box):
            return None
        if isinstance(box, Box):
            found += box.elements
        elif isinstance(box, Plain):
            found.append(box.element or Opaque("a value of a dictionary"))
        else:
            return None
    return any_of(found)


def _view(part: str) -> Rule:
    def rule(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
        if kwargs or not all(isinstance(each, Box) for each in args):
            return None
        boxes = tuple(each for each in args if isinstance(each, Box))
        if part in ("keys", "values", "items") and len(boxes) != 1:
            return None
        return View(part, boxes)

    return rule


def viewed(view: View) -> tuple[list[Value], bool] | None:
    """Give what going through `view` gives from here on, and whether it is exactly that."""
    if view.part == "zip":
        if any(box.type not in (list, tuple) for box in view.boxes):
            return None
        rows = zip(*(box.elements for box in view.boxes), strict=False)
        return [Box(tuple, list(row)) for row in rows], all(box.exact for box in view.boxes)
    box = view.boxes[0]
    exact = box.exact and box.type not in (set, frozenset)
    if view.part == "range" or view.part == "values":
        return list(box.elements), exact
    if view.part == "keys":
        return list(box.keys or ()), exact
    if view.part == "enumerate":
        pairs: list[Value] = [Box(tuple, [Plain(int, bits=32), each]) for each in iterated(box)]
        return pairs, exact
    keys = box.keys or []
    if exact and len(keys) == len(box.elements):
        return [Box(tuple, [key, each]) for key, each in zip(keys, box.elements, strict=True)], True
    pair = Box(tuple, [any_of(keys), any_of(box.elements)])
    return [pair] * len(keys), False


def _append(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    if kwargs or len(args) != 2 or not isinstance(args[0], Box):
        return None
    box = args[0]
    if box.type is set and not is_hashable(args[1]):
        return None
    if box.type is set and not keys_hash(box):
        return None
    box.elements.append(args[1])
    box.exact = False
    return Known(None)


def _extend(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    if kwargs or len(args) != 2 or not isinstance(args[0], Box) or not isinstance(args[1], Box):
        return None
    if args[1].type not in (list, tuple):
        return None
    args[0].elements += list(args[1].elements)
    args[0].exact = False
    return Known(None)


def _update(frame: Frame, node: Any, args: list[Value], kwargs: dict[str, Value]) -> Value | None:
    if len(args) not in (1, 2) or not isinstance(args[0], Box) or not keys_hash(args[0]):
        return None
    keys: list[Value] = [Known(name) for name in kwargs]
    elements = list(kwargs.values())
    if len(args) == 2:
        other = args[1]
        if not isinstance(other, Box) or other.type is not dict or not keys_hash(other):
            return None
        keys += other.keys or []
        elements += other.elements
    args[0].exact = False
    args[0].elements += elements
    args[0].keys = [*(args[0].keys or ()), *keys]
    return Known(None)


def _copy(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    if kwargs or len(args) != 1 or not isinstance(args[0], Box):
        return None
    box = args[0]
    return Box(box.type, list(box.elements), box.keys and list(box.keys), exact=box.exact)


_methods(dict, "a plain key, plain keys in the dict", _get, "get")
_methods(dict, "a dict that the call made", _view("keys"), "keys")
_methods(dict, "a dict that the call made", _view("values"), "values")
_methods(dict, "a dict that the call made", _view("items"), "items")
_methods(dict, "a dict that the call made", _update, "update")
_methods(dict, "a dict that the call made", _copy, "copy")
_methods(list, "a list that the call made", _append, "append")
_methods(list, "lists that the call made", _extend, "extend")
_methods(list, "a list that the call made", _copy, "copy")
_methods(set, "a plain value, a set that the call made", _append, "add")
_methods(set, "a set that the call made", _copy, "copy")


# Functions


def _len(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    if kwargs or len(args) != 1:
        return None
    return Plain(int, bits=32) if all(map(builtin_type, options_of(args[0]))) else None


def _extreme(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    if kwargs or not args:
        return None
    values = args
    if len(args) == 1:
        if not isinstance(args[0], Box):
            return None
        values = iterated(args[0])
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


def _float(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    if kwargs or len(args) > 1 or not all(map(is_scalar, args)):
        return None
    frame.analysis.spend(node, 10 + sum(map(size_of, args)) * 100)
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
    wanted = args[1].elements if _is_box(args[1], tuple) else [args[1]]
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
    return View("range", (Box(tuple, [Known(each) for each in made]),))


def _container(kind: type) -> Rule:
    def rule(frame: Frame, node: Any, args: list[Value], kwargs: dict[str, Value]) -> Value | None:
        if len(args) > 1 or (kwargs and kind is not dict):
            return None
        elements: list[Value] = []
        keys: list[Value] | None = [] if kind is dict else None
        exact = True
        if args:
            other = args[0]
            if isinstance(other, Known) and type(other.obj) is tuple and len(other.obj) <= ROUNDS:
                other = Box(tuple, [Known(each) for each in other.obj])
            if not isinstance(other, Box) or (kind is dict) is not (other.type is dict):
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
    if kwargs or len(args) != 1 or not isinstance(args[0], Box):
        return None
    for each in iterated(args[0]):
        truth_of(frame, node, each)
    return Plain(bool)


def _sum(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    if kwargs or len(args) != 1 or not isinstance(args[0], Box):
        return None
    kinds = {builtin_type(o) for each in iterated(args[0]) for o in options_of(each)}
    if not kinds <= {int, float, bool}:
        return None
    frame.analysis.spend(node, len(args[0].elements) * 2)
    bits = max(map(bits_of, iterated(args[0])), default=1.0) + 8
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


def _clock(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    return Plain(float) if not args and not kwargs else None


def _clock_ns(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    return Plain(int, bits=64) if not args and not kwargs else None


def _object(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    return Held(object, "an object") if not args and not kwargs else None


_PLAIN = "texts, numbers, None"
_list(builtins.len, "len", "a built-in container or text", _len)
_list(builtins.min, "min", f"{_PLAIN}; or a container of such that the call made", _extreme)
_list(builtins.max, "max", f"{_PLAIN}; or a container of such that the call made", _extreme)
_list(bool, "bool", "what has no `__bool__` or `__len__` in Python", _bool)
_list(int, "int", "numbers, and texts that are surely short", _int)
_list(float, "float", _PLAIN, _float)
_list(str, "str", f"{_PLAIN}; integers of up to {SMALL_BITS} bits", _str)
_list(builtins.repr, "repr", f"{_PLAIN}; integers of up to {SMALL_BITS} bits", _repr)
_list(builtins.format, "format", f"{_PLAIN}; a constant format up to 256 wide", _format)
_list(builtins.abs, "abs", "numbers", _abs)
_list(builtins.round, "round", "a number, and a constant number of digits", _round)
_list(builtins.isinstance, "isinstance", "a known class without `__instancecheck__`", _isinstance)
_list(type, "type", "one argument", _type)
_list(range, "range", f"constants, up to {ROUNDS} numbers", _range)
_list(enumerate, "enumerate", "a container that the call made", _view("enumerate"))
_list(zip, "zip", "lists and tuples that the call made", _view("zip"))
_list(list, "list", "a container that the call made", _container(list))
_list(tuple, "tuple", "a container that the call made", _container(tuple))
_list(set, "set", "plain values in a container that the call made", _container(set))
_list(
    frozenset, "frozenset", "plain values in a container that the call made", _container(frozenset)
)
_list(dict, "dict", "keywords, or a dict that the call made", _container(dict))
_list(builtins.any, "any", "a container that the call made", _any_all)
_list(builtins.all, "all", "a container that the call made", _any_all)
_list(builtins.sum, "sum", "numbers in a container that the call made", _sum)
_list(builtins.sorted, "sorted", f"up to {ROUNDS} constants", _sorted)
_list(builtins.callable, "callable", "anything", _callable)
_list(builtins.id, "id", "anything", _id)
_list(builtins.hash, "hash", "plain values", _hash)
_list(builtins.ord, "ord", "a text", _ord)
_list(builtins.chr, "chr", "a number", _chr)
_list(object, "object", "nothing", _object)
_list(hmac.compare_digest, "hmac.compare_digest", "texts or bytes", _digest)
_list(time.time, "time.time", "nothing", _clock)
_list(time.monotonic, "time.monotonic", "nothing", _clock)
_list(time.perf_counter, "time.perf_counter", "nothing", _clock)
_list(time.time_ns, "time.time_ns", "nothing", _clock_ns)
