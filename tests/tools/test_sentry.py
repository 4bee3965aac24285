"""sentry-sdk replaces `fastapi.routing.get_request_handler`, and wraps `def` endpoints."""

from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, BackgroundTasks, Cookie, Depends, FastAPI, HTTPException, WebSocket
from pydantic import BaseModel
from starlette.testclient import TestClient

from tests.tools.scene import Scene, check


def errors_and_transactions(scene: Scene) -> Any:
    """Serve requests with errors at every place, traced."""
    return _play(scene, traces_sample_rate=1.0)


def errors_alone(scene: Scene) -> Any:
    """Serve them untraced."""
    return _play(scene, transaction_style="endpoint")


def _play(scene: Scene, transaction_style: str = "url", **options: Any) -> Any:
    import sentry_sdk
    from sentry_sdk.integrations.fastapi import FastApiIntegration
    from sentry_sdk.integrations.starlette import StarletteIntegration

    sent: list[Any] = []

    class Transport(sentry_sdk.Transport):
        def capture_envelope(self, envelope: Any) -> None:
            sent.extend(item.payload.json for item in envelope.items)

    app = FastAPI()
    scene.install(
        app,
        lambda: sentry_sdk.init(
            dsn="https://key@sentry.invalid/1",
            transport=Transport(),
            send_default_pii=True,
            integrations=[
                StarletteIntegration(transaction_style=transaction_style),
                FastApiIntegration(transaction_style=transaction_style),
            ],
            **options,
        ),
    )
    _declare(scene, app)
    client = TestClient(app, raise_server_exceptions=False)
    client.cookies.set("user", "me")
    answers: list[Any] = [
        [(answer := client.request(method, url, json=body)).status_code, answer.text]
        for method, url, body in (
            ("GET", "/async/1?limit=5", None),
            ("GET", "/async/one", None),
            ("GET", "/sync?limit=7", None),
            ("GET", "/failing?how=dependency", None),
            ("GET", "/failing?how=http", None),
            ("GET", "/failing?how=exit", None),
            ("GET", "/failing?how=endpoint", None),
            ("POST", "/included/body?how=dependency", {"name": "n"}),
            ("POST", "/included/body?how=sync", {"name": "n"}),
            ("GET", "/included/marked?how=well", None),
            ("GET", "/included/marked?how=task", None),
            ("GET", "/included/marked?how=endpoint", None),
            ("GET", "/included/marked", None),
        )
    ]
    with client.websocket_connect("/socket?limit=3") as session:
        answers.append(session.receive_json())
    sentry_sdk.flush()
    return {"answers": answers, "sent": [_described(item) for item in sent]}


class Body(BaseModel):
    """What is posted."""

    name: str


def _declare(scene: Scene, app: FastAPI) -> None:
    import sentry_sdk

    @scene.marked
    class Page:
        def __init__(self, limit: int = 10) -> None:
            scene.visit("marked Page")
            sentry_sdk.add_breadcrumb(message=f"page of {limit}", category="test")
            with sentry_sdk.start_span(op="test", name="page"):
                self.limit = limit

    @scene.marked
    def session(how: str = "", user: Annotated[str, Cookie()] = "nobody") -> Iterator[str]:
        scene.visit("marked session")
        sentry_sdk.set_tag("user", user)
        yield how
        scene.visit("marked session exit")
        if how == "exit":
            raise ValueError("failed in the exit")

    @scene.marked
    def failing(how: Annotated[str, Depends(session)]) -> str:
        scene.visit("marked failing")
        if how == "http":
            raise HTTPException(500, "an error of the server")
        if how == "dependency":
            raise ValueError("failed in the dependency")
        return how

    def in_pool(page: Annotated[Page, Depends()]) -> int:
        scene.visit("in_pool")
        with sentry_sdk.start_span(op="test", name="in the pool"):
            return page.limit

    @app.get("/async/{item}")
    async def asynchronous(item: int, limit: Annotated[int, Depends(in_pool)]) -> list[int]:
        return [item, limit]

    @app.get("/sync")
    def synchronous(page: Annotated[Page, Depends()]) -> int:
        return page.limit

    @app.get("/failing")
    async def fails(how: Annotated[str, Depends(failing)]) -> str:
        if how == "endpoint":
            raise ValueError("failed in the endpoint")
        return how

    router = APIRouter(prefix="/included", dependencies=[Depends(session)])

    @router.post("/body")
    def body(given: Body, how: Annotated[str, Depends(failing)]) -> str:
        raise ValueError(f"failed in the def endpoint with {given.name}")

    def unmarked_task() -> None:
        scene.visit("unmarked_task")
        raise ValueError("failed in the background")

    @scene.marked
    def task() -> None:
        scene.visit("marked task")
        sentry_sdk.capture_message("in the background")

    @router.get("/marked")
    @scene.marked
    def marked(page: Annotated[Page, Depends()], tasks: BackgroundTasks, how: str) -> Body:
        scene.visit("marked endpoint")
        sentry_sdk.add_breadcrumb(message="endpoint", category="test")
        tasks.add_task(task)
        if how == "endpoint":
            raise ValueError("failed in the marked endpoint")
        if how == "task":
            tasks.add_task(unmarked_task)
        return Body(name=str(page.limit))

    app.include_router(router)

    @app.websocket("/socket")
    async def socket(websocket: WebSocket, page: Annotated[Page, Depends()]) -> None:
        await websocket.accept()
        await websocket.send_json(page.limit)
        await websocket.close()


def _described(item: dict[str, Any]) -> dict[str, Any]:
    trace = item.get("contexts", {}).get("trace", {})
    for identifying in ("sentry-trace", "baggage"):
        item.get("request", {}).get("headers", {}).pop(identifying, None)
    return {
        "type": item.get("type", "event"),
        "transaction": [item.get("transaction"), item.get("transaction_info")],
        "request": item.get("request"),
        "tags": item.get("tags"),
        "level": item.get("level"),
        "breadcrumbs": [
            [crumb["message"], crumb["category"]]
            for crumb in item.get("breadcrumbs", {}).get("values", [])
        ],
        "errors": [
            [
                error["type"],
                error["value"],
                error["mechanism"]["type"],
                error["mechanism"]["handled"],
                # The frames between are those of FastAPI and its thread pool.
                [frame["function"] for frame in error["stacktrace"]["frames"] if _is_ours(frame)],
            ]
            for error in item.get("exception", {}).get("values", [])
        ],
        "trace": [trace.get("op"), trace.get("status"), trace.get("origin")],
        "spans": [
            [span["op"], span["description"], span["origin"], span.get("status")]
            for span in item.get("spans", [])
        ],
    }


def _is_ours(frame: dict[str, Any]) -> bool:
    return bool(frame["module"] == __name__)


@pytest.mark.accelerated
@pytest.mark.parametrize("played", [errors_and_transactions, errors_alone])
def test_sentry_sees_the_same(played: Any, variant: str, order: str) -> None:
    check(played, variant, order)
