"""FastAPI's own telemetry: spans of operations, arguments and errors for processors, logs."""

import re
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from fastapi import BackgroundTasks, Depends, FastAPI, WebSocket
from fastapi.telemetry import get_telemetry_data
from opentelemetry import trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from pydantic import BaseModel
from starlette.testclient import TestClient

from tests.tools.scene import Scene, check
from tests.tools.spans import Spans


class Body(BaseModel):
    """What is posted."""

    name: str


class Answer(BaseModel):
    """What marked endpoints give."""

    limit: int


def all_of_it(scene: Scene) -> Any:
    """Serve requests with everything on."""
    spans, logs, metrics = Spans(), InMemoryLogRecordExporter(), InMemoryMetricReader()
    logger_provider = LoggerProvider()
    logger_provider.add_log_record_processor(SimpleLogRecordProcessor(logs))
    app = FastAPI(
        telemetry={
            "tracer_provider": spans.provider,
            "logger_provider": logger_provider,
            "meter_provider": MeterProvider(metric_readers=[metrics]),
        }
    )
    captured: list[Any] = []

    def capture(place: str) -> None:
        data = get_telemetry_data()
        assert data is not None
        captured.append([place, trace.get_current_span().name, data.body, data.values, data.errors])  # type: ignore[attr-defined]

    @scene.marked
    class Page:
        def __init__(self, limit: int = 10) -> None:
            scene.visit("marked Page")
            self.limit = limit
            capture("Page")

        def __repr__(self) -> str:
            return f"Page({self.limit})"

    @scene.marked
    def session() -> Iterator[str]:
        scene.visit("marked session")
        capture("session")
        yield "session"
        capture("session exit")

    @scene.marked
    def failing() -> None:
        scene.visit("marked failing")
        raise ValueError("failed")

    def in_pool(page: Annotated[Page, Depends()]) -> int:
        scene.visit("in_pool")
        return page.limit

    async def task() -> None:
        capture("task")

    def declare() -> None:
        @app.get("/items/{item}")
        async def items(
            item: int,
            limit: Annotated[int, Depends(in_pool)],
            opened: Annotated[str, Depends(session)],
            tasks: BackgroundTasks,
        ) -> list[Any]:
            tasks.add_task(task)
            capture("endpoint")
            return [item, limit, opened]

        @app.get("/sync")
        def synchronous(page: Annotated[Page, Depends()]) -> int:
            return page.limit

        @app.post("/body")
        async def body(given: Body, page: Annotated[Page, Depends()]) -> list[Any]:
            capture("endpoint")
            return [given.name, page.limit]

        @app.get("/failing", dependencies=[Depends(failing)])
        async def fails() -> None: ...

        @scene.marked
        def marked_task() -> None:
            scene.visit("marked task")
            capture("marked task")

        @app.get("/marked")
        @scene.marked
        def marked(page: Annotated[Page, Depends()], tasks: BackgroundTasks) -> Answer:
            scene.visit("marked endpoint")
            capture("marked endpoint")
            tasks.add_task(marked_task)
            if page.limit == 0:
                raise ValueError("failed in the endpoint")
            return Answer(limit=page.limit if page.limit < 100 else "wrong")  # type: ignore[arg-type]

        @app.get("/streamed")
        @scene.marked
        def streamed(page: Annotated[Page, Depends()]) -> Iterator[Answer]:
            scene.visit("marked stream")
            for limit in range(page.limit):
                capture("marked stream")
                yield Answer(limit=limit)

        @app.websocket("/socket")
        async def socket(websocket: WebSocket, page: Annotated[Page, Depends()]) -> None:
            await websocket.accept()
            await websocket.send_json(page.limit)
            await websocket.close()
            capture("socket")

    # There is nothing to install: what comes first is the routes or this package.
    scene.install(app, declare)
    client = TestClient(app, raise_server_exceptions=False)
    answers: list[Any] = [
        [(answer := client.request(method, url, json=body)).status_code, answer.text]
        for method, url, body in (
            ("GET", "/items/1?limit=5", None),
            ("GET", "/items/one?limit=five", None),
            ("GET", "/sync", None),
            ("POST", "/body?limit=2", {"name": "n"}),
            ("POST", "/body?limit=two", {"name": None}),
            ("GET", "/failing", None),
            ("GET", "/marked?limit=1", None),
            ("GET", "/marked?limit=0", None),
            ("GET", "/marked?limit=100", None),
            ("GET", "/marked?limit=x", None),
            ("GET", "/streamed?limit=3", None),
        )
    ]
    with client.websocket_connect("/socket?limit=3") as websocket:
        answers.append(websocket.receive_json())
    return {
        "answers": answers,
        "captured": re.sub(r" at 0x[0-9a-f]+", "", repr(captured)),
        "spans": spans.described(),
        "logs": [
            [
                record.log_record.event_name,
                record.log_record.body,
                {
                    key: value
                    for key, value in sorted((record.log_record.attributes or {}).items())
                    if key != "exception.stacktrace"
                },
            ]
            for record in logs.get_finished_logs()
        ],
        "metrics": _described(metrics.get_metrics_data()),
    }


def _described(data: Any) -> list[Any]:
    return [
        [
            metric.name,
            sorted(repr(sorted(point.attributes.items())) for point in metric.data.data_points),
        ]
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    ]


@pytest.mark.accelerated
def test_fastapis_telemetry_sees_the_same(variant: str, order: str) -> None:
    check(all_of_it, variant, order)
