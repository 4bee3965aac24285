"""Callables that hide something behind what a proof expects, and values that seem to be expected.

NOTE: annotations are no strings here: FastAPI 0.115 does not know those of a class.
"""

# mypy: ignore-errors

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import pydantic
from fastapi import Depends

from tests.proof.hostile import SLEEPY, case, collect, hidden


def give() -> Any: ...


@case
def fills_what_it_enumerates(flag: bool = True) -> Any:
    one, other = [1], [2]
    either = one if flag else other
    for _, each in enumerate(either):
        one.append(each)
        other.append(each)
    return one


@case
def enumerates_what_it_fills_later(flag: bool = True) -> Any:
    one, other = [1], [2]
    numbered = enumerate(one if flag else other)
    one.append(SLEEPY)
    other.append(SLEEPY)
    return [each == 1 for _, each in numbered]


@case
def goes_through_twice() -> Any:
    pairs = zip((1,), (2,), strict=True)
    list(pairs)
    return 1 if list(pairs) else hidden()


@case
def goes_on_after_a_loop() -> Any:
    numbered = enumerate([1])
    for _ in numbered:
        pass
    return 1 if list(numbered) else hidden()


@case
def goes_through_while_it_loops() -> Any:
    numbered, last = enumerate((True, False)), False
    for _, last in numbered:  # noqa: B007
        list(numbered)
    return hidden() if last else 1


class EqualTo(type):
    """Makes classes that say they are another one."""

    other: type

    def __eq__(cls, other: object) -> bool:
        return other is cls.other or cls is other

    def __hash__(cls) -> int:
        return hash(cls.other)


class LikeInt(metaclass=EqualTo):  # noqa: PLW1641
    other = int

    def __eq__(self, other: object) -> bool:
        return bool(hidden())


class LikeList(metaclass=EqualTo):
    other = list

    def __len__(self) -> int:
        return hidden()


LIKE_INT, WITH_LIKE_INT = LikeInt(), (LikeInt(),)


@case
def compares_with_a_class_like_int(a: int = 1) -> Any:
    return a == LIKE_INT


@case
def looks_among_a_class_like_int(a: int = 1) -> Any:
    return a in WITH_LIKE_INT


@case
def expects_a_class_like_int(a: Annotated[LikeInt, Depends(give)]) -> Any:
    return a == 1


@case
def expects_a_class_like_list(a: Annotated[LikeList, Depends(give)]) -> Any:
    return len(a)


@case
def gets_a_class_like_int(a: Annotated[LikeInt, Depends()]) -> Any:
    return a == 1


collect("a class like int", LikeInt)


class Number(int):
    pass


@case
def compares_numbers_of_any_size(
    a: Annotated[Number, Depends(give)], b: Annotated[Number, Depends(give)]
) -> Any:
    return a == b


class Methods:
    def name(self) -> str:
        return "name"


class OwnDict(Methods):
    @property
    def __dict__(self) -> Any:
        hidden()
        return {}


@case
def calls_what_may_be_its_own(a: Annotated[OwnDict, Depends(give)]) -> Any:
    return a.name()


class Lying(dict):
    """Says that nothing is in it."""

    def __contains__(self, key: object) -> bool:
        hidden()
        return False


LIES = Methods()
LIES.__dict__ = Lying(name=hidden)


@case
def calls_what_is_in_a_kind_of_dict() -> Any:
    return LIES.name()


@case
def does_not_say_what_it_gets(a) -> Any:
    return 1 if a else 2


class Aware(pydantic.BaseModel):
    when: pydantic.AwareDatetime


class Identified(pydantic.BaseModel):
    uuid: uuid.UUID


@case
def validates_a_time(a: Annotated[dt.datetime, Depends(give)]) -> Any:
    return Aware(when=a)


@case
def validates_a_part(a: Annotated[tuple[dt.datetime, dt.datetime], Depends(give)]) -> Any:
    return Aware(when=a[0])


@case
def validates_a_uuid(a: Annotated[uuid.UUID, Depends(give)]) -> Any:
    return Identified(uuid=a)


class Point(NamedTuple):
    x: int
    y: int


class WithSlot:
    __slots__ = ("x",)


class OtherSlot:
    x: int
    x = WithSlot.x  # noqa: PIE794


class Item(pydantic.BaseModel):
    price: int


def adds(a: Annotated[Point, Depends(give)]) -> Any:
    return a.x + a.y


def reads_another_slot(a: Annotated[OtherSlot, Depends(give)]) -> Any:
    return a.x + 1


def reads_a_model(a: Annotated[Item, Depends(give)]) -> Any:
    return a.price + 1


def calls_a_method(a: Annotated[Methods, Depends(give)]) -> Any:
    return a.name()


def looks_up(a: Annotated[dict[str, int], Depends(give)]) -> Any:
    return a.get("a")


def looks_in(a: Annotated[set[str], Depends(give)]) -> Any:
    return "a" in a


def emptied(many: Any, take: Callable[[Any], Any]) -> Any:
    while len(many) > 1:
        take(many)
    return many


#: Proven under expectations, and what they must not let pass; nor may looking at it raise.
GUARDED = [
    (adds, tuple.__new__(Point, (1,))),
    (reads_another_slot, OtherSlot()),
    (reads_a_model, Item.model_construct()),
    (calls_a_method, LIES),
    (looks_up, emptied(dict.fromkeys(map(str, range(10_000)), 1), dict.popitem)),
    (looks_in, emptied(set(map(str, range(10_000))), set.pop)),
]
