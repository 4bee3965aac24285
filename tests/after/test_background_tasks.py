"""Background tasks: marked functions run on the event loop after the response, others do not."""

import functools
import importlib.util
from collections.abc import Callable
from typing import Annotated, Any

import anyio
import pytest
from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, Response
from fastapi.responses import JSONResponse
from starlette.background import BackgroundTask
from starlette.background import BackgroundTasks as StarletteBackgroundTasks

from fastapi_async_safe import async_safe, async_unsafe
from tests.support.serving import BACKENDS, Exchange, Init, Message, SameAsStock, exchange, here

# Each of these makes a task of one kind, which says to `told` on which thread it ran.
Kind = Callable[[list[int]], Any]


def a_function(told: list[int]) -> Any:
    def task() -> None:
        told.append(here())

    return task


def a_callable_instance(told: list[int]) -> Any:
    class Task:
        def __call__(self) -> None:
            told.append(here())

    return Task()


def a_partial(told: list[int]) -> Any:
    return functools.partial(lambda told, more=0: told.append(here() + more), told)


def a_class(told: list[int]) -> Any:
    class Task:
        def __init__(self) -> None:
            told.append(here())

    return Task


KINDS: list[Kind] = [a_function, a_callable_instance, a_partial, a_class]


def app_with(*tasks: Any, is_async: bool = True) -> FastAPI:
    """Make an application that adds these tasks in one of two kinds of endpoints."""
    app = FastAPI()

    async def awaited(background: BackgroundTasks) -> None:
        for task in tasks:
            background.add_task(task)

    def called(background: BackgroundTasks) -> None:
        for task in tasks:
            background.add_task(task)

    app.add_api_route("/", awaited if is_async else called)
    return app


@pytest.mark.accelerated
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("is_async", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_marked_runs_on_the_loop(
    kind: Kind, is_async: bool, backend: str, init: Init
) -> None:
    told: list[int] = []
    app = init(app_with(async_safe(kind(told)), is_async=is_async))
    for _ in range(2):
        assert exchange(app, backend=backend).error is None
    assert told == [here()] * 2


@pytest.mark.parametrize("mark", [lambda task: task, async_unsafe])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_marked_runs_in_the_pool(kind: Kind, mark: Any, init: Init) -> None:
    told: list[int] = []
    options = {"predicates": [lambda call: True]} if mark is async_unsafe else {}
    assert exchange(init(app_with(mark(kind(told))), **options)).error is None
    assert len(told) == 1
    assert here() not in told


@pytest.mark.accelerated
@pytest.mark.parametrize("kind", KINDS)
def test_a_predicate_is_asked_for_them(kind: Kind, init: Init) -> None:
    told: list[int] = []
    chosen, other = kind(told), kind(told)
    app = init(app_with(chosen, other), predicates=[lambda call: call is chosen])
    assert exchange(app).error is None
    assert [thread == here() for thread in told] == [True, False]


@pytest.mark.accelerated
@pytest.mark.declines
def test_where_a_predicate_fails_they_run_in_the_pool_and_it_is_said_once(
    init: Init, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[int] = []
    task = a_function(told)

    def fails(call: Any) -> bool:
        if call is task:
            raise LookupError("of the predicate")
        return False

    app = init(app_with(task), predicates=[fails])
    for _ in range(2):
        assert exchange(app).error is None
    assert len(told) == 2
    assert here() not in told
    (record,) = [record for record in caplog.records if record.name == "fastapi_async_safe"]
    assert repr(task) in record.getMessage()
    assert record.exc_info is not None
    assert str(record.exc_info[1]) == "of the predicate"


def test_an_app_that_was_not_initialised_runs_them_in_the_pool(init: Init) -> None:
    told: list[int] = []
    init(FastAPI(), predicates=[lambda call: True])
    assert exchange(app_with(async_safe(a_function(told)))).error is None
    assert len(told) == 1
    assert here() not in told


def test_outside_of_requests_they_run_in_the_pool(init: Init) -> None:
    told: list[int] = []
    init(FastAPI(), predicates=[lambda call: True])
    anyio.run(BackgroundTask(async_safe(a_function(told))))
    assert len(told) == 1
    assert here() not in told


@pytest.mark.accelerated
def test_tasks_of_a_response_do_too(init: Init) -> None:
    told: list[int] = []
    task = async_safe(a_function(told))

    def one() -> Response:
        return JSONResponse(1, background=BackgroundTask(task))

    async def two() -> Response:
        several = StarletteBackgroundTasks([BackgroundTask(task)])
        several.add_task(task)
        return JSONResponse(2, background=several)

    app = FastAPI()
    app.add_api_route("/one", one, response_model=None)
    app.add_api_route("/two", two, response_model=None)
    init(app)
    assert [exchange(app, path).body for path in ("/one", "/two")] == [b"1", b"2"]
    assert told == [here()] * 3


@pytest.mark.accelerated
def test_tasks_of_a_mounted_app_do_too(init: Init) -> None:
    told: list[int] = []
    app = FastAPI()
    app.mount("/mounted", app_with(async_safe(a_function(told))))
    assert exchange(init(app), "/mounted/").error is None
    assert told == [here()]


@pytest.mark.parametrize("mark", [async_safe, lambda task: task])
def test_they_run_in_order_and_after_the_response(mark: Any, init: Init) -> None:
    order: list[Any] = []

    def add(background: BackgroundTasks) -> None:
        background.add_task(mark(lambda: order.append("of a dependency")))

    def task(*arguments: Any, **keywords: Any) -> None:
        order.append((arguments, keywords))

    async def awaited(name: str) -> None:
        order.append(name)

    app = FastAPI()

    @app.get("/")
    async def endpoint(
        background: BackgroundTasks, nothing: Annotated[None, Depends(async_safe(add))]
    ) -> None:
        background.add_task(mark(task), 1, 2, key="value")
        background.add_task(awaited, "awaited")
        background.add_task(mark(functools.partial(task, 3)), 4)

    async def send(message: Message) -> None:
        order.append(message["type"])

    async def receive() -> Message:
        return {"type": "http.request"}

    anyio.run(init(app), Exchange().scope(), receive, send)
    assert order == [
        "http.response.start",
        "http.response.body",
        "of a dependency",
        ((1, 2), {"key": "value"}),
        "awaited",
        ((3, 4), {}),
    ]


@pytest.mark.parametrize(
    "scope", [{"fastapi": None}, {"fastapi": "text"}, {"app": 1}, {}], ids=repr
)
def test_they_run_where_a_scope_is_something_else(scope: Any, init: Init) -> None:
    async def run(scope: Any) -> None:
        await BackgroundTask(ran.append, scope)()

    init(APIRouter())
    ran: list[Any] = []
    anyio.run(run, scope)
    assert ran == [scope]


@pytest.mark.parametrize(
    "error", [LookupError("text"), StopIteration(1), StopAsyncIteration(1)], ids=repr
)
@pytest.mark.parametrize("mark", [async_safe, lambda task: task])
def test_what_they_raise_is_what_they_raise_on_stock(
    mark: Any, error: Exception, same_as_stock: SameAsStock
) -> None:
    ran: list[str] = []

    def raising() -> None:
        raise error

    def make_app() -> FastAPI:
        return app_with(
            mark(lambda: ran.append("before")), mark(raising), mark(lambda: ran.append("after"))
        )

    (answer,) = same_as_stock(make_app, Exchange())
    assert answer.status == 200
    assert answer.error is not None
    assert ran == ["before", "before"]


@pytest.mark.parametrize("mark", [async_safe, lambda task: task])
def test_a_coroutine_object_that_one_returns_is_dropped(mark: Any, init: Init) -> None:
    given: list[Any] = []

    async def coroutine() -> None: ...

    def task() -> Any:
        given.append(coroutine())
        return given[0]

    assert exchange(init(app_with(mark(task)))).error is None
    assert given[0].cr_frame is not None
    given[0].close()


@pytest.mark.skipif(
    importlib.util.find_spec("fastapi.telemetry") is None,
    reason="FastAPI's own telemetry came with 0.142",
)
def test_their_spans_are_those_of_stock(init: Init) -> None:
    from tests.support.telemetry import SpanRecorder

    @async_safe
    def task() -> None:
        from opentelemetry import trace

        trace.get_current_span().set_attribute("error.type", "seen")

    @async_safe
    def raising() -> None:
        raise LookupError

    def spans(init: Any) -> list[Any]:
        recorder = SpanRecorder()
        app = FastAPI(telemetry={"tracer_provider": recorder, "metrics": False, "logs": False})

        @app.get("/")
        async def endpoint(background: BackgroundTasks) -> None:
            background.add_task(task)
            background.add_task(raising)

        exchange(init(app))
        return recorder.described()

    expected = spans(lambda app: app)
    assert spans(init) == expected
    found = [(name, error) for name, _, _, error, _ in expected if "task" in name]
    assert found == [
        ("fastapi.background_task", "seen"),
        ("fastapi.background_task", "LookupError"),
    ]
