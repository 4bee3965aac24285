"""Tools that wait between dependencies and endpoint, and routes that several apps have."""

import asyncio
import functools
import json
from typing import Any

import anyio
import anyio.lowlevel
import fastapi.routing
import pytest
from fastapi import APIRouter, Depends, FastAPI, Response
from fastapi.responses import FileResponse, StreamingResponse

from fastapi_async_safe import async_safe
from tests.support.kinds import a_function, app_with_endpoint, is_on_loop, loop_thread, on_loop
from tests.support.serving import Init, exchange, here


@pytest.fixture
def waits_before_endpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a tool wait before each endpoint and before each response is validated."""
    for name in ("run_endpoint_function", "serialize_response"):
        monkeypatch.setattr(fastapi.routing, name, waiting(getattr(fastapi.routing, name)))


def waiting(function: Any) -> Any:
    @functools.wraps(function)
    async def waiter(**arguments: Any) -> Any:
        await anyio.sleep(0.001)
        return await function(**arguments)

    return waiter


async def asked_at_once(app: FastAPI, paths: list[str]) -> list[bool]:
    """Send a request to each path, all at once; whether each endpoint ran on the loop."""
    sent: list[bytes] = [b""] * len(paths)

    async def ask(number: int, path: str) -> None:
        scope = {
            "type": "http",
            "method": "GET",
            "path": path,
            "query_string": b"",
            "headers": [],
        }

        async def receive() -> dict[str, Any]:
            return {"type": "http.request"}

        async def send(message: Any) -> None:
            sent[number] += message.get("body", b"")

        await app(scope, receive, send)

    async with anyio.create_task_group() as group:
        for number, path in enumerate(paths):
            group.start_soon(ask, number, path)
    return [json.loads(each) for each in sent]


@pytest.mark.accelerated
def test_a_tool_that_waits_before_endpoints(init: Init, waits_before_endpoints: None) -> None:
    app = app_with_endpoint(a_function())
    for path in ("/first", "/second"):
        app.add_api_route(path, async_safe(a_function()), response_model=bool)
    accelerated = init(app)
    paths = ["/first", "/second", "/", "/second", "/first"] * 3

    async def check() -> None:
        for _ in range(3):
            answers = await asked_at_once(accelerated, paths)
            assert answers == [path != "/" for path in paths]

    asyncio.run(check())


@pytest.mark.accelerated
@pytest.mark.parametrize("waits", [True, False])
def test_one_route_in_two_applications(
    waits: bool, init: Init, request: pytest.FixtureRequest
) -> None:
    if waits:
        request.getfixturevalue("waits_before_endpoints")
    router = APIRouter(dependencies=[Depends(on_loop)])
    router.add_api_route("/", async_safe(a_function()), response_model=bool)
    accelerated, plain = FastAPI(), FastAPI()
    for app in (accelerated, plain):
        app.router.routes += router.routes
    init(accelerated)

    async def ask(app: FastAPI, answers: list[list[bool]]) -> None:
        answers.append(await asked_at_once(app, ["/"] * 3))

    async def check() -> None:
        for _ in range(3):
            given: list[list[bool]] = []
            expected: list[list[bool]] = []
            async with anyio.create_task_group() as group:
                group.start_soon(ask, plain, expected)
                group.start_soon(ask, accelerated, given)
            assert (given, expected) == ([[True] * 3], [[False] * 3])

    asyncio.run(check())


@pytest.mark.accelerated
def test_a_stream_after_a_response_that_is_kept(init: Init) -> None:
    app = app_with_endpoint(a_function())
    kept = FileResponse(__file__)

    @app.get("/kept")
    @async_safe
    def send_kept() -> Response:
        return kept

    accelerated = init(app)

    async def streams_after(scope: Any, receive: Any, send: Any) -> None:
        await accelerated(scope, receive, no_send)
        loop_thread.set(here())
        lines = (str(is_on_loop()) for _ in range(1))
        await StreamingResponse(lines)(scope, receive, send)

    async def no_send(message: Any) -> None:
        return None

    for _ in range(2):
        assert exchange(streams_after, "/kept").body == b"False"
