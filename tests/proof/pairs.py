"""Each construct twice: as it is proven, and the nearest form that is not."""

from __future__ import annotations

import base64
import datetime as dt
import enum
import functools
import http
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import InitVar, dataclass, field
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypedDict, TypeVar

import attrs
import msgspec
import pydantic
from fastapi import Depends, HTTPException, Query
from fastapi.security import SecurityScopes

T = TypeVar("T")

#: The name of the construct, what is proven, and what is not.
PAIRS: list[tuple[str, Callable[..., Any], Callable[..., Any]]] = []
_waiting: dict[str, Callable[..., Any]] = {}


def proven(construct: str) -> Callable[[Any], Any]:
    """Collect the form of a construct that is proven."""

    def collect(call: Any) -> Any:
        _waiting[construct] = call
        return call

    return collect


def unproven(construct: str) -> Callable[[Any], Any]:
    """Collect the nearest form that is not."""

    def collect(call: Any) -> Any:
        PAIRS.append((construct, _waiting.pop(construct), call))
        return call

    return collect


class Hidden:
    """Not plain in any way."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 1

    def __bool__(self) -> bool:
        return True


HIDDEN = Hidden()
NUMBERS = (1, 2, 3)
TABLE = {"a": 1, "b": 2}
LARGE_TABLE = {str(number): number for number in range(100)}


def give() -> Any:
    return HIDDEN


@proven("constants and assignments")
def _() -> Any:
    first = second = 1
    (third, fourth) = (first, "x")
    return second, third, fourth


@unproven("constants and assignments")
def _() -> Any:
    (third, fourth) = HIDDEN
    return third, fourth


@proven("comparisons")
def _(a: int = 0, b: str = "") -> Any:
    return 0 < a <= 5 and b != "x" and b in ("a", "b")


@unproven("comparisons")
def _(a: Annotated[int, Depends(give)]) -> Any:
    return a == 5


@proven("comparison by identity")
def _(a: Annotated[Any, Depends(give)]) -> Any:
    return a is None


@unproven("comparison by identity")
def _(a: Annotated[Any, Depends(give)]) -> Any:
    return a == None  # noqa: E711


@proven("boolean logic")
def _(a: str | None = None, b: str = "") -> Any:
    return (a and a.strip()) or (not b) or None


@unproven("boolean logic")
def _(a: Annotated[Any, Depends(give)]) -> Any:
    return a or None


@proven("conditional expressions")
def _(a: int | None = None) -> Any:
    return a + 1 if a is not None else 0


@unproven("conditional expressions")
def _(a: Annotated[Any, Depends(give)]) -> Any:
    return 1 if a else 0


@proven("f-strings")
def _(a: str, b: Annotated[int, Query(ge=0, le=9)], c: float) -> Any:
    return f"{a}-{b:>5}-{c:.2f}-{a!r}"


@unproven("f-strings")
def _(a: Annotated[Any, Depends(give)]) -> Any:
    return f"{a}"


@proven("methods of f-strings")
def _(a: str) -> Any:
    return f"<{a}>".strip("<")


@unproven("methods of f-strings")
def _(a: Annotated[Any, Depends(give)]) -> Any:
    return f"<{a}>".strip("<")


@proven("displays")
def _(a: int, b: Annotated[Any, Depends(give)]) -> Any:
    return {"a": [a, b], "b": (a, {a, 1})}, {**{"x": b}, "y": 1}


@unproven("displays")
def _(a: int, b: Annotated[Any, Depends(give)]) -> Any:
    return {a, b}


@proven("arithmetic")
def _(
    page: Annotated[int, Query(ge=1)], size: Annotated[int, Query(ge=1, le=100)], rate: float
) -> Any:
    return (page - 1) * size, page // 2, rate * 2.5, -page, size % 7


@unproven("arithmetic")
def _(page: int, size: int) -> Any:
    return (page - 1) * size


@proven("raising")
def _(a: int) -> Any:
    if a < 0:
        raise HTTPException(404, f"no such thing: {a < 0}", headers={"X-A": "b"})
    raise ValueError("x") from None


@unproven("raising")
def _(a: Annotated[Any, Depends(give)]) -> Any:
    raise a


class _OwnError(Exception):
    def __init__(self, a: int) -> None:
        self.a = a
        super().__init__("own")


@proven("exceptions of one's own")
def _(a: int) -> Any:
    raise _OwnError(a)


class _SlowError(Exception):
    def __init__(self) -> None:
        time.sleep(1)


@unproven("exceptions of one's own")
def _(a: int) -> Any:
    raise _SlowError


@proven("try")
def _(a: str) -> Any:
    try:
        found = a.index("x")
    except (ValueError, TypeError) as error:
        raise HTTPException(400, "no x") from error
    else:
        found += 1
    finally:
        a = "y"
    return found, a


@unproven("try")
def _(a: str) -> Any:
    try:
        return a.index("x")
    except HIDDEN:
        return None


@proven("loops over constants")
def _(a: str) -> Any:
    found = []
    for index, each in enumerate(["x", "y"]):
        if each == a:
            continue
        found.append((index, each))
    for number in range(3):
        found.append((number, a))
    return found + [(each, a) for each in NUMBERS]


@unproven("loops over constants")
def _(a: Annotated[list[str], Query()]) -> Any:
    found = []
    for each in a:
        found.append(each)
    return found


@proven("methods of texts")
def _(a: str) -> Any:
    return a.strip().lower().partition(" ")[2].removeprefix("x"), a.encode(), ",".join([a, "x"])


@unproven("methods of texts")
def _(a: str) -> Any:
    return a.format(1)


@proven("parts of texts and lists")
def _(a: str, b: Annotated[list[int], Query()]) -> Any:
    return a[:5], a[0], b[0] + 1, len(b), 3 in b


@unproven("parts of texts and lists")
def _(a: Annotated[Any, Depends(give)]) -> Any:
    return a[0]


@proven("dictionaries")
def _(a: str) -> Any:
    found = {"a": 1}
    found["b"] = 2
    found.update(c=3)
    return found.get(a, 0), "a" in found, [(key, each) for key, each in found.items()]


@unproven("dictionaries")
def _(a: Annotated[Any, Depends(give)]) -> Any:
    return {"a": 1}.get(a)


@proven("small constant tables")
def _(a: str) -> Any:
    return TABLE[a] if a in TABLE else TABLE.get(a, 0)


@unproven("small constant tables")
def _(a: str) -> Any:
    return LARGE_TABLE.get(a)


def _helper(a: int, *more: int, key: str = "x", **others: Any) -> Any:
    return a, more, key, others


@proven("calls of other functions")
def _(a: int) -> Any:
    return _helper(a, 1, 2, key="y", other=None), _helper(*NUMBERS, **{"key": "z"})


@unproven("calls of other functions")
def _(a: Annotated[Any, Depends(give)]) -> Any:
    return _helper(*a)


class _Plain:
    limit = 10

    def __init__(self, a: int = 0, b: str = "x") -> None:
        self.a = a
        self.b: str = b.upper()
        self._hidden = self.double()
        self.kind = type(self).__name__

    def double(self) -> Any:
        return self.a + self.limit

    @property
    def shown(self) -> Any:
        return self.a

    @staticmethod
    def static() -> int:
        return 1

    @classmethod
    def make(cls, a: int = 0) -> Any:
        return cls(a)


class _Virtual(_Plain):
    def double(self) -> Any:
        return HIDDEN == 1


proven("classes")(_Plain)
unproven("classes")(_Virtual)


class _Below(_Plain):
    def __init__(self, a: int = 0, *, c: Annotated[Any, Depends(give)]) -> None:
        super().__init__(a)
        self.c = c
        self.d = self.shown


class _BelowSlow(_Plain):
    def __init__(self, a: int = 0) -> None:
        super().__init__(a)
        self.c = self.shown_slowly

    @property
    def shown_slowly(self) -> Any:
        return HIDDEN == 1


proven("inheritance and properties")(_Below)
unproven("inheritance and properties")(_BelowSlow)


class _WithNew:
    def __new__(cls, a: int = 0) -> Any:
        made = super().__new__(cls)
        made.x = a
        return made


class _WithOtherNew:
    def __new__(cls, a: int = 0) -> Any:
        return HIDDEN


proven("__new__")(_WithNew)
unproven("__new__")(_WithOtherNew)


class _Pair(NamedTuple):
    a: int
    b: Any = 0


class _PairOfOne(_Pair):
    __slots__ = ()

    def __new__(cls, a: int) -> Any:
        return super().__new__(cls, a, 1)


class _PairOfHidden(_Pair):
    __slots__ = ()

    def __new__(cls, a: int) -> Any:
        return super().__new__(cls, a, HIDDEN == 1)


LIMIT = 3


@proven("a global of the name of a comprehension's variable")
def _(a: int) -> Any:
    return [LIMIT for (LIMIT, other) in [(a, 1)]], LIMIT


@unproven("a global of the name of a comprehension's variable")
def _(a: int) -> Any:
    return [HIDDEN for (HIDDEN, other) in [(a, 1)]], HIDDEN == 1


def gives_nothing() -> Any:
    pass


@proven("what gives nothing")
def _(a: int) -> Any:
    return a if gives_nothing() is None else HIDDEN == 1


@unproven("what gives nothing")
def _(a: int) -> Any:
    return HIDDEN == 1 if gives_nothing() is None else a


proven("__new__ of a named tuple")(_PairOfOne)
unproven("__new__ of a named tuple")(_PairOfHidden)


class _Slots:
    __slots__ = ("a",)

    def __init__(self, a: int = 0) -> None:
        self.a = a
        self.a = self.a + 1


class _SlotsSlow:
    __slots__ = ("a",)

    def __init__(self, a: int = 0) -> None:
        self.a = a

    def __setattr__(self, name: str, value: object) -> None:
        time.sleep(0)


proven("slots")(_Slots)
unproven("slots")(_SlotsSlow)


@proven("class methods")
class _:
    def __init__(self, a: int = 0) -> None:
        self.made = _Plain.make(a), _Plain.static()


@unproven("class methods")
class _:
    def __init__(self, a: int = 0) -> None:
        self.made = _Virtual.make(a)


class _Repository:
    def __init__(self, session: Annotated[Any, Depends(give)]) -> None:
        self.session = session


class _Service:
    def __init__(self, repository: Annotated[_Repository, Depends()], page: int = 1) -> None:
        self.repository = repository
        self.session = repository.session
        self.page = page


class _EagerService:
    def __init__(self, repository: Annotated[_Repository, Depends()]) -> None:
        self.found = repository.session.execute("select")


proven("repositories and services")(_Service)
unproven("repositories and services")(_EagerService)


@dataclass
class _Data:
    a: int
    b: list[int] = field(default_factory=list)
    c: InitVar[int] = 0
    d: int = field(default=5, init=False)
    e: dict[str, int] = field(default_factory=dict, init=False)
    f: int = field(default=1, kw_only=True)

    def __post_init__(self, c: int) -> None:
        self.g = c


@dataclass
class _DataSlow:
    a: int
    b: Any = field(default_factory=lambda: HIDDEN == 1)


proven("dataclasses")(_Data)
unproven("dataclasses")(_DataSlow)


@dataclass(frozen=True, slots=True)
class _Frozen:
    a: int = 0
    b: tuple[int, ...] = field(default_factory=tuple)


@dataclass(frozen=True)
class _FrozenSlow:
    a: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "b", HIDDEN == 1)


proven("frozen dataclasses")(_Frozen)
unproven("frozen dataclasses")(_FrozenSlow)


class _Pair(NamedTuple):
    a: int
    b: str = "x"


class _PairSlow(_Pair):
    def __init__(self, a: int = 0, b: str = "x") -> None:
        time.sleep(0)


proven("named tuples")(_Pair)
unproven("named tuples")(_PairSlow)


class _Typed(TypedDict):
    a: int


@proven("typed dicts")
def _(a: int) -> Any:
    return _Typed(a=a)


@unproven("typed dicts")
def _(a: Annotated[Any, Depends(give)]) -> Any:
    return _Typed(a)


@attrs.define
class _Attrs:
    a: int = 0
    b: list[int] = attrs.field(factory=list)


@attrs.define
class _AttrsChecked:
    a: int = attrs.field(default=0, validator=attrs.validators.gt(0))


proven("attrs")(_Attrs)
unproven("attrs")(_AttrsChecked)


@attrs.frozen
class _AttrsFrozen:
    a: int = 0


@attrs.frozen
class _AttrsConverted:
    a: int = attrs.field(default=0, converter=give)


proven("frozen attrs")(_AttrsFrozen)
unproven("frozen attrs")(_AttrsConverted)


class _Struct(msgspec.Struct):
    a: int = 0
    b: list[int] = []


class _StructSlow(msgspec.Struct):
    a: int = 0

    def __post_init__(self) -> None:
        time.sleep(0)


proven("msgspec")(_Struct)
unproven("msgspec")(_StructSlow)


class _Model(pydantic.BaseModel):
    a: int = 0
    b: str | None = None
    c: Literal["x", "y"] = "x"
    d: dt.date | None = None


class _ModelChecked(pydantic.BaseModel):
    a: Annotated[int, pydantic.AfterValidator(lambda a: a)] = 0


proven("pydantic models")(_Model)
unproven("pydantic models")(_ModelChecked)


class _Color(enum.StrEnum):
    RED = "red"


@proven("enumerations")
def _(a: _Color = _Color.RED) -> Any:
    return a is _Color.RED, a == _Color.RED, a.value, _Color("red"), f"{a.value}"


class _Guess(enum.Enum):
    A = "a"

    @classmethod
    def _missing_(cls, value: object) -> Any:
        return cls.A


@unproven("enumerations")
def _(a: str) -> Any:
    return _Guess(a)


@proven("lists of enumerations")
def _(a: Annotated[list[_Color], Query(max_length=4)]) -> Any:
    return [each.value for each in a]


@unproven("lists of enumerations")
def _(a: Annotated[list[_Guess], Query(max_length=4)]) -> Any:
    return [each.value for each in a]


class _Callable:
    def __init__(self) -> None:
        self.factor = 3

    def __call__(self, a: int = 0) -> Any:
        return a * self.factor


class _CallableCounting:
    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> Any:
        self.count += 1


proven("callable instances")(_Callable())
unproven("callable instances")(_CallableCounting())


def _for_partial(a: int, b: Any) -> Any:
    return a, b is None


def _for_partial_slow(a: int, b: Any) -> Any:
    return a, bool(b)


proven("partials")(functools.partial(_for_partial, b=HIDDEN))
unproven("partials")(functools.partial(_for_partial_slow, b=HIDDEN))


def _tagged(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return {"tag": 1, "result": function(*args, **kwargs)}

    return wrapper


def _timed(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        time.sleep(0)
        return function(*args, **kwargs)

    return wrapper


@proven("wrappers")
@_tagged
@_tagged
def _(a: int, b: str = "x") -> Any:
    return a, b


@unproven("wrappers")
@_timed
def _(a: int, b: str = "x") -> Any:
    return a, b


proven("bound methods")(_Plain(1).double)
unproven("bound methods")(_Virtual.__mro__[0](1).double)


class _Generic(Generic[T]):
    def __init__(self, a: int = 0) -> None:
        self.a = a


@proven("generics")
def _(a: int) -> Any:
    return _GENERIC(a)


@unproven("generics")
def _(a: int) -> Any:
    return _Generic[int](a)


_GENERIC = _Generic[int]


@proven("security scopes")
def _(scopes: SecurityScopes) -> Any:
    return scopes.scopes


@unproven("security scopes")
def _(scopes: SecurityScopes) -> Any:
    return " ".join(scopes.scopes)


@proven("isinstance")
def _(a: int | str | None = None) -> Any:
    return isinstance(a, (str, int)), type(a)


@unproven("isinstance")
def _(a: Annotated[Any, Depends(give)]) -> Any:
    return isinstance(a, str)


@proven("functions that are made and given away")
def _(a: int) -> Any:
    def inner() -> Any:
        return HIDDEN == a

    return inner, lambda: HIDDEN == a


@unproven("functions that are made and given away")
def _(a: int) -> Any:
    return (lambda: a)()


@proven("generators that are consumed at once")
def _(a: str) -> Any:
    return any(each == a for each in ("x", "y"))


@unproven("generators that are consumed at once")
def _(a: str) -> Any:
    return (each == a for each in ("x", "y"))


@proven("named expressions")
def _(a: str | None = None) -> Any:
    return b if (b := a) is not None else ""


@unproven("named expressions")
def _(a: Annotated[Any, Depends(give)]) -> Any:
    return 1 if (b := a) else b


@proven("functions, not generators")
def _() -> Any:
    return 1


@unproven("functions, not generators")
def _() -> Iterator[int]:
    yield 1


class Letter(enum.Enum):
    A = "a"


class Letters(enum.EnumMeta):
    def __getitem__(cls, name: str) -> Any:
        return HIDDEN == 1 or super().__getitem__(name)


class OwnLetter(enum.Enum, metaclass=Letters):
    A = "a"


@proven("members by their names")
def _(a: str) -> Any:
    return Letter[a].value


@unproven("members by their names")
def _(a: str) -> Any:
    return OwnLetter[a].value


@proven("lists of few elements")
def _(a: Annotated[list[str] | None, Query(max_length=8)] = None) -> Any:
    return [each.strip() for each in a] if a else []


@unproven("lists of few elements")
def _(a: Annotated[list[str] | None, Query(min_length=8)] = None) -> Any:
    return [each.strip() for each in a] if a else []


@proven("tuples of a known length")
def _(a: tuple[int, int]) -> Any:
    return [each + 1 for each in a]


@unproven("tuples of a known length")
def _(a: tuple[int, ...]) -> Any:
    return [each + 1 for each in a]


@proven("texts that are split a few times")
def _(a: str) -> Any:
    return [each.strip() for each in a.split(",", 2)]


@unproven("texts that are split a few times")
def _(a: str) -> Any:
    return [each.strip() for each in a.split(",")]


KINDS = (str, bytes)
OPEN_KINDS = (str, Callable)


@proven("isinstance of one of several classes")
def _(a: str) -> Any:
    return isinstance(a, KINDS)


@unproven("isinstance of one of several classes")
def _(a: str) -> Any:
    return isinstance(a, OPEN_KINDS)


@proven("base64")
def _(a: str) -> Any:
    return base64.b64decode(a.encode()).decode()


@unproven("base64")
def _(a: str) -> Any:
    return base64.b85decode(a.encode()).decode()


@proven("sets of many constants")
def _(a: int) -> Any:
    letters = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q"}
    return [f"{each}!" for each in letters]


@unproven("sets of many constants")
def _(a: Annotated[Any, Depends(give)]) -> Any:
    return [f"{each}!" for each in ["a", "b", "c", "d", a]]


@proven("conditions that assign")
def _(a: int | None = None, b: str = "") -> Any:
    return b.strip() if a is not None and (b := "x") else b


@unproven("conditions that assign")
def _(a: int | None = None, b: Annotated[Any, Depends(give)] = None) -> Any:
    c: Any = None
    return c.strip() if c is None and (c := b) is None else a


@proven("the time of a call")
def _() -> Any:
    return time.monotonic()


@unproven("the time of a call")
def _() -> Any:
    return threading.get_ident()


class Level(enum.IntEnum):
    LOW = 1


class LargeNumber(int):
    pass


LARGE_NUMBER = LargeNumber(1 << 40_000)


@proven("numbers of a class of their own")
def _(a: int) -> Any:
    return a == Level.LOW


@unproven("numbers of a class of their own")
def _(a: int) -> Any:
    return a == LARGE_NUMBER


class Slotted:
    __slots__ = ("a",)

    def __init__(self, a: int) -> None:
        self.a = a


class Missing(Slotted):
    def __getattr__(self, name: str) -> Any:
        return HIDDEN


@proven("slots")
def _(a: int) -> Any:
    return Slotted(a).a + 1


@unproven("slots")
def _(a: int) -> Any:
    return Missing(a).a + 1


PHRASES = {each: each.phrase for each in http.HTTPStatus}


@proven("errors without a detail")
def _(a: str) -> Any:
    if not a:
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    return a


@unproven("errors without a detail")
def _(a: int) -> Any:
    raise HTTPException(401, PHRASES.get(a))


@proven("an item of an own list")
def _(a: str) -> Any:
    found = [0, 1]
    found[0] = len(a)
    return found


@unproven("an item of an own list")
def _(a: str) -> Any:
    found = [0, 1]
    found[0:1] = HIDDEN
    return found
