"""`dependency_overrides`: read for each request, and what stands in decides where it runs."""

from collections.abc import AsyncIterator, Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Self

import pytest
from fastapi import (
    APIRouter,
    BackgroundTasks,
    Depends,
    FastAPI,
    Header,
    Query,
    Response,
    Security,
    WebSocket,
)
from fastapi.security import SecurityScopes
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from starlette.testclient import TestClient

from fastapi_async_safe import async_safe
from fastapi_async_safe._fastapi.parameters import solved_alone
from tests.support.serving import (
    FASTAPI,
    Exchange,
    Init,
    SameAsStock,
    Serve,
    exchange,
    here,
    needs_dependency_scopes,
)


@async_safe
def marked() -> str:
    """A dependency that runs inline."""
    return "marked"


def unmarked() -> str:
    """A dependency that runs in the pool."""
    return "unmarked"


@async_safe
def both(a: Annotated[str, Depends(marked)], b: Annotated[str, Depends(unmarked)]) -> list[str]:
    """A dependency with dependencies."""
    return [a, b]


def constant(value: str) -> Any:
    """Make a dependency that gives the value."""
    return lambda: value


def make_app() -> FastAPI:
    """Make an application that tells the values of its dependencies."""
    app = FastAPI()

    @app.get("/")
    async def endpoint(value: Annotated[list[str], Depends(both)]) -> list[str]:
        return value

    return app


def test_without_overrides_nothing_is_overridden(serve: Serve) -> None:
    assert serve(make_app()).get("/").json() == ["marked", "unmarked"]


@pytest.mark.parametrize("dependency", [marked, unmarked])
def test_an_override_stands_in_at_any_depth(dependency: Any, serve: Serve) -> None:
    app = make_app()
    app.dependency_overrides[dependency] = lambda: "override"
    expected = ["override" if call is dependency else call.__name__ for call in (marked, unmarked)]
    client = serve(app)
    assert [client.get("/").json() for _ in range(2)] == [expected] * 2


def test_overrides_are_read_for_each_request(serve: Serve) -> None:
    app = make_app()
    client = serve(app)
    assert client.get("/").json() == ["marked", "unmarked"]
    app.dependency_overrides[marked] = lambda: "first"
    assert client.get("/").json() == ["first", "unmarked"]
    app.dependency_overrides[marked] = lambda: "second"
    assert client.get("/").json() == ["second", "unmarked"]
    app.dependency_overrides[unmarked] = async_safe(lambda: "third")
    assert client.get("/").json() == ["second", "third"]
    del app.dependency_overrides[marked]
    assert client.get("/").json() == ["marked", "third"]
    app.dependency_overrides.clear()
    assert client.get("/").json() == ["marked", "unmarked"]
    app.dependency_overrides = {marked: lambda: "fourth"}
    assert client.get("/").json() == ["fourth", "unmarked"]


def test_many_overrides_in_turn(serve: Serve) -> None:
    app = make_app()
    client = serve(app)
    for number in [*range(10), *range(10)]:
        app.dependency_overrides[unmarked] = constant(str(number))
        assert client.get("/").json() == ["marked", str(number)]


def test_an_override_may_have_other_parameters_and_dependencies(serve: Serve) -> None:
    def below(agent: Annotated[str, Header(alias="x-agent")]) -> str:
        return agent

    @async_safe
    def override(page: int, agent: Annotated[str, Depends(below)]) -> str:
        return f"{agent} on {page}"

    app = make_app()
    app.dependency_overrides[marked] = override
    client = serve(app)
    answer = client.get("/?page=3", headers={"x-agent": "Smith"})
    assert answer.json() == ["Smith on 3", "unmarked"]
    answer = client.get("/?page=x")
    assert answer.status_code == 422
    assert [error["loc"] for error in answer.json()["detail"]] == [
        ["header", "x-agent"],
        ["query", "page"],
    ]


def test_dependencies_of_an_override_can_be_overridden(serve: Serve) -> None:
    def first(value: Annotated[str, Depends(unmarked)]) -> str:
        return f"first of {value}"

    app = make_app()
    app.dependency_overrides = {marked: first, unmarked: lambda: "second"}
    assert serve(app).get("/").json() == ["first of second", "second"]


def test_an_override_that_is_overridden_itself_stays(serve: Serve) -> None:
    def first() -> str:
        return "first"

    app = make_app()
    app.dependency_overrides = {marked: first, first: lambda: "second"}
    assert serve(app).get("/").json() == ["first", "unmarked"]


def test_an_override_may_depend_on_what_it_stands_in_for(serve: Serve) -> None:
    def override(value: Annotated[str, Depends(unmarked)]) -> str:
        return f"instead of {value}"

    app = make_app()
    app.dependency_overrides[marked] = override
    assert serve(app).get("/").json() == ["instead of unmarked", "unmarked"]


@pytest.mark.accelerated
def test_the_mark_of_the_override_decides_where_it_runs(serve: Serve) -> None:
    threads: list[int] = []

    def pooled() -> str:
        threads.append(here())
        return "pooled"

    @async_safe
    def inline() -> str:
        threads.append(here())
        return "inline"

    app = FastAPI()

    @app.get("/")
    async def endpoint(value: Annotated[list[str], Depends(both)]) -> list[bool]:
        return [thread == here() for thread in threads]

    app.dependency_overrides = {marked: pooled, unmarked: inline}
    assert serve(app).get("/").json() == [False, True]


@pytest.mark.parametrize("as_marked", [True, False])
def test_an_override_may_be_of_another_kind(as_marked: bool, serve: Serve) -> None:
    events = []

    def context() -> Iterator[str]:
        events.append("enter")
        yield "context"
        events.append("exit")

    async def coroutine() -> str:
        return "coroutine"

    app = make_app()
    app.dependency_overrides = {
        marked: async_safe(context) if as_marked else context,
        unmarked: coroutine,
    }
    assert serve(app).get("/").json() == ["context", "coroutine"]
    assert events == ["enter", "exit"]


def test_places_of_one_dependency_share_the_value_of_its_override(serve: Serve) -> None:
    calls = []

    @async_safe
    def override() -> str:
        calls.append("override")
        return "override"

    app = FastAPI()

    @app.get("/")
    async def endpoint(
        a: Annotated[str, Depends(unmarked)],
        b: Annotated[str, Depends(unmarked)],
        c: Annotated[str, Depends(override)],
    ) -> None: ...

    app.dependency_overrides[unmarked] = override
    assert serve(app).get("/").status_code == 200
    # The cache goes by what was declared: once for both places of one, once for the other.
    assert calls == ["override", "override"]


def test_below_an_override_use_cache_is_kept(serve: Serve) -> None:
    calls = []

    def counted() -> int:
        calls.append("counted")
        return len(calls)

    app = FastAPI()

    @app.get("/")
    async def endpoint(
        a: Annotated[int, Depends(counted, use_cache=False)],
        b: Annotated[int, Depends(counted, use_cache=False)],
    ) -> list[int]:
        return [a, b]

    app.dependency_overrides[marked] = unmarked
    assert serve(app).get("/").json() == [1, 2]


def test_an_override_gets_the_security_scopes_of_the_declaration(serve: Serve) -> None:
    @async_safe
    def user(scopes: SecurityScopes) -> str:
        return "nobody"

    @async_safe
    def override(scopes: SecurityScopes) -> str:
        return scopes.scope_str

    app = FastAPI()

    @app.get("/")
    async def endpoint(
        a: Annotated[str, Security(user, scopes=["read", "write"])],
        b: Annotated[str, Security(user, scopes=["admin"])],
    ) -> list[str]:
        return [a, b]

    app.dependency_overrides[user] = override
    assert serve(app).get("/").json() == ["read write", "admin"]


@pytest.mark.accelerated  # to 0.121 FastAPI adds to them each time
def test_security_scopes_are_the_same_at_each_request_under_overrides(serve: Serve) -> None:
    @async_safe
    def inner(scopes: SecurityScopes) -> str:
        return scopes.scope_str

    @async_safe
    def outer(below: Annotated[str, Security(inner, scopes=["write"])]) -> str:
        return below

    app = FastAPI()

    @app.get("/")
    async def endpoint(given: Annotated[str, Security(outer, scopes=["read"])]) -> str:
        return given

    app.dependency_overrides[marked] = unmarked
    client = serve(app)
    first, second = (client.get("/").json() for _ in range(2))
    assert first == second
    assert first.startswith("read write")


@needs_dependency_scopes
def test_an_override_keeps_the_scope_of_the_declaration(serve: Serve) -> None:
    events = []

    @async_safe
    def session() -> Iterator[str]:
        yield "session"

    @async_safe
    def override() -> Iterator[str]:
        yield "override"
        events.append("exit")

    app = FastAPI()

    @app.middleware("http")
    async def middleware(request: Any, call_next: Any) -> Any:
        response = await call_next(request)
        events.append("response started")
        return response

    @app.get("/")
    async def endpoint(value: Annotated[str, Depends(session, scope="function")]) -> str:
        return value

    app.dependency_overrides[session] = override
    assert serve(app).get("/").json() == "override"
    assert events == ["exit", "response started"]


def test_dependencies_of_routers_and_of_the_app_are_overridden(serve: Serve) -> None:
    calls = []

    def override() -> None:
        calls.append("override")

    router = APIRouter(dependencies=[Depends(unmarked)])

    @router.get("/", dependencies=[Depends(marked)])
    async def endpoint() -> None: ...

    app = FastAPI()
    app.include_router(router)
    app.dependency_overrides = {marked: override, unmarked: override}
    client = serve(app)
    assert client.get("/").status_code == 200
    assert calls == ["override", "override"]


def test_what_a_websocket_depends_on_is_overridden(serve: Serve) -> None:
    app = FastAPI()

    @app.websocket("/")
    async def endpoint(websocket: WebSocket, value: Annotated[list[str], Depends(both)]) -> None:
        await websocket.accept()
        await websocket.send_json(value)
        await websocket.close()

    app.dependency_overrides[unmarked] = lambda: "override"
    with serve(app).websocket_connect("/") as session:
        assert session.receive_json() == ["marked", "override"]


class Layered(Mapping[Any, Any]):
    """A mapping that is no dict."""

    def __getitem__(self, call: Any) -> Any:
        if call is unmarked:
            return lambda: "layered"
        raise KeyError(call)

    def __iter__(self) -> Iterator[Any]:
        return iter([unmarked])

    def __len__(self) -> int:
        return 1


@pytest.mark.declines
@pytest.mark.parametrize(
    "overrides", [Layered(), MappingProxyType({unmarked: lambda: "layered"})], ids=["own", "proxy"]
)
def test_overrides_may_be_a_mapping_that_is_no_dict(overrides: Any, serve: Serve) -> None:
    app = make_app()
    app.dependency_overrides = overrides
    client = serve(app)
    assert [client.get("/").json() for _ in range(2)] == [["marked", "layered"]] * 2


@pytest.mark.declines
@pytest.mark.parametrize("gives", [0, 1, 9])
def test_overrides_with_a_memory_are_asked_as_often_as_on_stock(gives: int, init: Init) -> None:
    class Counting(dict[Any, Any]):
        def __init__(self) -> None:
            self.asked: list[str] = []

        def __len__(self) -> int:
            self.asked.append("len")
            return 1

        def get(self, call: Any, default: Any = None) -> Any:
            self.asked.append(call.__name__)
            return (lambda: "override") if len(self.asked) <= 2 * gives else default

    def answered(app: FastAPI) -> tuple[Any, list[str]]:
        overrides = app.dependency_overrides = Counting()
        client = TestClient(app, raise_server_exceptions=False)
        return [client.get("/").text for _ in range(2)], overrides.asked

    assert answered(init(make_app())) == answered(make_app())


@pytest.mark.declines
def test_overrides_that_change_what_they_give_are_asked_each_time(serve: Serve) -> None:
    class Changing(dict[Any, Any]):
        number = 0

        def __bool__(self) -> bool:
            return True

        def get(self, call: Any, default: Any = None) -> Any:
            number = self.number
            return (lambda: f"number {number}") if call is unmarked else default

    app = make_app()
    app.dependency_overrides = changing = Changing()
    client = serve(app)
    for changing.number in range(3):
        assert client.get("/").json() == ["marked", f"number {changing.number}"]


def test_a_provider_that_is_false_overrides_nothing(serve: Serve) -> None:
    class Provider:
        dependency_overrides = {unmarked: lambda: "override"}  # noqa: RUF012

        def __init__(self, truth: bool) -> None:
            self.truth = truth

        def __bool__(self) -> bool:
            return self.truth

    def served(truth: bool) -> TestClient:
        app = FastAPI()
        app.router.dependency_overrides_provider = Provider(truth)

        @app.get("/")
        async def endpoint(value: Annotated[list[str], Depends(both)]) -> list[str]:
            return value

        return serve(app)

    assert served(True).get("/").json() == ["marked", "override"]
    assert served(False).get("/").json() == ["marked", "unmarked"]


class Unready:
    """Has overrides, but does not give them."""

    @property
    def dependency_overrides(self) -> Any:
        raise LookupError("there is no request yet")


class Undecided:
    """Does not say whether it is there."""

    dependency_overrides: dict[Any, Any] = {}  # noqa: RUF012

    def __bool__(self) -> bool:
        raise LookupError("ask again later")


@pytest.mark.parametrize("provider", [object(), Unready(), Undecided()])
def test_a_provider_without_overrides_is_an_error_only_where_they_are_asked_for(
    provider: Any, same_as_stock: SameAsStock
) -> None:
    def make() -> FastAPI:
        app = FastAPI()
        app.router.dependency_overrides_provider = provider
        app.add_api_route("/without", lambda number: number)
        app.add_api_route("/with", lambda value: value, dependencies=[Depends(marked)])
        return app

    query = Exchange("/without", b"number=1"), Exchange("/with", b"value=1")
    without, having = same_as_stock(make, *query)
    if not (0, 157) <= FASTAPI < (0, 160):  # which always ask for them
        assert without.body == b'"1"'
    assert isinstance(having.error, (AttributeError, LookupError))


@pytest.mark.declines
def test_overrides_that_fail_do_so_when_fastapi_asks_for_them(same_as_stock: SameAsStock) -> None:
    class Repaired(dict[Any, Any]):
        is_broken = True

        def get(self, call: Any, default: Any = None) -> Any:
            if call is unmarked and self.is_broken:
                raise LookupError("broken")
            return default

    def make() -> FastAPI:
        app = FastAPI()
        app.dependency_overrides = overrides = Repaired({make: make})

        def repair(broken: bool) -> None:
            overrides.is_broken = broken

        @app.get("/", dependencies=[Depends(async_safe(repair))])
        async def endpoint(value: Annotated[str, Depends(unmarked)]) -> str:
            return value

        return app

    asked = [Exchange(query=b"broken=" + value) for value in (b"0", b"1", b"0", b"x")]
    assert same_as_stock(make, *asked)[0].status == 200


def test_a_provider_may_keep_its_overrides_for_itself(same_as_stock: SameAsStock) -> None:
    class Proxy:
        __slots__ = ("_app",)

        def __init__(self, app: FastAPI) -> None:
            self._app = app

        @property
        def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
            return vars(self._app)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._app, name)

    def make() -> FastAPI:
        app = make_app()
        app.router.dependency_overrides_provider = Proxy(app)
        return app

    assert same_as_stock(make, Exchange(), Exchange())[1].body == b'["marked","unmarked"]'


def test_overrides_of_one_app_are_nothing_to_another(init: Init) -> None:
    first, second = init(make_app()), init(make_app())
    first.dependency_overrides[unmarked] = lambda: "override"
    assert TestClient(first).get("/").json() == ["marked", "override"]
    assert TestClient(second).get("/").json() == ["marked", "unmarked"]


def test_a_mounted_app_has_overrides_of_its_own(serve: Serve) -> None:
    app, mounted = make_app(), make_app()
    app.mount("/mounted", mounted)
    app.dependency_overrides[unmarked] = lambda: "override"
    client = serve(app)
    assert client.get("/").json() == ["marked", "override"]
    assert client.get("/mounted/").json() == ["marked", "unmarked"]


def test_an_override_of_something_else_changes_nothing(serve: Serve) -> None:
    app = make_app()
    app.dependency_overrides[test_without_overrides_nothing_is_overridden] = unmarked
    client = serve(app)
    assert [client.get("/").json() for _ in range(2)] == [["marked", "unmarked"]] * 2


def test_an_override_by_a_class_is_constructed(serve: Serve) -> None:
    @async_safe
    class Stub(str):
        def __new__(cls, text: str = "stub") -> Self:
            return super().__new__(cls, text)

    app = make_app()
    app.dependency_overrides[marked] = Stub
    client = serve(app)
    assert client.get("/").json() == ["stub", "unmarked"]
    assert client.get("/?text=other").json() == ["other", "unmarked"]


def test_an_endpoint_is_never_overridden(serve: Serve) -> None:
    app = FastAPI()

    @app.get("/")
    async def endpoint(value: Annotated[str, Depends(marked)]) -> str:
        return value

    app.dependency_overrides[endpoint] = unmarked
    assert serve(app).get("/").json() == "marked"


# ---- overrides that change while a request is being resolved ------------------------------------


class Changing:
    """An application some of whose dependencies change its overrides when they are called."""

    def __init__(self, changes: Mapping[str, str]) -> None:
        self.app = FastAPI()
        self.trace: list[str] = []
        self._changes = changes
        first, second, third = self._leaf("first"), self._leaf("second"), self._leaf("third")

        async def middle(
            a: Annotated[str, Depends(first)], b: Annotated[str, Depends(second)]
        ) -> str:
            return self._called("middle", a, b)

        def opened(c: Annotated[str, Depends(third)]) -> Iterator[str]:
            yield self._called("opened", c)
            self.trace.append("opened exits")

        @async_safe
        def last(
            tasks: BackgroundTasks,
            response: Response,
            again: Annotated[str, Depends(second, use_cache=False)],
            opened: Annotated[str, Depends(opened)],
        ) -> str:
            tasks.add_task(self.trace.append, "task of last")
            response.headers.append("x-last", str(len(self.trace)))
            return self._called("last", again, opened)

        @self.app.get("/", dependencies=[Depends(third)])
        async def endpoint(
            one: Annotated[str, Depends(middle)],
            two: Annotated[str, Depends(first)],
            three: Annotated[str, Depends(last)],
            four: Annotated[str, Depends(middle)],
        ) -> list[list[str]]:
            return [self.trace.copy(), [one, two, three, four]]

        self._targets = {"first": first, "second": second, "third": third, "middle": middle}
        self._targets |= {"opened": opened, "last": last}

    def _leaf(self, name: str) -> Any:
        @async_safe
        def leaf() -> str:
            return self._called(name)

        return leaf

    def _called(self, name: str, *arguments: str) -> str:
        self.trace.append(f"{name}({', '.join(arguments)})")
        match self._changes.get(name, "").split():
            case ["clear"]:
                self.app.dependency_overrides.clear()
            case ["new", target, stand_in]:
                self.app.dependency_overrides = {self._targets[target]: self._stand_in(stand_in)}
            case [target, stand_in]:
                self.app.dependency_overrides[self._targets[target]] = self._stand_in(stand_in)
        return name.upper()

    def _stand_in(self, kind: str) -> Any:
        def plain() -> str:
            return self._called("plain")

        @async_safe
        def fed(
            tasks: BackgroundTasks,
            response: Response,
            third: Annotated[str, Depends(self._targets["third"])],
        ) -> str:
            tasks.add_task(self.trace.append, "task of fed")
            response.headers.append("x-fed", str(len(self.trace)))
            return self._called("fed", third)

        async def opened() -> AsyncIterator[str]:
            yield self._called("open")
            self.trace.append("open exits")

        async def checked(number: int) -> str:
            return self._called("checked", str(number))

        return {"plain": plain, "fed": fed, "opened": opened, "checked": checked}[kind]


NAMES = ["first", "second", "third", "middle", "opened", "last"]
CHANGES = ["clear", "first fed", "second plain", "second opened", "third checked", "new last fed"]
CHANGES += ["new middle plain", "middle opened", "opened fed", "new first checked", "last plain"]


def answers_with(changes: Mapping[str, str], init: Init | None) -> list[Any]:
    """Make requests to an application, without `init` on stock, and give all that they showed."""
    made = Changing(changes)
    app = made.app if init is None else init(made.app)
    shown = [exchange(app, query=b"number=" + number).shown() for number in (b"1", b"x", b"2")]
    return [*shown, made.trace]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", ["first", "third", "middle"])
def test_an_override_counts_from_the_moment_it_is_there(name: str, change: str, init: Init) -> None:
    changes = {name: change, "plain": "first fed"}
    assert answers_with(changes, init) == answers_with(changes, None)


@pytest.mark.slow
@given(
    st.dictionaries(st.sampled_from([*NAMES, "plain", "fed"]), st.sampled_from(CHANGES), min_size=1)
)
@settings(max_examples=60)
def test_each_override_counts_from_the_moment_it_is_there(
    init: Init, changes: dict[str, str]
) -> None:
    assert answers_with(changes, init) == answers_with(changes, None)


@pytest.mark.accelerated
def test_the_mark_of_an_override_decides_in_the_middle_of_a_request(serve: Serve) -> None:
    app = FastAPI()

    @async_safe
    def stand_in() -> int:
        return here()

    async def change() -> None:
        app.dependency_overrides[unmarked] = stand_in

    @app.get("/")
    async def endpoint(
        changed: Annotated[None, Depends(change)], thread: Annotated[int, Depends(unmarked)]
    ) -> bool:
        return thread == here()

    assert serve(app).get("/").json() is True


def test_models_know_the_other_parameters_after_overrides_changed(
    same_as_stock: SameAsStock,
) -> None:
    class Strict(BaseModel):
        model_config = {"extra": "forbid"}
        number: int = 1

    def make() -> FastAPI:
        app = FastAPI()

        async def change() -> None:
            app.dependency_overrides[unmarked] = lambda: "override"

        @app.get("/", dependencies=[Depends(change)])
        async def endpoint(
            value: Annotated[str, Depends(unmarked)],
            model: Annotated[Strict, Query()],
            other: int = 3,
        ) -> list[Any]:
            return [value, model.number, other]

        return app

    same_as_stock(
        make, *(Exchange(query=b"number=2" + more) for more in (b"", b"&other=4", b"&x="))
    )


def test_a_provider_may_become_true_in_the_middle_of_a_request(serve: Serve) -> None:
    class Provider:
        dependency_overrides = {unmarked: lambda: "override"}  # noqa: RUF012
        truth = False

        def __bool__(self) -> bool:
            return self.truth

    provider = Provider()
    app = FastAPI()
    app.router.dependency_overrides_provider = provider

    async def change() -> None:
        provider.truth = True

    @app.get("/", dependencies=[Depends(change)])
    async def endpoint(value: Annotated[str, Depends(unmarked)]) -> str:
        return value

    assert serve(app).get("/").json() == "override"


@pytest.mark.accelerated
def test_what_is_solved_by_itself_under_other_overrides_is_forgotten(init: Init) -> None:
    app = FastAPI()

    def replace() -> None:
        app.dependency_overrides[number] = lambda: 2

    def number() -> int:
        return 1

    @app.get("/")
    async def endpoint(
        replaced: Annotated[None, Depends(replace)], number: Annotated[int, Depends(number)]
    ) -> int:
        return number

    assert exchange(init(app)).body == b"2"
    assert solved_alone == set()


@pytest.mark.declines
def test_overrides_that_a_class_gets_while_it_is_asked_for_them_count(serve: Serve) -> None:
    """What asks a class whether it is plain runs code of its metaclass, and may change it."""

    class Asked(type):
        is_armed = False

        def __getattr__(cls, name: str) -> Any:
            if name == "__len__" and Asked.is_armed and "dependency_overrides" not in vars(cls):
                cls.dependency_overrides = property(
                    lambda app: {unmarked: lambda: "override"}, lambda app, value: None
                )
                assert cls.openapi is FastAPI.openapi  # the interpreter remembers it from now on
            raise AttributeError(name)

    class App(FastAPI, metaclass=Asked):
        pass

    app = App()

    @app.get("/")
    async def endpoint(value: Annotated[list[str], Depends(both)]) -> list[str]:
        return value

    client = serve(app)
    Asked.is_armed = True
    client.get("/")
    hasattr(App, "__len__")  # stock does not ask
    for _ in range(2):
        assert client.get("/").json() == ["marked", "override"]


class Plugins(FastAPI):
    """An application with a length."""

    def __len__(self) -> int:
        return 1


@pytest.mark.accelerated
@pytest.mark.declines
def test_it_is_said_what_of_an_application_asks_for_overrides(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    app = Plugins()

    @app.get("/")
    async def endpoint(value: Annotated[list[str], Depends(both)]) -> list[str]:
        return value

    assert serve(app).get("/").json() == ["marked", "unmarked"]
    assert "Plugins has a __bool__, __len__, __getattribute__" in caplog.text
