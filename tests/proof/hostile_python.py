"""More callables that hide something, or take long: what CPython itself does there, unseen."""

from __future__ import annotations

import enum
import math
import time
import types
from typing import Annotated, Any

from fastapi import Query

from tests.proof.hostile import case, hidden


class Odd:
    """Runs hidden code however it is used."""

    def __eq__(self, other: object) -> bool:
        return bool(hidden())

    __hash__ = object.__hash__

    def __index__(self) -> int:
        return hidden()

    def __iter__(self) -> Any:
        hidden()
        return iter(())


ODD = Odd()
NAN = math.nan


@case
def annotates_an_item(a: int) -> Any:
    found: dict[Any, int] = {}
    found[time.sleep(0)]: int  # type: ignore[func-returns-value, misc] # noqa: B032
    return a


def _last(*values: Any, other: Any = None) -> Any:
    return values[-1] == 1


class _Last:
    def __init__(self, *values: Any, other: Any = None) -> None:
        self.is_one = values[-1] == 1


@case
def adds_while_it_is_passed_on(a: int) -> Any:
    values: list[Any] = [a]
    return _last(*values, other=values.append(ODD))  # type: ignore[func-returns-value]


@case
def adds_while_keywords_are_passed_on(a: int) -> Any:
    values: list[Any] = [a]
    return _last(*values, **{"other": values.append(ODD)})  # type: ignore[func-returns-value] # noqa: PIE804


@case
def adds_while_an_object_is_made(a: int) -> Any:
    values: list[Any] = [a]
    return _Last(*values, other=values.append(ODD)).is_one  # type: ignore[func-returns-value]


@case
def looks_for_what_is_not_equal_to_itself() -> Any:
    if NAN in (NAN, 0.0):
        return ODD == 1
    return False


@case
def looks_that_nothing_is_not_equal_to_itself() -> Any:
    if NAN not in [NAN, 1.0]:
        return False
    return ODD == 1


class _OwnSyntaxError(SyntaxError):
    def __init__(self, text: str, details: Any) -> None:
        super().__init__(text, details)


@case
def makes_an_error_of_the_system() -> Any:
    return BlockingIOError(1, "x", ODD)


@case
def makes_an_error_of_syntax() -> Any:
    return SyntaxError("x", ODD)  # type: ignore[call-overload]


@case
def makes_an_error_of_its_own() -> Any:
    return _OwnSyntaxError("x", ODD)


@case
def makes_an_error_of_encoding() -> Any:
    return UnicodeEncodeError("x", "y", ODD, 1, "z")  # type: ignore[arg-type]


@case
def reads_what_an_earlier_round_left(a: bool) -> Any:
    maybe: list[Any] = []
    if a:
        maybe.append(1)
    return [
        0
        for x in (0, 1, 2)
        for z in ((y,) if x == 2 else (0,))  # type: ignore[has-type] # noqa: F821
        if z == 1 or x >= 0
        for y in ([ODD], maybe, [1])[x]
    ]


class _EqualToAll(type):
    __hash__ = type.__hash__

    def __eq__(cls, other: object) -> bool:
        return bool(hidden())


class _Descriptor(metaclass=_EqualToAll):
    def __get__(self, instance: Any, owner: Any) -> Any:
        return hidden()


class _Described:
    found = _Descriptor()


@case
def reads_what_a_class_of_classes_calls_plain() -> Any:
    return _Described().found


@case
def reads_it_of_the_class() -> Any:
    return _Described.found


class _EqualToText(type):
    def __hash__(cls) -> int:
        return hash(str)

    def __eq__(cls, other: object) -> bool:
        return bool(hidden())


class _Untrue(metaclass=_EqualToText):
    def __bool__(self) -> bool:
        return bool(hidden())


class _Holder:
    found = _Untrue()


@case
def asks_whether_it_is_true() -> Any:
    return 1 if _Holder().found else 2


class _OddDict(dict[str, Any]):
    def __getitem__(self, key: str) -> Any:
        hidden()
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        hidden()
        return super().get(key, default)


def _reads_a_global() -> Any:
    return ODD is None


case(types.FunctionType(_reads_a_global.__code__, _OddDict(globals()), "reads_odd_globals"))


@case
def squares_one_of_two(a: int | float) -> Any:
    b = -a
    c = b * b
    d = c * c
    e = d * d
    return e * e


@case
def writes_wide_numbers() -> Any:
    return f"{1:90256}".title()


@case
def looks_for_a_long_text(a: str, b: str) -> Any:
    return a.find(b)


@case
def asks_for_a_long_text(a: str, b: str) -> Any:
    return b in a


LATE = "a" * 1022 + "ba"


@case
def replaces_a_long_text(a: str) -> Any:
    return a.replace(LATE, "x")


class _Number(enum.IntEnum):
    ONE = 1


@case
def looks_up_large_numbers(a: int) -> Any:
    found = []
    for _ in range(32):
        try:
            found.append(_Number(a))
        except ValueError:
            found.append(_Number.ONE)
    return found


class _Long(str, enum.Enum):  # noqa: UP042 - a member is a text
    ONE = "ß" * 1_000_000


@case
def writes_long_members_large(a: Annotated[_Long, Query()]) -> Any:
    return str.upper(a)
