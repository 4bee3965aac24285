"""More callables that hide something: what is asked, assigned and looped over in odd orders, and
objects that are not what their annotations, slots, members and schemas say.
"""

# mypy: ignore-errors

from __future__ import annotations

import enum
import functools
import linecache
import typing
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple

import annotated_types
import attrs
import msgspec
import pydantic
from fastapi import Depends, Query

from tests.proof.hostile import SLEEPY, Sleepy, case, collect, hidden


def quick(*args: object) -> int:
    return 1


class Plain:
    x = 1


FIRST, SECOND = Plain(), Plain()


@case
def assigns_what_it_asked_about() -> Any:
    found: Any = None
    if found is None and (found := hidden) is not None:
        found()
    return 0


@case
def assigns_what_it_asked_about_the_other_way() -> Any:
    found: Any = None
    if not (found is not None or not (found := hidden)):
        found()
    return 0


@case
def assigns_what_it_asked_about_in_an_expression() -> Any:
    found: Any = None
    return found() if found is None and (found := hidden) else 0


@case
def may_leave_out_a_round(q: int = 0) -> int:
    items = []
    if q:
        items.append(FIRST)
    items.append(SECOND)
    call = hidden
    for item in items:
        if item is FIRST:
            call = quick
        else:
            call()
    return 1


@case
def joins_what_it_changed() -> int:
    found = [1]
    found[0] = 0
    return 1 if (found + [1])[0] else hidden()  # noqa: RUF005


@case
def loops_in_another_order() -> int:
    call = hidden
    for item in {None, 1}:
        if item is None:
            call = quick
        else:
            call()
    return 1


@case
def leaves_out_a_part_of_a_comprehension(q: int = 0) -> Any:
    call = hidden
    return [
        (call := quick) if item is FIRST else call()
        for item in (FIRST, SECOND)
        if item is SECOND or q
    ]


@case
def zips_what_was_changed() -> None:
    calls = [quick]
    rows = zip(calls, (1,), strict=False)
    calls.append(quick)
    calls[0] = hidden
    for call, _ in rows:
        call()


@case
def compares_something_odd_beside_a_list(a: Annotated[list[int], Query(max_length=3)]) -> Any:
    return [SLEEPY, a] == [1, a]


@case
def goes_through_what_was_changed() -> Any:
    found, last = [0, 0], None
    found[0] = 1
    for each in found:
        if each == 1:
            last = hidden
        elif last is not None:
            return last()
    return 0


@case
def breaks_off_with_another_call(x: int) -> Any:
    call = quick
    for each in (1, 2):
        if x == each:
            call = hidden
            break
    else:
        call = quick
    return call()


@case
def leaves_a_try_half_way(x: str) -> Any:
    call: Any = None
    try:
        call = hidden
        int(x)
        call = None
    except ValueError:
        call()
    return 1


@case
def goes_on_after_a_finally(x: str) -> Any:
    call = quick
    try:
        try:
            call = hidden
            int(x)
        finally:
            int(x)
        call = quick
    except ValueError:
        return call()
    return 1


NAMED = None


@case
def catches_into_a_global() -> int:
    global NAMED
    try:  # noqa: SIM105
        int("x")
    except ValueError as NAMED:  # noqa: F841
        pass
    return 1


@case
def finds_one_complex_number_to_be_another() -> int:
    one, other = 1j, 1j
    if one is other:
        hidden()
    return 1


class Slots:
    __slots__ = ("a", "b")
    a: Any
    b: Any


Slots.b = Slots.a


@case
def reads_a_slot_by_another_name() -> Any:
    made = Slots()
    made.a = hidden
    return made.b()


@case
def writes_a_slot_by_another_name() -> Any:
    made = Slots()
    made.b = hidden
    return made.a()


@case
def reads_what_an_exception_keeps() -> Any:
    return SystemExit(hidden).code()


@case
def reads_what_another_exception_keeps() -> Any:
    return AttributeError("x", obj=hidden).obj()


@case
def makes_an_error_of_another_class() -> int:
    if isinstance(OSError(2, "x"), FileNotFoundError):
        hidden()
    return 1


class Replaced(enum.Enum):
    A = "a"


type.__setattr__(Replaced, "A", hidden)


@case
def reads_a_member_that_was_replaced() -> Any:
    return Replaced.A()


class WithValue(enum.Enum):
    A = "a"


type.__setattr__(WithValue, "_value_", property(hidden, hidden))


@case
def reads_a_value_by_a_property(x: WithValue) -> Any:
    return x.value


class WithLabel(enum.Enum):
    A = "a"

    @property
    def label(self) -> int:
        return hidden()


@case
def reads_a_label(x: WithLabel) -> Any:
    return x.label


class Formats(str, enum.Enum):  # noqa: UP042
    A = "a"

    def __format__(self, spec: str) -> str:
        return str(hidden())

    def lower(self) -> Any:
        return hidden()


@case
def formats_a_member(x: Formats) -> Any:
    return f"{x}"


@case
def lowers_a_member(x: Formats) -> Any:
    return x.lower()


class WithMap(enum.Enum):
    A = "a"


WithMap._value2member_map_[SLEEPY] = WithMap.A


@case
def looks_up_among_odd_values(x: str) -> Any:
    return WithMap(x)


class OwnSchema(enum.Enum):
    A = "a"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        raise NotImplementedError


@case
def takes_a_member_by_a_schema_of_its_own(x: OwnSchema) -> int:
    return 1 if x else 2


class Copied(enum.Enum):
    A = "a"

    def __deepcopy__(self, memo: Any) -> Any:
        return SLEEPY


@case
def takes_a_copy_of_a_member(x: int | Copied = Copied.A) -> int:
    return 1 if x else 2


class Other:
    @property
    def x(self) -> int:
        return hidden()


class BecomesAnother:
    x = 1

    def __init__(self) -> None:
        self.__class__ = Other


@case
def is_given_another(d: Annotated[BecomesAnother, Depends()]) -> Any:
    return d.x


class Disguise:
    __module__ = "typing_extensions"

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        raise NotImplementedError


class TextDisguise(str):
    __get_pydantic_core_schema__ = Disguise.__get_pydantic_core_schema__


@dataclass(frozen=True)
class GeDisguise(annotated_types.Ge):
    __get_pydantic_core_schema__ = Disguise.__get_pydantic_core_schema__


class XPydanticGeneralMetadata(Disguise):
    pass


DISGUISE, TEXT, AT_LEAST, QUERY = Disguise(), TextDisguise("a"), GeDisguise(1), Query()
QUERY.metadata.append(XPydanticGeneralMetadata())


@case
def validates_by_a_disguised_class(x: Annotated[int, DISGUISE]) -> int:
    return x + 1


@case
def validates_by_a_disguised_text(x: Annotated[int, TEXT]) -> int:
    return x + 1


@case
def validates_by_a_disguised_bound(x: Annotated[int, AT_LEAST]) -> int:
    return x + 1


@case
def validates_by_disguised_metadata(x: Annotated[int, QUERY]) -> int:
    return x + 1


class Number(Sleepy):
    def __float__(self) -> float:
        return float(hidden())

    __hash__ = object.__hash__


class ChecksDefault(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(validate_default=True)
    x: float = Number()


collect("a default that a model validates", ChecksDefault)


class ChecksFactory(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(validate_default=True)
    x: float = pydantic.Field(default_factory=lambda: SLEEPY)


collect("what a factory gives, and a model validates", ChecksFactory)


class CopiesDefault(pydantic.BaseModel):
    x: Any = [SLEEPY]


collect("a default that a model copies", CopiesDefault)


class Checked(pydantic.BaseModel):
    x: Annotated[int, pydantic.AfterValidator(lambda value: hidden())] = 1


class Around(pydantic.BaseModel):
    inner: Checked = Checked()


collect("a model within a model", Around)


class Exchanged(pydantic.BaseModel):
    x: int = 1


Exchanged.__pydantic_validator__ = Checked.__pydantic_validator__
collect("a validator of another model", Exchanged)


class NotesFields(pydantic.BaseModel):
    x: int = 1


type.__setattr__(NotesFields, "__pydantic_fields_set__", property(hidden, hidden))
collect("a descriptor where pydantic notes fields", NotesFields)


class Abstract:
    pass


Abstract.__abstractmethods__ = SLEEPY
collect("an abstract class", Abstract)


class Chained:
    x = classmethod(property(lambda cls: hidden()))


@case
def reads_a_property_of_a_class() -> Any:
    return Chained.x is None


class Whole(NamedTuple):
    x: int

    def __eq__(self, other: object) -> bool:
        return bool(hidden())

    __hash__ = tuple.__hash__


@case
def compares_a_tuple_of_its_own(x: int) -> Any:
    return Whole(x) == (1,)


@attrs.define
class Converted:
    x: int = attrs.field(default=1, converter=hidden)


collect("a converter of attrs", Converted)


class MadeStruct(msgspec.Struct):
    x: Any = msgspec.field(default_factory=hidden)


collect("a default factory of msgspec", MadeStruct)


class OnBase:
    def __init__(self, call: Any) -> None:
        self.call = call

    @property
    def kept(self) -> Any:
        return self.call

    @kept.setter
    def kept(self, value: Any) -> None:
        self.call = value


class FromBase(OnBase):
    def __init__(self) -> None:
        super().__init__(hidden)

    def run(self) -> Any:
        return super().kept()


@case
def calls_what_a_base_keeps() -> Any:
    return FromBase().run()


@case
def calls_what_a_setter_kept() -> Any:
    made = OnBase(quick)
    made.kept = hidden
    return made.call()


@case
def calls_what_another_name_changed() -> Any:
    made = OnBase(quick)
    [made][0].call = hidden
    return made.call()


@case
def matches_by_a_class(x: int) -> Any:
    match x:
        case Sleepy():
            return 1
    return 2


@case
def raises_from_a_class_with_code() -> None:
    class_ = SlowCauseError
    raise ValueError from class_


class SlowCauseError(Exception):
    def __init__(self) -> None:
        hidden()


@case
def compares_keys_and_values() -> bool:
    return {"a": SLEEPY} == {"a": 1}


@case
def turns_one_key_into_another() -> Any:
    calls: dict[Any, Any] = {1: quick}
    calls[1.0] = hidden
    return calls[1]()


@case
def encodes_what_is_given(d: Annotated[Any, Depends(hidden)]) -> Any:
    return str.encode(d).lower()


if hasattr(functools, "Placeholder"):  # 3.14
    collect(
        "a place left free in a partial",
        functools.partial(functools.partial(max, functools.Placeholder, hidden), quick),
    )

ALIAS = typing.List  # noqa: UP006


@case
def makes_by_an_alias_of_typing() -> Any:
    return ALIAS[int]((SLEEPY,))


class Elsewhere:
    __slots__ = ("a",)
    a: int

    @property
    def shown(self) -> Any:
        raise AttributeError("shown")

    def __getattr__(self, name: str) -> Any:
        return hidden()


@case
def reads_a_slot_that_is_empty() -> Any:
    return Elsewhere().a


@case
def reads_a_property_that_finds_nothing() -> Any:
    return Elsewhere().shown


@case
def reads_a_slot_of_a_dependency(d: Annotated[Elsewhere, Depends()]) -> Any:
    return d.a


@case
def reads_a_property_of_a_dependency(d: Annotated[Elsewhere, Depends()]) -> Any:
    return d.shown


class WithoutValue(enum.Enum):
    A = "a"

    def __getattr__(self, name: str) -> Any:
        return hidden()


WithoutValue.A.__dict__.clear()


@case
def reads_a_value_that_was_taken_away(x: WithoutValue) -> Any:
    return x.value


HUGE = 1 << 40_000_000
HUGE_TOO = HUGE + 1 - 1
NESTED, NESTED_TOO = (0, 0), (0, 0)
for _ in range(14):
    NESTED, NESTED_TOO = (NESTED, NESTED), (NESTED_TOO, NESTED_TOO)


@case
def negates_a_large_integer() -> int:
    return -HUGE


@case
def inverts_a_large_integer() -> int:
    return ~(HUGE,)[0]


@case
def compares_large_integers() -> bool:
    return HUGE == HUGE_TOO


@case
def looks_for_a_large_integer(x: int) -> bool:
    return x in (HUGE, 1)


@case
def hashes_a_large_integer() -> Any:
    return {HUGE: 1}


@case
def takes_a_large_integer_by_default(*, x: int = HUGE) -> bool:
    return x == HUGE_TOO


@case
def takes_a_large_literal(x: Literal[1 << 4_000_000]) -> int:
    return x + 1


@case
def compares_what_is_nested_deeply() -> bool:
    return NESTED == NESTED_TOO


def repeated(name: str, first: str, again: str, last: str, times: int = 18) -> None:
    """Collect a function that does something again and again."""
    lines = [f"def {name}():", f"    {first}", *[f"    {again}"] * times, f"    return {last}"]
    source, file = "\n".join(lines) + "\n", f"<{name}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    namespace: dict[str, Any] = {}
    exec(compile(source, file, "exec"), namespace)
    collect(name, namespace[name])


repeated("doubles_by_adding", "a = [1, 2]", "a = a + a", "len(a)")
repeated("doubles_by_extending", "a = [1, 2]", "a.extend(a)", "len(a)")
repeated("doubles_by_unpacking", "a = [1, 2]", "a = [*a, *a]", "len(a)")
repeated("doubles_a_dict_by_unpacking", "a = {1: 2}", "a = {**a, **a}", "len(a)")
repeated("doubles_a_dict_by_joining", "a = {1: 2}", "a = a | a", "len(a)")
repeated("doubles_a_dict_by_updating", "a = {1: 2}", "a.update(a)", "len(a)")
repeated("nests_and_compares", "a, b = (1,), (1,)", "a, b = (a, a), (b, b)", "a == b", 25)
repeated("nests_and_hashes", "a = (1, 2)", "a = (a, a)", "{a: 1}", 25)


class ChecksFirst(pydantic.BaseModel):
    x: Annotated[int, pydantic.AfterValidator(lambda value: hidden())] = 1
    y: int = 1
    z: str = ""


@case
def makes_what_checks_its_first_field() -> Any:
    return ChecksFirst()


@case
def makes_keys_of_what_runs_code() -> Any:
    return {each or 1: 1 for each in (SLEEPY, 1)}


@case
def makes_members_of_what_runs_code() -> Any:
    return {each or 1 for each in (SLEEPY, 1)}


class MadeOfNothing(tuple[int, ...]):
    __new__ = eval("lambda: hidden()", globals())


@case
def makes_what_is_made_of_nothing() -> Any:
    return MadeOfNothing()


class MadeByPartial:
    __init__ = functools.partial(hidden)


@case
def makes_what_is_made_by_a_partial() -> Any:
    return MadeByPartial()
