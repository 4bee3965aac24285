"""More constructs twice: functions of Python that are proven by a list of what they do."""

from __future__ import annotations

import enum
import hmac
from typing import Annotated, Any

from fastapi import Query

from tests.proof.pairs import proven, unproven

_NOTHING, _TWENTY_DIGITS, _TWENTY_DASHES = "", "1" * 20, "-" * 20
_Digit = Annotated[str, Query(max_length=1)]
_Word = Annotated[str, Query(max_length=20)]
_Line = Annotated[str, Query(max_length=250)]
_Percent = Annotated[int, Query(ge=0, le=100)]


class _Base:
    def __index__(self) -> int:
        return 16


class _Part:
    def __init__(self) -> None:
        self.name = "part"


class _Tone(str, enum.Enum):  # noqa: UP042 - texts of it are texts
    LOW = "low"


_BASE = _Base()
_NUMBERS, _SIXTEEN = (3, 1, 2), tuple(range(16))
_BEGINNINGS, _ODD_BEGINNINGS = ("a", "b"), ("a", _BASE)
_TABLE = bytes(range(256))
_PAGE = "-" * 2048
_PARTS = (_Part(), _Part())


@proven("numbers of texts")
def _reads_a_number(a: Annotated[str, Query(max_length=20)]) -> Any:
    return int(a)


@unproven("numbers of texts")
def _reads_a_number_to_a_base(a: Annotated[str, Query(max_length=20)]) -> Any:
    return int(a, base=_BASE)


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


@proven("the largest of several")
def _takes_the_largest(a: str, b: str) -> Any:
    return f"{max((a, b)).strip()} {max(a, b)} {max(_NUMBERS)}"


@unproven("the largest of several")
def _takes_the_largest_of_one(a: str) -> Any:
    return max(a)


@proven("numbers without their sign")
def _shows_a_small_number(a: _Percent, b: float) -> Any:
    return f"{abs(a)} {abs(b)}"


@unproven("numbers without their sign")
def _shows_a_large_number(a: int) -> Any:
    return f"{abs(a)}"


@proven("rounded numbers")
def _rounds(a: float, b: _Percent) -> Any:
    return round(a) + round(b)


@unproven("rounded numbers")
def _rounds_a_large_number(a: int) -> Any:
    return round(a)  # noqa: RUF057


@proven("numbers rounded to so many digits")
def _rounds_to_twenty_digits(a: float) -> Any:
    return round(a, 20), round(a, -20)


@unproven("numbers rounded to so many digits")
def _rounds_to_more_digits(a: float) -> Any:
    return round(a, 21)


@proven("numbers rounded by a number")
def _rounds_to_a_digit(a: float) -> Any:
    return [[round(a, 1) * 99 for _ in _SIXTEEN] for _ in _SIXTEEN]


@unproven("numbers rounded by a number")
def _rounds_by_an_object(a: float) -> Any:
    return round(a, _BASE)


@proven("formats that are constant")
def _formats(a: str) -> Any:
    return format(a), format(a, ">10")


@unproven("formats that are constant")
def _formats_with_one_too_many(a: str) -> Any:
    return format(a, "", "")  # type: ignore[call-arg]


@proven("texts of texts")
def _makes_text_of_text(a: str) -> Any:
    return str(a)


@unproven("texts of texts")
def _makes_text_by_a_name(a: str) -> Any:
    return str(a, "ascii")  # type: ignore[call-overload]


@proven("classes of values")
def _tells_the_class(a: str) -> Any:
    return type(a)


@unproven("classes of values")
def _makes_a_class(a: str) -> Any:
    return type(a, (), {})


@proven("short texts as decimals")
def _reads_short_decimals(a: _Word) -> Any:
    return [[float(a) for _ in _SIXTEEN] for _ in _SIXTEEN]


@unproven("short texts as decimals")
def _reads_longer_decimals(a: _Line) -> Any:
    return [[float(a) for _ in _SIXTEEN] for _ in _SIXTEEN]


@proven("characters by their number")
def _makes_a_character(a: _Percent) -> Any:
    return chr(a).strip()


@unproven("characters by their number")
def _makes_a_character_of_two(a: _Percent) -> Any:
    return chr(a, a)  # type: ignore[call-arg]


@proven("answers as text")
def _shows_answers(a: Any) -> Any:
    return f"{callable(a)} {hasattr(_PARTS[0], 'name')}"


@unproven("answers as text")
def _shows_what_is_asked_for(a: Any) -> Any:
    return f"{callable(a)} {a}"


@proven("values that are sorted")
def _sorts_numbers() -> Any:
    return sorted((3, 1))


@unproven("values that are sorted")
def _sorts_texts(a: str, b: str) -> Any:
    return sorted((a, b))


@proven("what comes first of what is sorted")
def _compares_what_comes_first(a: Any) -> Any:
    return 1 if sorted((3, 1))[0] == 3 else a  # noqa: FURB192


@unproven("what comes first of what is sorted")
def _reads_for_what_comes_first(a: Any) -> Any:
    return 1 if sorted((3, 1))[0] == 3 else a.name  # noqa: FURB192


@proven("lists of what is certain")
def _asks_a_list_that_is_not_empty(a: Any) -> Any:
    return 1 if list((a,)) else a.name  # noqa: C410


@unproven("lists of what is certain")
def _asks_a_list_that_is_empty(a: Any) -> Any:
    return 1 if list(()) else a.name  # noqa: C410


@proven("what comes first of a set")
def _compares_each(a: Any) -> Any:
    for each in set((1, 8)):  # noqa: C405
        return 1 if each == 1 else a
    return 2


@unproven("what comes first of a set")
def _reads_for_each(a: Any) -> Any:
    for each in set((1, 8)):  # noqa: C405
        return 1 if each == 1 else a.name
    return 2


@proven("keys of a dictionary made of another")
def _strips_keys(a: str, b: Any) -> Any:
    return [key.strip() for key in dict({a: b}, key=b)]


@unproven("keys of a dictionary made of another")
def _strips_values(a: str, b: Any) -> Any:
    return [value.strip() for value in dict({a: b}, key=b).values()]


@proven("copies of what may be empty")
def _asks_a_copy(a: str, b: Any) -> Any:
    found = []
    if a:
        found.append(a)
    return 1 if found.copy() else b


@unproven("copies of what may be empty")
def _reads_for_a_copy(a: str, b: Any) -> Any:
    found = []
    if a:
        found.append(a)
    return 1 if found.copy() else b.name


@proven("lists with more behind")
def _extends_a_list(a: str) -> Any:
    found = [a]
    found.extend(_BEGINNINGS)
    return [each.strip() for each in found]


@unproven("lists with more behind")
def _extends_a_list_by_objects(a: str) -> Any:
    found: list[Any] = [a]
    found.extend(_ODD_BEGINNINGS)
    return [each.strip() for each in found]


@proven("values of an update")
def _strips_updated_values(a: str) -> Any:
    found = {"key": a}
    found.update({"other": a}, another=a)
    return [value.strip() for value in found.values()]


@unproven("values of an update")
def _strips_odd_updated_values(a: str, b: Any) -> Any:
    found = {"key": a}
    found.update({"other": a}, another=b)
    return [value.strip() for value in found.values()]


@proven("pairs of an update")
def _strips_updated_pairs(a: str, b: Any) -> Any:
    found = {"key": b}
    found.update({a: b})
    return [key.strip() for key, _ in found.items()]


@unproven("pairs of an update")
def _strips_odd_updated_pairs(a: str, b: Any) -> Any:
    found: dict[str, Any] = {}
    found.update({a: b})
    return [value.strip() for _, value in found.items()]


@proven("keys of an update")
def _asks_updated_keys(a: Any) -> Any:
    found = {"key": a}
    found.update(other=a)
    return [1 if key else a.name for key in found]


@unproven("keys of an update")
def _asks_keys_that_stay(a: Any) -> Any:
    found = {"": a}
    found.update(other=a)
    return [1 if key else a.name for key in found]


@proven("views of one dictionary")
def _views_keys(a: str) -> Any:
    return {a: a}.keys()


@unproven("views of one dictionary")
def _views_keys_of_two(a: str) -> Any:
    return {a: a}.keys({a: a})  # type: ignore[call-arg]


@proven("numbered parts of a constant")
def _numbers_parts(a: str) -> Any:
    return [f"{number}{each.strip()}{a}" for number, each in enumerate(_BEGINNINGS)]


@unproven("numbered parts of a constant")
def _numbers_odd_parts(a: str) -> Any:
    return [f"{number}{each.strip()}{a}" for number, each in enumerate(_ODD_BEGINNINGS)]  # type: ignore[attr-defined]


@proven("what is gone through twice")
def _goes_through_once(a: str, b: Any) -> Any:
    pairs: Any = zip((a, b), (a, b))  # noqa: B905
    for each, _ in pairs:
        return each.strip()
    return 1


@unproven("what is gone through twice")
def _goes_through_twice(a: str, b: Any) -> Any:
    pairs: Any = zip((a, b), (a, b))  # noqa: B905
    for _ in pairs:
        break
    for each, _ in pairs:
        return each.strip()
    return 1


@proven("one of two lists")
def _strips_either(a: str, b: str) -> Any:
    found = [a, b] if b else [a]
    return [each.strip() for each in tuple(found)]


@unproven("one of two lists")
def _strips_either_of_anything(a: str, b: Any) -> Any:
    found: list[Any] = [a, b] if a else [a]
    return [each.strip() for each in tuple(found)]


@proven("places in a text")
def _shows_places() -> Any:
    return [f"{_PAGE.find('-')}" for _ in _SIXTEEN]


@unproven("places in a text")
def _shows_places_of_two_characters() -> Any:
    return [f"{_PAGE.find('--')}" for _ in _SIXTEEN]


@proven("texts around a character")
def _parts_by_a_character() -> Any:
    return [_PAGE.partition("-") for _ in _SIXTEEN]


@unproven("texts around a character")
def _parts_by_two_characters() -> Any:
    return [_PAGE.partition("--") for _ in _SIXTEEN]


@proven("numbers before a character")
def _reads_before_a_character(a: _Word) -> Any:
    return int(a.partition("-")[0])


@unproven("numbers before a character")
def _reads_much_before_a_character() -> Any:
    return int(_PAGE.partition("-")[0])


@proven("texts with other parts")
def _replaces(a: str) -> Any:
    return a.replace("-", "").strip()


@unproven("texts with other parts")
def _replaces_by_an_object(a: str) -> Any:
    return a.replace("-", _BASE)  # type: ignore[arg-type]


@proven("texts that begin with one of several")
def _asks_for_beginnings(a: str) -> Any:
    return a.startswith(_BEGINNINGS)


@unproven("texts that begin with one of several")
def _asks_for_odd_beginnings(a: str) -> Any:
    return a.startswith(_ODD_BEGINNINGS)  # type: ignore[arg-type]


@proven("bytes by a table")
def _translates(a: _Word) -> Any:
    return int(a.encode().translate(_TABLE))


@unproven("bytes by a table")
def _translates_much() -> Any:
    return int(_PAGE.encode().translate(_TABLE))


@proven("bytes by a table, often")
def _translates_often(a: _Word) -> Any:
    found = a.encode()
    return [found.translate(_TABLE) for _ in _SIXTEEN]


@unproven("bytes by a table, often")
def _translates_much_often() -> Any:
    found = _PAGE.encode()
    return [found.translate(_TABLE) for _ in _SIXTEEN]


@proven("texts filled up")
def _fills_up(a: _Word) -> Any:
    return [[a.zfill(5) for _ in _SIXTEEN] for _ in _SIXTEEN]


@unproven("texts filled up")
def _fills_up_long_texts() -> Any:
    return [[_PAGE.zfill(5) for _ in _SIXTEEN] for _ in _SIXTEEN]


@proven("values under a short key")
def _looks_up_a_word(a: _Word) -> Any:
    return [[{"key": 1}.get(a) for _ in _SIXTEEN] for _ in _SIXTEEN]


@unproven("values under a short key")
def _looks_up_a_page() -> Any:
    return [[{"key": 1}.get(_PAGE) for _ in _SIXTEEN] for _ in _SIXTEEN]


@proven("large texts")
def _strips_sixteen_pages() -> Any:
    return _NOTHING.join([_PAGE for _ in _SIXTEEN]).strip()


@unproven("large texts")
def _strips_seventeen_pages() -> Any:
    return _NOTHING.join([_PAGE, *[_PAGE for _ in _SIXTEEN]]).strip()


@proven("texts that are compared at length")
def _compares_at_length(a: str, b: str) -> Any:
    return 1 if hmac.compare_digest(a, b) else 2


@unproven("texts that are compared at length")
def _compares_three_at_length(a: str, b: str) -> Any:
    return hmac.compare_digest(a, b, b)  # type: ignore[call-overload]


@proven("the width of a format")
def _formats_narrowly(a: str) -> Any:
    return format(a, ">256")


@unproven("the width of a format")
def _formats_widely(a: str) -> Any:
    return format(a, ">257")


@proven("parts of a text by name")
def _splits_by_name(a: str) -> Any:
    return [part.strip() for part in a.split(sep=",", maxsplit=1)]


@unproven("parts of a text by name")
def _splits_by_another_name(a: str) -> Any:
    return a.split(other=",")  # type: ignore[call-arg]


@proven("parts of a text")
def _splits_by_a_text(a: str) -> Any:
    return a.split(",")


@unproven("parts of a text")
def _splits_by_an_object(a: str) -> Any:
    return a.split(_BASE)  # type: ignore[arg-type]


@proven("pairs of a dictionary")
def _strips_pairs(a: str, b: Any) -> Any:
    return [value.strip() for _, value in {"key": a, "other": a}.items()] or b


@unproven("pairs of a dictionary")
def _strips_odd_pairs(a: str, b: Any) -> Any:
    return [value.strip() for _, value in {"key": a, "other": b}.items()]


@proven("pairs of one of two dictionaries")
def _strips_pairs_of_either(a: str, b: Any) -> Any:
    found = {a: b} if a else {"key": b}
    return [key.strip() for key, _ in found.items()]


@unproven("pairs of one of two dictionaries")
def _strips_odd_pairs_of_either(a: str, b: Any) -> Any:
    found = {a: b} if a else {"key": b}
    return [value.strip() for _, value in found.items()]


@proven("a list of nothing")
def _asks_a_list_of_nothing(a: Any) -> Any:
    return a.name if list() else 1  # noqa: C408


@unproven("a list of nothing")
def _asks_for_no_list(a: Any) -> Any:
    return 1 if list() else a.name  # noqa: C408


@proven("values under a key, or another")
def _looks_up_or_gives_another(a: str) -> Any:
    return {"key": a}.get(a, a).strip()


@unproven("values under a key, or another")
def _looks_up_with_one_too_many(a: str) -> Any:
    return {"key": a}.get(a, a, a)  # type: ignore[call-overload]


@proven("sums as text")
def _shows_a_sum() -> Any:
    return f"{sum((1, 2))}"


@unproven("sums as text")
def _shows_a_large_sum(a: int) -> Any:
    return f"{sum((a, 1))}"


@proven("lists with values behind")
def _extends_a_list_by_values(a: str) -> Any:
    found = [a]
    found.extend({a: a}.values())
    return [each.strip() for each in found]


@unproven("lists with values behind")
def _extends_a_list_by_odd_values(a: str, b: Any) -> Any:
    found = [a]
    found.extend({a: b}.values())
    return [each.strip() for each in found]


@proven("attributes that are asked for")
def _asks_for_an_attribute() -> Any:
    return hasattr(_PARTS[0], "name")


@unproven("attributes that are asked for")
def _asks_anything_for_an_attribute(a: Any) -> Any:
    return hasattr(a, "name")


@proven("numbers of texts that are cut")
def _reads_what_is_stripped(a: Annotated[str, Query(max_length=307)]) -> Any:
    return int(a.strip())


@unproven("numbers of texts that are cut")
def _reads_more_that_is_stripped() -> Any:
    return int(_PAGE[:308].strip())


@proven("places of texts in texts")
def _finds_a_text(a: str, b: Annotated[str, Query(max_length=20)]) -> Any:
    return a.find(b)


@unproven("places of texts in texts")
def _finds_an_object(a: str) -> Any:
    return a.find(_BASE)  # type: ignore[arg-type]


@proven("pages that are compared at length")
def _compares_pages(a: str) -> Any:
    return [hmac.compare_digest(a, _PAGE) for _ in _SIXTEEN]


@unproven("pages that are compared at length")
def _compares_more_pages(a: str) -> Any:
    return [
        (hmac.compare_digest(a, _PAGE), hmac.compare_digest(a, _PAGE), each) for each in _SIXTEEN
    ]


@proven("copies of one of two dictionaries")
def _strips_keys_of_either(a: str, b: Any) -> Any:
    found = {"key": b} if a else {"other": b, "third": b}
    return [key.strip() for key in dict(found)]


@unproven("copies of one of two dictionaries")
def _reads_for_keys_of_either(a: str, b: Any) -> Any:
    found = {"key": b} if a else {"other": b, "third": b}
    return [b.name for _ in dict(found)]
