"""More callables that hide something: behind `__getattr__` and its like, and behind conditions."""

# mypy: ignore-errors

from __future__ import annotations

import enum
from typing import Any, Literal

from tests.proof.hostile import SLEEPY, case, collect, hidden


class Missing:
    def __getattr__(self, name: str) -> Any:
        return hidden() if name == "slow" else name


MISSING = Missing()


@case
def reads_a_slow_one_by_name() -> Any:
    return getattr(MISSING, "slow")  # noqa: B009


@case
def reads_a_slow_one_with_a_default() -> Any:
    return getattr(MISSING, "slow", None)


@case
def asks_whether_a_slow_one_is_there() -> Any:
    return hasattr(MISSING, "slow")


class Raising:
    @property
    def a(self) -> Any:
        raise AttributeError("a")

    def __init__(self) -> None:
        self.b = self.a

    def __getattr__(self, name: str) -> Any:
        return hidden()


collect("__getattr__ behind a property that raises", Raising)


class OfClass:
    @classmethod
    def __getattr__(cls, name: str) -> Any:
        return hidden()


OF_CLASS = OfClass()


@case
def asks_a_class_method_for_what_is_missing() -> Any:
    return OF_CLASS.anything


class Callable:
    def __call__(self, name: str) -> Any:
        return hidden()


class ByInstance:
    __getattr__ = Callable()


BY_INSTANCE = ByInstance()


@case
def asks_an_instance_for_what_is_missing() -> Any:
    return BY_INSTANCE.anything


class Below(Missing):
    def __init__(self, a: int = 0) -> None:
        self.__dict__["x"] = a
        self.y = self.slow


collect("__getattr__ of a base", Below)


class Stored:
    def __init__(self, flag: bool = False) -> None:
        if flag:
            self.method = int
        self.method()

    def __getattr__(self, name: str) -> Any:
        return hidden


collect("what __getattr__ gives is called", Stored)


class Items:
    def __getitem__(self, key: Any) -> Any:
        return hidden()


ITEMS = Items()


@case
def looks_up_by_code_of_the_class() -> Any:
    return ITEMS["a"]


class ItemsByInstance:
    __getitem__ = Callable()


ITEMS_BY_INSTANCE = ItemsByInstance()


@case
def looks_up_by_an_instance() -> Any:
    return ITEMS_BY_INSTANCE["a"]


class Meta(enum.EnumMeta):
    def __getitem__(cls, name: str) -> Any:
        if name == "A":
            return hidden()
        return super().__getitem__(name)


class Letter(enum.Enum, metaclass=Meta):
    A = 1


@case
def looks_up_a_member() -> Any:
    return Letter["A"]


class Above(type):
    def method(cls) -> Any:
        return hidden()


class Below2(Above):
    def method(cls) -> Any:
        return super().method()


class WithMeta(metaclass=Below2):
    pass


@case
def calls_above_a_metaclass() -> Any:
    return WithMeta.method()


@case
def takes_one_of_a_literal(a: Literal["x", "y"] = "x") -> Any:
    return hidden() if a == "y" else 1


@case
def takes_the_default_of_a_literal(a: Literal["x", "y"] = "z") -> Any:
    return hidden() if a not in ("x", "y") else 1


@case
def takes_one_of_many(
    a: Literal["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q"],
) -> Any:
    return hidden() if a == "q" else 1


@case
def compares_numbers_of_two_kinds() -> Any:
    return hidden() if 1 == True else 2


@case
def is_not_among_it() -> Any:
    return hidden() if "z" not in ("x", "y") else 2


@case
def is_among_its_keys() -> Any:
    return hidden() if "a" in {"a": 1} else 2


@case
def is_among_what_is_filled_later(flag: bool = False) -> Any:
    found = {"a": 1}
    if flag:
        found["b"] = 2
    return hidden() if "b" in found else 2


@case
def is_among_either(flag: bool = False) -> Any:
    return hidden() if "b" in (("a",) if flag else ("b",)) else 2


@case
def is_found_among_objects() -> Any:
    return "a" in ("a", SLEEPY) and "b" in (SLEEPY, "b")
