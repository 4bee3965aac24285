"""What marked endpoints share: context variables, loop, thread, limits, spans."""

import asyncio
import contextvars
import importlib.util
import threading
from collections.abc import Iterator
from typing import Annotated, Any

import anyio
import anyio.lowlevel
import pytest
from fastapi import BackgroundTasks, Depends, FastAPI

from fastapi_async_safe import async_safe
from tests.support.endpoints import Item, OwnError
from tests.support.kinds import app_with_endpoint
from tests.support.serving import BACKENDS, Exchange, Init, exchange, needs_concurrency_limits

# ---- telemetry --------------------------------------------------------------------------------


@pytest.mark.skipif(
    importlib.util.find_spec("fastapi.telemetry") is None,
    reason="FastAPI's own telemetry came with 0.142",
)
def test_its_spans_are_those_of_stock(init: Init) -> None:
    from tests.support.telemetry import SpanRecorder

    @async_safe
    def endpoint(number: int) -> dict[str, int]:
        from opentelemetry import trace

        trace.get_current_span().set_attribute("error.type", f"number {number}")
        return {"number": number}

    @async_safe
    def raising() -> None:
        raise OwnError

    def spans(init: Any) -> list[Any]:
        recorder = SpanRecorder()
        app = FastAPI(telemetry={"tracer_provider": recorder, "metrics": False, "logs": False})
        app.add_api_route("/", endpoint, response_model=Item)
        app.add_api_route("/raising", raising)
        init(app)
        exchange(app, query=b"number=1")
        exchange(app, query=b"number=x")
        exchange(app, "/raising")
        return recorder.described()

    expected = spans(lambda app: app)
    assert spans(init) == expected
    names = [(name, parent) for name, parent, *_ in expected]
    assert names.count(("fastapi.endpoint", "GET /")) == 1
    assert ("fastapi.endpoint", "GET /raising") in names


# ---- context and loop -------------------------------------------------------------------------


variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


@pytest.mark.accelerated
@pytest.mark.parametrize("backend", BACKENDS)
def test_what_it_sets_is_seen_by_exits_and_background_tasks(backend: str, init: Init) -> None:
    seen: list[tuple[str, str]] = []

    @async_safe
    def context() -> Iterator[None]:
        variable.set("by context")
        yield
        seen.append(("exit", variable.get()))

    async def task() -> None:
        seen.append(("task", variable.get()))

    @async_safe
    def endpoint(tasks: BackgroundTasks) -> str:
        before = variable.get()
        variable.set("by endpoint")
        for each in (task, async_safe(lambda: seen.append(("inline", variable.get())))):
            tasks.add_task(each)
        return before

    app = init(FastAPI())
    app.add_api_route("/", endpoint, dependencies=[Depends(context)])
    assert exchange(app, backend=backend).body == b'"by context"'
    assert sorted(seen) == [(name, "by endpoint") for name in ("exit", "inline", "task")]


@pytest.mark.accelerated
def test_it_may_use_the_running_loop(init: Init) -> None:
    @async_safe
    class Client:
        def __init__(self) -> None:
            self.loop = asyncio.get_running_loop()
            self.ready = self.loop.create_future()

    @async_safe
    def endpoint(client: Annotated[Client, Depends()]) -> bool:
        client.ready.set_result(None)
        return client.loop is asyncio.get_running_loop()

    assert exchange(init(app_with_endpoint(endpoint))).body == b"true"


@pytest.mark.accelerated
def test_it_shares_its_thread_with_its_contexts(init: Init) -> None:
    local = threading.local()

    @async_safe
    def context() -> Iterator[None]:
        local.value = "value"
        yield
        seen.append(local.value)

    seen: list[str] = []

    @async_safe
    def endpoint() -> str:
        return str(local.value)

    app = init(FastAPI())
    app.add_api_route("/", endpoint, dependencies=[Depends(context)])
    assert exchange(app).body == b'"value"'
    assert seen == ["value"]


@pytest.mark.accelerated
def test_requests_at_the_same_time_do_not_get_each_others_responses(init: Init) -> None:
    async def waiting(number: int) -> int:
        for _ in range(number % 3):
            await anyio.lowlevel.checkpoint()
        return number

    @async_safe
    def endpoint(number: Annotated[int, Depends(waiting)]) -> dict[str, int]:
        return {"number": number}

    app = init(app_with_endpoint(endpoint, response_model=Item))
    bodies: dict[int, bytes] = {}

    async def request(number: int) -> None:
        bodies[number] = (await Exchange(query=f"number={number}".encode()).run(app)).body

    async def all_at_once() -> None:
        async with anyio.create_task_group() as tasks:
            for number in range(20):
                tasks.start_soon(request, number)

    anyio.run(all_at_once)
    assert bodies == {n: f'{{"number":{n},"name":null}}'.encode() for n in range(20)}


# ---- limits -----------------------------------------------------------------------------------


@needs_concurrency_limits
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("is_marked", [True, False])
def test_a_limit_holds_from_entry_to_exit_around_it(
    is_marked: bool, backend: str, init: Init
) -> None:
    order: list[str] = []

    def context(number: int) -> Iterator[int]:
        order.append(f"enter {number}")
        yield number
        order.append(f"exit {number}")

    def endpoint(number: Annotated[int, Depends(context, max_concurrency=1)]) -> int:
        order.append(f"endpoint {number}")
        return number

    if is_marked:
        async_safe(context)
        async_safe(endpoint)
    app = init(FastAPI())
    app.add_api_route("/", endpoint)

    async def all_at_once() -> None:
        async with anyio.create_task_group() as tasks:
            for number in range(4):
                tasks.start_soon(Exchange(query=f"number={number}".encode()).run, app)

    anyio.run(all_at_once, backend=backend)
    entered = [each.split()[1] for each in order[::3]]
    assert sorted(entered) == ["0", "1", "2", "3"]
    assert order == [f"{step} {n}" for n in entered for step in ("enter", "endpoint", "exit")]
