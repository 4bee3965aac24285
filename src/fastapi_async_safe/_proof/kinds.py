"""Kinds of values: the little that a guard can ask of one, and what is known of it if it is so."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from inspect import Parameter
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, TypeAlias, Union, get_args, get_origin

from .guesses import AROUND, keys_of
from .lookup import ABSTRACT_TYPE, flags_of, is_compared_plainly, is_one_of, name_of
from .places import Items, Keys, Place
from .values import (
    ROUNDS,
    SCALARS,
    TEXT_CLAIMED,
    Held,
    Plain,
    Value,
    any_of,
)

#: An integer has so many bits at most, beside its sign.
BITS = 63


class Sizes(NamedTuple):
    """How large that is which a guard lets pass, at most.

    Attributes:
        text: characters.
        part: characters of a text in a container.
        most: elements of a container.
    """

    text: int
    part: int
    most: int


LARGE = Sizes(TEXT_CLAIMED, 256, ROUNDS)

#: Where it matters how many parts a text has: so many characters may be `ROUNDS` of them.
SMALL = Sizes(ROUNDS - 1, ROUNDS - 1, ROUNDS // 8)

_CONTAINERS = (list, tuple, set, frozenset)
_HASHED = (dict, set, frozenset)
_LARGEST_TABLE = 8192  # bytes, of a container that finds things by their hashes

#: Of a dict of which some items are annotated.
_KEYED = Sizes(TEXT_CLAIMED, LARGE.part, 2 * ROUNDS)

#: Of what is as expected, but is not looked into.
_NOWHERE = Place(())

#: Annotations that say nothing.
_SAY_NOTHING = (object, Any, Parameter.empty)


@dataclass(frozen=True)
class Exactly:
    """It is of exactly this class; an integer of 64 bits at most, a text of so many characters."""

    cls: type
    longest: int = TEXT_CLAIMED

    def value(self, what: str, place: Place | None = None) -> Value:
        """Give what is known of it then."""
        if self.cls in SCALARS:
            return Plain(self.cls, bits=BITS, size=self.longest / TEXT_CLAIMED)
        return Held(self.cls, what, place)

    def source(self, given: str, names: Names) -> str:
        """Give the expression that asks whether `given` is so."""
        asked = f"{names.of(type)}({given}) is {names.of(self.cls)}"
        if self.cls is int:
            return f"{asked} and {-(2**BITS)} <= {given} < {2**BITS}"
        if self.cls in (str, bytes):
            return f"{asked} and {names.of(len)}({given}) <= {self.longest}"
        return asked

    def __str__(self) -> str:
        if self.cls in (str, bytes) and self.longest < LARGE.part:
            return f"{name_of(self.cls)} of up to {self.longest}"
        return "None" if self.cls is NoneType else name_of(self.cls)


@dataclass(frozen=True)
class Filled:
    """It is a list, tuple, set or dict of at most so many such, or of anything."""

    cls: type
    element: Kind | None
    key: Kind | None = None
    sizes: Sizes = LARGE
    keys: Keys | None = None

    def value(self, what: str, place: Place | None = None) -> Value:
        """Give what is known of it then."""
        part = f"a part of {what}"
        element = None if self.element is None else self.element.value(part, _NOWHERE)
        key = None if self.key is None else self.key.value(part, _NOWHERE)
        most = self.sizes.most
        size = most * self.sizes.part / TEXT_CLAIMED
        items = None
        if self.keys is not None and place is not None and place.path:
            items = Items(place, self.keys.annotations)
        return Plain(self.cls, size=size, element=element, key=key, most=most, items=items)

    def source(self, given: str, names: Names) -> str:
        """Give the expression that asks whether `given` is so."""
        asked = [
            f"{names.of(type)}({given}) is {names.of(self.cls)}",
            f"{names.of(len)}({given}) <= {self.sizes.most}",
        ]
        if self.cls in _HASHED:  # what was taken out of it still has to be gone over
            asked.append(f"{given}.__sizeof__() <= {_LARGEST_TABLE}")
        elements = f"{given}.values()" if self.cls is dict else given
        for kind, parts in ((self.key, given), (self.element, elements)):
            if kind is not None:
                # NOTE: of a copy, as another thread may change it meanwhile.
                part, parts = names.new(), f"{names.of(tuple)}({parts})"  # noqa: PLW2901
                asked.append(f"{names.of(all)}({kind.source(part, names)} for {part} in {parts})")
        return " and ".join(asked)

    def __str__(self) -> str:
        of = [str(kind) for kind in (self.key, self.element) if kind is not None]
        what = f"{self.cls.__name__} of up to {self.sizes.most}"
        return what + (f" {' to '.join(of)}" if of else "")


@dataclass(frozen=True)
class Either:
    """It is one of several."""

    kinds: tuple[Kind, ...]

    def value(self, what: str, place: Place | None = None) -> Value:
        """Give what is known of it then."""
        within = None if place is None else place._replace(is_sure=False)
        return any_of([kind.value(what, within) for kind in self.kinds])

    def source(self, given: str, names: Names) -> str:
        """Give the expression that asks whether `given` is so."""
        return f"({' or '.join(kind.source(given, names) for kind in self.kinds)})"

    def __str__(self) -> str:
        return " or ".join(map(str, self.kinds))


Kind: TypeAlias = Exactly | Filled | Either


def kind_of(annotation: Any, sizes: Sizes, is_part: bool = False) -> Kind | None:
    """Give the kind that an annotation names, None if a guard cannot tell.

    Parameters:
        annotation: any.
        sizes: of what is of that kind.
        is_part: it is one of the element of a container.
    """
    if type(annotation) is Keys:
        return None if is_part else Filled(dict, None, Exactly(str, LARGE.part), _KEYED, annotation)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation is None:
        return Exactly(NoneType)
    if any(origin is each for each in AROUND):
        return kind_of(arguments[0], sizes, is_part)
    if origin is Literal:
        return _either(
            [kind_of(kind, sizes, is_part) for kind in dict.fromkeys(map(type, arguments))]
        )
    if origin is Union or origin is UnionType:
        return _either([kind_of(each, sizes, is_part) for each in arguments])
    cls = annotation if origin is None else origin
    if not isinstance(cls, type) or not is_compared_plainly(cls):
        return None
    if is_one_of(cls, _SAY_NOTHING) or flags_of(cls) & ABSTRACT_TYPE:
        return None
    if issubclass(type(cls), enum.EnumMeta):
        return None  # a copy of a member is of its class, too
    keys = keys_of(cls)
    if keys is not None:
        return kind_of(keys, sizes, is_part)
    if cls is dict or cls in _CONTAINERS:
        if is_part:
            return None  # there may be many in all
        if cls is dict:
            key, element = arguments if len(arguments) == 2 else (str, Any)
            parts = kind_of(element, sizes, True), kind_of(key, sizes, True)
            return Filled(dict, *parts, sizes)
        kinds = [kind_of(each, sizes, True) for each in arguments if each is not ...]
        return Filled(cls, _either(kinds) if kinds else None, None, sizes)
    return Exactly(cls, sizes.part if is_part else sizes.text)


def _either(kinds: list[Kind | None]) -> Kind | None:
    known = [kind for kind in kinds if kind is not None]
    if len(known) < len(kinds) or not known:
        return None
    return known[0] if len(known) == 1 else Either(tuple(known))


def looked_at(kind: Kind) -> int:
    """Give how many values a guard looks at, at most."""
    if isinstance(kind, Exactly):
        return 1
    if isinstance(kind, Either):
        return sum(map(looked_at, kind.kinds))
    return 1 + kind.sizes.most * sum(
        looked_at(each) for each in (kind.key, kind.element) if each is not None
    )


class Names:
    """Names within the source of a guard that no parameter has, and what they stand for.

    Parameters:
        taken: the names of parameters.
    """

    def __init__(self, taken: Iterable[str]) -> None:
        taken = list(taken)
        self._prefix = "_"
        while any(each.startswith(self._prefix) for each in taken):
            self._prefix += "_"
        self._count = 0
        self._known: dict[int, str] = {}
        self.meanings: dict[str, Any] = {"__builtins__": {}}

    def new(self) -> str:
        """Give one that stands for nothing yet."""
        self._count += 1
        return f"{self._prefix}{self._count}"

    def of(self, obj: Any) -> str:
        """Give the one that stands for an object."""
        if id(obj) not in self._known:
            self._known[id(obj)] = name = self.new()
            self.meanings[name] = obj
        return self._known[id(obj)]
