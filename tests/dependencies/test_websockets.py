"""Dependencies of WebSockets."""

from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from fastapi import (
    APIRouter,
    Cookie,
    Depends,
    FastAPI,
    Header,
    Query,
    Request,
    WebSocket,
    WebSocketException,
)
from fastapi.exceptions import WebSocketRequestValidationError
from starlette.websockets import WebSocketDisconnect

from fastapi_async_safe import async_safe
from tests.support.serving import BACKENDS, Serve


@async_safe
def everything(
    item: int,
    page: int,
    tags: Annotated[list[str], Query()],
    x_agent: Annotated[str, Header()],
    session: Annotated[str | None, Cookie()] = None,
) -> list[Any]:
    """A dependency with parameters of all sources."""
    return [item, page, tags, x_agent, session]


@pytest.mark.parametrize("backend", BACKENDS)
def test_parameters_come_from_the_handshake(backend: str, serve: Serve) -> None:
    app = FastAPI()

    @app.websocket("/{item}")
    async def endpoint(
        websocket: WebSocket, values: Annotated[list[Any], Depends(everything)]
    ) -> None:
        await websocket.accept()
        await websocket.send_json(values)
        await websocket.close()

    headers = {"x-agent": "Smith", "cookie": "session=abc"}
    client = serve(app, backend=backend)
    for _ in range(2):
        with client.websocket_connect("/7?page=2&tags=a&tags=b", headers=headers) as session:
            assert session.receive_json() == [7, 2, ["a", "b"], "Smith", "abc"]


def test_a_wrong_parameter_closes_the_connection(serve: Serve) -> None:
    app = FastAPI()
    errors: list[Any] = []

    @app.websocket("/{item}")
    async def endpoint(
        websocket: WebSocket, values: Annotated[list[Any], Depends(everything)]
    ) -> None: ...

    @app.exception_handler(WebSocketRequestValidationError)
    async def handler(websocket: WebSocket, error: WebSocketRequestValidationError) -> None:
        errors.extend(error.errors())
        await websocket.close(4000)

    with (
        pytest.raises(WebSocketDisconnect) as caught,
        serve(app).websocket_connect("/x?page=y"),
    ):
        pass
    assert caught.value.code == 4000
    assert [error["loc"] for error in errors] == [
        ("path", "item"),
        ("query", "page"),
        ("query", "tags"),
        ("header", "x-agent"),
    ]


def test_the_default_for_wrong_parameters_is_a_policy_violation(serve: Serve) -> None:
    app = FastAPI()

    @app.websocket("/{item}")
    async def endpoint(
        websocket: WebSocket, values: Annotated[list[Any], Depends(everything)]
    ) -> None: ...

    with pytest.raises(WebSocketDisconnect) as caught, serve(app).websocket_connect("/1"):
        pass
    assert caught.value.code == 1008


def test_a_dependency_may_refuse_the_connection(serve: Serve) -> None:
    @async_safe
    def refuse() -> None:
        raise WebSocketException(4001, "not you")

    app = FastAPI()

    @app.websocket("/")
    async def endpoint(websocket: WebSocket, nothing: Annotated[None, Depends(refuse)]) -> None: ...

    with pytest.raises(WebSocketDisconnect) as caught, serve(app).websocket_connect("/"):
        pass
    assert (caught.value.code, caught.value.reason) == (4001, "not you")


def test_a_dependency_gets_the_websocket_of_the_endpoint(serve: Serve) -> None:
    @async_safe
    def dependency(websocket: WebSocket) -> WebSocket:
        return websocket

    app = FastAPI()

    @app.websocket("/")
    async def endpoint(websocket: WebSocket, same: Annotated[Any, Depends(dependency)]) -> None:
        await websocket.accept()
        await websocket.send_json(same is websocket)
        await websocket.close()

    with serve(app).websocket_connect("/") as session:
        assert session.receive_json() is True


def test_a_dependency_that_wants_a_request_does_not_get_a_websocket(serve: Serve) -> None:
    @async_safe
    def dependency(request: Request) -> None: ...

    app = FastAPI()

    @app.websocket("/")
    async def endpoint(
        websocket: WebSocket, nothing: Annotated[None, Depends(dependency)]
    ) -> None: ...

    with pytest.raises(TypeError, match="request"), serve(app).websocket_connect("/"):
        pass


@pytest.mark.parametrize("as_marked", [True, False])
def test_contexts_exit_when_the_endpoint_is_done(as_marked: bool, serve: Serve) -> None:
    events = []

    def context() -> Iterator[str]:
        events.append("enter")
        yield "value"
        events.append("exit")

    app = FastAPI()

    @app.websocket("/")
    async def endpoint(
        websocket: WebSocket,
        value: Annotated[str, Depends(async_safe(context) if as_marked else context)],
    ) -> None:
        await websocket.accept()
        events.append(await websocket.receive_text())
        await websocket.close()

    with serve(app).websocket_connect("/") as session:
        session.send_text("message")
        with pytest.raises(WebSocketDisconnect):
            session.receive_text()
    assert events == ["enter", "message", "exit"]


@pytest.mark.parametrize("as_marked", [True, False])
def test_contexts_see_that_the_client_went_away(as_marked: bool, serve: Serve) -> None:
    events = []

    def context() -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            events.append(type(error).__name__)
            raise
        finally:
            events.append("exit")

    app = FastAPI()

    @app.websocket("/")
    async def endpoint(
        websocket: WebSocket,
        value: Annotated[None, Depends(async_safe(context) if as_marked else context)],
    ) -> None:
        await websocket.accept()
        await websocket.receive_text()

    client = serve(app)
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/") as session:
        session.close()
    assert events == ["WebSocketDisconnect", "exit"]


def test_routers_and_app_may_have_dependencies_for_websockets(serve: Serve) -> None:
    calls: list[str] = []

    def depends(name: str) -> Any:
        return Depends(async_safe(lambda: calls.append(name)))

    router = APIRouter(prefix="/in", dependencies=[depends("router")])

    @router.websocket("/socket", dependencies=[depends("route")])
    async def endpoint(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.close()

    app = FastAPI(dependencies=[depends("app")])
    app.include_router(router)
    with (
        serve(app).websocket_connect("/in/socket") as session,
        pytest.raises(WebSocketDisconnect),
    ):
        session.receive_text()
    assert calls == ["app", "router", "route"]
