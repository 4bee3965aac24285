"""What is known of a value without running anything: its exact type, its size, its parts.

A value that is not described here more exactly is `Opaque`: it may be any object, so that it may
be passed on, stored, returned and compared by `is`, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import EnumMeta
from types import EllipsisType, NoneType
from typing import Any

from .lookup import dict_of, mro_of
from .places import Items, Place

#: Operations on these, among each other, run no code of anybody else's.
SCALARS = frozenset({str, int, float, bool, NoneType, bytes, EllipsisType})

#: Of so many characters a text of a request may be for a call to take as long as is claimed.
TEXT_CLAIMED = 2048

#: An integer that comes as text has at most 4,300 digits, by pydantic's limit and Python's own.
INTEGER_BITS = 14_300

#: How many times a loop may go round.
ROUNDS = 32

_OPTIONS_KEPT = 16


class Value:
    """Something that an expression may give."""

    __slots__ = ()


class Opaque(Value):
    """Any object."""

    __slots__ = ("hint", "what")

    def __init__(self, what: str, hint: type | None = None) -> None:
        self.what = what  # in words, for a reason
        self.hint = hint  # its class, if somebody says so without being checked


class Known(Value):
    """One object that exists already."""

    __slots__ = ("obj",)

    def __init__(self, obj: Any) -> None:
        self.obj = obj


class Plain(Value):
    """An object of exactly this built-in type, made by the interpreter or by pydantic."""

    __slots__ = ("bits", "element", "items", "key", "most", "size", "type")

    def __init__(
        self,
        type: type,  # noqa: A002
        *,
        bits: float = INTEGER_BITS,
        size: float = 1.0,
        element: Value | None = None,
        key: Value | None = None,
        most: int | None = None,
        items: Items | None = None,
    ) -> None:
        self.type = type
        self.bits = bits  # of an integer, at most
        self.size = size  # of a text or a container, in texts of TEXT_CLAIMED characters
        self.element = element  # of a container, any of its elements
        self.key = key  # of a dict, any of its keys
        self.most = most  # of a list, tuple or set: how many elements it has at most
        self.items = items  # of a dict


class Box(Value):
    """A list, tuple, dict or set that this call made."""

    __slots__ = ("elements", "exact", "keys", "type")

    def __init__(
        self,
        type: type,  # noqa: A002
        elements: list[Value],
        keys: list[Value] | None = None,
        *,
        exact: bool = True,
    ) -> None:
        self.type = type
        self.elements = elements  # all that may be in it
        self.keys = keys
        self.exact = exact  # exactly these, in this order


class Made(Value):
    """An instance of exactly this class that this call made: nobody else has it yet."""

    __slots__ = ("attributes", "cls")

    def __init__(self, cls: type) -> None:
        self.cls = cls
        self.attributes: dict[str, list[Value]] = {}  # all that were stored under a name


class Held(Value):
    """An instance of exactly this class that others may have, too."""

    __slots__ = ("cls", "place", "what")

    def __init__(self, cls: type, what: str, place: Place | None = None) -> None:
        self.cls = cls
        self.what = what
        self.place = place


class Given(Held):
    """An instance that another dependency made, as it made it."""

    __slots__ = ("attributes",)

    def __init__(
        self, cls: type, what: str, attributes: dict[str, Value], place: Place | None = None
    ) -> None:
        super().__init__(cls, what, place)
        self.attributes = attributes  # what may be stored under a name


class Bound(Value):
    """A method, and what it was read from."""

    __slots__ = ("function", "owner", "receiver")

    def __init__(self, function: Any, receiver: Value | None, owner: type | None = None) -> None:
        self.function = function
        self.receiver = receiver  # None: it was read from a class, and is not bound
        self.owner = owner  # the class that defines it


class Above(Value):
    """What `super()` gives."""

    __slots__ = ("cls", "receiver", "start")

    def __init__(self, cls: type, receiver: Value, start: type) -> None:
        self.cls = cls  # whose order of resolution counts
        self.receiver = receiver
        self.start = start  # it is looked up behind this one


class View(Value):
    """What is gone through later, when what it shows may have changed: `d.items()`, `zip(...)`."""

    __slots__ = ("boxes", "part", "times")

    def __init__(self, part: str, boxes: tuple[tuple[Box, ...], ...]) -> None:
        self.part = part
        self.boxes = boxes  # for each argument all that it may be
        self.times = 0  # it was gone through


class Function(Value):
    """A function made by this call: making it is harmless, what calling it does is not known."""

    __slots__ = ()


class AnyOf(Value):
    """One of several; of none if there is nothing that gets here."""

    __slots__ = ("options",)

    def __init__(self, options: tuple[Value, ...]) -> None:
        self.options = options


NEVER = AnyOf(())


def options_of(value: Value) -> tuple[Value, ...]:
    """Give everything that `value` may be, none of it an `AnyOf`."""
    return value.options if isinstance(value, AnyOf) else (value,)


def any_of(values: Iterable[Value]) -> Value:
    """Give what is one of `values`."""
    found: list[Value] = []
    for value in _flat(values):
        if not any(_covers(other, value) for other in found):
            found.append(value)
    if len(found) == 1:
        return found[0]
    if len(found) > _OPTIONS_KEPT:
        kinds = {builtin_type(value) for value in found}
        kind = kinds.pop() if len(kinds) == 1 else None
        if kind not in (str, bytes, int, float):
            return Opaque("a value of too many kinds")
        return Plain(kind, bits=max(map(bits_of, found)), size=max(map(size_of, found)))
    return AnyOf(tuple(found))


def _flat(values: Iterable[Value]) -> Iterator[Value]:
    for value in values:
        yield from options_of(value)


def _covers(one: Value, other: Value) -> bool:
    if one is other:
        return True
    if isinstance(one, Known) and isinstance(other, Known):
        return one.obj is other.obj
    if isinstance(one, Given) or isinstance(other, Given):
        return False
    if isinstance(one, Held) and isinstance(other, Held):
        return one.cls is other.cls and one.place == other.place
    if isinstance(one, Function) and isinstance(other, Function):
        return True
    if isinstance(one, Opaque) and isinstance(other, Opaque):
        return one.what == other.what and one.hint is other.hint
    if isinstance(one, Plain) and isinstance(other, Plain):
        return (
            one.type is other.type
            and one.bits >= other.bits
            and one.size >= other.size
            and one.element is other.element
            and one.key is other.key
            and one.most == other.most
            and one.items is other.items
        )
    return False


def builtin_type(value: Value) -> type | None:
    """Give the exact type of `value` if it is a built-in one of those that are known here."""
    if isinstance(value, (Plain, Box)):
        return value.type
    if isinstance(value, Known):
        kind = type(value.obj)
        if kind is int and value.obj.bit_length() > INTEGER_BITS:
            return None  # nothing about it is short
        if is_class_of(kind, SCALARS) or is_class_of(kind, _CONSTANT_CONTAINERS):
            return kind
    return None


def is_class_of(kind: type, classes: frozenset[Any]) -> bool:
    """Say whether `kind` is one of some built-in classes, by no code of its metaclass.

    NOTE: a metaclass may say that its classes are equal to these.
    """
    return type(kind) is type and kind in classes


def class_of(value: Value) -> type | None:
    """Give the exact class of `value`, None if it is not known."""
    if isinstance(value, (Made, Held)):
        return value.cls
    if isinstance(value, Known):
        return type(value.obj)
    if isinstance(value, (Plain, Box)):
        return value.type
    return None


_CONSTANT_CONTAINERS = frozenset({tuple, frozenset})
_CONTAINERS = frozenset({tuple, frozenset, list, dict, set})

#: So many parts, parts of parts counted, a value has that is compared, or given as an answer.
_PARTS_SEEN, _PARTS_GIVEN = 256, 4096


def iterated(box: Box) -> list[Value]:
    """Give what going through `box` gives: of a dict its keys."""
    return box.elements if box.keys is None else box.keys


def boxed(value: Value) -> Box | None:
    """Give a container whose length is bounded as one of its own; None for anything else."""
    if isinstance(value, Plain) and value.most is not None:
        element = Opaque("a part of it") if value.element is None else value.element
        keys = None if value.type is not dict else [value.key or Opaque("a key of it")]
        return Box(
            value.type,
            [element] * value.most,
            None if keys is None else keys * value.most,
            exact=False,
        )
    return value if isinstance(value, Box) else None


def is_scalar(value: Value) -> bool:
    """Say whether `value` is surely text, bytes, a number, a truth value or None."""
    return all(builtin_type(option) in SCALARS for option in options_of(value))


def is_hashable(value: Value) -> bool:
    """Say whether hashing `value` and comparing it runs no code of anybody's."""
    return _is_plain(value, _CONSTANT_CONTAINERS, _PARTS_SEEN)


def is_comparable(value: Value) -> bool:
    """Say whether comparing `value` with another such runs no code of anybody's."""
    return _is_plain(value, _CONTAINERS, _PARTS_SEEN)


def is_data(value: Value) -> bool:
    """Say whether `value` is plain through and through, and something at all."""
    return _is_plain(value, _CONTAINERS, _PARTS_GIVEN)


def _is_plain(value: Value, containers: frozenset[type], most: int) -> bool:
    # NOTE: a part that is there twice is counted twice, as it is gone through twice.
    pending, seen = [value], 0
    while pending:
        each = pending.pop()
        seen += 1
        if seen > most:
            return False
        if isinstance(each, AnyOf):
            pending += each.options
        elif isinstance(each, Known):
            if not is_constant(each.obj):
                return False
        elif isinstance(each, Box) and each.type in containers:
            pending += [*each.elements, *(each.keys or ())]
        elif isinstance(each, Plain) and each.type in containers and each.element is not None:
            pending += [each.element, *([] if each.key is None else [each.key])]
        elif not (isinstance(each, Plain) and each.type in SCALARS):
            return False
    return True


def is_constant(obj: Any) -> bool:
    """Say whether `obj` is a scalar, or a tuple or frozenset of such, and not large."""
    pending, seen = [obj], 0
    while pending:
        each = pending.pop()
        kind = type(each)
        seen += 1
        if seen > _PARTS_SEEN:
            return False
        if is_class_of(kind, _CONSTANT_CONTAINERS):
            if len(each) > _PARTS_SEEN:
                return False
            pending += each
        elif not is_class_of(kind, SCALARS) or (kind is int and each.bit_length() > INTEGER_BITS):
            return False
    return True


def bits_of(value: Value) -> float:
    """Give how many bits the integer `value` has at most; 0 for what is none."""
    if isinstance(value, Known):
        return value.obj.bit_length() if type(value.obj) is int else 1.0
    if isinstance(value, Plain):
        return value.bits if value.type is int else 1.0
    if isinstance(value, AnyOf):
        return max((bits_of(option) for option in options_of(value)), default=0.0)
    return 0.0


def _text_class(cls: type) -> type[str] | type[bytes] | None:
    mro = mro_of(cls)
    return next((each for each in (str, bytes) if any(base is each for base in mro)), None)


def size_of(value: Value) -> float:
    """Give how large `value` is at most, in texts of TEXT_CLAIMED characters."""
    if isinstance(value, Known):
        obj = value.obj
        text = _text_class(type(obj))
        if text is not None:
            return text.__len__(obj) / TEXT_CLAIMED
        return len(obj) / TEXT_CLAIMED if type(obj) in (tuple, frozenset) else 0.01
    if isinstance(value, Plain):
        return value.size if value.type not in (int, float, bool, NoneType) else 0.01
    if isinstance(value, Box):
        return 0.01 * len(value.elements)
    if isinstance(value, Held) and (text := _text_class(value.cls)) is not None:
        if not issubclass(type(value.cls), EnumMeta):
            return 1.0
        members = dict_of(value.cls)["_member_map_"].values()
        return max([1.0, *(text.__len__(each) / TEXT_CLAIMED for each in members)])
    return (
        max((size_of(option) for option in options_of(value)), default=0.0)
        if isinstance(value, AnyOf)
        else 0.01
    )
