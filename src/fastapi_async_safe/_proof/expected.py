"""What a proof expects of the values that a call gets, where nothing says what they are for sure.

A dependency may return anything, whatever is annotated. A proof that needs to know takes the
annotation's word, and says so; before each call a guard looks whether it is so, and if it is not,
this one call goes to the thread pool.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from inspect import Parameter
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    Protocol,
    TypeAlias,
    Union,
    get_args,
    get_origin,
)

from .lookup import ABSENT, ABSTRACT_TYPE, flags_of, is_compared_plainly, is_one_of, name_of
from .values import (
    ROUNDS,
    SCALARS,
    TEXT_CLAIMED,
    Held,
    Opaque,
    Place,
    Plain,
    Value,
    any_of,
    options_of,
)

#: The names that lead to a value: of a parameter, then of attributes.
Path: TypeAlias = tuple[str, ...]

_CONTAINERS = (list, tuple, set, frozenset)
_HASHED = (dict, set, frozenset)
_BITS = 63
_LONGEST_PART = 256  # of a text in a container
_LARGEST_TABLE = 8192  # bytes, of a container that finds things by their hashes
_DEEPEST = 16  # names that lead to a value
_MOST_LOOKED_AT = 256  # values by one guard

#: Of what is as expected, but is not looked into.
_NOWHERE = Place(())

#: What reading an attribute may raise: a named tuple that is too short, a slot of another class,
#: a call too deep, no memory.
_ERRORS = (IndexError, MemoryError, RuntimeError, TypeError)


@dataclass(frozen=True)
class Exactly:
    """It is of exactly this class; an integer of 64 bits at most, a text of so many characters."""

    cls: type
    longest: int = TEXT_CLAIMED

    def value(self, what: str, place: Place | None = None) -> Value:
        """Give what is known of it then."""
        if self.cls in SCALARS:
            return Plain(self.cls, bits=_BITS, size=self.longest / TEXT_CLAIMED)
        return Held(self.cls, what, place)

    def source(self, given: str, names: _Names) -> str:
        """Give the expression that asks whether `given` is so."""
        asked = f"{names.of(type)}({given}) is {names.of(self.cls)}"
        if self.cls is int:
            return f"{asked} and {-(2**_BITS)} <= {given} < {2**_BITS}"
        if self.cls in (str, bytes):
            return f"{asked} and {names.of(len)}({given}) <= {self.longest}"
        return asked

    def __str__(self) -> str:
        return "None" if self.cls is NoneType else name_of(self.cls)


@dataclass(frozen=True)
class Filled:
    """It is a list, tuple, set or dict of at most 32 such, or of anything."""

    cls: type
    element: Kind | None
    key: Kind | None = None

    def value(self, what: str, place: Place | None = None) -> Value:
        """Give what is known of it then."""
        part = f"a part of {what}"
        element = None if self.element is None else self.element.value(part, _NOWHERE)
        key = None if self.key is None else self.key.value(part, _NOWHERE)
        size = ROUNDS * _LONGEST_PART / TEXT_CLAIMED
        return Plain(self.cls, size=size, element=element, key=key, most=ROUNDS)

    def source(self, given: str, names: _Names) -> str:
        """Give the expression that asks whether `given` is so."""
        asked = [
            f"{names.of(type)}({given}) is {names.of(self.cls)}",
            f"{names.of(len)}({given}) <= {ROUNDS}",
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
        return f"{self.cls.__name__} of up to {ROUNDS}" + (f" {' to '.join(of)}" if of else "")


@dataclass(frozen=True)
class Either:
    """It is one of several."""

    kinds: tuple[Kind, ...]

    def value(self, what: str, place: Place | None = None) -> Value:
        """Give what is known of it then."""
        within = None if place is None else place._replace(is_sure=False)
        return any_of([kind.value(what, within) for kind in self.kinds])

    def source(self, given: str, names: _Names) -> str:
        """Give the expression that asks whether `given` is so."""
        return f"({' or '.join(kind.source(given, names) for kind in self.kinds)})"

    def __str__(self) -> str:
        return " or ".join(map(str, self.kinds))


Kind: TypeAlias = Exactly | Filled | Either


@dataclass(frozen=True)
class Expectation:
    """One thing that a proof expects when the call is made.

    Attributes:
        path: the name of the parameter, and of the attributes that lead on from there.
        kind: what is there; None: no attribute of the instance itself, so that its class has it.
        owners: for each name but the last, the class of what is there, if it may be something else
            too; what is expected is expected of that class only.
    """

    path: Path
    kind: Kind | None
    owners: tuple[type | None, ...] = ()

    def __str__(self) -> str:
        where = ".".join(self.path)
        if self.kind is None:
            return f"`{where}` is what the class has"
        return f"`{where}` is {self.kind}"


class Expected:
    """Collects what one proof expects.

    Parameters:
        without: the paths of which nothing may be expected.
    """

    def __init__(self, without: Iterable[Path] = ()) -> None:
        self.without = frozenset(without)
        self._found: dict[tuple[Path, tuple[type | None, ...]], Expectation] = {}
        self._classes: dict[str, type] = {}  # of parameters that are known to be of one
        self._looked_at = 0

    @property
    def expectations(self) -> tuple[Expectation, ...]:
        """All of them, those of an object before those of its attributes."""
        return tuple(self._found.values())

    def parameter(self, name: str, value: Value, annotation: Any) -> Value:
        """Give what a parameter is if the annotation's word is taken.

        Parameters:
            name: of the parameter.
            value: what is known of it for sure.
            annotation: that says what it is; ABSENT if nothing does.
        """
        if isinstance(value, Held):
            self._classes[name] = value.cls
            return Held(value.cls, value.what, Place((name,)))
        kind = _kind_of(annotation)
        if kind is None or not _is_worth_expecting(value) or not self._add((name,), (), kind):
            return value
        return kind.value(f"the parameter `{name}`", Place((name,)))

    def attribute(
        self, owner: Held, name: str, annotation: Any, of_class: list[Value], what: str
    ) -> Value:
        """Give what an attribute of an instance is if the annotation's word is taken.

        Parameters:
            owner: the instance; others have it, too.
            name: of the attribute.
            annotation: that says what it is; ABSENT if nothing does.
            of_class: what the class has under that name.
            what: it is, in words.
        """
        unknown = Opaque(what)
        if owner.place is None or not owner.place.path:
            return unknown
        above = owner.place
        path = (*above.path, name)
        owners = (*above.owners, None if above.is_sure else owner.cls)
        if annotation is ABSENT:
            return any_of(of_class) if of_class and self._add(path, owners, None) else unknown
        kind = _kind_of(annotation)
        if kind is None or not self._add(path, owners, kind):
            return unknown
        return kind.value(what, Place(path, owners))

    def _add(self, path: Path, owners: tuple[type | None, ...], kind: Kind | None) -> bool:
        if path in self.without or path[:1] in self.without or len(path) > _DEEPEST:
            return False
        if (path, owners) not in self._found:
            self._looked_at += 1 if kind is None else _count(kind)
        if self._looked_at > _MOST_LOOKED_AT:
            return False
        cls = self._classes.get(path[0])
        if cls is not None:  # so that reading its attributes runs nobody's code
            self._found.setdefault((path[:1], ()), Expectation(path[:1], Exactly(cls)))
        self._found[path, owners] = Expectation(path, kind, owners)
        return True


def _count(kind: Kind) -> int:
    """Give how many values a guard looks at, at most."""
    if isinstance(kind, Exactly):
        return 1
    if isinstance(kind, Either):
        return sum(map(_count, kind.kinds))
    return 1 + ROUNDS * sum(_count(each) for each in (kind.key, kind.element) if each is not None)


def _is_worth_expecting(value: Value) -> bool:
    """Say whether knowing more of `value` may help."""
    return any(
        isinstance(option, Opaque)
        or (
            isinstance(option, Plain)
            and (
                (option.type is int and option.bits > _BITS)
                or (option.type not in SCALARS and option.most is None)
            )
        )
        for option in options_of(value)
    )


def _kind_of(annotation: Any, is_part: bool = False) -> Kind | None:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation is None:
        return Exactly(NoneType)
    if origin is Annotated:
        return _kind_of(arguments[0], is_part)
    if origin is Literal:
        return _either([_kind_of(kind, is_part) for kind in dict.fromkeys(map(type, arguments))])
    if origin is Union or origin is UnionType:
        return _either([_kind_of(each, is_part) for each in arguments])
    cls = annotation if origin is None else origin
    if not isinstance(cls, type) or not is_compared_plainly(cls):
        return None
    if is_one_of(cls, _SAY_NOTHING) or flags_of(cls) & ABSTRACT_TYPE:
        return None
    if issubclass(type(cls), enum.EnumMeta):
        return None  # a copy of a member is of its class, too
    if cls is dict or cls in _CONTAINERS:
        if is_part:
            return None  # there may be many in all
        if cls is dict:
            key, element = arguments if len(arguments) == 2 else (str, Any)
            return Filled(dict, _kind_of(element, True), _kind_of(key, True))
        kinds = [_kind_of(each, True) for each in arguments if each is not ...]
        return Filled(cls, _either(kinds) if kinds else None)
    return Exactly(cls, _LONGEST_PART if is_part else TEXT_CLAIMED)


_SAY_NOTHING = (object, Any, Parameter.empty)


def _either(kinds: list[Kind | None]) -> Kind | None:
    known = [kind for kind in kinds if kind is not None]
    if len(known) < len(kinds) or not known:
        return None
    return known[0] if len(known) == 1 else Either(tuple(known))


class _Names:
    """Names within a guard that no parameter has, and what they stand for."""

    def __init__(self, taken: Iterable[str]) -> None:
        taken = list(taken)
        self._prefix = "_"
        while any(each.startswith(self._prefix) for each in taken):
            self._prefix += "_"
        self._count = 0
        self._known: dict[int, str] = {}
        self.meanings: dict[str, Any] = {"__builtins__": {}}

    def new(self) -> str:
        self._count += 1
        return f"{self._prefix}{self._count}"

    def of(self, obj: Any) -> str:
        if id(obj) not in self._known:
            self._known[id(obj)] = name = self.new()
            self.meanings[name] = obj
        return self._known[id(obj)]


class Row(NamedTuple):
    """What is asked of one value, where that is no more than its class and its size."""

    keyword: str
    attribute: str | None  # of what is given by that keyword; None: that itself
    cls: type
    longest: int  # of a text


class Guard(Protocol):
    """Says for one call whether it gets what was expected."""

    rows: tuple[Row, ...] | None  # all that it asks; None: it asks more than rows can say

    def __call__(self, **values: Any) -> bool:
        """Take what the call takes."""
        ...


def guard_of(expectations: Sequence[Expectation], keywords: Iterable[str]) -> Guard | None:
    """Make what says, for one call, whether it gets what was expected.

    Nothing of anybody else's is run by it: it looks at classes, at attributes that the proof found
    to be plain, and at parts of built-in containers.

    Parameters:
        expectations: of a proof.
        keywords: of the call.

    Returns:
        A function that takes what the call takes, by keyword; None if nothing is expected.
    """
    if not expectations:
        return None
    parameters = list(dict.fromkeys([*keywords, *(each.path[0] for each in expectations)]))
    names = _Names(parameters)
    nothing = names.of(object())
    taken = ", ".join(f"{each}={nothing}" for each in parameters)
    asked = " and ".join(_asked(each, nothing, names) for each in expectations)
    guard = names.new()
    text = (
        f"def {guard}(*, {taken}, **{names.new()}):\n"
        f" try:\n  return {asked}\n"
        f" except {names.of(_ERRORS)}:\n  return False\n"
    )
    exec(text, names.meanings)
    made: Guard = names.meanings[guard]
    made.rows = _rows_of(expectations)
    return made


def _rows_of(expectations: Sequence[Expectation]) -> tuple[Row, ...] | None:
    rows = []
    for each in expectations:
        name, *attributes = each.path
        if type(each.kind) is not Exactly or len(attributes) > 1:
            return None
        if any(owner is not None for owner in each.owners):
            return None
        attribute = attributes[0] if attributes else None
        rows.append(Row(name, attribute, each.kind.cls, each.kind.longest))
    return tuple(rows)


def _asked(expectation: Expectation, nothing: str, names: _Names) -> str:
    given, *attributes = expectation.path
    last = attributes.pop() if attributes else None
    asked = []
    for index, owner in enumerate(expectation.owners):
        if index:
            given = f"{names.of(getattr)}({given}, {attributes[index - 1]!r}, {nothing})"
        if owner is not None:  # of another class it is not asked
            asked.append(f"{names.of(type)}({given}) is not {names.of(owner)}")
    if last is None:
        assert expectation.kind is not None  # a parameter has a value
        asked.append(expectation.kind.source(given, names))
    elif expectation.kind is None:
        own = names.new()
        there = f"({own} := {names.of(getattr)}({given}, '__dict__', {nothing}))"
        asked.append(f"({names.of(type)}({there}) is {names.of(dict)} and {last!r} not in {own})")
    else:
        # NOTE: kept in a variable, so that all is asked of one object.
        value = names.new()
        there = f"({value} := {names.of(getattr)}({given}, {last!r}, {nothing})) is not {nothing}"
        asked.append(f"({there} and {expectation.kind.source(value, names)})")
    return f"({' or '.join(asked)})"
