"""What a proof expects of values: calls that get them run inline, all others where they did.

NOTE: annotations are no strings here: FastAPI 0.115 does not know those of a class.
"""

import linecache
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Annotated, Any, List, NamedTuple, NotRequired, Optional  # noqa: UP035

import pydantic
import pytest
from fastapi import Depends, FastAPI, HTTPException, Query, Security
from fastapi.security import OAuth2PasswordBearer, SecurityScopes
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient
from typing_extensions import TypedDict

from benchmarks.runs.thread_trips import counted_thread_trips
from fastapi_async_safe._proof import ABSENT, guard_of, prove
from fastapi_async_safe._proof.guesses import annotation_of
from tests.proof.hostile_expected import GUARDED
from tests.support.serving import Init


@dataclass
class User:
    name: str
    active: bool = True
    tags: list[str] = field(default_factory=list)
    address: "Address | None" = None

    def is_called(self, name: str) -> bool:
        return self.name == name


@dataclass
class Address:
    limit = 10
    city: str
    numbers: tuple[int, ...] = ()


class Point(NamedTuple):
    x: int
    y: float = 0.5


class Slotted:
    __slots__ = ("count",)

    def __init__(self, count: int) -> None:
        self.count = count


class Assigned:
    limit = 10

    def __init__(self, name: str, more: Optional[int] = None) -> None:  # noqa: UP045
        self.name = name
        self.count = 1
        self.total = self.count + 1
        self.shown = f"{name}"
        self.more = more
        self.known: dict[str, int] = {}
        self.tags: List[str] = ["a"]  # noqa: UP006

    @property
    def doubled(self) -> int:
        return self.count + self.count


class Payload(TypedDict):
    sub: str
    count: NotRequired[int]


class Item(pydantic.BaseModel):
    price: float
    number: int = 1


given_values: dict[str, Any] = {}


async def value() -> Any:
    given_values["loop"] = threading.get_ident()
    return given_values["value"]


def value_of_pool() -> Any:
    time.sleep(0)
    return given_values["value"]


def reads_active(user: Annotated[User, Depends(value)]) -> str:
    if not user.active:
        raise HTTPException(403, "inactive")
    return f"{user.name} is active"


def calls_a_method(user: Annotated[User, Depends(value)]) -> bool:
    return user.is_called("ada")


def goes_through_tags(user: Annotated[User, Depends(value)]) -> str:
    return ",".join([tag.strip() for tag in user.tags])


def reads_two_deep(user: Annotated[User, Depends(value)]) -> str:
    return user.address.city.strip() if user.address is not None else "nowhere"


def reads_of_the_class_of_a_part(user: Annotated[User, Depends(value)]) -> int:
    return user.address.limit + 1 if user.address is not None else 0


def adds_up(address: Annotated[Address, Depends(value)]) -> int:
    return sum(address.numbers)


def reads_a_tuple(point: Annotated[Point, Depends(value)]) -> float:
    return point.x + point.y


def reads_a_slot(slotted: Annotated[Slotted, Depends(value)]) -> int:
    return slotted.count + 1


def reads_what_is_assigned(assigned: Annotated[Assigned, Depends(value)]) -> str:
    assigned.known.get("a")
    return f"{assigned.name} {assigned.total + assigned.doubled} {assigned.shown}"


def reads_assigned_texts(assigned: Annotated[Assigned, Depends(value)]) -> str:
    found = ""
    for tag in assigned.tags:
        found += tag.strip()
    return found


def reads_of_the_class(assigned: Annotated[Assigned, Depends(value)]) -> int:
    return assigned.limit + 1


def reads_a_model(item: Annotated[Item, Depends(value)]) -> float:
    return item.price + item.number


def compares(number: Annotated[int, Depends(value)]) -> bool:
    return number == 1


def takes_text_or_none(text: Annotated[str | None, Depends(value)]) -> str:
    return "" if text is None else text.strip()


def looks_up(payload: Annotated[dict[str, str], Depends(value)]) -> str | None:
    return payload.get("sub")


def goes_through_keys(sizes: Annotated[dict[str, int], Depends(value)]) -> list[str]:
    return [name.upper() for name in sizes]


def counts_members(members: Annotated[set[str], Depends(value)]) -> bool:
    return "a" in members


def reads_items(payload: Annotated[Payload, Depends(value)]) -> str:
    return f"{payload['sub'].strip()} {payload.get('count', 0) + 1}"


def reads_items_or_none(payload: Annotated[Payload | None, Depends(value)]) -> str:
    return payload["sub"].strip() if payload is not None else "nobody"


def adds_up_parts(text: Annotated[str, Depends(value)]) -> int:
    total = 0
    for part in text.split(","):
        total += int(part)
    return total


def reads_ranges(ranges: Annotated[list[str] | None, Depends(value)]) -> Any:
    return [tuple(map(float, each.split(","))) for each in ranges] if ranges else None


def knows_by_what_is_returned(text=Depends(lambda: "")) -> str:  # type: ignore[no-untyped-def]  # noqa: B008
    return str(text)


class Odd:
    """Runs code of its own wherever one can."""

    name = "odd"
    active = tags = city = numbers = count = total = price = number = x = y = limit = 1

    def __eq__(self, other: object) -> bool:
        ran.add(threading.get_ident())
        return False

    __hash__ = None  # type: ignore[assignment]


class OddInt(int):
    def __add__(self, other: int) -> int:
        ran.add(threading.get_ident())
        return int(self) + other

    def __eq__(self, other: object) -> bool:
        ran.add(threading.get_ident())
        return int(self) == other

    __hash__ = int.__hash__


class OddStr(str):
    def strip(self, chars: str | None = None) -> str:
        ran.add(threading.get_ident())
        return str(self)

    def upper(self) -> str:
        ran.add(threading.get_ident())
        return str(self)

    title = upper


class OddUser(User):
    @property
    def active(self) -> bool:
        ran.add(threading.get_ident())
        return True

    @active.setter
    def active(self, value: bool) -> None:
        pass


ran: set[int] = set()  # the threads in which odd code ran


class Limited(Assigned):
    @property
    def limit(self) -> int:  # type: ignore[override]
        ran.add(threading.get_ident())
        return 1


def own_method(name: str) -> bool:
    ran.add(threading.get_ident())
    return True


def with_own_method() -> User:
    user = User("ada")
    vars(user)["is_called"] = own_method
    return user


def with_own_limit() -> Address:
    address = Address("x")
    vars(address)["limit"] = OddInt(1)
    return address


def without(cls: type, *names: str) -> Any:
    made: Any = object.__new__(cls)
    for name in names:
        setattr(made, name, "x")
    return made


#: For each: what is expected, and what is not.
CASES: dict[Callable[..., Any], tuple[list[Any], list[Any]]] = {
    reads_active: (
        [User("ada"), User("bob", active=False)],
        [OddUser("ada"), Odd(), without(User), User(OddStr("ada")), None],
    ),
    calls_a_method: ([User("ada"), User("bob")], [with_own_method(), OddUser("ada")]),
    goes_through_tags: (
        [User("a", tags=["x", "y"]), User("a")],
        [User("a", tags=[OddStr("x")]), User("a", tags=["x"] * 33), User("a", tags=["x" * 300])],
    ),
    reads_two_deep: (
        [User("a", address=Address(" x ")), User("a")],
        [User("a", address=Address(OddStr("x"))), User("a", address=Odd())],  # type: ignore[arg-type]
    ),
    reads_of_the_class_of_a_part: (
        [User("a", address=Address("x")), User("a")],
        [User("a", address=with_own_limit()), User("a", address=Odd())],  # type: ignore[arg-type]
    ),
    adds_up: ([Address("", (1, 2))], [Address("", (OddInt(1), 2)), Address("", (1 << 64,))]),
    reads_a_tuple: (
        [Point(1), Point(2, 3.5)],
        [Point(OddInt(1)), (1, 2), tuple.__new__(Point, (1,))],
    ),
    reads_a_slot: ([Slotted(1)], [Slotted(OddInt(1)), without(Slotted), Slotted(1 << 63)]),
    reads_what_is_assigned: (
        [Assigned("ada")],
        [Assigned(OddStr("ada")), without(Assigned, "name")],
    ),
    reads_assigned_texts: ([Assigned("a")], [without(Assigned, "tags")]),
    reads_of_the_class: ([Assigned("a")], [without(Assigned, "limit"), Limited("a")]),
    reads_a_model: (
        [Item(price=1.5)],
        [Item.model_construct(price=1.5, number=OddInt(1)), Item.model_construct()],
    ),
    compares: ([1, 2, -(1 << 63)], [OddInt(1), True, 1 << 63, 10**5000, Odd(), None]),
    takes_text_or_none: ([" a ", None, "a" * 2048], [OddStr("a"), "a" * 2049, b"a", Odd()]),
    looks_up: (
        [{"sub": "a"}, {}],
        [{"sub": Odd()}, {1: "a"}, {str(x): "" for x in range(33)}, {"sub": "a" * 300}],
    ),
    reads_items: (
        [{"sub": " a ", "count": 1}],
        [
            {"sub": "a"},
            {"sub": OddStr("a"), "count": 1},
            {"sub": "a", "count": OddInt(1)},
            {OddStr("sub"): "a", "count": 1},
            {str(each): each for each in range(65)} | {"sub": "a", "count": 1},
            {},
            None,
        ],
    ),
    reads_items_or_none: ([{"sub": "a"}, None], [{"sub": OddStr("a")}, {}, [], Odd()]),
    adds_up_parts: (
        ["1,2", "1", "," * 31],
        [OddStr("1"), "1," * 16, "1" * 32, b"1", None],
    ),
    reads_ranges: (
        [["0,1", "2,3.5"], [], None, ["x"]],
        [["0,1"] * 5, [OddStr("0,1")], ["1," * 16], ("0,1",)],
    ),
    goes_through_keys: (
        [{"a": 1, "b": 2}, {}],
        [{1: 1}, {OddStr("a"): 1}, {"a": OddInt(1)}, {str(x): x for x in range(33)}],
    ),
    counts_members: ([{"a"}, set()], [{OddStr("b")}, {str(x) for x in range(33)}, frozenset("a")]),
}
IDS = [call.__name__ for call in CASES]


def app_of(call: Callable[..., Any]) -> FastAPI:
    app = FastAPI()

    @app.get("/")
    async def read(result: Annotated[Any, Depends(call)]) -> str:
        return repr(result)

    return app


def asked(client: TestClient, value: Any) -> tuple[Any, int]:
    """Give the answer, and how many trips to the thread pool it took."""
    given_values["value"] = value
    with counted_thread_trips() as counted:
        try:
            answer: Any = client.get("/")
        except Exception as error:
            return (type(error), str(error)), counted.count
    return (answer.status_code, answer.json()), counted.count


@pytest.mark.parametrize("call", CASES, ids=IDS)
def test_what_is_expected_runs_inline_and_the_rest_as_on_stock(
    init: Init, variant: str, call: Callable[..., Any]
) -> None:
    stock = TestClient(app_of(call))
    client = TestClient(init(app_of(call), proven_safe=True))
    expected, others = CASES[call]
    asked(client, expected[0])
    for each in expected:
        answer, trips = asked(client, each)
        assert answer == asked(stock, each)[0]
        assert trips == (1 if variant == "stock" else 0), each
    for each in others:
        ran.clear()
        answer, trips = asked(client, each)
        assert given_values["loop"] not in ran
        assert answer == asked(stock, each)[0], each
        assert trips == 1


@pytest.mark.parametrize("call", CASES, ids=IDS)
def test_the_guard_says_which_is_which(call: Callable[..., Any]) -> None:
    proof = prove(call)
    assert proof.holds, proof.reasons
    assert proof.expects
    guard = guard_of(proof.expects, [each.path[0] for each in proof.expects])
    assert guard is not None
    name = proof.expects[0].path[0]
    expected, others = CASES[call]
    assert all(guard(**{name: each}) is True for each in expected)
    ran.clear()
    assert not any(guard(**{name: each}) for each in others)
    assert not ran  # asking runs nothing of theirs
    assert guard() is False


def shows_texts(texts: Annotated[dict[str, str], Depends(value)]) -> str:
    return f"{texts}"


def shows_keys_of_any_class(texts: Annotated[dict[Any, str], Depends(value)]) -> str:
    return f"{texts}"


def test_a_dict_is_not_shown_whose_keys_may_be_anything() -> None:
    assert prove(shows_texts).holds
    assert not prove(shows_keys_of_any_class).holds


def reads_of_some(user: Annotated[User | None, Depends(value)]) -> str:
    return user.name.strip() if user is not None else ""


@pytest.mark.parametrize(
    ("call", "asked_by_rows"),
    [
        (compares, True),
        (reads_a_slot, True),
        (takes_text_or_none, False),
        (reads_two_deep, False),
        (reads_of_some, False),
        (reads_items, False),
    ],
)
def test_simple_guards_are_asked_by_rows(call: Callable[..., Any], asked_by_rows: bool) -> None:
    proof = prove(call)
    guard = guard_of(proof.expects, [each.path[0] for each in proof.expects])
    assert guard is not None
    assert (guard.rows is not None) is asked_by_rows


@pytest.mark.parametrize(("call", "odd"), GUARDED, ids=[call.__name__ for call, _ in GUARDED])
def test_the_guard_neither_raises_nor_is_misled(call: Callable[..., Any], odd: Any) -> None:
    proof = prove(call)
    assert proof.holds, proof.reasons
    guard = guard_of(proof.expects, ["a"])
    assert guard is not None
    assert guard(a=odd) is False


NAMES = ("tags", "others", "names")


def measures(parts: Annotated[list[Any], Depends(value)]) -> int:
    return len(parts)


def test_what_is_expected_is_said() -> None:
    assert list(map(str, prove(measures).expects)) == ["`parts` is list of up to 32"]
    assert list(map(str, prove(adds_up_parts).expects)) == ["`text` is str of up to 31"]
    assert list(map(str, prove(takes_text_or_none).expects)) == ["`text` is str or None"]
    assert list(map(str, prove(reads_two_deep).expects)) == [
        f"`user` is {__name__}.User",
        f"`user.address` is {__name__}.Address or None",
        "`user.address.city` is str",
    ]


def test_what_is_expected_is_not_without_end() -> None:
    class Link:
        def __init__(self, tags: "dict[str, str]", more: "Link") -> None:
            self.more: Link = more
            self.tags = self.others = self.names = tags

    globals()["Link"] = Link  # where annotations are looked for

    def proven(*lines: str) -> bool:
        source = "def call(link):\n" + "".join(f" {line}\n" for line in lines)
        file = f"<{hash(source)}>"
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        namespace: dict[str, Any] = {}
        exec(compile(source, file, "exec"), namespace)
        namespace["call"].__annotations__["link"] = Annotated[Link, Depends(value)]
        return prove(namespace["call"]).holds

    try:
        assert proven("return link.more.more.tags.get('a')")
        assert proven(f"return link{'.more' * 14}.tags.get('a')")
        assert not proven(f"return link{'.more' * 15}.tags.get('a')")
        many = [f"link{'.more' * each}.{name}.get('a')" for each in range(14) for name in NAMES]
        assert proven(*many[:9])
        assert not proven(*many)
    finally:
        del globals()["Link"]


OTHER: Any = Slotted(0)


def test_nothing_is_guessed_of_what_an_init_gives_to_others() -> None:
    class WithoutName:
        def __init__(*given: Any) -> None:
            OTHER.name = ""

    assert annotation_of(WithoutName, "name") is ABSENT
    assert annotation_of(Assigned, "name") is str


def test_no_more_is_expected_than_is_needed() -> None:
    def keeps(user: Annotated[User, Depends(value)], text: Annotated[str, Depends(value)]) -> Any:
        return [user, text]

    def reads_one(
        user: Annotated[User, Depends(value)], text: Annotated[str, Depends(value)]
    ) -> Any:
        return [user.active, text.strip()]

    assert prove(keeps).expects == ()
    assert [str(each) for each in prove(reads_one).expects] == [
        "`user` is tests.proof.test_expected.User",
        "`text` is str",
    ]


def test_an_endpoint_is_not_run_inline_by_what_is_expected(init: Init) -> None:
    app = FastAPI()

    @app.get("/")
    def read(number: Annotated[int, Depends(value)]) -> bool:
        return number == 1

    answer, trips = asked(TestClient(init(app, proven_safe=True)), 1)
    assert answer == (200, True)
    assert trips >= 1


@pytest.mark.accelerated
@pytest.mark.parametrize("one_trip", [True, False])
def test_what_is_not_as_expected_shares_the_trip_of_its_neighbours(
    init: Init, one_trip: bool
) -> None:
    def second(number: Annotated[int, Depends(value_of_pool)]) -> bool:
        return number == 1

    def third(known: Annotated[bool, Depends(second)]) -> str:
        given_values["seen"].append(known)
        return "done"

    given_values["seen"] = []
    client = TestClient(init(app_of(third), proven_safe=True, one_trip=one_trip))
    asked(client, 1)
    inline = asked(client, 1)[1]
    elsewhere = asked(client, OddInt(1))[1]
    assert (inline, elsewhere) == ((1, 1) if one_trip else (2, 3))
    assert given_values["seen"] == [True, True, True]


@pytest.mark.accelerated
def test_context_variables_are_as_on_stock(init: Init) -> None:
    variable: ContextVar[str] = ContextVar("variable", default="unset")

    class Sets(int):
        def __eq__(self, other: object) -> bool:
            variable.set("set")
            return True

        __hash__ = int.__hash__

    def last(known: Annotated[bool, Depends(compares)]) -> str:
        given_values["seen"] = variable.get()
        return f"{known} {variable.get()}"

    client = TestClient(init(app_of(last), proven_safe=True))
    stock = TestClient(app_of(last))
    for each in (1, Sets(1), 2, Sets(1)):
        assert asked(client, each)[0] == asked(stock, each)[0]


def test_security_needs_no_mark(init: Init, variant: str) -> None:
    bearer = OAuth2PasswordBearer("/token")
    known = {"a": User("ada", tags=["read"]), "b": User("bob", active=False)}

    def current(required: SecurityScopes, token: Annotated[str, Depends(bearer)]) -> User:
        user = known.get(token)
        if user is None or not set(required.scopes) <= {"read", "write"}:
            raise HTTPException(401, "who is it?")
        return user

    def active(user: Annotated[User, Depends(current)]) -> User:
        if not user.active:
            raise HTTPException(403, "inactive")
        return user

    app = FastAPI()

    @app.get("/")
    async def read(user: Annotated[User, Security(active, scopes=["read"])]) -> str:
        return user.name

    client = TestClient(init(app, proven_safe=True))
    found = []
    for token in ("a", "b", "c", "a" * 3000):
        client.get("/")
        with counted_thread_trips() as counted:
            answer = client.get("/", headers={"Authorization": f"Bearer {token}"})
        found.append((answer.status_code, counted.count))
    if variant == "stock":
        assert [status for status, _ in found] == [200, 403, 401, 401]
    else:
        assert found == [(200, 0), (403, 0), (401, 0), (401, 1)]


def test_a_long_list_of_a_request_goes_to_the_pool(init: Init, variant: str) -> None:
    def joined(tags: Annotated[list[str], Query()]) -> str:
        found = ""
        for tag in tags:
            found = tag.strip() or found
        return found

    app = FastAPI()

    @app.get("/")
    async def read(text: Annotated[str, Depends(joined)]) -> str:
        return text

    client = TestClient(init(app, proven_safe=True))
    for count, trips in ((2, 0), (32, 0), (33, 1), (500, 1)):
        client.get("/?tags=x")
        with counted_thread_trips() as counted:
            answer = client.get("/", params={"tags": ["a"] * count})
        assert answer.json() == "a"
        assert counted.count == (1 if variant == "stock" else trips)


@pytest.mark.parametrize("name", ["type", "len", "getattr", "_1", "__2", "all", "tuple", "self"])
def test_a_parameter_may_have_any_name(name: str) -> None:
    source = (
        f"def call({name}: Annotated[list[str], Depends(value)]) -> bool:\n return 'a' in {name}\n"
    )
    namespace = {"Annotated": Annotated, "Depends": Depends, "value": value}
    file = f"<named {name}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    exec(compile(source, file, "exec"), namespace)
    call: Any = namespace["call"]
    proof = prove(call)
    assert proof.holds, proof.reasons
    guard = guard_of(proof.expects, [name])
    assert guard is not None
    assert guard(**{name: ["a"]})
    assert not guard(**{name: [1]})


ANYTHING = st.one_of(
    *[st.sampled_from([*expected, *others]) for expected, others in CASES.values()],
    st.integers(),
    st.text(),
    st.lists(st.text(max_size=3), max_size=40),
    st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=40),
    st.builds(User, st.text(), st.booleans(), st.lists(st.text(max_size=3), max_size=40)),
    st.builds(User, st.just(OddStr("x")), st.builds(OddInt), st.just([OddStr("y")])),
    st.builds(Address, st.text(), st.lists(st.builds(OddInt)).map(tuple)),
)


@pytest.mark.slow
@pytest.mark.accelerated
def test_any_value_gives_the_answer_of_stock(init: Init) -> None:
    clients = {
        call: (TestClient(app_of(call)), TestClient(init(app_of(call), proven_safe=True)))
        for call in CASES
    }

    @settings(max_examples=200)
    @given(st.sampled_from(list(CASES)), ANYTHING)
    def check(call: Callable[..., Any], each: Any) -> None:
        stock, client = clients[call]
        ran.clear()
        answer, _ = asked(client, each)
        assert given_values["loop"] not in ran
        assert answer == asked(stock, each)[0]

    check()
