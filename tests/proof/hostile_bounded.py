"""More callables that hide something: what seems short, or changes while it is gone through."""

# mypy: ignore-errors

from __future__ import annotations

import enum
from typing import Annotated, Any

import pydantic
from annotated_types import Ge, Le, MaxLen
from fastapi import Depends, Query

from tests.proof.hostile import SLEEPY, case, hidden
from tests.proof.pairs import HIDDEN


def give() -> Any: ...


@case
def reverses_what_is_left(a: str) -> Any:
    return int(a[:5:-1]), a == HIDDEN


class Long(enum.StrEnum):
    A = "1," * 10_000


@case
def goes_through_a_long_member(a: Long) -> Any:
    return [each.strip() for each in a.strip().split(",")]


@case
def goes_through_a_long_member_that_exists() -> Any:
    return [each.strip() for each in Long.A.strip().split(",")]


@case
def joins_by_a_long_member(a: Long) -> Any:
    return [each.strip() for each in a.join(["x", "y"]).split(",")]


@case
def has_a_long_default(a: Annotated[str, Query(max_length=5)] = "1," * 1000) -> Any:
    return [int(each) for each in a.split(",")]


@case
def has_limits_that_are_dropped(
    a: Annotated[int, Ge(0), Le(9)] = Query(), b: Annotated[int, Ge(0), Le(9)] = Query()
) -> Any:
    return a * b


@case
def has_a_limit_that_is_dropped(a: Annotated[str, MaxLen(5)] = Query()) -> Any:
    return [int(each) for each in a.split(",")]


@case
def has_another_limit_later(a: Annotated[str, MaxLen(5), Query(max_length=5000)]) -> Any:
    return [int(each) for each in a.split(",")]


@case
def has_another_limit_around(
    a: Annotated[str, MaxLen(5)] | None = Query(max_length=5000),
) -> Any:
    return [int(each) for each in a.split(",")]


@case
def has_a_dropped_limit_of_a_list(a: Annotated[list[str], MaxLen(5)] = Query()) -> Any:  # noqa: B008
    return [each.strip() for each in a]


def lengthen(text: str) -> str:
    return text * 1000


Lengthened = Annotated[str, Query(max_length=5), pydantic.AfterValidator(lengthen)]


@case
def is_lengthened_later(a: Lengthened) -> Any:
    return [int(each) for each in a.split(",")], a == HIDDEN


@case
def grows_what_was_short(a: Annotated[str, Query(max_length=9)]) -> Any:
    return [int(each) for each in a.replace("x", ",,,,,,,,,").split(",")]


@case
def grows_by_other_letters(a: Annotated[str, Query(max_length=20)]) -> Any:
    return [each.strip() for each in a.upper().split()]


@case
def writes_bytes_out(a: Annotated[str, Query(max_length=5)]) -> Any:
    return [each.strip() for each in a.encode().hex(",").split(",")]


@case
def asks_again_and_again() -> Any:
    asked = [1]
    return [asked.append(SLEEPY) or each for each in (asked[-1] == 1 for _ in (1, 2))]


@case
def assigns_what_a_generator_asks() -> Any:
    asked: Any = 1
    return [(asked := SLEEPY) and each for each in (asked == one for one in (1, 2))]


@case
def goes_through_objects_little_by_little() -> Any:
    rows = ([1], [2])
    return [rows[1].append(SLEEPY) or each for each in (1 in row for row in rows)]


@case
def maps_what_is_hidden() -> Any:
    return list(map(hidden, [1]))


@case
def maps_what_waits(a: str) -> Any:
    return list(map(SLEEPY, [a]))


@case
def maps_over_what_it_fills() -> Any:
    found = [1]
    return list(map(found.append, found))


@case
def maps_over_two(a: str) -> Any:
    return list(map(max, [a], [SLEEPY]))


@case
def maps_and_keeps_it(a: str) -> Any:
    later = map(str.strip, [a])
    return list(later), a == HIDDEN


@case
def maps_over_anything(a: Annotated[Any, Depends(give)]) -> Any:
    return list(map(str.strip, a))


@case
def asks_what_was_mapped() -> Any:
    return max(map(type, [SLEEPY, 1]))


@case
def fills_one_of_two(flag: bool = True) -> Any:
    one, other = [1], [2]
    for each in one if flag else other:
        one.append(each)
        other.append(each)
    return one


@case
def goes_through_one_of_two_it_fills(flag: bool = True) -> Any:
    one, other = [1], [2]
    either = one if flag else other
    return [other.append(SLEEPY) or each == 1 for each in either]


@case
def shows_what_is_in_a_list() -> Any:
    return f"{[SLEEPY]}"


@case
def shows_what_is_in_a_dict() -> Any:
    return f"{ ({'a': SLEEPY}) }"


@case
def shows_a_list_within_itself() -> Any:
    found: list[Any] = [1]
    found.append(found)
    return f"{found}"


@case
def shows_what_was_put_in_later() -> Any:
    found: list[Any] = [1]
    shown = [found]
    found.append(SLEEPY)
    return f"{shown[0]}"


@case
def fills_in_an_attribute() -> Any:
    template = "{0.anything}"
    return template.format(SLEEPY)


@case
def fills_in_an_item(a: str) -> Any:
    template = "{0[0]}"
    return template.format(a), a == HIDDEN


@case
def fills_in_an_object() -> Any:
    template = "{}"
    return template.format(SLEEPY)


@case
def fills_in_a_wide_one(a: str) -> Any:
    template = "{:>1000000000}"
    return template.format(a)


@case
def fills_in_a_width_from_outside(a: str, width: int) -> Any:
    template = "{:>{}}"
    return template.format(a, width), a == HIDDEN


@case
def fills_in_many(a: str) -> Any:
    return ("{0}" * 100).format(a), a == HIDDEN


@case
def fills_in_a_template_from_outside(template: str) -> Any:
    return template.format(1)
