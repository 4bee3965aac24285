"""`def` endpoints: marked ones run on the event loop, with the validation of their response."""

import asyncio
import contextvars
import functools
import importlib.util
import json
import threading
from collections.abc import Callable, Iterator
from typing import Annotated, Any, TypeAlias

import anyio
import anyio.lowlevel
import fastapi.routing
import pytest
from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, HTTPException, Request, Response
from fastapi.exceptions import ResponseValidationError
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse, StreamingResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, field_serializer, field_validator
from starlette.testclient import TestClient

from fastapi_async_safe import async_safe, async_unsafe
from tests.support.serving import (
    BACKENDS,
    Exchange,
    Init,
    SameAsStock,
    Serve,
    exchange,
    here,
    needs_concurrency_limits,
)

# Each of these makes a new endpoint of one kind, which tells whether it is on the thread of `loop`.
Kind: TypeAlias = Callable[[], Any]

loop_thread: contextvars.ContextVar[int] = contextvars.ContextVar("loop_thread")


async def on_loop() -> None:
    """A dependency that keeps which thread is the event loop's."""
    loop_thread.set(here())


def is_on_loop() -> bool:
    return loop_thread.get() == here()


def a_function() -> Any:
    def endpoint() -> bool:
        return is_on_loop()

    return endpoint


def a_lambda() -> Any:
    return lambda number=0: is_on_loop()


def a_callable_instance() -> Any:
    class Endpoint:
        def __call__(self) -> bool:
            return is_on_loop()

    return Endpoint()


def a_partial() -> Any:
    def endpoint(offset: int, number: int = 0) -> bool:
        return is_on_loop()

    return functools.partial(endpoint, 1)


def a_wrapped_function() -> Any:
    inner = a_function()

    @functools.wraps(inner)
    def outer() -> bool:
        return bool(inner())

    return outer


def a_static_method() -> Any:
    class Views:
        @staticmethod
        def endpoint() -> bool:
            return is_on_loop()

    return Views.endpoint


SYNC: list[Kind] = [
    a_function,
    a_lambda,
    a_callable_instance,
    a_partial,
    a_wrapped_function,
    a_static_method,
]


def app_with(endpoint: Any, **options: Any) -> FastAPI:
    """Make an application with one endpoint."""
    app = FastAPI(dependencies=[Depends(on_loop)])
    app.add_api_route("/", endpoint, **options)
    return app


# ---- where they run ---------------------------------------------------------------------------


@pytest.mark.accelerated
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", SYNC)
def test_what_is_marked_runs_on_the_loop(kind: Kind, backend: str, serve: Serve) -> None:
    client = serve(app_with(async_safe(kind())), backend=backend)
    assert [client.get("/").json() for _ in range(3)] == [True] * 3


@pytest.mark.parametrize("kind", SYNC)
def test_what_is_marked_runs_in_the_pool_on_stock(kind: Kind) -> None:
    assert TestClient(app_with(async_safe(kind()))).get("/").json() is False


@pytest.mark.parametrize("kind", SYNC)
@pytest.mark.parametrize("options", [{}, {"all_classes_safe": True}], ids=str)
def test_what_is_not_marked_runs_in_the_pool(
    options: dict[str, Any], kind: Kind, serve: Serve
) -> None:
    client = serve(app_with(kind()), **options)
    assert [client.get("/").json() for _ in range(3)] == [False] * 3


@pytest.mark.parametrize("kind", SYNC)
def test_what_is_marked_unsafe_runs_in_the_pool_whatever_else_is_said(
    kind: Kind, serve: Serve
) -> None:
    client = serve(app_with(async_unsafe(kind())), predicates=[lambda call: True])
    assert client.get("/").json() is False


@pytest.mark.accelerated
@pytest.mark.parametrize("kind", SYNC)
def test_a_predicate_runs_what_it_is_true_of_on_the_loop(kind: Kind, serve: Serve) -> None:
    chosen, other = kind(), kind()
    app = app_with(chosen)
    app.add_api_route("/other", other)
    client = serve(app, predicates=[lambda call: call is chosen])
    assert [client.get(path).json() for path in ("/", "/other")] == [True, False]


@pytest.mark.parametrize("mark", [async_safe, async_unsafe])
def test_a_mark_on_an_async_endpoint_changes_nothing(mark: Any, serve: Serve) -> None:
    @mark
    async def endpoint() -> bool:
        return is_on_loop()

    assert serve(app_with(endpoint)).get("/").json() is True


@pytest.mark.accelerated
def test_a_method_can_be_an_endpoint(serve: Serve) -> None:
    class Views:
        @async_safe
        def marked(self) -> bool:
            return is_on_loop()

        def unmarked(self) -> bool:
            return is_on_loop()

    views = Views()
    app = app_with(views.marked)
    app.add_api_route("/unmarked", views.unmarked)
    client = serve(app)
    assert [client.get(path).json() for path in ("/", "/unmarked")] == [True, False]


@pytest.mark.accelerated
@pytest.mark.parametrize("marked", ["endpoint", "dependency"])
def test_a_mark_is_for_what_has_it_alone(marked: str, serve: Serve) -> None:
    def dependency() -> bool:
        return is_on_loop()

    def endpoint(below: Annotated[bool, Depends(dependency)]) -> list[bool]:
        return [below, is_on_loop()]

    async_safe({"endpoint": endpoint, "dependency": dependency}[marked])
    expected = [marked == "dependency", marked == "endpoint"]
    assert serve(app_with(endpoint)).get("/").json() == expected


@pytest.mark.accelerated
def test_under_overrides_too(serve: Serve) -> None:
    def declared() -> str: ...

    def endpoint(value: Annotated[str, Depends(declared)]) -> tuple[str, bool]:
        return value, is_on_loop()

    app = app_with(async_safe(endpoint))
    client = serve(app)
    for name in ("one", "two"):
        app.dependency_overrides[declared] = async_safe(lambda name=name: name)
        assert client.get("/").json() == [name, True]
    app.dependency_overrides[declared] = lambda: "pooled"
    assert client.get("/").json() == ["pooled", True]


# ---- routes -----------------------------------------------------------------------------------


@pytest.mark.accelerated
def test_endpoints_of_routers_and_mounted_apps_run_on_the_loop(serve: Serve) -> None:
    endpoint = async_safe(a_function())
    inner, outer, mounted = APIRouter(), APIRouter(prefix="/outer"), app_with(endpoint)
    inner.add_api_route("/", endpoint)
    outer.include_router(inner, prefix="/inner")
    app = app_with(endpoint)
    app.include_router(inner, prefix="/inner")
    app.include_router(outer)
    app.mount("/mounted", mounted)
    client = serve(app)
    app.add_api_route("/late", endpoint)
    for path in ("/", "/inner/", "/outer/inner/", "/mounted/", "/late"):
        assert (path, client.get(path).json()) == (path, True)


@pytest.mark.accelerated
def test_custom_route_classes_may_wrap_the_handler(serve: Serve) -> None:
    class Timed(APIRoute):
        def get_route_handler(self) -> Any:
            handler = super().get_route_handler()

            async def timed(request: Request) -> Response:
                response = await handler(request)
                response.headers["x-timed"] = "1"
                return response

            return timed

    app = FastAPI(dependencies=[Depends(on_loop)])
    router = APIRouter(route_class=Timed)
    router.add_api_route("/", async_safe(a_function()))
    app.include_router(router)
    response = serve(app).get("/")
    assert (response.json(), response.headers["x-timed"]) == (True, "1")


@pytest.mark.accelerated
def test_an_app_that_was_not_initialised_runs_the_same_endpoint_in_the_pool(init: Init) -> None:
    endpoint = async_safe(a_function())
    first, second = app_with(endpoint), app_with(endpoint)
    init(first)
    for _ in range(2):
        assert TestClient(first).get("/").json() is True
        assert TestClient(second).get("/").json() is False


@pytest.mark.accelerated
def test_one_after_the_other_in_one_context_they_do_so_too(init: Init) -> None:
    endpoint = async_safe(a_function())
    first, second = init(app_with(endpoint)), app_with(endpoint)

    async def alternating() -> list[bytes]:
        return [(await Exchange().run(app)).body for app in (first, second) * 2]

    assert anyio.run(alternating) == [b"true", b"false"] * 2


@pytest.mark.accelerated
def test_the_last_init_app_counts(init: Init) -> None:
    app = app_with(a_function())
    answers = []
    for predicate in (True, False, True):
        init(app, predicates=[lambda call, predicate=predicate: predicate])
        answers.append(TestClient(app).get("/").json())
    assert answers == [True, False, True]


@pytest.mark.accelerated
def test_a_wrapper_around_what_runs_endpoints_sees_them(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, seen = fastapi.routing.run_endpoint_function, []

    @functools.wraps(original)
    async def wrapper(**keywords: Any) -> Any:
        result = await original(**keywords)
        seen.append((keywords["values"], result))
        return result

    monkeypatch.setattr(fastapi.routing, "run_endpoint_function", wrapper)

    @async_safe
    def endpoint(number: int) -> bool:
        return is_on_loop()

    assert serve(app_with(endpoint)).get("/?number=3").json() is True
    assert seen == [({"number": 3}, True)]


# ---- responses --------------------------------------------------------------------------------


def visited(visits: list[Any]) -> type[BaseModel]:
    """Make a model that keeps where it was validated and serialized."""

    class Visited(BaseModel):
        number: int

        @field_validator("number")
        @classmethod
        def validated(cls, number: int) -> int:
            visits.append(("validated", is_on_loop()))
            return number

        @field_serializer("number")
        def serialized(self, number: int) -> int:
            visits.append(("serialized", is_on_loop()))
            return number

    return Visited


@pytest.mark.accelerated
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("is_marked", [True, False])
def test_a_response_is_validated_where_its_endpoint_ran(
    is_marked: bool, backend: str, serve: Serve
) -> None:
    visits: list[Any] = []

    def endpoint() -> dict[str, int]:
        return {"number": 3}

    app = app_with(async_safe(endpoint) if is_marked else endpoint, response_model=visited(visits))
    client = serve(app, backend=backend)
    for _ in range(2):
        assert client.get("/").json() == {"number": 3}
    assert visits == [("validated", is_marked), ("serialized", True)] * 2


@pytest.mark.accelerated
def test_it_is_in_included_routers_too(serve: Serve) -> None:
    visits: list[Any] = []
    router = APIRouter()
    router.add_api_route("/", async_safe(lambda: {"number": 3}), response_model=visited(visits))
    app = FastAPI(dependencies=[Depends(on_loop)])
    app.include_router(router, prefix="/included")
    assert serve(app).get("/included/").json() == {"number": 3}
    assert visits == [("validated", True), ("serialized", True)]


class Item(BaseModel):
    """A response with an optional part and an alias."""

    number: int
    name: str | None = None


def wrong() -> Any:
    """An endpoint whose response is not what was promised."""
    return {"number": "three"}


@pytest.mark.parametrize("endpoint", [async_safe(wrong), async_safe(functools.partial(wrong))])
def test_a_wrong_response_is_the_error_it_is_on_stock(
    endpoint: Any, same_as_stock: SameAsStock
) -> None:
    def make_app() -> FastAPI:
        app = app_with(endpoint, response_model=Item)
        mounted = FastAPI()
        mounted.add_api_route("/wrong", endpoint, response_model=list[Item])
        app.mount("/mounted", mounted)
        return app

    first, second = same_as_stock(make_app, Exchange(), Exchange("/mounted/wrong"))
    assert isinstance(first.error, ResponseValidationError)
    assert isinstance(second.error, ResponseValidationError)
    assert first.error.body == {"number": "three"}
    assert str(first.error).startswith("1 validation error")


def test_every_form_of_response_is_that_of_stock(same_as_stock: SameAsStock) -> None:
    def response_by_hand(response: Response) -> Response:
        response.headers["x-lost"] = "1"
        return PlainTextResponse("text", 201, {"x-own": "1"})

    def injected(response: Response) -> dict[str, int]:
        response.status_code = 202
        response.headers["x-header"] = "1"
        response.set_cookie("cookie", "value")
        return {"number": 1}

    def not_serializable() -> object:
        return object()

    def generator_object() -> Any:
        return (number for number in range(3))

    def with_callback(tasks: BackgroundTasks) -> dict[str, Any]:
        tasks.add_task(lambda: None)
        return {"nan": float("inf"), "set": {1}}

    endpoints: list[tuple[Any, dict[str, Any]]] = [
        (response_by_hand, {}),
        (injected, {"response_model": Item}),
        (injected, {"response_model": Item, "response_model_exclude_unset": True}),
        (injected, {"response_model": Item, "response_model_include": {"name"}}),
        (lambda: None, {}),
        (lambda: None, {"status_code": 204}),
        (lambda: None, {"response_model": Item}),
        (lambda: Item(number=1), {"response_class": JSONResponse}),
        (lambda: "text", {"response_class": PlainTextResponse}),
        (lambda: b"bytes", {}),
        (not_serializable, {}),
        (generator_object, {}),
        (generator_object, {"response_model": list[int]}),
        (with_callback, {}),
        (lambda number=1: number, {}),
    ]

    def make_app() -> FastAPI:
        app = FastAPI()
        for number, (endpoint, options) in enumerate(endpoints):
            stated = {"response_model": None, **options}
            app.add_api_route(f"/{number}", async_safe(endpoint), **stated)
        return app

    paths = [Exchange(f"/{number}") for number in range(len(endpoints))]
    answers = same_as_stock(make_app, *paths, Exchange("/14", b"number=2"))
    assert [answer.status for answer in answers[:6]] == [201, 202, 202, 202, 200, 204]


@pytest.mark.accelerated
def test_a_coroutine_object_is_not_awaited(init: Init) -> None:
    given: list[Any] = []

    async def coroutine() -> int: ...

    @async_safe
    def endpoint() -> Any:
        given.append(coroutine())
        return given[0]

    error = exchange(init(app_with(endpoint, response_model=None))).error
    assert error is not None
    assert given[0].cr_running is False
    assert given[0].cr_frame is not None
    given[0].close()


# ---- exceptions -------------------------------------------------------------------------------


class OwnError(Exception):
    """An exception of the application's."""


EXCEPTIONS: list[Exception] = [
    OwnError("own"),
    HTTPException(418, "teapot", {"x-header": "1"}),
    StopIteration(3),
    StopAsyncIteration(3),
    ExceptionGroup("several", [OwnError("one"), ValueError("two")]),
    RecursionError("deep"),
    TimeoutError("late"),
]


@pytest.mark.parametrize("exception", EXCEPTIONS, ids=repr)
@pytest.mark.parametrize("is_handled", [False, True])
def test_each_exception_leaves_it_as_on_stock(
    is_handled: bool, exception: Exception, same_as_stock: SameAsStock
) -> None:
    @async_safe
    def endpoint() -> None:
        raise exception

    def make_app() -> FastAPI:
        app = app_with(endpoint)
        if is_handled:

            @app.exception_handler(type(exception))
            async def handle(request: Request, error: Any) -> Response:
                return JSONResponse({"handled": repr(error)}, 418)

        return app

    exception.__traceback__ = exception.__context__ = exception.__cause__ = None
    same_as_stock(make_app, Exchange())


@pytest.mark.parametrize("is_marked", [True, False])
def test_contexts_see_what_it_raises(is_marked: bool, init: Init) -> None:
    seen: list[str] = []

    def context() -> Iterator[None]:
        try:
            yield
        except OwnError as error:
            seen.append(repr(error))
            raise

    def endpoint() -> None:
        raise OwnError("own")

    if is_marked:
        async_safe(context)
        async_safe(endpoint)
    app = init(FastAPI())
    app.add_api_route("/", endpoint, dependencies=[Depends(context)])
    assert repr(exchange(app).error) == "OwnError('own')"
    assert seen == ["OwnError('own')"]


@pytest.mark.accelerated
def test_after_an_exception_the_next_request_is_served_alike(init: Init) -> None:
    stock = app_with(async_safe(a_function()))
    app = init(app_with(async_safe(a_function())))

    @app.get("/raising")
    @async_safe
    def raising() -> None:
        raise OwnError

    async def alternating() -> list[bytes]:
        bodies = []
        for served, path in ((app, "/raising"), (stock, "/"), (app, "/raising"), (app, "/")):
            bodies.append((await Exchange(path).run(served)).body)
        return bodies

    error_body = exchange(app, "/raising").body
    assert anyio.run(alternating) == [error_body, b"false", error_body, b"true"]


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

    assert exchange(init(app_with(endpoint))).body == b"true"


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

    app = init(app_with(endpoint, response_model=Item))
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


# ---- what comes between dependencies and endpoint ---------------------------------------------


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
    app = app_with(a_function())
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
    app = app_with(a_function())
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
