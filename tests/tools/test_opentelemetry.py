"""opentelemetry-instrumentation-fastapi wraps an application, or replaces the class `FastAPI`."""

from collections.abc import Iterator
from typing import Annotated, Any

import fastapi
import pytest
from fastapi import BackgroundTasks, Depends, FastAPI, WebSocket
from pydantic import BaseModel
from starlette.testclient import TestClient

from tests.tools.scene import Scene, check
from tests.tools.spans import Spans


class Answer(BaseModel):
    """What marked endpoints give."""

    limit: int


def one_application(scene: Scene) -> Any:
    """Instrument one application."""
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

    spans = Spans()
    app = FastAPI()
    _declare(scene, app)
    scene.install(
        app, lambda: FastAPIInstrumentor.instrument_app(app, tracer_provider=spans.provider)
    )
    return _serve(app, spans)


def every_application(scene: Scene) -> Any:
    """Instrument the class, from which the application is then made."""
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

    spans = Spans()
    if scene.order == "init_app first":
        scene.init(fastapi.FastAPI())
    FastAPIInstrumentor().instrument(tracer_provider=spans.provider)
    app = fastapi.FastAPI()
    _declare(scene, app)
    scene.init(app)
    return _serve(app, spans)


def application_of_the_class_before(scene: Scene) -> Any:
    """Instrument the class, and go on with an application of the class as it was before."""
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

    spans = Spans()
    original = fastapi.FastAPI
    app = original()
    _declare(scene, app)
    scene.install(app, lambda: FastAPIInstrumentor().instrument(tracer_provider=spans.provider))
    return _serve(app, spans)


def _declare(scene: Scene, app: Any) -> None:
    from opentelemetry import trace

    def current() -> str:
        return str(getattr(trace.get_current_span(), "name", None))

    @scene.marked
    class Page:
        def __init__(self, limit: int = 10) -> None:
            scene.visit("marked Page")
            self.limit, self.span = limit, current()

    @scene.marked
    def session() -> Iterator[str]:
        scene.visit("marked session")
        yield current()
        trace.get_current_span().add_event("session is closed")

    @scene.marked
    def failing() -> None:
        scene.visit("marked failing")
        trace.get_current_span().set_attribute("failing", True)
        raise ValueError("failed")

    def in_pool() -> str:
        scene.visit("in_pool")
        return current()

    @app.get("/items/{item}")
    async def items(
        item: int,
        page: Annotated[Page, Depends()],
        pool: Annotated[str, Depends(in_pool)],
        open_session: Annotated[str, Depends(session)],
    ) -> list[Any]:
        return [item, page.limit, page.span, pool, open_session]

    @app.get("/sync")
    def synchronous(page: Annotated[Page, Depends()]) -> list[Any]:
        return [page.limit, page.span]

    @app.get("/failing", dependencies=[Depends(failing)])
    async def fails() -> None: ...

    @scene.marked
    def task() -> None:
        scene.visit("marked task")
        trace.get_current_span().add_event("in the background")

    @app.get("/marked")
    @scene.marked
    def marked(page: Annotated[Page, Depends()], tasks: BackgroundTasks) -> Answer:
        scene.visit("marked endpoint")
        trace.get_current_span().add_event("in the endpoint")
        tasks.add_task(task)
        if page.limit == 0:
            raise ValueError("failed in the endpoint")
        return Answer(limit=page.limit if page.limit < 100 else "wrong")  # type: ignore[arg-type]

    @app.get("/streamed")
    @scene.marked
    def streamed(page: Annotated[Page, Depends()]) -> Iterator[Answer]:
        scene.visit("marked stream")
        for limit in range(page.limit):
            trace.get_current_span().add_event("in the stream")
            yield Answer(limit=limit)

    @app.websocket("/socket")
    async def socket(websocket: WebSocket, page: Annotated[Page, Depends()]) -> None:
        await websocket.accept()
        await websocket.send_json([page.limit, page.span])
        await websocket.close()


def _serve(app: Any, spans: Spans) -> Any:
    client = TestClient(app, raise_server_exceptions=False)
    answers: list[Any] = [
        [(answer := client.get(url)).status_code, answer.text]
        for url in (
            "/items/1?limit=5",
            "/items/one",
            "/sync?limit=2",
            "/failing",
            "/marked?limit=1",
            "/marked?limit=0",
            "/marked?limit=100",
            "/marked?limit=x",
            "/streamed?limit=3",
        )
    ]
    with client.websocket_connect("/socket?limit=3") as session:
        answers.append(session.receive_json())
    # Whether a listener hears of the disconnect before it is cancelled is a matter of the schedule.
    return {"answers": answers, "spans": spans.described("asgi.event.type")}


@pytest.mark.accelerated
@pytest.mark.parametrize(
    "played", [one_application, every_application, application_of_the_class_before]
)
def test_opentelemetry_sees_the_same(played: Any, variant: str, order: str) -> None:
    check(played, variant, order)
