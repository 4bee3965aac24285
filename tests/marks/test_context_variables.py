"""Context variables: what a marked dependency sets, the rest of the request sees."""

import contextvars
from collections.abc import Iterator
from typing import Annotated, Any

import anyio
import anyio.lowlevel
import pytest
from fastapi import BackgroundTasks, Depends, FastAPI, WebSocket
from starlette.testclient import TestClient

from fastapi_async_safe import async_safe
from tests.support.serving import BACKENDS, Exchange, Init, Serve

variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


def set_it(name: str = "set") -> None:
    """A dependency that sets the variable in the context of a thread."""
    variable.set(name)


def get_it() -> str:
    """A dependency that gets the variable in a thread."""
    return variable.get()


@async_safe
def get_inline() -> str:
    """A dependency that gets the variable in the context of the request."""
    return variable.get()


@async_safe
def set_inline(name: str = "set") -> None:
    """A dependency that sets the variable in the context of the request."""
    variable.set(name)


@pytest.mark.accelerated
@pytest.mark.parametrize("backend", BACKENDS)
def test_what_is_set_inline_is_seen_by_all_that_comes_after(backend: str, serve: Serve) -> None:
    async def get_async() -> str:
        return variable.get()

    app = FastAPI(dependencies=[Depends(set_inline)])

    @app.get("/")
    async def endpoint(
        pooled: Annotated[str, Depends(get_it)],
        inline: Annotated[str, Depends(get_inline)],
        awaited: Annotated[str, Depends(get_async)],
    ) -> list[str]:
        return [pooled, inline, awaited, variable.get()]

    assert serve(app, backend=backend).get("/").json() == ["set"] * 4


def test_what_is_set_in_the_pool_is_not(serve: Serve) -> None:
    app = FastAPI(dependencies=[Depends(set_it)])

    @app.get("/")
    async def endpoint(pooled: Annotated[str, Depends(get_it)]) -> list[str]:
        return [pooled, variable.get()]

    assert serve(app).get("/").json() == ["unset", "unset"]


def test_on_stock_a_mark_makes_no_difference() -> None:
    app = FastAPI(dependencies=[Depends(set_inline)])

    @app.get("/")
    async def endpoint() -> str:
        return variable.get()

    assert TestClient(app).get("/").json() == "unset"


@pytest.mark.accelerated
def test_what_is_set_inline_is_seen_by_a_def_endpoint_and_background_tasks(serve: Serve) -> None:
    seen: list[str] = []
    app = FastAPI(dependencies=[Depends(set_inline)])

    @app.get("/")
    def endpoint(tasks: BackgroundTasks) -> str:
        tasks.add_task(lambda: seen.append(variable.get()))
        return variable.get()

    assert serve(app).get("/").json() == "set"
    assert seen == ["set"]


@pytest.mark.accelerated
def test_what_a_context_sets_is_seen_until_it_is_reset_on_leaving(serve: Serve) -> None:
    seen: list[str] = []

    @async_safe
    def below() -> Iterator[None]:
        yield
        seen.append(variable.get())

    @async_safe
    def above(below: Annotated[None, Depends(below)]) -> Iterator[None]:
        token = variable.set("set")
        yield
        variable.reset(token)

    app = FastAPI()

    @app.get("/", dependencies=[Depends(above)])
    async def endpoint() -> str:
        return variable.get()

    assert serve(app).get("/").json() == "set"
    assert seen == ["unset"]


@pytest.mark.accelerated
def test_what_a_dependency_of_a_websocket_sets_is_seen_by_its_endpoint(serve: Serve) -> None:
    app = FastAPI()

    @app.websocket("/")
    async def endpoint(websocket: WebSocket, nothing: Annotated[Any, Depends(set_inline)]) -> None:
        await websocket.accept()
        await websocket.send_text(variable.get())
        await websocket.close()

    with serve(app).websocket_connect("/") as session:
        assert session.receive_text() == "set"


@pytest.mark.accelerated
@pytest.mark.parametrize("backend", BACKENDS)
def test_requests_at_the_same_time_do_not_see_each_others(backend: str, init: Init) -> None:
    arrived: list[str] = []
    app = init(FastAPI(dependencies=[Depends(set_inline)]))

    @app.get("/")
    async def endpoint(name: str) -> bool:
        arrived.append(name)
        while len(arrived) < 10:
            await anyio.lowlevel.checkpoint()
        return variable.get() == name

    answers: list[bytes] = []

    async def request(name: str) -> None:
        answers.append((await Exchange(query=f"name={name}".encode()).run(app)).body)

    async def all_at_once() -> None:
        async with anyio.create_task_group() as tasks:
            for number in range(10):
                tasks.start_soon(request, f"request-{number}")

    anyio.run(all_at_once, backend=backend)
    assert answers == [b"true"] * 10
    assert variable.get() == "unset"
