"""What proven calls give is not asked for again, unless somebody else may have changed it.

NOTE: annotations are no strings here: FastAPI 0.115 does not know those of a class.
"""

import linecache
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, Query, Request, Security
from fastapi.security import SecurityScopes
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from benchmarks.runs.thread_trips import counted_thread_trips
from fastapi_async_safe import async_safe, prove
from fastapi_async_safe._proof.values import Given, Opaque, Plain
from tests.proof.test_expected import OddInt, OddStr, ran
from tests.support.serving import Init


@dataclass
class User:
    name: str
    tags: list[str] = field(default_factory=list)


class Page:
    limit = 100

    def __init__(self, skip: int) -> None:
        self.skip = skip


class OddUser(User):
    def __getattribute__(self, name: str) -> Any:
        ran.add(threading.get_ident())
        return super().__getattribute__(name)


class OddList(list[str]):
    def __iter__(self) -> Iterator[str]:
        ran.add(threading.get_ident())
        return super().__iter__()


odd: dict[str, Any] = {}
KEPT = User("kept")


def make(name: str = "ada", tag: str = "x") -> User:
    return User(name, [tag])


def make_deep(name: str = "ada") -> Any:
    return User(name, [[[[[["x"]]]]]])  # type: ignore[list-item]


def make_known() -> User:
    return KEPT


async def anything() -> Any:
    return odd.get("value", "text")


def make_of_anything(value: Annotated[str, Depends(anything)]) -> User:
    return User(value)


def make_of_stripped(value: Annotated[str, Depends(anything)]) -> User:
    return User(value.strip() or value)


async def texts() -> Any:
    return odd.get("list", ["a"])


def make_of_texts(tags: Annotated[list[str], Depends(texts)]) -> User:
    return User("x".join(tags), tags)


def make_page(skip: int = 0) -> Page:
    return Page(skip)


class Counted:
    def __init__(self, name: str) -> None:
        self.counts = {name.strip(): 1}


def make_counted(name: str = "ada") -> Counted:
    return Counted(name)


def pass_on(user: Annotated[User, Depends(make)]) -> User:
    return user


def change(user: User) -> None:
    for name, value in odd.get("attributes", {}).items():
        setattr(user, name, value)


async def changes(user: Annotated[User, Depends(make)]) -> User:
    change(user)
    return user


async def changes_silently(user: Annotated[User, Depends(make)]) -> None:
    change(user)


async def changes_known(user: Annotated[User, Depends(make_known)]) -> None:
    change(user)


@async_safe
def marked(user: Annotated[User, Depends(make)]) -> None:
    change(user)


def yields(user: Annotated[User, Depends(make)]) -> Iterator[None]:
    change(user)
    yield


async def changes_texts(tags: Annotated[list[str], Depends(texts)]) -> None:
    tags[:] = odd.get("texts", tags)


def shown(user: User) -> str:
    found = user.name.strip()
    for tag in user.tags:
        found = tag.strip() or found
    return found


def shows(user: Annotated[User, Depends(make)]) -> str:
    return shown(user)


def shows_passed_on(user: Annotated[User, Depends(pass_on)]) -> str:
    return shown(user)


def shows_known(_: Annotated[None, Depends(changes_known)], user=Depends(make_known)) -> str:  # type: ignore[no-untyped-def]  # noqa: B008
    return shown(user)


shows_known.__annotations__["user"] = User


def shows_changed(user: Annotated[User, Depends(changes)]) -> str:
    return shown(user)


def shows_beside(
    user: Annotated[User, Depends(make)], _: Annotated[None, Depends(changes_silently)]
) -> str:
    return shown(user)


def shows_beside_passed_on(
    user: Annotated[User, Depends(pass_on)], _: Annotated[None, Depends(changes_silently)]
) -> str:
    return shown(user)


def shows_beside_a_mark(
    user: Annotated[User, Depends(make)], _: Annotated[None, Depends(marked)]
) -> str:
    return shown(user)


def shows_beside_a_context(
    user: Annotated[User, Depends(make)], _: Annotated[None, Depends(yields)]
) -> str:
    return shown(user)


def shows_made_of_anything(user: Annotated[User, Depends(make_of_anything)]) -> str:
    return user.name.strip()


def shows_made_of_stripped(user: Annotated[User, Depends(make_of_stripped)]) -> str:
    return user.name.strip()


def shows_made_of_texts(
    user: Annotated[User, Depends(make_of_texts)], _: Annotated[None, Depends(changes_texts)]
) -> str:
    return shown(user)


def shows_a_default(page: Annotated[Page, Depends(make_page)]) -> int:
    return page.skip + page.limit


def shows_keys(counted: Annotated[Counted, Depends(make_counted)]) -> str:
    return ",".join([key.strip() for key in counted.counts])


#: What shows something, and what makes it odd, that was not odd when it was made.
ATTRIBUTES: dict[str, Any] = {
    "name": {"name": OddStr("odd")},
    "tag": {"tags": [OddStr("odd")]},
    "tags": {"tags": OddList(["odd"])},
    "class": {"__class__": OddUser},
}
CHANGED: tuple[Callable[..., Any], ...] = (
    shows_changed,
    shows_beside,
    shows_beside_passed_on,
    shows_beside_a_mark,
    shows_beside_a_context,
    shows_known,
)


def app_of(call: Callable[..., Any]) -> FastAPI:
    app = FastAPI()

    @app.get("/")
    async def read(request: Request, result: Annotated[Any, Depends(call)]) -> str:
        return f"{result} {threading.get_ident() in ran}"

    return app


@pytest.fixture(autouse=True)
def nothing_odd() -> Iterator[None]:
    yield
    odd.clear()
    KEPT.__class__ = User
    KEPT.name, KEPT.tags = "kept", []


def asked(client: TestClient) -> tuple[Any, int]:
    ran.clear()
    with counted_thread_trips() as counted:
        answer = client.get("/")
    return (answer.status_code, answer.json()), counted.count


def guards_of(app: FastAPI) -> list[tuple[str, bool, bool]]:
    """Say of each call whether it has a guard, and one where all before went as planned."""
    (entry,) = app._fastapi_async_safe_resolver._entries.values()  # type: ignore[attr-defined]
    return [
        (node.call.__name__, node.guard is not None, node.short_guard is not None)
        for node in entry.plan.nodes[:-1]
    ]


def test_what_is_known_of_what_is_given() -> None:
    given = prove(make).gives
    assert isinstance(given, Given)
    assert given.cls is User
    assert set(given.attributes) == {"name", "tags"}
    assert prove(make_known).gives is None
    deep = prove(make_deep).gives
    assert isinstance(deep, Given)
    part = deep.attributes["tags"]
    while isinstance(part, Plain):
        assert part.element is not None
        part = part.element
    assert isinstance(part, Opaque)  # what lies deeper may be anything
    assert prove(pass_on).gives is None  # of what is not known who made it


@pytest.mark.parametrize("call", [shows, shows_passed_on])
def test_what_was_just_made_runs_inline(init: Init, variant: str, call: Callable[..., Any]) -> None:
    client = TestClient(init(app_of(call), proven_safe=True))
    client.get("/")
    answer, trips = asked(client)
    assert answer == (200, "x False")
    if variant != "stock":
        assert trips == 0


@pytest.mark.accelerated
@pytest.mark.parametrize(
    ("call", "asks"),
    [
        (shows, False),
        (shows_passed_on, False),
        (shows_a_default, False),
        (shows_keys, False),
        (shows_made_of_stripped, False),
        (shows_made_of_anything, True),
        (shows_made_of_texts, True),
        *((each, True) for each in CHANGED),
    ],
)
def test_the_guard_is_short(init: Init, call: Callable[..., Any], asks: bool) -> None:
    app = init(app_of(call), proven_safe=True)
    asked(TestClient(app))
    assert guards_of(app)[-1] == (call.__name__, True, asks)


@pytest.mark.parametrize("change_to", ATTRIBUTES)
@pytest.mark.parametrize("call", CHANGED, ids=[each.__name__ for each in CHANGED])
def test_what_another_dependency_changed_is_asked_for(
    init: Init, call: Callable[..., Any], change_to: str
) -> None:
    stock = TestClient(app_of(call))
    client = TestClient(init(app_of(call), proven_safe=True))
    assert asked(client)[0] == asked(stock)[0]
    odd["attributes"] = ATTRIBUTES[change_to]
    answer, trips = asked(client)
    assert trips
    assert answer == asked(stock)[0]
    assert answer[1].endswith(" False")


@pytest.mark.parametrize(
    ("call", "odd_value"),
    [
        (shows_made_of_anything, {"value": OddStr("a")}),
        (shows_made_of_stripped, {"value": OddStr("a")}),
        (shows_made_of_texts, {"texts": [OddStr("b")]}),
        (shows_made_of_texts, {"list": [OddStr("b")]}),
        (shows_made_of_texts, {"list": OddList("b")}),
    ],
)
def test_what_is_made_of_something_odd_is_asked_for(
    init: Init, call: Callable[..., Any], odd_value: dict[str, Any]
) -> None:
    stock = TestClient(app_of(call))
    client = TestClient(init(app_of(call), proven_safe=True))
    assert asked(client)[0] == asked(stock)[0]
    odd.update(odd_value)
    assert asked(client)[0] == asked(stock)[0]
    assert asked(client)[0][1].endswith(" False")


@pytest.mark.parametrize(
    "override", [lambda: OddUser("a"), lambda: User(OddStr("a")), make_known, make]
)
def test_what_an_override_gives_is_asked_for(init: Init, override: Callable[..., Any]) -> None:
    KEPT.name = OddStr("kept")
    answers = []
    for app in (app_of(shows_passed_on), init(app_of(shows_passed_on), proven_safe=True)):
        client = TestClient(app)
        found = [asked(client)[0]]
        for overridden in (make, pass_on):
            app.dependency_overrides = {overridden: override}
            found.append(asked(client)[0])
            app.dependency_overrides = {}
        answers.append([*found, asked(client)[0]])
    assert answers[0] == answers[1]


def test_what_makes_it_may_be_changed(init: Init) -> None:
    class Made:
        def __init__(self) -> None:
            self.count = 1

    def odd_init(self: Any) -> None:
        self.count = odd_number

    def gives() -> Made:
        return Made()

    def adds(made: Annotated[Made, Depends(gives)]) -> int:
        return made.count + 1

    odd_number = OddInt(1)
    client = TestClient(init(app_of(adds), proven_safe=True))
    assert asked(client)[0] == (200, "2 False")
    Made.__init__ = odd_init  # type: ignore[method-assign]
    for _ in range(2):
        assert asked(client)[0] == (200, "2 False")


def needs(required: SecurityScopes) -> str:
    found = ""
    for scope in required.scopes:
        found = scope.strip() or found
    return found


@pytest.mark.parametrize(
    "scopes", [[], ["a", "b"], [str(each) for each in range(33)], [OddStr("a")], ["a" * 300]]
)
def test_security_scopes_are_known(init: Init, variant: str, scopes: list[str]) -> None:
    app = FastAPI()

    @app.get("/")
    async def read(result: Annotated[str, Security(needs, scopes=scopes)]) -> str:
        return f"{result} {threading.get_ident() in ran}"

    client = TestClient(init(app, proven_safe=True))
    client.get("/")
    answer, trips = asked(client)
    assert answer == (200, f"{(scopes or [''])[-1]} False")
    if variant != "stock":
        plain = len(scopes) < 33 and all(type(each) is str and len(each) < 257 for each in scopes)
        assert trips == (0 if plain else 1)


@pytest.mark.accelerated
@pytest.mark.parametrize(("scopes", "asks"), [(["a"], False), ([OddStr("a")], True)])
def test_known_security_scopes_are_not_asked_for(init: Init, scopes: list[str], asks: bool) -> None:
    app = FastAPI()

    @app.get("/")
    async def read(result: Annotated[str, Security(needs, scopes=scopes)]) -> str:
        return result

    asked(TestClient(init(app, proven_safe=True)))
    assert guards_of(app) == [("needs", True, asks)]


def test_others_may_pass_the_same_object_on(init: Init) -> None:
    """Its guard fails, so that it runs elsewhere and may give anything."""

    def choose(value: Annotated[str, Depends(anything)]) -> User:
        return User("a") if value == "text" else User("b")

    def shows_it(user: Annotated[User, Depends(choose)]) -> str:
        return user.name.strip()

    class Changes(str):
        __slots__ = ()

        def __eq__(self, other: object) -> bool:
            ran.add(threading.get_ident())
            return False

        __hash__ = str.__hash__

    client = TestClient(init(app_of(shows_it), proven_safe=True))
    stock = TestClient(app_of(shows_it))
    for value in ("text", Changes("text"), "other"):
        odd["value"] = value
        assert asked(client)[0] == asked(stock)[0]


def limited(tags: Annotated[list[str], Query(max_length=3)]) -> User:
    return User("a", tags)


def shows_limited(user: Annotated[User, Depends(limited)]) -> str:
    return shown(user)


def test_lists_of_a_request_are_asked_for(init: Init) -> None:
    client = TestClient(init(app_of(shows_limited), proven_safe=True))
    assert client.get("/", params={"tags": ["a", "b"]}).json() == "b False"


#: Dependencies on a user `u`, and what has no use for `v`.
KINDS = {
    "makes": "def {name}(v: {v}) -> User:\n    return User('ada', ['x'])\n",
    "makes_of": "def {name}(u: {u}, v: {v}) -> User:\n    return User(u.name.strip(), [u.name])\n",
    "passes_on": "def {name}(u: {u}, v: {v}) -> User:\n    return u\n",
    "shows": "def {name}(u: {u}, v: {v}) -> User:\n    return User(shown(u), u.tags)\n",
    "changes": "async def {name}(u: {u}, v: {v}) -> User:\n    change(u)\n    return u\n",
    "changes_in_pool": "def {name}(u: {u}, v: {v}) -> User:\n    change(u)\n    return u\n",
    "yields": "def {name}(u: {u}, v: {v}):\n    change(u)\n    yield u\n",
    "marked": "@async_safe\ndef {name}(u: {u}, v: {v}) -> User:\n    change(u)\n    return u\n",
    "gives": "async def {name}(v: {v}) -> User:\n    return (OddUser if odd else User)('b')\n",
}
TREES = st.lists(
    st.tuples(st.sampled_from(list(KINDS)), st.integers(0, 9), st.integers(0, 9), st.booleans()),
    min_size=3,
    max_size=9,
)


def source_of_tree(tree: list[tuple[str, int, int, bool]]) -> str:
    lines = ["def d0(v: int = 1) -> User:\n    return User('first', ['y'])\n"]
    for number, (kind, u, v, use_cache) in enumerate(tree, 1):
        given = [
            f"Annotated[User, Depends(d{each % number}, use_cache={use_cache})]" for each in (u, v)
        ]
        lines.append(KINDS[kind].format(name=f"d{number}", u=given[0], v=given[1]))
    last = f"d{len(tree)}"
    lines.append(f"def last(u: Annotated[User, Depends({last})]) -> str:\n    return shown(u)\n")
    return "\n".join(lines)


@pytest.mark.accelerated
def test_any_tree_is_as_on_stock(init: Init) -> None:
    @settings(max_examples=150)
    @given(TREES, st.sampled_from(list(ATTRIBUTES)))
    def check(tree: list[tuple[str, int, int, bool]], change_to: str) -> None:
        source = source_of_tree(tree)
        file = f"<tree {hash(source)}>"
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        answers: list[list[Any]] = []
        for proven in (False, True):
            namespace: dict[str, Any] = dict(globals())
            exec(compile(source, file, "exec"), namespace)
            app = app_of(namespace["last"])
            client = TestClient(init(app, proven_safe=True) if proven else app)
            found = []
            for is_odd in (False, True, False):
                odd.clear()
                odd.update({"attributes": ATTRIBUTES[change_to]} if is_odd else {})
                found.append(asked(client)[0])
            answers.append(found)
        assert answers[0] == answers[1]
        assert all(text.endswith(" False") for _, text in answers[0])

    check()
