"""logfire replaces functions of `fastapi.routing`, and keeps the ones it found."""

from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from fastapi import BackgroundTasks, Depends, FastAPI, Header, HTTPException, WebSocket
from pydantic import BaseModel
from starlette.testclient import TestClient

from tests.tools.scene import Scene, check, play
from tests.tools.spans import Spans

_VOLATILE = ("timestamp", "logfire.metrics", "logfire.pending_parent_id", "exception.fingerprint")


class Answer(BaseModel):
    """What marked endpoints give."""

    limit: int


def requests(scene: Scene) -> Any:
    """Serve all kinds of requests under logfire, with a span for arguments and endpoint."""
    return _play(scene, extra_spans=True)


def requests_without_extra_spans(scene: Scene) -> Any:
    """Serve them with nothing but the spans of requests."""
    return _play(scene, extra_spans=False)


def _play(scene: Scene, **options: Any) -> Any:
    import logfire

    spans = Spans()
    logfire.configure(
        send_to_logfire=False,
        console=False,
        metrics=False,
        additional_span_processors=[spans.processor],
    )
    app = FastAPI()

    @scene.marked
    class Page:
        def __init__(self, limit: int = 10, q: str | None = None) -> None:
            scene.visit("marked Page")
            self.limit, self.q = limit, q
            logfire.info("a page of {limit}", limit=limit)

        def __repr__(self) -> str:
            return f"Page({self.limit}, {self.q})"

    @scene.marked
    def session(x_user: Annotated[str, Header()] = "nobody") -> Iterator[str]:
        scene.visit("marked session")
        logfire.info("session of {user}", user=x_user)
        yield x_user
        scene.visit("marked session exit")
        logfire.info("end of the session")

    @scene.marked
    def failing(how: str) -> str:
        scene.visit("marked failing")
        if how == "http":
            raise HTTPException(418, "a teapot")
        raise ValueError(how)

    def in_pool(page: Annotated[Page, Depends()]) -> int:
        scene.visit("in_pool")
        with logfire.span("in the pool"):
            return page.limit

    Paged = Annotated[Page, Depends()]  # noqa: N806

    @app.get("/async/{item}")
    async def asynchronous(
        item: int,
        page: Paged,
        user: Annotated[str, Depends(session)],
        pool: Annotated[int, Depends(in_pool)],
    ) -> list[Any]:
        return [item, page.limit, user, pool]

    @app.get("/sync")
    def synchronous(page: Paged) -> int:
        return page.limit

    @app.get("/failing")
    async def fails(value: Annotated[str, Depends(failing)]) -> str:
        return value

    @scene.marked
    def task() -> None:
        scene.visit("marked task")
        logfire.info("in the background")

    @app.get("/marked")
    @scene.marked
    def marked(page: Annotated[Page, Depends()], tasks: BackgroundTasks) -> Answer:
        scene.visit("marked endpoint")
        logfire.info("in the endpoint")
        tasks.add_task(task)
        if page.limit == 0:
            raise ValueError("failed in the endpoint")
        return Answer(limit=page.limit if page.limit < 100 else "wrong")  # type: ignore[arg-type]

    @app.get("/streamed")
    @scene.marked
    def streamed(page: Annotated[Page, Depends()]) -> Iterator[Answer]:
        scene.visit("marked stream")
        for limit in range(page.limit):
            logfire.info("in the stream")
            yield Answer(limit=limit)

    @app.websocket("/socket")
    async def socket(websocket: WebSocket, page: Paged) -> None:
        await websocket.accept()
        await websocket.send_json(page.limit)
        await websocket.close()

    scene.install(app, lambda: logfire.instrument_fastapi(app, **options))
    client = TestClient(app, raise_server_exceptions=False)
    answers: list[Any] = [
        [(answer := client.get(url, headers={"x-user": "me"})).status_code, answer.text]
        for url in (
            "/async/1?limit=5&q=x",
            "/async/1?limit=many",
            "/sync?limit=7",
            "/sync?limit=none",
            "/failing?how=http",
            "/failing?how=really",
            "/failing",
            "/nowhere",
            "/marked?limit=1",
            "/marked?limit=0",
            "/marked?limit=100",
            "/marked?limit=x",
            "/streamed?limit=3",
        )
    ]
    with client.websocket_connect("/socket?limit=3") as session_:
        answers.append(session_.receive_json())
    logfire.force_flush()
    return {"answers": answers, "spans": spans.described(*_VOLATILE)}


@pytest.mark.accelerated
@pytest.mark.parametrize("played", [requests, requests_without_extra_spans])
def test_logfire_sees_the_same(played: Any, variant: str, order: str) -> None:
    check(played, variant, order)


def a_span_around_what_follows(scene: Scene) -> Any:
    """Open a span in a marked `yield` dependency."""
    import logfire

    spans = Spans()
    logfire.configure(
        send_to_logfire=False,
        console=False,
        metrics=False,
        additional_span_processors=[spans.processor],
    )
    app = FastAPI()

    @scene.marked
    def session() -> Iterator[None]:
        with logfire.span("session"):
            yield

    @app.get("/", dependencies=[Depends(session)])
    async def endpoint() -> None:
        logfire.info("in the endpoint")

    scene.install(app, lambda: logfire.instrument_fastapi(app))
    assert TestClient(app).get("/").status_code == 200
    logfire.force_flush()
    return {span["name"]: span["parent"] for span in spans.described()}


@pytest.mark.accelerated
def test_a_span_of_a_marked_dependency_is_around_the_endpoint(variant: str, order: str) -> None:
    # On stock its context is lost in the thread: a stack of spans as it should be is new.
    played = play(a_span_around_what_follows, variant, order)
    assert played.seen == {"in the endpoint": "session", "session": "GET /", "GET /": None}
