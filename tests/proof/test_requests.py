"""What a request, its application and their states are expected to be, and what may be there else.

NOTE: annotations are no strings here: FastAPI 0.115 does not know those of a class.
"""

from collections import UserDict
from collections.abc import Callable, MutableMapping
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, Request, WebSocket
from fastapi.routing import APIRoute
from starlette.datastructures import State
from starlette.requests import HTTPConnection
from starlette.testclient import TestClient

from benchmarks.runs.thread_trips import counted_thread_trips
from fastapi_async_safe._proof import guard_of, prove
from tests.support.serving import Init

ran: list[Any] = []  # what odd code was given


def kept_by_the_application(request: Request) -> Any:
    return request.app.state.kept


def kept_by_any(connection: HTTPConnection) -> Any:
    return connection.app.state.kept


def may_be_kept(request: Request) -> Any:
    return getattr(request.app.state, "other", "nothing")


def method_and_path(request: Request) -> str:
    return f"{request.method} {request.scope['path'].strip('/')}"


def by_name(request: Request) -> Any:
    return request.path_params.get("name", "nobody"), request["path"]


READERS = (kept_by_the_application, kept_by_any, may_be_kept, method_and_path, by_name)


def odd(*args: Any) -> Any:
    ran.append(args)


class OddState(State):
    def __getattr__(self, key: str) -> Any:
        odd()
        return super().__getattr__(key)


class OddApp(FastAPI):
    @property
    def state(self) -> Any:
        return odd(self) or vars(self)["state"]

    @state.setter
    def state(self, value: Any) -> None:
        vars(self)["state"] = value


class OddDict(dict[str, Any]):
    def __getitem__(self, key: str) -> Any:
        odd()
        return super().__getitem__(key)


class OddKey(str):
    def __eq__(self, other: object) -> bool:
        odd()
        return str(self) == other

    __hash__ = str.__hash__


class OddRequest(Request):
    @property
    def app(self) -> Any:
        odd()
        return super().app

    @property
    def method(self) -> str:
        odd()
        return super().method

    def __getitem__(self, key: str) -> Any:
        odd()
        return super().__getitem__(key)


class OddRoute(APIRoute):
    def get_route_handler(self) -> Callable[[Request], Any]:
        handler = super().get_route_handler()

        async def handle(request: Request) -> Any:
            return await handler(OddRequest(request.scope, request.receive))

        return handle


def app_of(call: Callable[..., Any], app: FastAPI | None = None) -> FastAPI:
    app = FastAPI() if app is None else app
    app.state.kept = "kept"

    @app.get("/items/{name}")
    async def read(result: Annotated[Any, Depends(call)]) -> str:
        return repr(result)

    return app


class Changed:
    """A middleware that changes the scope before the application sees it."""

    def __init__(self, app: Any, change: Callable[[MutableMapping[str, Any]], Any]) -> None:
        self.app = app
        self.change = change

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            scope = self.change(scope) or scope
        await self.app(scope, receive, send)


def asked(client: TestClient, path: str = "/items/ada") -> tuple[Any, int]:
    with counted_thread_trips() as counted:
        try:
            answer: Any = client.get(path)
        except Exception as error:
            return (type(error), str(error)), counted.count
    return (answer.status_code, answer.json()), counted.count


@pytest.mark.parametrize("call", READERS)
def test_it_runs_inline(init: Init, variant: str, call: Callable[..., Any]) -> None:
    stock = asked(TestClient(app_of(call)))[0]
    client = TestClient(init(app_of(call), proven_safe=True))
    asked(client)
    assert asked(client) == (stock, 1 if variant == "stock" else 0)


def of_state(state: Any) -> Callable[[FastAPI], Any]:
    def change(app: FastAPI) -> None:
        app.state = state

    return change


def with_state(content: Any) -> State:
    made = State()
    object.__setattr__(made, "_state", content)
    return made


def without_state() -> State:
    made = State()
    object.__delattr__(made, "_state")
    return made


def in_scope(key: str, value: Any) -> Callable[[FastAPI], Any]:
    def change(app: FastAPI) -> None:
        app.add_middleware(Changed, change=lambda scope: scope.update({key: value}))

    return change


def with_odd_scope(app: FastAPI) -> None:
    app.add_middleware(Changed, change=OddDict)


def full_scope(app: FastAPI) -> None:
    many = {str(number): number for number in range(64)}
    app.add_middleware(Changed, change=lambda scope: scope.update(many))


def with_odd_route(app: FastAPI) -> None:
    app.router.route_class = OddRoute


ODD: dict[str, Callable[[FastAPI], Any]] = {
    "a state of another class": of_state(OddState({"kept": 1})),
    "a state with another dict": of_state(with_state(OddDict(kept=1))),
    "a state with another mapping": of_state(with_state(UserDict(kept=1))),
    "a state with an odd key": of_state(with_state({OddKey("kept"): 1})),
    "a state with many keys": of_state(with_state({str(each): 1 for each in range(33)})),
    "no state": of_state(None),
    "an odd scope": with_odd_scope,
    "a large scope": full_scope,
    "an odd key in the scope": in_scope(OddKey("other"), 1),
}


@pytest.mark.parametrize("change", ODD.values(), ids=[name.replace(" ", "-") for name in ODD])
def test_anything_else_goes_to_the_pool(
    init: Init, variant: str, change: Callable[[FastAPI], Any]
) -> None:
    def changed() -> FastAPI:
        app = app_of(kept_by_the_application)
        change(app)
        return app

    stock = asked(TestClient(changed()))[0]
    client = TestClient(init(changed(), proven_safe=True))
    asked(client)
    answer, trips = asked(client)
    assert answer == stock
    assert trips == 1


@pytest.mark.parametrize("call", READERS)
def test_a_request_of_another_class_goes_to_the_pool(
    init: Init, variant: str, call: Callable[..., Any]
) -> None:
    def changed() -> FastAPI:
        app = FastAPI()
        app.router.route_class = OddRoute
        return app_of(call, app)

    stock = asked(TestClient(changed()))[0]
    client = TestClient(init(changed(), proven_safe=True))
    asked(client)
    assert asked(client) == (stock, 1)


def test_an_application_of_another_class_goes_to_the_pool(init: Init, variant: str) -> None:
    client = TestClient(init(app_of(kept_by_the_application, OddApp()), proven_safe=True))
    asked(client)
    assert asked(client) == ((200, "'kept'"), 1)


def test_what_is_missing_is_as_on_stock(init: Init) -> None:
    def changed() -> FastAPI:
        app = app_of(kept_by_the_application)
        del app.state.kept
        return app

    client = TestClient(init(changed(), proven_safe=True))
    asked(client)
    assert asked(client)[0] == asked(TestClient(changed()))[0]


def test_websockets_need_no_mark(init: Init, variant: str) -> None:
    app = FastAPI()
    app.state.kept = "kept"

    @app.websocket("/")
    async def talk(socket: WebSocket, result: Annotated[Any, Depends(kept_by_any)]) -> None:
        await socket.accept()
        await socket.send_text(result)
        await socket.close()

    client = TestClient(init(app, proven_safe=True))
    trips = []
    for _ in range(2):
        with counted_thread_trips() as counted, client.websocket_connect("/") as socket:
            assert socket.receive_text() == "kept"
        trips.append(counted.count)
    assert trips[-1] == (1 if variant == "stock" else 0)


@pytest.mark.parametrize(
    ("owner", "name", "value"),
    [
        (HTTPConnection, "app", property(odd)),
        (Request, "app", property(odd)),
        (Request, "scope", property(odd, odd)),
        (Request, "__getattribute__", odd),
        (State, "__getattr__", odd),
        (State, "kept", property(odd)),
        (State, "_state", property(odd)),
        (State, "__getattribute__", odd),
        (FastAPI, "state", property(odd, odd)),
        (FastAPI, "__getattr__", odd),
        (FastAPI, "__getattribute__", odd),
    ],
    ids=lambda each: each if isinstance(each, str) else getattr(each, "__name__", ""),
)
def test_what_is_patched_is_noticed(
    monkeypatch: pytest.MonkeyPatch, owner: type, name: str, value: Any
) -> None:
    proof = prove(kept_by_the_application)
    assert proof.holds
    assert proof.is_current()
    monkeypatch.setattr(owner, name, value, raising=False)
    current, anew = proof.is_current(), prove(kept_by_the_application)
    monkeypatch.undo()
    assert not current
    assert not anew.holds or name == "__getattr__"


@pytest.mark.parametrize("call", READERS)
def test_the_guard_is_of_requests(call: Callable[..., Any]) -> None:
    proof = prove(call)
    assert proof.holds, proof.reasons
    name = proof.expects[0].path[0]
    guard = guard_of(proof.expects, [name])
    assert guard is not None
    scope = {"type": "http", "method": "GET", "path": "/", "app": FastAPI(), "path_params": {}}
    assert guard(**{name: Request(scope)})
    others = [OddRequest(scope), Request(OddDict(scope)), Request({"type": "http"}), None, 1]
    ran.clear()
    assert not any(guard(**{name: each}) for each in others)
    assert not guard()
    assert not ran
