"""The application that tools for tracing are shown: every kind of what may run on the loop."""

from collections.abc import Callable, Iterator
from typing import Annotated, Any

from fastapi import BackgroundTasks, Depends, FastAPI, Header, HTTPException, WebSocket
from pydantic import BaseModel
from starlette.testclient import TestClient

from tests.tools.scene import Scene

# Tells the tool where the application is; what it gives is part of the answers.
Note = Callable[[str], Any]


class Body(BaseModel):
    """What is posted."""

    name: str


class Answer(BaseModel):
    """What marked endpoints give."""

    limit: int


def declare(app: FastAPI, scene: Scene, note: Note) -> None:
    """Declare the routes on `app`."""
    page = a_page(scene, note)
    declare_async_endpoints(app, scene, note, page)
    declare_sync_endpoints(app, scene, note, page)

    @app.get("/failing", dependencies=[Depends(a_failing_dependency(scene, note))])
    async def fails() -> None: ...

    @app.websocket("/socket")
    async def socket(websocket: WebSocket, given: Annotated[Any, Depends(page)]) -> None:
        await websocket.accept()
        await websocket.send_json([given.limit, given.noted, note("socket")])
        await websocket.close()


def a_page(scene: Scene, note: Note) -> Any:
    """Make a marked class with query parameters."""

    @scene.marked
    class Page:
        def __init__(self, limit: int = 10, q: str | None = None) -> None:
            scene.visit("marked Page")
            self.limit, self.q, self.noted = limit, q, note("page")

        def __repr__(self) -> str:
            return f"Page({self.limit}, {self.q})"

    return Page


def a_session(scene: Scene, note: Note) -> Any:
    """Make a marked `yield` dependency with a header."""

    @scene.marked
    def session(x_user: Annotated[str, Header()] = "nobody") -> Iterator[list[Any]]:
        scene.visit("marked session")
        yield [x_user, note("session")]
        scene.visit("marked session exit")
        note("end of the session")

    return session


def a_failing_dependency(scene: Scene, note: Note) -> Any:
    """Make a marked dependency that fails in one of two ways."""

    @scene.marked
    def failing(how: str) -> None:
        scene.visit("marked failing")
        note(how)
        if how == "http":
            raise HTTPException(418, "a teapot")
        raise ValueError(how)

    return failing


def declare_async_endpoints(app: FastAPI, scene: Scene, note: Note, page: Any) -> None:
    """Declare endpoints with dependencies of all kinds, a body and a task."""

    def in_pool(given: Annotated[Any, Depends(page)]) -> list[Any]:
        scene.visit("in_pool")
        return [given.limit, note("in the pool")]

    async def task() -> None:
        note("in an async task")

    @app.get("/items/{item}")
    async def items(
        item: int,
        given: Annotated[Any, Depends(page)],
        opened: Annotated[list[Any], Depends(a_session(scene, note))],
        pool: Annotated[list[Any], Depends(in_pool)],
        tasks: BackgroundTasks,
    ) -> list[Any]:
        tasks.add_task(task)
        return [item, given.limit, given.noted, note("endpoint"), opened, pool]

    @app.post("/body")
    async def body(body: Body, given: Annotated[Any, Depends(page)]) -> list[Any]:
        return [body.name, given.limit, note("endpoint with a body")]


def declare_sync_endpoints(app: FastAPI, scene: Scene, note: Note, page: Any) -> None:
    """Declare endpoints of `def`: one in the pool, marked ones with a task and a stream."""

    @app.get("/sync")
    def in_pool(given: Annotated[Any, Depends(page)]) -> list[Any]:
        return [given.limit, given.noted]

    @scene.marked
    def task() -> None:
        scene.visit("marked task")
        note("in the background")

    @app.get("/marked", response_model=Answer)
    @scene.marked
    def marked(given: Annotated[Any, Depends(page)], tasks: BackgroundTasks) -> Any:
        scene.visit("marked endpoint")
        note("in the endpoint")
        tasks.add_task(task)
        if given.limit == 0:
            raise ValueError("failed in the endpoint")
        return {"limit": given.limit if given.limit < 100 else "wrong"}

    @app.get("/streamed")
    @scene.marked
    def streamed(given: Annotated[Any, Depends(page)]) -> Iterator[Answer]:
        scene.visit("marked stream")
        for limit in range(given.limit):
            note("in the stream")
            yield Answer(limit=limit)


def answers(app: FastAPI) -> list[Any]:
    """Give the answers to requests of each kind, wrong ones too."""
    client = TestClient(app, raise_server_exceptions=False, headers={"x-user": "me"})
    given: list[Any] = [
        [(answer := client.request(method, url, json=body)).status_code, answer.text]
        for method, url, body in (
            ("GET", "/items/1?limit=5&q=x", None),
            ("GET", "/items/one?limit=many", None),
            ("GET", "/sync?limit=7", None),
            ("GET", "/sync?limit=none", None),
            ("POST", "/body?limit=2", {"name": "n"}),
            ("POST", "/body?limit=two", {"name": None}),
            ("GET", "/failing?how=http", None),
            ("GET", "/failing?how=really", None),
            ("GET", "/failing", None),
            ("GET", "/nowhere", None),
            ("GET", "/marked?limit=1", None),
            ("GET", "/marked?limit=0", None),
            ("GET", "/marked?limit=100", None),
            ("GET", "/marked?limit=x", None),
            ("GET", "/streamed?limit=3", None),
        )
    ]
    with client.websocket_connect("/socket?limit=3") as session:
        given.append(session.receive_json())
    return given
