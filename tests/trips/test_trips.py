"""What goes to the thread pool together: counted, and otherwise as on stock."""

import threading
import traceback
from collections.abc import Callable, Coroutine, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated, Any

import anyio
import anyio.from_thread
import anyio.to_thread
import fastapi.routing
import pytest
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi.routing import APIRoute
from pydantic import AfterValidator, BaseModel
from starlette.testclient import TestClient

from benchmarks.runs.thread_trips import counted_thread_trips
from fastapi_async_safe import async_safe, init_app
from tests.support.serving import (
    Exchange,
    Init,
    SameAsStock,
    contexts_share,
    exchange,
    here,
    needs_concurrency_limits,
    needs_dependency_scopes,
)
from tests.support.streams import needs_generator_endpoints

# Which attribute of a route its handler validates responses with, in old releases and today.
FIELD_OF_HANDLER = next(
    name
    for name in ("secure_cloned_response_field", "response_field")
    if hasattr(APIRoute("/", lambda: None), name)
)


def trips_of(app: FastAPI, path: str = "/", **options: Any) -> int:
    """Count the trips to a thread of one request, after the first one has been served."""
    expected = exchange(app, path, **options).status
    with counted_thread_trips() as trips:
        assert exchange(app, path, **options).status == expected
    return trips.count


class Item(BaseModel):
    """What the endpoints here return."""

    name: str
    price: float


def session() -> Iterator[dict[str, int]]:
    """A sync `yield` dependency."""
    yield {"id": 1}


Session = Annotated[dict[str, int], Depends(session)]


def user(session: Session, token: str = "none") -> str:
    """A sync dependency on a session."""
    return f"{token} {session['id']}"


def service(session: Session) -> int:
    """Another sync dependency on a session."""
    return session["id"]


User = Annotated[str, Depends(user)]
Service = Annotated[int, Depends(service)]


@pytest.mark.accelerated
class TestNumberOfTrips:
    """Of each kind of neighbours."""

    def test_neighbours_that_wait_for_nothing_on_the_loop_make_one(self, init: Init) -> None:
        app = FastAPI()

        @app.get("/")
        async def endpoint(
            a: Annotated[int, Depends(lambda: 1)], b: Annotated[int, Depends(lambda: 2)]
        ) -> int:
            return a + b

        assert trips_of(init(app)) == 1

    @contexts_share
    def test_a_session_a_user_services_an_endpoint_and_its_response_make_two(
        self, init: Init
    ) -> None:
        app = FastAPI()

        @app.get("/")
        def endpoint(user: User, service: Service) -> Item:
            return Item(name=user, price=service)

        assert trips_of(init(app)) == 2

    @contexts_share
    def test_two_sessions_entered_on_two_trips_are_left_on_one(self, init: Init) -> None:
        app = FastAPI()

        @async_safe
        def page(skip: int = 0) -> int:
            return skip

        @app.get("/")
        def endpoint(
            user: User,
            page: Annotated[int, Depends(page)],
            other: Annotated[dict[str, int], Depends(session, use_cache=False)],
        ) -> Item:
            return Item(name=user, price=page)

        assert trips_of(init(app)) == 3

    def test_what_must_be_on_the_loop_parts_them(self, init: Init) -> None:
        app = FastAPI()

        async def between() -> None: ...

        @app.get("/")
        async def endpoint(
            a: Annotated[int, Depends(lambda: 1)],
            b: Annotated[None, Depends(between)],
            c: Annotated[int, Depends(lambda: 2)],
        ) -> None: ...

        assert trips_of(init(app)) == 2

    @needs_concurrency_limits
    def test_a_limited_dependency_has_a_trip_of_its_own(self, init: Init) -> None:
        app = FastAPI()

        @app.get("/")
        async def endpoint(
            a: Annotated[int, Depends(lambda: 1)],
            b: Annotated[int, Depends(lambda: 2, max_concurrency=1)],
            c: Annotated[int, Depends(lambda: 3)],
        ) -> None: ...

        assert trips_of(init(app)) == 3

    def test_an_endpoint_and_its_response_make_one(self, init: Init) -> None:
        app = FastAPI()

        @app.get("/")
        def endpoint() -> Item:
            return Item(name="a", price=1)

        assert trips_of(init(app)) == 1

    def test_an_endpoint_whose_dependency_fails_is_not_called(self, init: Init) -> None:
        app = FastAPI()
        called = []

        def forbidden() -> None:
            raise HTTPException(403)

        @app.get("/")
        def endpoint(nothing: Annotated[None, Depends(forbidden)]) -> None:
            called.append(1)

        assert exchange(init(app)).status == 403
        assert not called

    @pytest.mark.parametrize("value", [1, "yes", None])
    def test_the_switch_takes_true_or_false(self, value: Any, init: Init) -> None:
        with pytest.raises(TypeError, match="one_trip must be True or False"):
            init(FastAPI(), one_trip=value)

    @contexts_share
    def test_the_switch_turns_it_off(self, init: Init) -> None:
        app = FastAPI()

        @app.get("/")
        def endpoint(user: User, service: Service) -> Item:
            return Item(name=user, price=service)

        assert trips_of(init(app, one_trip=False)) == 6


def test_each_call_has_a_copy_of_the_context_of_its_own(init: Init) -> None:
    noted: ContextVar[str] = ContextVar("noted", default="nothing")
    seen: list[str] = []

    def note(name: str) -> None:
        seen.append(f"{name} sees {noted.get()}")
        noted.set(name)

    def opened() -> Iterator[None]:
        note("enter")
        yield
        note("exit")

    def sync(opened: Annotated[None, Depends(opened)]) -> None:
        note("sync")

    async def asynchronous() -> None:
        noted.set("async")

    app = FastAPI()

    class Checked(BaseModel):
        value: Annotated[int, AfterValidator(lambda value: note("validator") or value)]

    @app.get("/", response_model=Checked)
    def endpoint(
        first: Annotated[None, Depends(sync)],
        second: Annotated[None, Depends(asynchronous)],
        third: Annotated[None, Depends(lambda: note("lambda"))],
    ) -> Any:
        note("endpoint")
        return {"value": 1}

    assert exchange(init(app)).status == 200
    assert seen == [
        "enter sees nothing",
        "sync sees nothing",
        "lambda sees async",
        "endpoint sees async",
        "validator sees async",
        "exit sees async",
    ]


def test_all_of_it_is_off_the_event_loop(init: Init) -> None:
    app = FastAPI()
    threads: list[int] = []

    def opened() -> Iterator[None]:
        threads.append(here())
        yield
        threads.append(here())

    class Checked(BaseModel):
        value: Annotated[int, AfterValidator(lambda value: threads.append(here()) or value)]

    @app.get("/", response_model=Checked)
    def endpoint(
        opened: Annotated[None, Depends(opened)],
        called: Annotated[None, Depends(lambda: threads.append(here()))],
    ) -> Any:
        threads.append(here())
        return {"value": 1}

    assert exchange(init(app)).status == 200
    assert len(threads) == 5
    assert here() not in threads


@needs_generator_endpoints
def test_a_function_that_gives_events_is_called_on_the_loop(init: Init) -> None:
    from fastapi.sse import EventSourceResponse

    app = FastAPI()
    threads: list[int] = []

    @app.get("/", response_class=EventSourceResponse, response_model=None)
    def endpoint(value: Annotated[str, Depends(lambda: "value")]) -> Iterator[str]:
        threads.append(here())
        return iter([value])

    assert b"value" in exchange(init(app)).body
    assert threads == [here()]


def test_validators_of_parameters_run_on_the_loop(init: Init) -> None:
    app = FastAPI()
    threads: list[int] = []

    def checked(value: int) -> int:
        threads.append(here())
        return value

    def second(value: Annotated[int, AfterValidator(checked), Query()]) -> int:
        return value

    @app.get("/")
    async def endpoint(
        a: Annotated[int, Depends(lambda: 1)], b: Annotated[int, Depends(second)]
    ) -> int:
        return a + b

    assert exchange(init(app), query=b"value=3").body == b"4"
    assert threads == [here()]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_anyio_reaches_the_loop_from_within(backend: str, init: Init) -> None:
    app = FastAPI()

    async def on_loop() -> int:
        await anyio.lowlevel.checkpoint()
        return here()

    def back() -> int:
        anyio.from_thread.check_cancelled()
        return anyio.from_thread.run(on_loop)

    def once_more(first: Annotated[int, Depends(back)]) -> list[int]:
        return [first, anyio.from_thread.run_sync(here)]

    @app.get("/")
    def endpoint(threads: Annotated[list[int], Depends(once_more)]) -> list[int]:
        return [*threads, anyio.from_thread.run(on_loop)]

    answer = exchange(init(app), backend=backend)
    assert answer.body == f"[{here()},{here()},{here()}]".encode()


@pytest.mark.parametrize(
    "error",
    [
        ValueError("x"),
        StopIteration(1),
        StopAsyncIteration(2),
        RuntimeError("coroutine raised StopIteration"),
        HTTPException(418),
        ExceptionGroup("several", [ValueError(1), KeyError(2)]),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("place", ["enter", "call", "endpoint", "validator", "exit"])
def test_exceptions_are_those_of_stock(
    place: str, error: BaseException, same_as_stock: SameAsStock
) -> None:
    seen: list[list[str]] = []

    def make_app() -> FastAPI:
        app = FastAPI()
        seen.append([])
        log = seen[-1]

        def at(where: str) -> None:
            if where == place:
                raise error.with_traceback(None)

        def opened() -> Iterator[None]:
            at("enter")
            try:
                yield
            except BaseException as raised:
                log.append(repr(raised))
                raise
            at("exit")

        def call(opened: Annotated[None, Depends(opened)]) -> None:
            at("call")

        class Checked(BaseModel):
            value: Annotated[int, AfterValidator(lambda value: at("validator") or value)]

        @app.get("/", response_model=Checked)
        def endpoint(call: Annotated[None, Depends(call)]) -> Any:
            at("endpoint")
            return {"value": 1}

        return app

    same_as_stock(make_app, Exchange())
    assert seen[0] == seen[1]


@pytest.mark.parametrize("failing", ["endpoint", "validator"])
def test_what_the_endpoint_raises_comes_from_the_line_of_stock(failing: str, init: Init) -> None:
    def fail(_: Any) -> int:
        raise LookupError(failing)

    class Checked(BaseModel):
        value: Annotated[int, AfterValidator(fail)]

    def opened() -> Iterator[None]:
        yield

    def make_app() -> FastAPI:
        app = FastAPI()

        @app.get("/", response_model=Checked)
        def endpoint(opened: Annotated[None, Depends(opened)]) -> Any:
            return fail(1) if failing == "endpoint" else {"value": 1}

        return app

    def line_of_handler(app: FastAPI) -> str | None:
        error = exchange(app).error
        assert isinstance(error, LookupError)
        frames = traceback.extract_tb(error.__traceback__)
        return next(
            each.line
            for each in reversed(frames)
            if Path(each.filename) == Path(fastapi.routing.__file__) and each.name == "app"
        )

    assert line_of_handler(init(make_app())) == line_of_handler(make_app())


def test_responses_headers_tasks_and_errors_are_those_of_stock(same_as_stock: SameAsStock) -> None:
    def make_app() -> FastAPI:
        app = FastAPI()

        def first(response: Response, tasks: BackgroundTasks, request: Request) -> str:
            response.headers["x-first"] = request.url.path
            tasks.add_task(lambda: None)
            return "first"

        def second(
            response: Response, first: Annotated[str, Depends(first)], number: int = 1
        ) -> str:
            response.status_code = 202
            return f"{first} {number}"

        @app.get("/item")
        def item(second: Annotated[str, Depends(second)], price: float = 1.5) -> Item:
            return Item(name=second, price=price)

        @app.get("/wrong")
        def wrong(second: Annotated[str, Depends(second)]) -> Item:
            return {"name": second}  # type: ignore[return-value]

        @app.get("/response")
        def response(second: Annotated[str, Depends(second)]) -> Response:
            return Response(second, status_code=203)

        @app.get("/none", response_model=None)
        def none(second: Annotated[str, Depends(second)]) -> Any:
            return {"second": second}

        @app.get("/twice")
        def twice(
            a: Annotated[str, Depends(second)],
            b: Annotated[str, Depends(second, use_cache=False)],
        ) -> list[str]:
            return [a, b]

        return app

    same_as_stock(
        make_app,
        *(
            Exchange(path, query)
            for path in ("/item", "/wrong", "/response", "/none", "/twice")
            for query in (b"", b"number=2&price=3", b"number=x", b"price=x&number=y")
        ),
    )


@needs_dependency_scopes
def test_contexts_of_both_scopes_are_left_as_on_stock(same_as_stock: SameAsStock) -> None:
    seen: list[list[str]] = []

    def make_app() -> FastAPI:
        app = FastAPI()
        log: list[str] = []
        seen.append(log)

        def opened(name: str) -> Callable[[], Iterator[str]]:
            def open_one() -> Iterator[str]:
                log.append(f"enter {name}")
                try:
                    yield name
                finally:
                    log.append(f"exit {name}")

            return open_one

        class Checked(BaseModel):
            value: Annotated[int, AfterValidator(lambda value: log.append("validate") or value)]

        @app.get("/", response_model=Checked)
        def endpoint(
            a: Annotated[str, Depends(opened("request 1"))],
            b: Annotated[str, Depends(opened("function 1"), scope="function")],
            c: Annotated[str, Depends(opened("request 2"))],
            d: Annotated[str, Depends(opened("function 2"), scope="function")],
            fails: bool = False,
        ) -> Any:
            log.append("endpoint")
            if fails:
                raise ValueError
            return {"value": 1}

        return app

    same_as_stock(make_app, Exchange(), Exchange(query=b"fails=1"))
    assert seen[0] == seen[1]


def test_a_pool_of_one_token_serves_many_at_once(init: Init) -> None:
    app = FastAPI()
    at_once = [0, 0]
    lock = threading.Lock()

    def call() -> int:
        with lock:
            at_once[0] += 1
            at_once[1] = max(at_once)
        with lock:
            at_once[0] -= 1
        return 1

    @app.get("/")
    def endpoint(
        session: Session, a: Annotated[int, Depends(call)], user: User, service: Service
    ) -> Item:
        return Item(name=user, price=call())

    async def serve_all() -> list[int | None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = 1
        statuses: list[int | None] = []

        async def one() -> None:
            statuses.append((await Exchange().run(app)).status)

        async with anyio.create_task_group() as group:
            for _ in range(64):
                group.start_soon(one)
        return statuses

    init(app)
    assert anyio.run(serve_all) == [200] * 64
    assert at_once == [0, 1]


def test_a_mapping_of_overrides_is_honoured(same_as_stock: SameAsStock) -> None:
    def make_app() -> FastAPI:
        app = FastAPI()
        app.dependency_overrides = {service: lambda number: int(number) * 2}

        @app.get("/")
        def endpoint(service: Service, user: User) -> list[Any]:
            return [service, user]

        return app

    same_as_stock(make_app, Exchange(query=b"number=4"), Exchange())


def test_marked_apps_and_others_answer_beside_each_other(init: Init) -> None:
    app = FastAPI()

    @app.get("/")
    def endpoint(user: User) -> str:
        return user

    with TestClient(init(app)) as ours, TestClient(FastAPI()) as other:
        assert ours.get("/").json() == "none 1"
        assert other.get("/").status_code == 404


def test_initialised_again_it_may_be_switched() -> None:
    app = FastAPI()

    @app.get("/")
    async def endpoint(
        a: Annotated[int, Depends(lambda: 1)], b: Annotated[int, Depends(lambda: 2)]
    ) -> None: ...

    assert trips_of(init_app(app)) == 1
    assert trips_of(init_app(app, one_trip=False)) == 2


def test_handlers_that_share_a_dependant_validate_their_own_responses(
    same_as_stock: SameAsStock,
) -> None:
    seen: list[list[str]] = []

    def make_app() -> FastAPI:
        log: list[str] = []
        seen.append(log)

        class Old(BaseModel):
            value: Annotated[int, AfterValidator(lambda value: log.append("old") or value)]

        class New(BaseModel):
            value: Annotated[int, AfterValidator(lambda value: log.append("new") or value)]
            more: int = 2

        class Route(APIRoute):
            def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
                other = APIRoute("/", self.endpoint, response_model=New)
                field = getattr(self, FIELD_OF_HANDLER)
                old = super().get_route_handler()
                setattr(self, FIELD_OF_HANDLER, getattr(other, FIELD_OF_HANDLER))
                new = super().get_route_handler()
                setattr(self, FIELD_OF_HANDLER, field)

                async def handle(request: Request) -> Response:
                    return await (new if "new" in request.query_params else old)(request)

                return handle

        app = FastAPI()
        app.router.route_class = Route

        @app.get("/", response_model=Old)
        def endpoint(value: Annotated[int, Depends(lambda: 1)]) -> Any:
            log.append("endpoint")
            return {"value": value}

        return app

    answers = same_as_stock(make_app, Exchange(), Exchange(query=b"new=1"), Exchange())
    assert [answer.body for answer in answers] == [
        b'{"value":1}',
        b'{"value":1,"more":2}',
        b'{"value":1}',
    ]
    assert seen[0] == seen[1]
