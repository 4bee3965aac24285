"""More constructs twice: what is gone through because it cannot be long."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Depends, Query

from tests.proof.pairs import HIDDEN, NUMBERS, give, proven, unproven

SIXTEEN = tuple(range(16))
WITH_HIDDEN = (1, HIDDEN)


@proven("parts of a text of a bounded length")
def _(a: Annotated[str, Query(max_length=20)]) -> Any:
    return [int(part) for part in a.split(",")], [each.strip() for each in a.split()]


@unproven("parts of a text of a bounded length")
def _(a: Annotated[str, Query(max_length=80)]) -> Any:
    return [[int(part) for part in a.split(",")], a == HIDDEN]


@proven("the first parts of a text")
def _(a: str) -> Any:
    return [each.strip() for each in a.split(",")[:3]], [each.strip() for each in a[:9].split("::")]


@unproven("the first parts of a text")
def _(a: str) -> Any:
    return [each.strip() for each in a.split(",")[:-3]], a == HIDDEN


@proven("map, gone through at once")
def _(a: float) -> Any:
    return list(map(float, [1.5, a])), ",".join(map(str, (1, 2))), sum(map(abs, (1, 2)))


@unproven("map, gone through at once")
def _(a: float) -> Any:
    return map(float, [1.5, a])


@proven("generators within comprehensions")
def _(a: str) -> Any:
    return {key: each.strip() for key, each in (one.split(":", 1) for one in ("a:b", a))}


@unproven("generators within comprehensions")
def _(a: int) -> Any:
    return [not each for each in (one == a for one in (1, 2))]


@proven("texts of lists")
def _(a: Annotated[str, Query(max_length=20)]) -> Any:
    return f"{[a, 1]} {(None, a)} { ({'a': 1}) }"


@unproven("texts of lists")
def _(a: str) -> Any:
    return f"{[a, HIDDEN]}"


@proven("templates")
def _(a: str, b: float) -> Any:
    template = "'{}' is {}, not {x}"
    return template.format(a, b, x=1)


@unproven("templates")
def _(a: str) -> Any:
    template = "{:>100000}"
    return template.format(a)


@proven("loops over what may be None")
def _(a: bool) -> Any:
    return [each.strip() for each in (["x"] if a else None)]  # type: ignore[union-attr]


@unproven("loops over what may be None")
def _(a: bool, b: Annotated[Any, Depends(give)]) -> Any:
    return [each is None for each in (["x"] if a else b)]


@proven("a character looked for often")
def _(a: Annotated[str, Query(max_length=31)]) -> Any:
    return [["x" in a for _ in SIXTEEN] for _ in SIXTEEN]


@unproven("a character looked for often")
def _(a: Annotated[str, Query(max_length=31)]) -> Any:
    return [["xy" in a for _ in SIXTEEN] for _ in SIXTEEN]


@proven("literals of several kinds")
def _(a: Literal[1, "a"], b: Literal[1, "b"]) -> Any:
    return a == b


@unproven("literals of several kinds")
def _(a: Literal[1, "a"]) -> Any:
    return a == HIDDEN


@proven("texts of constant tuples")
def _(a: bool) -> Any:
    return f"{NUMBERS} {a}"


@unproven("texts of constant tuples")
def _(a: bool) -> Any:
    return f"{WITH_HIDDEN} {a}"
