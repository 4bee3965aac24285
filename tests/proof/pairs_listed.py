"""More constructs twice: functions of Python that are proven by a list of what they do."""

from __future__ import annotations

import enum
from typing import Annotated, Any

from fastapi import Query

from tests.proof.pairs import proven, unproven

_NOTHING, _TWENTY_DIGITS, _TWENTY_DASHES = "", "1" * 20, "-" * 20
_Digit = Annotated[str, Query(max_length=1)]
_Line = Annotated[str, Query(max_length=250)]


class _Base:
    def __index__(self) -> int:
        return 16


class _Part:
    def __init__(self) -> None:
        self.name = "part"


class _Tone(str, enum.Enum):  # noqa: UP042 - texts of it are texts
    LOW = "low"


_BASE = _Base()
_PARTS = (_Part(), _Part())


@proven("numbers of texts")
def _reads_a_number(a: Annotated[str, Query(max_length=20)]) -> Any:
    return int(a)


@unproven("numbers of texts")
def _reads_a_number_to_a_base(a: Annotated[str, Query(max_length=20)]) -> Any:
    return int(a, base=_BASE)  # type: ignore[call-overload]


@proven("truth as text")
def _shows_truth(a: str) -> Any:
    return f"{bool(a)}"


@unproven("truth as text")
def _shows_truth_of_anything(a: Any) -> Any:
    return f"{bool(a)}"


@proven("bytes as text")
def _shows_bytes(a: Annotated[str, Query(max_length=20)]) -> Any:
    return repr(a.encode())


@unproven("bytes as text")
def _shows_bytes_by_str(a: Annotated[str, Query(max_length=20)]) -> Any:
    return str(a.encode())  # warns of it with `-b`


@proven("all of a few")
def _asks_a_few(a: str) -> Any:
    return all((a, a)) or any((a, a))


@unproven("all of a few")
def _asks_with_one_too_many(a: str) -> Any:
    return all((a, a), a)  # type: ignore[call-arg]


@proven("sorted constants")
def _sorts_constants() -> Any:
    return f"{sorted((3, 1))[1]}"


@unproven("sorted constants")
def _sorts_what_is_given(a: Annotated[list[str], Query()]) -> Any:
    return f"{sorted(a)[1]}"


@proven("objects that are there in containers")
def _lists_objects() -> Any:
    return list(_PARTS)[1].name


@unproven("objects that are there in containers")
def _compares_objects() -> Any:
    return max(_PARTS)  # type: ignore[type-var]


@proven("parts of a text that are few")
def _strips_few_parts(a: _Line) -> Any:
    return [part.strip() for part in a.split(_TWENTY_DASHES)]


@unproven("parts of a text that are few")
def _strips_many_parts(a: _Line) -> Any:
    return [part.strip() for part in a.split("-")]


@proven("texts joined by nothing")
def _reads_sixteen_digits(a: _Digit) -> Any:
    return int(_NOTHING.join((a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a)))


@unproven("texts joined by nothing")
def _reads_hundreds_of_digits(a: _Digit) -> Any:
    return int(_TWENTY_DIGITS.join((a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a)))


@proven("members that are texts")
def _encodes_a_member() -> Any:
    return _Tone.LOW.encode()


@unproven("members that are texts")
def _encodes_anything(a: Any) -> Any:
    return a.encode()
