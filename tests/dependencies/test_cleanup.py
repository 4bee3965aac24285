"""When and how `yield` dependencies exit, and what they get to see."""

import contextlib
import contextvars
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any

import anyio
import pytest
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Request
from fastapi.exceptions import FastAPIError
from starlette.responses import StreamingResponse

from fastapi_async_safe import async_safe
from tests.support.serving import (
    BACKENDS,
    CLEANUP_IS_SHIELDED,
    Exchange,
    Init,
    Serve,
    exchange,
    needs_dependency_scopes,
)

Events = list[str]
Context = Callable[[], Any]
# Makes a `yield` dependency that writes down its name, and what it sees.
Maker = Callable[[Events, str], Context]


@contextlib.contextmanager
def written_down(events: Events, name: str) -> Iterator[str]:
    """Write down how a context is entered and left."""
    events.append(f"enter {name}")
    try:
        yield name
    except BaseException as error:
        events.append(f"{name} sees {type(error).__name__}")
        raise
    finally:
        events.append(f"exit {name}")


def inline(events: Events, name: str) -> Context:
    def context() -> Iterator[str]:
        with written_down(events, name) as value:
            yield value

    return async_safe(context)


def pooled(events: Events, name: str) -> Context:
    def context() -> Iterator[str]:
        with written_down(events, name) as value:
            yield value

    return context


def asynchronous(events: Events, name: str) -> Context:
    async def context() -> AsyncIterator[str]:
        with written_down(events, name) as value:
            yield value

    return context


MAKERS = [inline, pooled, asynchronous]


@pytest.fixture
def events() -> Events:
    """Give what contexts write to."""
    return []


@pytest.fixture(params=MAKERS)
def make(request: pytest.FixtureRequest) -> Maker:
    """Give each way to make a `yield` dependency."""
    maker: Maker = request.param
    return maker


@pytest.mark.parametrize("makers", [MAKERS, MAKERS[::-1], [inline, inline, inline]])
def test_contexts_exit_in_reverse_order(makers: Any, events: Events, serve: Serve) -> None:
    a, b, c = (maker(events, name) for maker, name in zip(makers, "abc", strict=True))
    app = FastAPI()

    @app.get("/", dependencies=[Depends(a), Depends(b), Depends(c)])
    async def endpoint() -> None:
        events.append("endpoint")

    assert serve(app).get("/").status_code == 200
    assert events == [
        "enter a",
        "enter b",
        "enter c",
        "endpoint",
        "exit c",
        "exit b",
        "exit a",
    ]


def test_a_context_exits_before_what_it_depends_on(
    make: Maker, events: Events, serve: Serve
) -> None:
    below = make(events, "below")

    @async_safe
    def above(name: Annotated[str, Depends(below)]) -> Iterator[str]:
        with written_down(events, f"above {name}") as value:
            yield value

    app = FastAPI()

    @app.get("/")
    async def endpoint(name: Annotated[str, Depends(above)]) -> str:
        return name

    assert serve(app).get("/").json() == "above below"
    assert events == ["enter below", "enter above below", "exit above below", "exit below"]


def test_a_context_exits_after_each_request(make: Maker, events: Events, serve: Serve) -> None:
    app = FastAPI()

    @app.get("/", dependencies=[Depends(make(events, "a"))])
    async def endpoint() -> None: ...

    client = serve(app)
    for _ in range(3):
        events.clear()
        assert client.get("/").status_code == 200
        assert events == ["enter a", "exit a"]


def test_a_shared_context_exits_once(make: Maker, events: Events, serve: Serve) -> None:
    session = make(events, "a")
    app = FastAPI(dependencies=[Depends(session)])

    @app.get("/", dependencies=[Depends(session)])
    async def endpoint(name: Annotated[str, Depends(session)]) -> str:
        return name

    assert serve(app).get("/").json() == "a"
    assert events == ["enter a", "exit a"]


# ---- at which point ---------------------------------------------------------------------------


def app_that_streams(events: Events, *dependencies: Any) -> FastAPI:
    """Make an application whose response is sent in pieces, and write down when."""
    app = FastAPI()

    @app.get("/", dependencies=list(dependencies))
    async def endpoint(background_tasks: BackgroundTasks) -> StreamingResponse:
        async def pieces() -> AsyncIterator[str]:
            events.append("piece 1")
            yield "1"
            events.append("piece 2")
            yield "2"

        background_tasks.add_task(events.append, "background task")
        return StreamingResponse(pieces())

    return app


@needs_dependency_scopes
def test_function_scope_exits_before_and_request_scope_after_the_response(
    make: Maker, events: Events, serve: Serve
) -> None:
    function = Depends(make(events, "function"), scope="function")
    request = Depends(make(events, "request"), scope="request")
    default = Depends(make(events, "default"))
    assert serve(app_that_streams(events, request, function, default)).get("/").text == "12"
    assert events == [
        "enter request",
        "enter function",
        "enter default",
        "exit function",
        "piece 1",
        "piece 2",
        "background task",
        "exit default",
        "exit request",
    ]


def test_without_a_scope_it_exits_where_stock_lets_it(
    make: Maker, events: Events, init: Init
) -> None:
    stock: Events = []
    stock_app = app_that_streams(stock, Depends(make(stock, "a")))
    app = init(app_that_streams(events, Depends(make(events, "a"))))
    assert exchange(app).body == b"12"
    assert exchange(stock_app).body == b"12"
    assert events == stock
    assert events[0] == "enter a"
    assert "exit a" in events


# ---- exceptions -------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
def test_contexts_see_the_exception_of_the_endpoint(
    backend: str, make: Maker, events: Events, init: Init
) -> None:
    app = FastAPI()

    @app.get("/", dependencies=[Depends(make(events, "a")), Depends(make(events, "b"))])
    async def endpoint() -> None:
        raise LookupError("of the endpoint")

    answer = exchange(init(app), backend=backend)
    assert repr(answer.error) == "LookupError('of the endpoint')"
    assert answer.status == 500
    assert events == [
        "enter a",
        "enter b",
        "b sees LookupError",
        "exit b",
        "a sees LookupError",
        "exit a",
    ]


def test_contexts_see_the_exception_of_a_later_dependency(
    make: Maker, events: Events, init: Init
) -> None:
    @async_safe
    def failing() -> None:
        raise LookupError("of a dependency")

    app = FastAPI()

    @app.get("/", dependencies=[Depends(make(events, "a")), Depends(failing)])
    async def endpoint() -> None: ...

    assert repr(exchange(init(app)).error) == "LookupError('of a dependency')"
    assert events == ["enter a", "a sees LookupError", "exit a"]


def test_a_context_that_fails_to_enter_is_not_left(make: Maker, events: Events, init: Init) -> None:
    @async_safe
    def failing() -> Iterator[None]:
        events.append("failing")
        raise LookupError("on entering")
        yield

    app = FastAPI()

    @app.get("/", dependencies=[Depends(make(events, "a")), Depends(failing)])
    async def endpoint() -> None: ...

    assert repr(exchange(init(app)).error) == "LookupError('on entering')"
    assert events == ["enter a", "failing", "a sees LookupError", "exit a"]


def test_contexts_see_an_http_exception_and_the_client_its_response(
    make: Maker, events: Events, serve: Serve
) -> None:
    app = FastAPI()

    @app.get("/", dependencies=[Depends(make(events, "a"))])
    async def endpoint() -> None:
        raise HTTPException(418, "short and stout", headers={"x-pot": "tea"})

    answer = serve(app).get("/")
    assert (answer.status_code, answer.json()) == (418, {"detail": "short and stout"})
    assert answer.headers["x-pot"] == "tea"
    assert events == ["enter a", "a sees HTTPException", "exit a"]


def test_contexts_exit_when_the_request_is_not_valid(
    make: Maker, events: Events, init: Init
) -> None:
    def make_app(events: Events) -> FastAPI:
        app = FastAPI()

        @app.get("/", dependencies=[Depends(make(events, "a"))])
        async def endpoint(number: int) -> None: ...

        return app

    stock: Events = []
    assert exchange(make_app(stock), query=b"number=x").status == 422
    assert exchange(init(make_app(events)), query=b"number=x").status == 422
    assert events == stock
    assert (events[0], events[-1]) == ("enter a", "exit a")


@pytest.mark.parametrize("marked", [True, False])
def test_a_context_may_turn_an_exception_into_another(marked: bool, serve: Serve) -> None:
    def session() -> Iterator[None]:
        try:
            yield
        except LookupError as error:
            raise HTTPException(404, str(error)) from error

    app = FastAPI()

    @app.get("/", dependencies=[Depends(async_safe(session) if marked else session)])
    async def endpoint() -> None:
        raise LookupError("no such thing")

    answer = serve(app).get("/")
    assert (answer.status_code, answer.json()) == (404, {"detail": "no such thing"})


@pytest.mark.parametrize("marked", [True, False])
def test_an_http_exception_after_the_yield_is_the_response_if_none_was_sent(
    marked: bool, init: Init
) -> None:
    def make_app() -> FastAPI:
        def session() -> Iterator[None]:
            yield
            raise HTTPException(409, "conflict")

        app = FastAPI()

        @app.get("/", dependencies=[Depends(async_safe(session) if marked else session)])
        async def endpoint() -> str:
            return "done"

        return app

    stock, ours = exchange(make_app()), exchange(init(make_app()))
    assert (ours.status, ours.body, repr(ours.error)) == (
        stock.status,
        stock.body,
        repr(stock.error),
    )


@pytest.mark.parametrize("marked", [True, False])
def test_a_context_that_swallows_an_exception_is_told_to_raise_it_again(
    marked: bool, init: Init
) -> None:
    def session() -> Iterator[None]:
        with contextlib.suppress(LookupError):
            yield

    app = FastAPI()

    @app.get("/", dependencies=[Depends(async_safe(session) if marked else session)])
    async def endpoint() -> None:
        raise LookupError

    error = exchange(init(app)).error
    assert isinstance(error, FastAPIError)
    assert "dependency with yield" in str(error)
    assert "not raising the exception again" in str(error)


@pytest.mark.parametrize("marked", [True, False])
def test_a_context_that_swallows_the_exception_of_a_later_dependency(
    marked: bool, init: Init
) -> None:
    def session() -> Iterator[None]:
        with contextlib.suppress(LookupError):
            yield

    @async_safe
    def failing() -> None:
        raise LookupError

    app = FastAPI()

    swallowing = async_safe(session) if marked else session

    @app.get("/", dependencies=[Depends(swallowing), Depends(failing)])
    async def endpoint() -> None: ...

    assert isinstance(exchange(init(app)).error, FastAPIError)


@pytest.mark.parametrize("marked", [True, False])
def test_an_exception_in_an_exit_is_seen_by_the_contexts_entered_before(
    marked: bool, events: Events, init: Init
) -> None:
    def failing() -> Iterator[None]:
        yield
        raise LookupError("on leaving")

    app = FastAPI()
    before, after = inline(events, "before"), inline(events, "after")

    @app.get(
        "/",
        dependencies=[
            Depends(before),
            Depends(async_safe(failing) if marked else failing),
            Depends(after),
        ],
    )
    async def endpoint() -> None: ...

    assert repr(exchange(init(app)).error) == "LookupError('on leaving')"
    assert events == [
        "enter before",
        "enter after",
        "exit after",
        "before sees LookupError",
        "exit before",
    ]


@pytest.mark.parametrize("marked", [True, False])
def test_an_exception_in_an_exit_has_the_one_it_came_upon_as_context(
    marked: bool, init: Init
) -> None:
    def failing() -> Iterator[None]:
        try:
            yield
        finally:
            raise LookupError("on leaving")

    app = FastAPI()

    @app.get("/", dependencies=[Depends(async_safe(failing) if marked else failing)])
    async def endpoint() -> None:
        raise KeyError("of the endpoint")

    error = exchange(init(app)).error
    assert repr(error) == "LookupError('on leaving')"
    assert error is not None
    assert repr(error.__context__) == "KeyError('of the endpoint')"


@pytest.mark.parametrize("marked", [True, False])
@pytest.mark.parametrize("extra", ["yields twice", "never yields"])
def test_a_context_that_does_not_yield_once_fails_as_on_stock(
    extra: str, marked: bool, init: Init
) -> None:
    def yields_twice() -> Iterator[None]:
        yield
        yield

    def never_yields() -> Iterator[None]:
        return
        yield

    context = yields_twice if extra == "yields twice" else never_yields
    app = FastAPI()

    @app.get("/", dependencies=[Depends(async_safe(context) if marked else context)])
    async def endpoint() -> None: ...

    error = exchange(init(app)).error
    assert isinstance(error, RuntimeError)
    assert str(error) in ("generator didn't stop", "generator didn't yield")


# ---- cancellation -----------------------------------------------------------------------------


@pytest.fixture
def make_cancellable(make: Maker, variant: str) -> Maker:
    """Give the ways to make a `yield` dependency whose exit a cancellation does not prevent."""
    is_pooled = make is pooled or (make is inline and variant == "stock")
    if is_pooled and not CLEANUP_IS_SHIELDED:
        pytest.skip("what exits in the pool is shielded from cancellation from FastAPI 0.162 on")
    return make


async def cancelled_in_the_middle(app: FastAPI, reached: list[anyio.Event]) -> None:
    """Cancel a request as soon as it sets the event that it finds in `reached`."""
    reached.append(anyio.Event())
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(Exchange().run, app)
        await reached[0].wait()
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize("backend", BACKENDS)
def test_contexts_see_a_cancellation_and_exit(
    backend: str, make_cancellable: Maker, events: Events, init: Init
) -> None:
    app = FastAPI()
    reached: list[anyio.Event] = []

    @app.get(
        "/",
        dependencies=[
            Depends(make_cancellable(events, "a")),
            Depends(make_cancellable(events, "b")),
        ],
    )
    async def endpoint() -> None:
        reached[0].set()
        await anyio.sleep_forever()

    init(app)

    anyio.run(cancelled_in_the_middle, app, reached, backend=backend)
    cancelled = "CancelledError" if backend == "asyncio" else "Cancelled"
    assert events == [
        "enter a",
        "enter b",
        f"b sees {cancelled}",
        "exit b",
        f"a sees {cancelled}",
        "exit a",
    ]


@pytest.mark.parametrize("backend", BACKENDS)
def test_contexts_exit_when_a_later_dependency_is_cancelled(
    backend: str, make_cancellable: Maker, events: Events, init: Init
) -> None:
    reached: list[anyio.Event] = []

    async def waiting() -> None:
        reached[0].set()
        await anyio.sleep_forever()

    app = FastAPI()

    @app.get("/", dependencies=[Depends(make_cancellable(events, "a")), Depends(waiting)])
    async def endpoint() -> None:
        events.append("endpoint")

    init(app)

    anyio.run(cancelled_in_the_middle, app, reached, backend=backend)
    assert [event.partition(" sees ")[0] for event in events] == ["enter a", "a", "exit a"]


@pytest.mark.parametrize("backend", BACKENDS)
def test_contexts_exit_when_the_client_goes_away(
    backend: str, make: Maker, events: Events, init: Init
) -> None:
    def make_app(events: Events) -> FastAPI:
        app = FastAPI()

        @app.get("/", dependencies=[Depends(make(events, "a"))])
        async def endpoint(request: Request) -> StreamingResponse:
            async def pieces() -> AsyncIterator[str]:
                yield "1"
                await anyio.sleep_forever()

            return StreamingResponse(pieces())

        return app

    async def gone_after_the_first_piece(app: FastAPI) -> None:
        gone = anyio.Event()
        incoming = iter([{"type": "http.request", "body": b"", "more_body": False}])

        async def receive() -> Any:
            for message in incoming:
                return message
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message.get("body"):
                gone.set()

        scope = Exchange(more={"asgi": {"version": "3.0", "spec_version": "2.3"}}).scope()
        await app(scope, receive, send)

    stock: Events = []
    anyio.run(gone_after_the_first_piece, make_app(stock), backend=backend)
    anyio.run(gone_after_the_first_piece, init(make_app(events)), backend=backend)
    assert events == stock
    assert events[-1] == "exit a"


# ---- context ----------------------------------------------------------------------------------


@pytest.mark.accelerated
def test_a_marked_context_exits_in_the_context_it_entered_in(serve: Serve) -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")
    seen = []

    @async_safe
    def session() -> Iterator[None]:
        token = variable.set("set")
        yield
        seen.append(variable.get())
        variable.reset(token)
        seen.append(variable.get())

    app = FastAPI()

    @app.get("/", dependencies=[Depends(session)])
    async def endpoint() -> str:
        return variable.get()

    assert serve(app).get("/").json() == "set"
    assert seen == ["set", "unset"]
