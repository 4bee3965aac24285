"""Listed methods of texts."""

from __future__ import annotations

import enum
import math
import re
import string
from typing import Any

from ..analysis import Frame
from ..operations import is_one_character, search_cost
from ..values import (
    NEVER,
    TEXT_CLAIMED,
    Box,
    Known,
    Plain,
    Value,
    builtin_type,
    class_of,
    is_hashable,
    is_scalar,
    iterated,
    options_of,
    size_of,
)
from ..written import built_text, written
from .listing import Rule, put_methods


def _text_method(result: type, *, cost: float, growth: float = 1.0, short: bool = False) -> Rule:
    def rule(frame: Frame, node: Any, args: list[Value], kwargs: dict[str, Value]) -> Value | None:
        if kwargs or not _is_text(args[:1]) or not all(_is_affix(each) for each in args[1:]):
            return None
        if short and any(size_of(each) > _SHORT for each in args[1:]):
            return None  # the time is that of one text times that of the other
        size = size_of(args[0])
        steps = cost
        if cost == _SEARCH and len(args) > 1:
            steps = 60 if is_one_character(args[1]) else search_cost(args[1])
        frame.analysis.spend(node, 2 + size * steps)
        if result is bool or result is int:
            return Plain(result, bits=32)
        grown = size * growth
        if grown > 16:
            return None
        return Plain(result, size=grown)

    return rule


_SHORT = 0.01
_MOST_COUNTED = 256  # characters of a text whose parts are counted
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
    times = kwargs.get("maxsplit", args[2] if len(args) > 2 else None)
    most = _parts_at_most(size, kwargs.get("sep", args[1] if len(args) > 1 else None))
    if isinstance(times, Known) and type(times.obj) is int and times.obj >= 0:
        most = times.obj + 1 if most is None else min(most, times.obj + 1)
    return Plain(list, size=size, element=part, most=most)


def _parts_at_most(size: float, separator: Value | None) -> int | None:
    """Give how many parts a text has at most; None for too many to matter."""
    longest = math.ceil(size * TEXT_CLAIMED)
    if longest > _MOST_COUNTED:
        return None
    known = separator.obj if isinstance(separator, Known) else None
    return longest // (len(known) or 1) + 1 if type(known) is str else longest + 1


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
    frame.analysis.spend(node, 2 + size_of(args[0]) * search_cost(old))
    return Plain(str, size=size_of(args[0]) * growth)


def _translate(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    if kwargs or len(args) != 2 or not all(map(is_scalar, args)):
        return None
    frame.analysis.spend(node, 4 + size_of(args[0]) * 100)
    return Plain(bytes, size=size_of(args[0]))


# What Python itself has, so that it looks up nothing that somebody registered.
_ENCODING = {
    "encoding": ("utf-8", "utf8", "ascii", "latin-1", "UTF-8"),
    "errors": ("strict", "ignore", "replace"),
}


def _encode(frame: Frame, node: Any, args: list[Value], kwargs: dict[str, Value]) -> Value | None:
    given = dict(zip(("encoding", "errors"), args[1:], strict=False)) | kwargs
    if not _is_text(args) or len(given) != len(args) - 1 + len(kwargs):
        return None
    for name, value in given.items():
        if not (isinstance(value, Known) and type(value.obj) is str):
            return None
        if value.obj not in _ENCODING.get(name, ()):
            return None
    is_text = all(builtin_type(option) is not bytes for option in options_of(args[0]))
    frame.analysis.spend(node, 2 + size_of(args[0]) * 300)
    return Plain(bytes if is_text else str, size=size_of(args[0]) * 4)


def _join(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    if kwargs or len(args) != 2 or not _is_text(args) or size_of(args[0]) > 0.01:
        return None
    parts = args[1]
    if isinstance(parts, Box) and all(map(is_scalar, iterated(parts))):
        count = len(iterated(parts))
        return built_text(frame, node, str, iterated(parts), size_of(args[0]) * count)
    if isinstance(parts, Plain) and parts.type in (list, tuple, set, frozenset):
        if parts.element is None or not is_scalar(parts.element):
            return None
        frame.analysis.spend(node, size_of(parts) * 700)
        separators = size_of(parts) * size_of(args[0]) * TEXT_CLAIMED
        return built_text(frame, node, str, [parts], separators)
    return None


def _filled(frame: Frame, node: Any, args: list[Value], kwargs: dict[str, Value]) -> Value | None:
    template = args[0]
    values = [*args[1:], *kwargs.values()]
    if not (
        isinstance(template, Known) and type(template.obj) is str and all(map(is_scalar, values))
    ):
        return None
    try:
        fields = [each for each in string.Formatter().parse(template.obj) if each[1] is not None]
    except ValueError:
        return NEVER
    if any(spec or conversion or not _IS_FIELD(str(name)) for _, name, spec, conversion in fields):
        return None
    texts = [written(frame, node, each) for each in values]
    longest = max(map(size_of, texts), default=0.0)
    return built_text(frame, node, str, [template], longest * len(fields))


_IS_FIELD = re.compile(r"\w*\Z").match


def _zfill(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    width = args[1] if len(args) > 1 else None
    if (
        kwargs
        or not _is_text(args)
        or not (isinstance(width, Known) and type(width.obj) is int and width.obj <= 256)
    ):
        return None
    if len(args) > 2 and not is_scalar(args[2]):
        return None
    frame.analysis.spend(node, 2 + size_of(args[0]) * 20)
    return Plain(str, size=size_of(args[0]) + 0.125)


_TEXT = "texts"
_NEEDLE = "a text, and short ones to look for"
put_methods(str, _NEEDLE, _text_method(str, cost=60, short=True), "strip", "lstrip", "rstrip")
put_methods(str, _TEXT, _text_method(str, cost=400, growth=3), "lower")
put_methods(str, _TEXT, _text_method(str, cost=1800, growth=3), "upper", "casefold", "capitalize")
put_methods(str, _TEXT, _text_method(str, cost=1800, growth=3), "title", "swapcase")
put_methods(str, _TEXT, _text_method(str, cost=40), "removeprefix", "removesuffix")
put_methods(str, _TEXT, _text_method(bool, cost=40), "startswith", "endswith", "isascii")
put_methods(
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
put_methods(str, _TEXT, _text_method(int, cost=_SEARCH), "find", "index", "count")
put_methods(str, _NEEDLE, _text_method(int, cost=_SEARCH, short=True), "rfind", "rindex")
put_methods(str, _NEEDLE, _partition, "partition", "rpartition")
put_methods(str, _NEEDLE, _split, "split", "rsplit")
put_methods(str, "a constant that is not empty, and another", _replace, "replace")
put_methods(str, "a common encoding", _encode, "encode")
put_methods(str, "texts, and a short separator", _join, "join")
put_methods(str, "a constant template with plain fields", _filled, "format")
put_methods(str, "a constant width up to 256", _zfill, "zfill", "ljust", "rjust", "center")
put_methods(bytes, _NEEDLE, _text_method(bytes, cost=60, short=True), "strip", "lstrip", "rstrip")
put_methods(bytes, _TEXT, _text_method(bool, cost=40), "startswith", "endswith")
put_methods(bytes, _TEXT, _text_method(str, cost=200, growth=3), "hex")
put_methods(bytes, "bytes", _translate, "translate")
put_methods(bytes, "a common encoding", _encode, "decode")
