"""More constructs twice: what is looked up by code of a class, and what constants decide."""

from __future__ import annotations

import enum
import token
import types
from typing import Annotated, Any, Literal

from fastapi import Depends, Query

from tests.proof.pairs import HIDDEN, give, proven, unproven


class Codes:
    """Hands out the numbers of tokens, some by other names."""

    def __getattr__(self, name: str) -> Any:
        others = {"END": "ENDMARKER"}
        if name in others:
            return getattr(token, others[name])
        if name == "SLOW":
            return HIDDEN == 1
        return getattr(token, name)


CODES = Codes()


@proven("__getattr__")
def _(a: int) -> Any:
    return CODES.END, CODES.NAME


@unproven("__getattr__")
def _(a: int) -> Any:
    return CODES.SLOW


class Lazy:
    def __init__(self, a: int = 0) -> None:
        self.b = self.shown

    @property
    def shown(self) -> Any:
        return self.given

    def __getattr__(self, name: str) -> Any:
        return name


class Endless:
    def __init__(self, a: int = 0) -> None:
        self.b = self.shown

    def __getattr__(self, name: str) -> Any:
        return self.given


proven("__getattr__ behind a property")(Lazy)
unproven("__getattr__ behind a property")(Endless)


@proven("getattr")
def _(a: int) -> Any:
    return getattr(CODES, "NAME"), getattr(a, "nothing", None)  # noqa: B009


@unproven("getattr")
def _(a: str) -> Any:
    return getattr(CODES, a)


@proven("hasattr")
def _(a: int) -> Any:
    return hasattr(a, "nothing"), hasattr(CODES, "NAME")


@unproven("hasattr")
def _(a: int) -> Any:
    return hasattr(CODES, "SLOW")


class Row:
    def __init__(self, a: int = 0) -> None:
        self.a = a

    def __getitem__(self, key: str) -> Any:
        if key == "a":
            return self.a
        return key == HIDDEN


@proven("__getitem__")
def _(a: int) -> Any:
    return Row(a)["a"]


@unproven("__getitem__")
def _(a: int) -> Any:
    return Row(a)["b"]


class ByOldNames(enum.EnumMeta):
    def __getitem__(cls, name: str) -> Any:
        if name == "OLD":
            return HIDDEN == 1
        return super().__getitem__(name)


class Method(enum.Enum, metaclass=ByOldNames):
    FIRST = Row
    LAST = Codes


@proven("members by name, by code of a metaclass")
def _(a: Literal["FIRST", "LAST"] = "FIRST") -> Any:
    return Method[a].value


@unproven("members by name, by code of a metaclass")
def _(a: str = "FIRST") -> Any:
    return Method[a].value


@proven("what a literal may be")
def _(a: Literal["x", "y"]) -> Any:
    return HIDDEN == 1 if a == "z" else a in ("x", "y") or HIDDEN == 1  # type: ignore[comparison-overlap]


@unproven("what a literal may be")
def _(a: Literal["x", "y"]) -> Any:
    return HIDDEN == 1 if a == "y" else a


@proven("what is among constants")
def _(a: int) -> Any:
    known = ["x", "y"]
    return HIDDEN == 1 if "z" in known else {"x": 1}[known[0]]


@unproven("what is among constants")
def _(a: str) -> Any:
    known = ["x", "y"]
    known.append(a)
    return HIDDEN == 1 if "z" in known else {"x": 1}[known[0]]


SPACE = types.SimpleNamespace(a=1)


@proven("constants of another kind")
def _(a: int) -> Any:
    return HIDDEN == 1 if 1 == "1" else 2  # type: ignore[comparison-overlap]


@unproven("constants of another kind")
def _(a: Annotated[Any, Depends(give)], b: Annotated[int, Query()] = 1) -> Any:
    return HIDDEN == 1 if b != 1 else a == SPACE
