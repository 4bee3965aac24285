"""Applications that run inline what is proven: no marks, the same answers, fewer trips.

NOTE: annotations are no strings here: FastAPI 0.115 does not know those of a class.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from types import FunctionType
from typing import Annotated, Any

import pydantic
import pytest
from fastapi import Body, Depends, FastAPI, HTTPException, Query, WebSocket
from fastapi.dependencies import utils
from fastapi.dependencies.utils import get_dependant
from fastapi.security import OAuth2PasswordBearer
from starlette.responses import StreamingResponse
from starlette.testclient import TestClient

from benchmarks.runs.thread_trips import counted_thread_trips
from fastapi_async_safe import async_safe, async_unsafe, init_app
from fastapi_async_safe._planning import proofs
from fastapi_async_safe._planning.planner import Planner
from tests.support.serving import Init


def hidden() -> int:
    """What nobody can prove."""
    time.sleep(0)
    return 1


def trips(client: TestClient, path: str, **options: Any) -> tuple[Any, int]:
    """Ask twice; give the second answer, and how many trips to the thread pool it took."""
    client.get(path, **options)
    with counted_thread_trips() as counted:
        answer = client.get(path, **options)
    return answer.json(), counted.count


def client_of(init: Init, app: FastAPI) -> TestClient:
    return TestClient(init(app, proven_safe=True))


@dataclass
class Page:
    skip: int = 0
    limit: Annotated[int, Query(le=100)] = 10


class Search:
    def __init__(self, q: str | None = None, *, page: Annotated[Page, Depends()]) -> None:
        self.q = q.strip().lower() if q is not None else None
        self.page = page


class Session:
    """Stands for one that waits."""


def session() -> Iterator[Session]:
    hidden()
    yield Session()


class Repository:
    def __init__(self, session: Annotated[Session, Depends(session)]) -> None:
        self.session = session


def user(session: Annotated[Session, Depends(session)]) -> str:
    hidden()
    return "rick"


class Service:
    def __init__(
        self, repository: Annotated[Repository, Depends()], user: Annotated[str, Depends(user)]
    ) -> None:
        self.repository = repository
        self.user = user


class Item(pydantic.BaseModel):
    name: str
    price: float | None = None


class CheckedItem(Item):
    @pydantic.field_validator("name")
    @classmethod
    def check(cls, name: str) -> str:
        hidden()
        return name


BEARER = OAuth2PasswordBearer("/token")


def current_user(token: Annotated[str, Depends(BEARER)]) -> dict[str, str]:
    if token == "":
        raise HTTPException(401, "who is it?")
    return {"token": token}


def test_the_example_of_the_readme_needs_no_mark(init: Init, variant: str) -> None:
    class Page:
        def __init__(self, skip: int = 0, limit: int = 100) -> None:
            self.skip = skip
            self.limit = limit

    app = FastAPI()

    @app.get("/items")
    async def read_items(page: Annotated[Page, Depends()]) -> dict[str, int]:
        return {"skip": page.skip, "limit": page.limit}

    expected = 1 if variant == "stock" else 0
    assert trips(client_of(init, app), "/items?skip=3") == ({"skip": 3, "limit": 100}, expected)


def test_nested_classes_and_functions_run_inline(init: Init, variant: str) -> None:
    app = FastAPI()

    @app.get("/")
    async def endpoint(search: Annotated[Search, Depends()]) -> dict[str, Any]:
        return {"q": search.q, "skip": search.page.skip}

    expected = 2 if variant == "stock" else 0
    assert trips(client_of(init, app), "/?q=%20A&skip=2") == ({"q": "a", "skip": 2}, expected)


def test_no_more_proofs_are_kept_than_may_be(
    init: Init, variant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proofs, "_KEPT", 1)
    app = FastAPI()

    @app.get("/")
    async def endpoint(
        search: Annotated[Search, Depends()], page: Annotated[Page, Depends()]
    ) -> int:
        return search.page.skip + page.skip

    client = client_of(init, app)
    expected = 2 if variant == "stock" else 0
    for _ in range(2):
        assert trips(client, "/?skip=2") == (4, expected)
    if variant != "stock":
        resolver = app._fastapi_async_safe_resolver  # type: ignore[attr-defined]
        assert len(resolver.proofs._kept) == 1


@pytest.mark.accelerated
def test_a_plan_that_rests_on_proofs_is_made_once(
    init: Init, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = FastAPI()
    made: list[Any] = []
    plan = Planner.plan

    def counted(planner: Planner, dependant: Any) -> Any:
        made.append(dependant)
        return plan(planner, dependant)

    monkeypatch.setattr(Planner, "plan", counted)

    @app.get("/")
    def endpoint(search: Annotated[Search, Depends()], page: Annotated[Page, Depends()]) -> int:
        return 1

    client = client_of(init, app)
    for _ in range(3):
        assert client.get("/").json() == 1
    assert len(made) == 1


def test_what_is_raised_is_the_same(init: Init) -> None:
    app = FastAPI()

    @app.get("/")
    async def endpoint(user: Annotated[dict[str, str], Depends(current_user)]) -> Any:
        return user

    client = client_of(init, app)
    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer x"}):
        client.get("/", headers=headers)
    assert client.get("/").status_code == 401
    assert client.get("/", headers={"Authorization": "Bearer x"}).json() == {"token": "x"}
    assert client.get("/", headers={"Authorization": "Bearer "}).json()["detail"] == "who is it?"


def test_what_is_not_proven_stays_in_the_pool(init: Init) -> None:
    app = FastAPI()

    @app.get("/")
    async def endpoint(value: Annotated[int, Depends(hidden)]) -> int:
        return value

    assert trips(client_of(init, app), "/") == (1, 1)


def test_a_mark_comes_first(init: Init) -> None:
    @async_unsafe
    class Marked(Page):
        pass

    app = FastAPI()

    @app.get("/")
    async def endpoint(page: Annotated[Marked, Depends()]) -> int:
        return page.skip

    assert trips(client_of(init, app), "/?skip=2") == (2, 1)


@pytest.mark.accelerated
def test_what_is_proven_does_not_end_a_trip(init: Init) -> None:
    app = FastAPI()

    @app.get("/")
    def endpoint(service: Annotated[Service, Depends()]) -> dict[str, str]:
        hidden()
        return {"user": service.user}

    def counted(**options: Any) -> int:
        found = trips(TestClient(init(app, **options)), "/")
        assert found[0] == {"user": "rick"}
        return found[1]

    assert counted(proven_safe=True) == counted(proven_safe=False)
    assert counted(proven_safe=True) < counted(all_classes_safe=True)


def test_a_def_endpoint_runs_inline_with_its_response(init: Init, variant: str) -> None:
    app = FastAPI()

    @app.get("/item", response_model=Item)
    def item(name: str = "x") -> Any:
        return {"name": name.upper(), "price": 1.5, "more": [1, 2]}

    @app.get("/plain")
    def plain(page: Annotated[Page, Depends()]) -> dict[str, int]:
        return {"a": 1, "b": 2}

    client = client_of(init, app)
    stock = variant == "stock"
    answer = {"name": "Y", "price": 1.5}
    assert trips(client, "/item?name=y") == (answer, 2 if stock else 0)
    assert trips(client, "/plain") == ({"a": 1, "b": 2}, 3 if stock else 0)


def test_a_response_with_code_in_it_is_validated_as_before(init: Init) -> None:
    app = FastAPI()

    @app.get("/item", response_model=CheckedItem)
    def item() -> Any:
        return {"name": "x"}

    answer, count = trips(client_of(init, app), "/item")
    assert answer == {"name": "x", "price": None}
    assert count >= 1


class MadeItem(pydantic.BaseModel):
    name: str

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        hidden()
        return super().__new__(cls)


class CopyingItem(pydantic.BaseModel):
    name: str
    more: Any = [object()]


class FactoryItem(pydantic.BaseModel):
    name: str
    more: Any = pydantic.Field(default_factory=hidden)


class InitItem(pydantic.BaseModel):
    name: str

    def __init__(self, **values: Any) -> None:
        hidden()
        super().__init__(**values)


class AfterItem(pydantic.BaseModel):
    name: str

    def model_post_init(self, context: Any) -> None:
        hidden()


@pytest.mark.parametrize("model", [MadeItem, InitItem, AfterItem, CopyingItem, FactoryItem])
def test_a_response_whose_model_has_code_is_validated_as_before(
    model: type[pydantic.BaseModel], init: Init
) -> None:
    app = FastAPI()

    @app.get("/item", response_model=model, response_model_exclude={"more"})
    def item(name: str = "pen") -> dict[str, Any]:
        return {"name": name}

    answer, count = trips(client_of(init, app), "/item")
    assert answer == {"name": "pen"}
    assert count >= 1


def test_an_object_that_others_made_is_validated_as_before(init: Init) -> None:
    app = FastAPI()

    class Slow:
        @property
        def name(self) -> str:
            hidden()
            return "x"

        price = None

    slow = Slow()

    def give() -> Any:
        return slow

    @app.get("/item", response_model=Item)
    def item(given: Annotated[Any, Depends(give)]) -> Any:
        return given

    answer, count = trips(client_of(init, app), "/item")
    assert answer == {"name": "x", "price": None}
    assert count >= 1


def test_a_stream_that_others_made_is_streamed_as_before(init: Init) -> None:
    app = FastAPI()

    def numbers() -> Iterator[bytes]:
        for _ in range(2):
            hidden()
            yield b"1"

    def give() -> Any:
        return StreamingResponse(numbers(), media_type="application/json")

    @app.get("/stream", response_model=None)
    def stream(given: Annotated[Any, Depends(give)]) -> Any:
        return given

    answer, count = trips(client_of(init, app), "/stream")
    assert answer == 11
    assert count >= 3


def test_a_change_sends_it_back_to_the_pool(
    init: Init, variant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = FastAPI()

    @app.get("/")
    async def endpoint(search: Annotated[Search, Depends()]) -> Any:
        return search.q

    client = client_of(init, app)
    stock = variant == "stock"
    assert trips(client, "/?q=A") == ("a", 2 if stock else 0)

    def slow(self: Any, name: str, value: Any) -> None:
        hidden()
        object.__setattr__(self, name, value)

    monkeypatch.setattr(Search, "__setattr__", slow, raising=False)
    assert trips(client, "/?q=A") == ("a", 2 if stock else 1)


@pytest.mark.declines  # what can be told of a mark ends there, too
def test_a_metaclass_that_fails_from_then_on_fails_no_request(init: Init) -> None:
    class Meta(type):
        pass

    class Made(metaclass=Meta):
        def __init__(self) -> None: ...

    def fail(cls: type, name: str) -> Any:
        # FastAPI asks for this one itself on CPython 3.11.
        raise (AttributeError if name == "__wrapped__" else KeyError)(name)

    app = FastAPI()

    @app.get("/")
    async def endpoint(made: Annotated[Made, Depends()]) -> int:
        return 1

    client = client_of(init, app)
    assert client.get("/").json() == 1
    Meta.__getattr__ = fail  # type: ignore[attr-defined]
    for _ in range(2):
        assert client.get("/").json() == 1


@pytest.mark.parametrize("is_planned_meanwhile", [False, True])
@pytest.mark.parametrize("function", ["request_params_to_args", "request_body_to_args"])
def test_what_a_tool_reads_may_be_anything(
    init: Init,
    variant: str,
    monkeypatch: pytest.MonkeyPatch,
    function: str,
    is_planned_meanwhile: bool,
) -> None:
    class Odd(int):
        def __eq__(self, other: object) -> bool:
            ran.append(threading.get_ident())
            return False

        __hash__ = int.__hash__

    ran: list[int] = []
    loop: list[int] = []

    def of_query(number: int = 1) -> bool:
        return number == 1

    def of_body(number: Annotated[int, Body(embed=True)]) -> bool:
        return number == 1

    async def where() -> None:
        loop[:] = [threading.get_ident()]

    def after() -> None: ...

    is_query = function == "request_params_to_args"
    app = FastAPI(dependencies=[Depends(where)])

    @app.post("/")
    async def read(
        same: Annotated[bool, Depends(of_query if is_query else of_body)],
        last: Annotated[None, Depends(after)],
    ) -> bool:
        return same

    original: Any = getattr(utils, function)

    def odd(found: Any) -> Any:
        return {name: Odd(value) for name, value in found[0].items()}, found[1]

    def query(*args: Any, **kwargs: Any) -> Any:
        return odd(original(*args, **kwargs))

    async def body(*args: Any, **kwargs: Any) -> Any:
        return odd(await original(*args, **kwargs))

    def replace(call: Any = None) -> bool:
        if call is None or (is_planned_meanwhile and call is after and not loop):
            monkeypatch.setattr(utils, function, query if is_query else body)
        return False

    client = TestClient(init(app, proven_safe=True, predicates=[replace]))
    for _ in range(2):
        assert is_planned_meanwhile or client.post("/", json={"number": 1}).json() is True
    if is_planned_meanwhile:
        client.post("/", json={"number": 1})
    replace()  # on stock nobody asks a predicate
    for _ in range(2):
        ran.clear()
        assert client.post("/", json={"number": 1}).json() is False
        assert len(ran) == 1
        assert ran != loop  # which is another one for each request
    monkeypatch.undo()
    with counted_thread_trips() as counted:
        assert client.post("/", json={"number": 1}).json() is True
    assert counted.count == (2 if variant == "stock" else 0)


def test_what_fails_on_its_way_to_a_thread_does_so(init: Init) -> None:
    app = FastAPI()

    def given(func: int = 1) -> int:  # `run_in_threadpool` has a parameter of that name
        return func

    @app.get("/")
    async def read(found: Annotated[int, Depends(given)]) -> int:
        return found

    client = client_of(init, app)
    with pytest.raises(TypeError, match="func"):
        client.get("/")


def test_an_override_is_no_instance_of_what_it_overrides(init: Init, variant: str) -> None:
    class Slow:
        @property
        def skip(self) -> int:
            return hidden()

        limit = 3

    def shown(page: Annotated[Page, Depends()]) -> dict[str, Any]:
        return {"skip": page.skip}

    app = FastAPI()

    @app.get("/")
    async def endpoint(given: Annotated[dict[str, Any], Depends(shown)]) -> Any:
        return given

    client = client_of(init, app)
    stock = variant == "stock"
    assert trips(client, "/?skip=4") == ({"skip": 4}, 2 if stock else 0)
    app.dependency_overrides[Page] = lambda: Slow()  # noqa: PLW0108  # proven itself, what it gives is not
    assert trips(client, "/") == ({"skip": 1}, 2 if stock else 1)
    app.dependency_overrides.clear()
    assert trips(client, "/?skip=4") == ({"skip": 4}, 2 if stock else 0)


def test_proofs_hold_for_websockets(init: Init) -> None:
    app = FastAPI()

    @app.websocket("/")
    async def endpoint(websocket: WebSocket, page: Annotated[Page, Depends()]) -> None:
        await websocket.accept()
        await websocket.send_json({"skip": page.skip})
        await websocket.close()

    client = client_of(init, app)
    with client.websocket_connect("/?skip=5") as connected:
        assert connected.receive_json() == {"skip": 5}


def test_what_was_proven_is_kept() -> None:
    def shown(page: Annotated[int, Query()] = 1, size: Annotated[int, Query(le=9)] = 1) -> int:
        return page + size

    kept = proofs.Proofs()
    once, again = (
        kept.proof_of(shown, proofs.arguments_of(get_dependant(path="/", call=shown), {}))
        for _ in range(2)
    )
    assert once is not None
    assert again is once


def sleeps() -> int:
    time.sleep(0)
    return 1


def sleeps_around() -> Iterator[int]:
    time.sleep(0)
    yield 1


def asked(init: Init, call: Callable[..., Any], caplog: pytest.LogCaptureFixture) -> list[str]:
    app = FastAPI()

    @app.get("/")
    async def endpoint(value: Annotated[Any, Depends(call)]) -> Any:
        return value

    client = TestClient(init(app))
    with caplog.at_level(logging.WARNING, "fastapi_async_safe.proof"):
        client.get("/")
        client.get("/")
    return [each.getMessage() for each in caplog.records if each.name == "fastapi_async_safe.proof"]


@pytest.mark.accelerated
@pytest.mark.parametrize("call", [sleeps, sleeps_around])
def test_a_marked_call_that_blocks_is_warned_of_once(
    call: FunctionType, init: Init, caplog: pytest.LogCaptureFixture
) -> None:
    (said,) = asked(init, async_safe(partial(call)), caplog)
    assert said.startswith(f"partial({__name__}.{call.__name__}) is marked async_safe, ")
    assert "`time.sleep`, which sleeps" in said
    assert f"{__file__}:{call.__code__.co_firstlineno + 1}" in said
    assert "async_unsafe" in said


@pytest.mark.accelerated
def test_a_marked_endpoint_that_blocks_is_warned_of(
    init: Init, caplog: pytest.LogCaptureFixture
) -> None:
    app = init(FastAPI())
    app.get("/")(async_safe(partial(sleeps)))
    with caplog.at_level(logging.WARNING, "fastapi_async_safe.proof"):
        TestClient(app).get("/")
    (said,) = caplog.messages
    assert said.startswith(f"partial({__name__}.sleeps) is marked async_safe, ")


@pytest.mark.accelerated
def test_the_warning_can_be_silenced_in_the_mark(
    init: Init, caplog: pytest.LogCaptureFixture
) -> None:
    assert asked(init, async_safe(blocks=False)(partial(sleeps)), caplog) == []


@pytest.mark.accelerated
def test_nothing_is_said_of_what_is_harmless(init: Init, caplog: pytest.LogCaptureFixture) -> None:
    assert asked(init, async_safe(partial(hidden)), caplog) != []
    caplog.clear()
    assert asked(init, async_safe(partial(current_user, token="x")), caplog) == []


@pytest.mark.parametrize("value", [None, 1, "yes"])
def test_anything_but_true_and_false_is_a_type_error(value: Any) -> None:
    with pytest.raises(TypeError, match="proven_safe must be True or False"):
        init_app(FastAPI(), proven_safe=value)


def test_blocks_is_given_alone() -> None:
    with pytest.raises(TypeError, match="blocks is given alone"):
        async_safe(hidden, blocks=False)  # type: ignore[call-overload]
