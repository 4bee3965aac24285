"""Callables that hide something: none of them may be proven.

`MARK` notes that hidden code ran, so that a test can say so of a call.
"""

from __future__ import annotations

import abc
import builtins
import collections
import contextlib
import contextvars
import enum
import functools
import logging
import operator
import os
import re
import threading
import time
import types
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Generic, NamedTuple, TypeVar

import attrs
import pydantic
from fastapi import BackgroundTasks, Depends, Query, Request

T = TypeVar("T")
CASES: list[tuple[str, Callable[..., Any]]] = []


def hidden() -> int:
    """Stands for what blocks."""
    time.sleep(0)
    return 1


def case(call: Any) -> Any:
    """Collect a callable that must not be proven."""
    CASES.append((getattr(call, "__name__", type(call).__name__), call))
    return call


def collect(name: str, call: Any) -> None:
    CASES.append((name, call))


class Sleepy:
    """Runs hidden code wherever one can."""

    def __eq__(self, other: object) -> bool:
        return bool(hidden())

    def __hash__(self) -> int:
        return hidden()

    def __bool__(self) -> bool:
        return bool(hidden())

    def __len__(self) -> int:
        return hidden()

    def __getattr__(self, name: str) -> int:
        return hidden()

    def __str__(self) -> str:
        return str(hidden())

    def __repr__(self) -> str:
        return str(hidden())

    def __format__(self, spec: str) -> str:
        return str(hidden())

    def __iter__(self) -> Iterator[int]:
        yield hidden()

    def __contains__(self, item: object) -> bool:
        return bool(hidden())

    def __getitem__(self, item: object) -> int:
        return hidden()

    def __add__(self, other: object) -> int:
        return hidden()

    def __lt__(self, other: object) -> bool:
        return bool(hidden())

    def __index__(self) -> int:
        return hidden()

    def __call__(self) -> int:
        return hidden()


SLEEPY = Sleepy()


@case
def compares() -> bool:
    return SLEEPY == 1


@case
def compares_the_other_way() -> bool:
    return 1 == SLEEPY


@case
def asks_for_truth() -> int:
    return 1 if SLEEPY else 2


@case
def asks_with_not() -> bool:
    return not SLEEPY


@case
def asks_with_or() -> Any:
    return SLEEPY or 1


@case
def measures() -> int:
    return len(SLEEPY)


@case
def reads_what_is_not_there() -> Any:
    return SLEEPY.anything


@case
def writes_out() -> str:
    return str(SLEEPY)


@case
def writes_out_in_a_text() -> str:
    return f"{SLEEPY}"


@case
def writes_out_by_repr() -> str:
    return f"{SLEEPY!r}"


@case
def looks_within() -> bool:
    return 1 in SLEEPY


@case
def looks_within_a_list_with_it() -> bool:
    return 1 in [SLEEPY]


@case
def looks_it_up() -> Any:
    return {1: 2}.get(SLEEPY)


@case
def uses_it_as_a_key() -> Any:
    return {SLEEPY: 1}


@case
def uses_it_in_a_set() -> Any:
    return {1, SLEEPY}


@case
def adds_it() -> Any:
    return SLEEPY + 1


@case
def orders_it() -> Any:
    return SLEEPY < 1


@case
def takes_the_least() -> Any:
    return min(SLEEPY, 1)


@case
def unpacks_it() -> Any:
    first, *_ = SLEEPY
    return first


@case
def unpacks_it_plainly() -> Any:
    (first,) = SLEEPY
    return first


@case
def loops_over_it() -> None:
    for _ in SLEEPY:
        pass


@case
def indexes_by_it() -> Any:
    return (1, 2)[SLEEPY]


@case
def indexes_it() -> Any:
    return SLEEPY[0]


@case
def calls_it() -> Any:
    return SLEEPY()


@case
def calls_it_by_another_name() -> Any:
    act = SLEEPY
    return act()


class WithProperty:
    """Its attribute runs code."""

    @property
    def value(self) -> int:
        return hidden()

    def __init__(self) -> None:
        self.copy = self.value


collect("a property that is read", WithProperty)


class WithSetter:
    def __init__(self) -> None:
        self.value = 1

    value = property(lambda self: 1, lambda self, value: hidden() and None)


collect("a property that is set", WithSetter)


class Descriptor:
    def __get__(self, instance: object, owner: object) -> int:
        return hidden()


class DataDescriptor(Descriptor):
    def __set__(self, instance: object, value: object) -> None:
        hidden()


class WithDescriptor:
    value = Descriptor()

    def __init__(self) -> None:
        self.copy = self.value


collect("a descriptor that is read", WithDescriptor)


class WithDataDescriptor:
    value = DataDescriptor()

    def __init__(self, value: int = 0) -> None:
        self.value = value  # type: ignore[assignment]


collect("a descriptor that is set", WithDataDescriptor)


class SetsName:
    def __set_name__(self, owner: type, name: str) -> None:
        owner.other = property(lambda self: hidden())  # type: ignore[attr-defined]


class WithSetName:
    value = SetsName()

    def __init__(self) -> None:
        self.copy = self.other  # type: ignore[attr-defined]


collect("a property put there by __set_name__", WithSetName)


class SlowAttributes:
    def __getattribute__(self, name: str) -> Any:
        hidden()
        return object.__getattribute__(self, name)

    def __init__(self) -> None:
        self.a = 1
        self.b = self.a


collect("__getattribute__", SlowAttributes)


class SlowSetting:
    def __setattr__(self, name: str, value: object) -> None:
        hidden()

    def __init__(self) -> None:
        self.a = 1


collect("__setattr__", SlowSetting)


class SlowMissing:
    def __getattr__(self, name: str) -> int:
        return hidden()

    def __init__(self, flag: bool = False) -> None:
        if flag:
            self.a = 1
        self.b = self.a


collect("__getattr__ of what may be missing", SlowMissing)


class SlowEnd:
    def __del__(self) -> None:
        hidden()


@case
def makes_and_drops() -> None:
    SlowEnd()


class Meta(type):
    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        hidden()
        return super().__call__(*args, **kwargs)


class WithMeta(metaclass=Meta):
    def __init__(self, a: int = 0) -> None:
        self.a = a


collect("__call__ of a metaclass", WithMeta)


class AttributeMeta(type):
    @property
    def setting(cls) -> int:
        return hidden()

    def __getattr__(cls, name: str) -> int:
        return hidden()

    def __instancecheck__(cls, instance: object) -> bool:
        return bool(hidden())

    def __bool__(cls) -> bool:
        return bool(hidden())

    def __eq__(cls, other: object) -> bool:
        return bool(hidden())

    __hash__ = type.__hash__


class Config(metaclass=AttributeMeta):
    pass


@case
def reads_a_property_of_a_metaclass() -> Any:
    return Config.setting


@case
def reads_what_a_metaclass_makes_up() -> Any:
    return Config.other


@case
def asks_a_metaclass_for_instances(a: int = 0) -> bool:
    return isinstance(a, Config)


@case
def asks_a_class_for_truth() -> bool:
    return bool(Config)


@case
def compares_a_class() -> bool:
    return Config == int


class SubclassHook(abc.ABC):
    @classmethod
    def __subclasshook__(cls, other: type) -> bool:
        return bool(hidden())


@case
def asks_an_abstract_class(a: int = 0) -> bool:
    return isinstance(a, SubclassHook)


class OwnSubscript:
    def __class_getitem__(cls, item: object) -> int:
        return hidden()


@case
def subscripts_a_class() -> Any:
    return OwnSubscript[int]


class OwnNew:
    def __new__(cls) -> Any:
        hidden()
        return object.__new__(cls)


collect("__new__", OwnNew)


class GivesAnother:
    def __new__(cls) -> Any:
        return SLEEPY

    def __init__(self) -> None:
        self.a = 1


collect("__new__ that gives another object", GivesAnother)


class Base:
    def __init__(self) -> None:
        self.value = self.compute()

    def compute(self) -> int:
        return 1


class Derived(Base):
    def compute(self) -> int:
        return hidden()


collect("a base that calls a method of its own below", Derived)


@dataclass
class SlowFactory:
    value: int = field(default_factory=hidden)


collect("a default factory of a dataclass", SlowFactory)


@dataclass
class SlowAfter:
    value: int = 0

    def __post_init__(self) -> None:
        hidden()


collect("__post_init__", SlowAfter)


@dataclass
class DescriptorField:
    value: Any = DataDescriptor()


collect("a dataclass with a descriptor for a field", DescriptorField)


@attrs.define
class SlowAttrs:
    value: int = attrs.field(factory=hidden)


collect("a factory of attrs", SlowAttrs)


def check(instance: object, attribute: object, value: object) -> None:
    hidden()


@attrs.define
class CheckedAttrs:
    value: int = attrs.field(validator=check, default=1)


collect("a validator of attrs", CheckedAttrs)


class CheckedModel(pydantic.BaseModel):
    value: int = 0

    @pydantic.field_validator("value")
    @classmethod
    def check(cls, value: int) -> int:
        return hidden()


collect("a validator of pydantic", CheckedModel)


class AfterModel(pydantic.BaseModel):
    value: int = 0

    def model_post_init(self, context: object) -> None:
        hidden()


collect("model_post_init", AfterModel)


class FactoryModel(pydantic.BaseModel):
    value: int = pydantic.Field(default_factory=hidden)


collect("a default factory of pydantic", FactoryModel)


class InitModel(pydantic.BaseModel):
    def __init__(self, **values: Any) -> None:
        hidden()
        super().__init__(**values)


collect("__init__ of a model", InitModel)


class PatternModel(pydantic.BaseModel):
    value: str = pydantic.Field("", pattern="(a+)+$")


collect("a pattern of a model", PatternModel)


class Pair(NamedTuple):
    a: int = 1


class SlowPair(Pair):
    def __new__(cls, a: int = 1) -> Any:
        hidden()
        return super().__new__(cls, a)


collect("__new__ of a named tuple", SlowPair)


class Missing(enum.Enum):
    A = "a"

    @classmethod
    def _missing_(cls, value: object) -> Any:
        hidden()
        return cls.A


@case
def looks_up_a_member(a: str = "") -> Any:
    return Missing(a)


def blocks_first(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        hidden()
        return function(*args, **kwargs)

    return wrapper


@case
@blocks_first
def wrapped() -> int:
    return 1


def plain() -> int:
    return 1


def with_other_code() -> int:
    return 1


with_other_code.__code__ = hidden.__code__
collect("code put in by hand", with_other_code)


def with_other_constants() -> int:
    return 1


with_other_constants.__code__ = plain.__code__.replace(co_consts=(None, SLEEPY))
collect("constants put in by hand", with_other_constants)


def with_made_up_place() -> int:
    return 1


with_made_up_place.__code__ = hidden.__code__.replace(
    co_name="with_made_up_place",
    co_qualname="with_made_up_place",
    co_firstlineno=with_made_up_place.__code__.co_firstlineno,
)
collect("code that says it stands elsewhere", with_made_up_place)


def calls_names() -> Any:
    return plain()


calls_names.__code__ = calls_names.__code__.replace(co_names=("hidden",))
collect("names put in by hand", calls_names)


namespace: dict[str, Any] = {"hidden": hidden}
exec("def without_source():\n    return hidden()", namespace)
collect("code without a source", namespace["without_source"])

exec("def harmless_without_source():\n    return 1", namespace)
collect("harmless code without a source", namespace["harmless_without_source"])

same_line = (lambda: 1, lambda: hidden())
collect("one of two on a line", same_line[1])


def other_globals() -> Any:
    return plain()


collect(
    "the same code with other globals",
    types.FunctionType(other_globals.__code__, {**globals(), "plain": hidden}),
)
collect(
    "the same code with other builtins",
    types.FunctionType(
        measures.__code__, {"SLEEPY": (), "__builtins__": {"len": lambda x: hidden()}}
    ),
)


def len_of(a: str = "") -> int:
    return len(a)


collect(
    "a shadowed builtin",
    types.FunctionType(len_of.__code__, {**globals(), "len": lambda x: hidden()}, "len_of", ("",)),
)


def defaults(a: Any = SLEEPY) -> bool:
    return bool(a)


@case
def calls_with_a_default() -> bool:
    return defaults()


@case
def a_default_of_its_own(a: Any = SLEEPY) -> bool:
    return bool(a)


@case
def a_default_that_is_not_what_it_says(a: int = SLEEPY) -> bool:  # type: ignore[assignment]
    return a == 1


@case
def a_default_factory(a: Annotated[int, Query(default_factory=lambda: SLEEPY)]) -> bool:
    return a == 1


@case
def a_validator(a: Annotated[int, pydantic.AfterValidator(lambda x: SLEEPY)] = 1) -> bool:
    return a == 1


class SleepyInt(int):
    __eq__ = Sleepy.__eq__
    __hash__ = Sleepy.__hash__


class SleepyStr(str):
    __eq__ = Sleepy.__eq__
    __hash__ = Sleepy.__hash__


#: What no guard lets pass, whatever it expects.
ODD_VALUES = (
    SLEEPY,
    SleepyInt(1),
    SleepyStr("a"),
    Derived(),
    1 << 100,
    "a" * 10_000,
    b"a" * 10_000,
    [1] * 33,
    (1,) * 33,
    dict.fromkeys(range(33), 1),
    [SLEEPY],
)


def give_sleepy() -> Any:
    return SLEEPY


@case
def a_result(a: Annotated[int, Depends(give_sleepy)]) -> bool:
    return a == 1


@case
def reads_a_result(a: Annotated[Base, Depends(give_sleepy)]) -> Any:
    return a.value


@case
def calls_a_method_of_a_result(a: Annotated[Base, Depends()]) -> Any:
    return a.compute()  # an instance may have one of its own


collect("a partial of it", functools.partial(defaults, SLEEPY))
collect("a partial of something slow", functools.partial(hidden))


class PartialWithCode(functools.partial):  # type: ignore[type-arg]
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return hidden()


collect("a kind of partial", PartialWithCode(plain))
collect("an instance", SLEEPY)


class Instance:
    def __init__(self) -> None:
        self.act: Callable[[], int] = plain

    def act(self) -> int:  # type: ignore[no-redef]
        return 1

    def __call__(self) -> int:
        return self.act()


instance = Instance()
instance.act = hidden
collect("a method replaced on the instance", instance)


class ClassMethod:
    @classmethod
    def make(cls) -> int:
        return hidden()


collect("a class method", ClassMethod.make)


class SlowGeneric(Generic[T]):
    def __init__(self) -> None:
        hidden()


collect("a generic class with arguments", SlowGeneric[int])


class RefusesOrigin(Generic[T]):
    def __setattr__(self, name: str, value: object) -> None:
        hidden()


collect("a generic class that is told its arguments", RefusesOrigin[int])


class Cached:
    @functools.cached_property
    def value(self) -> int:
        return hidden()

    def __init__(self) -> None:
        self.copy = self.value


collect("a cached property", Cached)


@functools.lru_cache
def cached(a: int = 0) -> int:
    return hidden()


collect("a cached function", cached)


@functools.singledispatch
def dispatched(a: int = 0) -> int:
    return hidden()


@case
def calls_a_dispatched_function() -> int:
    return dispatched(1)


@case
def a_generator() -> Iterator[int]:
    yield 1


@case
@contextlib.contextmanager
def a_context_manager() -> Iterator[int]:
    yield 1


@case
def multiplies_a_text(a: int = 1) -> str:
    return "x" * a


@case
def raises_to_a_power(a: int = 1) -> int:
    return a**a


@case
def shifts(a: int = 1) -> int:
    return 1 << a


@case
def multiplies_large_integers(a: int = 1, b: int = 1) -> int:
    return a * b


@case
def writes_a_large_integer(a: int = 1) -> str:
    return str(a)


@case
def reads_a_large_integer(a: str = "") -> int:
    return int(a)


@case
def formats_wide() -> str:
    return f"{1:1000000000}"


@case
def formats_as_wide_as_asked(a: int = 1) -> str:
    return f"{1:{a}}"


@case
def fills_a_template(a: int = 1) -> str:
    return "%*d" % (a, 1)


@case
def doubles(a: str = "") -> str:
    for _ in range(20):
        a = a + a
    return a


@case
def matches(a: str = "") -> Any:
    return re.match("(a+)+$", a)


@case
def sorts(a: Annotated[list[str], Query()] = []) -> Any:  # noqa: B006
    return sorted(a)


@case
def loops_over_a_parameter(a: Annotated[list[str], Query()] = []) -> Any:  # noqa: B006
    return [each for each in a]


@case
def loops_for_ever() -> None:
    while True:
        pass


@case
def loops_over_what_grows() -> None:
    found = [1]
    for each in found:
        found.append(each)


@case
def loops_over_a_large_range() -> None:
    for _ in range(10**9):
        pass


@case
def recurses() -> Any:
    return recurses()


def left(a: int = 0) -> Any:
    return right(a)


@case
def right(a: int = 0) -> Any:
    return left(a)


def doubled_0() -> int:
    return plain() + plain() + plain() + plain()


def doubled_1() -> int:
    return doubled_0() + doubled_0() + doubled_0() + doubled_0()


def doubled_2() -> int:
    return doubled_1() + doubled_1() + doubled_1() + doubled_1()


@case
def doubled_3() -> int:
    return doubled_2() + doubled_2() + doubled_2() + doubled_2()


counter = 0


@case
def writes_a_global() -> None:
    global counter
    counter += 1


def make_counter() -> Callable[[], int]:
    count = 0

    def counted() -> int:
        nonlocal count
        count += 1
        return count

    return counted


collect("a nonlocal variable", make_counter())

VARIABLE: contextvars.ContextVar[int] = contextvars.ContextVar("VARIABLE", default=0)
LOCK = threading.Lock()
LOGGER = logging.getLogger(__name__)
REGISTRY: dict[Any, Any] = {SLEEPY: 1}
WEAK = weakref.ref(SLEEPY)
DEQUE: collections.deque[Any] = collections.deque([SLEEPY])


@case
def reads_a_context_variable() -> int:
    return VARIABLE.get()


@case
def takes_a_lock() -> None:
    with LOCK:
        pass


@case
def takes_a_lock_by_hand() -> None:
    LOCK.acquire()


@case
def logs() -> None:
    LOGGER.info("x")


@case
def prints() -> None:
    print()


@case
def reads_the_environment() -> Any:
    return os.environ.get("HOME")


@case
def opens() -> Any:
    return open("x")  # noqa: PTH123


@case
def evaluates() -> Any:
    return eval("1")


@case
def imports() -> Any:
    import json

    return json


@case
def starts_a_thread() -> None:
    threading.Thread(target=hidden).start()


@case
def looks_in_a_registry(a: str = "") -> Any:
    return REGISTRY.get(a)


@case
def subscripts_a_registry(a: str = "") -> Any:
    return REGISTRY[a]


@case
def asks_a_queue(a: int = 1) -> bool:
    return a in DEQUE


@case
def follows_a_weak_reference() -> Any:
    return WEAK()


@case
def uses_an_operator() -> Any:
    return operator.eq(SLEEPY, 1)


@case
def gets_an_attribute_by_name(a: str = "") -> Any:
    return getattr(SLEEPY, a)


@case
def uses_builtins_by_name() -> Any:
    return builtins.__dict__["eval"]("1")


@case
def maps() -> Any:
    return list(map(str, (SLEEPY,)))


@case
def goes_through_a_list_that_is_no_dict(a: Any) -> Any:
    found = ["x"]
    try:
        dict.update(found, {})  # type: ignore[arg-type]
    except TypeError:
        pass
    found.append(a)
    for each in found:
        each.strip()


class Equal(str):
    """A text that says it is any other."""

    def __eq__(self, other: object) -> bool:
        return bool(hidden())

    __hash__ = str.__hash__


ODD = Equal("rot13")


@case
def encodes_as_a_text_says(a: str = "") -> Any:
    return a.encode(ODD)


@case
def encodes_by_the_name_of_errors(a: str = "") -> Any:
    return a.encode("replace")


@case
def encodes_with_errors_of_an_encoding(a: str = "") -> Any:
    return a.encode("ascii", errors="utf-8")


@case
def sorts_by_a_key() -> Any:
    return sorted((1, 2), key=lambda each: hidden())


@case
def takes_the_least_by_a_key() -> Any:
    return min((1, 2), key=lambda each: hidden())


@case
def calls_a_function_of_its_own() -> Any:
    def inner() -> int:
        return hidden()

    return inner()


@case
def makes_a_class() -> Any:
    class Inner:
        value = hidden()

    return Inner


@case
def decorates() -> Any:
    @blocks_first
    def inner() -> int:
        return 1

    return inner


@case
def changes_a_list_that_others_see(a: Annotated[list[str], Query()] = []) -> Any:  # noqa: B006
    DEQUE.append(a)


@case
def changes_an_object_that_others_see(a: Annotated[Base, Depends()]) -> None:
    a.value = 1


@case
def goes_through_what_changed() -> Any:
    found: dict[str, Any] = {}
    values = found.values()
    found["x"] = hidden
    for each in values:
        each()


@case
def assigns_within_an_expression(a: bool = False) -> Any:
    act: Any = plain
    a and (act := hidden)
    return act()


@case
def assigns_within_a_comprehension(a: bool = False) -> Any:
    act: Any = plain
    [(act := each) for each in (hidden,) if a]
    return act()


WITH_SETTER: Any = object.__new__(WithSetter)


@case
def binds_an_attribute_in_a_comprehension() -> Any:
    return [1 for WITH_SETTER.value in (1, 2)]


@case
def binds_an_item_in_a_comprehension() -> Any:
    return [1 for (SLEEPY[0], _) in ((1, 2),)]


@case
def assigns_within_try() -> Any:
    act: Any = plain
    try:
        act = hidden
        act = plain
    except ValueError:
        pass
    finally:
        act()


@case
def catches_what_was_half_done(a: str = "") -> Any:
    act: Any = plain
    try:
        act = hidden
        a.index("x")
        act = plain
    except ValueError:
        return act()
    return 1


@case
def breaks_off(a: int = 0) -> Any:
    act: Any = plain
    for each in (1, 2):
        if each == a:
            act = hidden
            break
    else:
        act = plain
    return act()


@case
def continues(a: int = 0) -> Any:
    act: Any = plain
    for each in (1, 2):
        if each == a:
            act = hidden
            continue
        act = plain
    return act()


@case
def mangles() -> Any:
    return Mangled().run()


class Mangled:
    def __act(self) -> int:
        return hidden()

    def run(self) -> int:
        return self.__act()


@case
def deletes_and_reads() -> Any:
    value = Sleepy()
    del value
    return SLEEPY.x


class Switched(Base):
    def __init__(self) -> None:
        self.__class__ = Derived  # type: ignore[assignment]
        self.compute()


collect("an object that changes its class", Switched)


class Reassigned(Base):
    def __init__(self, other: Any = SLEEPY) -> None:
        self = other
        self.x()


collect("another self", Reassigned)


@case
def background(tasks: BackgroundTasks) -> None:
    tasks.add_task(hidden)


@case
def asks_the_request(request: Request) -> Any:
    return request.client


@case
async def a_coroutine() -> int:
    return 1


@case
def changes_itself(a: int = 1) -> Any:
    changes_itself.__defaults__ = (hidden(),)
    return a


@case
def matches_a_pattern(a: Any = SLEEPY) -> Any:
    match a:
        case Base():
            return 1
    return 2


@case
def raises_slowly() -> None:
    raise SlowError


class SlowError(Exception):
    def __init__(self) -> None:
        hidden()


@case
def catches_by_something_slow() -> None:
    try:
        pass
    except give_sleepy():
        pass


@case
def joins(a: Any = SLEEPY) -> str:
    return ",".join(a)


@case
def passes_on_a_generator() -> Any:
    return (hidden() for _ in (1, 2))


@case
def consumes_a_generator() -> Any:
    return any(hidden() for _ in (1, 2))


@case
def warns(a: bool = True) -> int:
    return ~a


@case
def strips_what_is_asked(a: str = "", b: str = "") -> str:
    return a.strip(b)


@case
def splits_and_loops(a: str = "") -> Any:
    return [each.strip() for each in a.split(",")]


@case
def unpacks_into_a_call(a: Annotated[list[str], Query()] = []) -> Any:  # noqa: B006
    return plain(*a)


@case
def unpacks_sleepy_into_a_call() -> Any:
    return dict(**SLEEPY)  # type: ignore[arg-type]


@case
def merges_sleepy() -> Any:
    return {**SLEEPY}  # type: ignore[dict-item]


@case
def passes_it_to_a_type(a: Any = SLEEPY) -> Any:
    return int(a)


@case
def ranges_over_it(a: Any = SLEEPY) -> Any:
    return range(a)
