"""What clients and servers get to see of what goes wrong."""

import asyncio
import gc
import weakref
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import anyio
import anyio.lowlevel
import pytest
from fastapi import Cookie, Depends, FastAPI, Header, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import AfterValidator
from starlette.responses import JSONResponse

from fastapi_async_safe import async_safe
from tests.support.serving import BACKENDS, Exchange, Init, SameAsStock, Serve, exchange

Mark = Callable[[Any], Any]


def as_it_is(call: Any) -> Any:
    """Leave a dependency unmarked."""
    return call


MARKS = [async_safe, as_it_is]


def app_with(*dependencies: Any) -> FastAPI:
    app = FastAPI()

    @app.get("/", dependencies=[Depends(dependency) for dependency in dependencies])
    async def endpoint() -> str:
        return "done"

    return app


# ---- invalid requests -------------------------------------------------------------------------


@pytest.mark.parametrize("mark", MARKS)
def test_a_missing_parameter_is_told_as_fastapi_tells_it(mark: Mark, serve: Serve) -> None:
    @mark
    def read(
        page: int,
        x_agent: Annotated[str, Header()],
        session: Annotated[str, Cookie()],
        other: Annotated[list[int], Query(alias="Other-Name")],
    ) -> None: ...

    answer = serve(app_with(read)).get("/")
    assert answer.status_code == 422
    assert answer.json() == {
        "detail": [
            {"type": "missing", "loc": loc, "msg": "Field required", "input": None}
            for loc in (
                ["query", "page"],
                ["query", "Other-Name"],
                ["header", "x-agent"],
                ["cookie", "session"],
            )
        ]
    }


@pytest.mark.parametrize("mark", MARKS)
def test_a_wrong_parameter_is_told_with_what_was_sent(mark: Mark, serve: Serve) -> None:
    @mark
    def read(page: int, size: Annotated[int, Query(le=100)] = 10) -> None: ...

    assert serve(app_with(read)).get("/?page=x&size=101").json() == {
        "detail": [
            {
                "type": "int_parsing",
                "loc": ["query", "page"],
                "msg": "Input should be a valid integer, unable to parse string as an integer",
                "input": "x",
            },
            {
                "type": "less_than_equal",
                "loc": ["query", "size"],
                "msg": "Input should be less than or equal to 100",
                "input": "101",
                "ctx": {"le": 100},
            },
        ]
    }


@pytest.mark.parametrize("mark", MARKS)
def test_each_wrong_item_of_a_list_is_told(mark: Mark, serve: Serve) -> None:
    @mark
    def read(number: Annotated[list[int], Query()]) -> None: ...

    errors = serve(app_with(read)).get("/?number=1&number=x&number=y").json()["detail"]
    assert [(error["loc"], error["input"]) for error in errors] == [
        (["query", "number", 1], "x"),
        (["query", "number", 2], "y"),
    ]


def test_errors_come_in_the_order_of_the_tree(serve: Serve) -> None:
    @async_safe
    def below(a: int, b: Annotated[int, Header()]) -> None: ...

    @async_safe
    def above(c: int, below: Annotated[None, Depends(below)]) -> None: ...

    def beside(d: int) -> None: ...

    app = FastAPI()

    @app.get("/", dependencies=[Depends(above), Depends(beside)])
    async def endpoint(e: int) -> None: ...

    errors = serve(app).get("/").json()["detail"]
    assert [error["loc"][1] for error in errors] == ["a", "b", "c", "d", "e"]


def test_errors_are_told_anew_for_each_request(serve: Serve) -> None:
    seen: list[Any] = []

    @async_safe
    def read(page: int) -> None: ...

    app = app_with(read)

    @app.exception_handler(RequestValidationError)
    async def handler(request: Request, error: RequestValidationError) -> JSONResponse:
        (detail,) = error.errors()
        seen.append(dict(detail))
        detail["msg"] = "changed"
        return JSONResponse(detail["msg"], status_code=422)

    client = serve(app)
    for _ in range(2):
        assert client.get("/").json() == "changed"
    assert [error["msg"] for error in seen] == ["Field required", "Field required"]


@pytest.mark.accelerated
def test_the_validation_error_itself_is_that_of_stock(init: Init) -> None:
    @async_safe
    def read(page: int, size: Annotated[int, Query(le=100)] = 10) -> None: ...

    def told(app: FastAPI) -> Any:
        seen: list[RequestValidationError] = []

        @app.exception_handler(RequestValidationError)
        async def handler(request: Request, error: RequestValidationError) -> JSONResponse:
            seen.append(error)
            return JSONResponse({}, status_code=422)

        assert exchange(app, query=b"size=101").status == 422
        (error,) = seen
        # Where the endpoint is defined comes out of a cache of FastAPI's that went by `id` once.
        return error.errors(), error.body, str(error).partition("\n\n  File")[0]

    assert told(init(app_with(read))) == told(app_with(read))


# ---- exceptions -------------------------------------------------------------------------------


class OwnError(Exception):
    """An exception that no one but the tests knows."""


EXCEPTIONS: list[Callable[[], BaseException]] = [
    lambda: LookupError("nothing here"),
    lambda: OwnError(1, 2),
    lambda: RuntimeError("of the dependency"),
    lambda: TypeError("of the dependency"),
    lambda: AttributeError("of the dependency"),
    lambda: TimeoutError("too late"),
    lambda: StopAsyncIteration("of the dependency"),
    StopIteration,
    lambda: StopIteration(7),
    lambda: ExceptionGroup("several", [ValueError("one"), KeyError("two")]),
    lambda: HTTPException(403, "not for you"),
    lambda: RequestValidationError([]),
]


def kinds_of_failure(make: Callable[[], BaseException]) -> dict[str, Any]:
    """Make a dependency of each kind that raises."""

    def function() -> None:
        raise make()

    class Constructed:
        def __init__(self) -> None:
            raise make()

    def context() -> Iterator[None]:
        raise make()
        yield

    def leaving() -> Iterator[None]:
        yield
        raise make()

    return {"function": function, "class": Constructed, "context": context, "leaving": leaving}


@pytest.mark.accelerated
@pytest.mark.parametrize("kind", kinds_of_failure(KeyError))
@pytest.mark.parametrize("make", EXCEPTIONS, ids=lambda make: repr(make()))
def test_each_exception_reaches_the_server_as_on_stock(
    make: Callable[[], BaseException], kind: str, same_as_stock: SameAsStock
) -> None:
    failing = kinds_of_failure(make)[kind]
    same_as_stock(lambda: app_with(async_safe(failing)), Exchange(), Exchange())


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_stop_iteration_becomes_a_runtime_error(backend: str, mark: Mark, init: Init) -> None:
    @mark
    def failing() -> None:
        raise StopIteration(7)

    error = exchange(init(app_with(failing)), backend=backend).error
    assert type(error) is RuntimeError
    assert "StopIteration" in str(error)


def test_stop_iteration_of_an_iterator_that_is_used_up_is_an_error(init: Init) -> None:
    tokens = iter(["only one"])

    @async_safe
    def token() -> str:
        return next(tokens)

    app = init(app_with(token))
    assert exchange(app).status == 200
    answer = exchange(app)
    assert type(answer.error) is RuntimeError
    assert answer.status == 500


@pytest.mark.parametrize("mark", MARKS)
def test_an_exception_handler_gets_the_exception_of_a_dependency(mark: Mark, serve: Serve) -> None:
    @mark
    def failing() -> None:
        raise OwnError("told")

    app = app_with(failing)

    @app.exception_handler(OwnError)
    async def handler(request: Request, error: OwnError) -> JSONResponse:
        return JSONResponse(str(error), status_code=418)

    answer = serve(app).get("/")
    assert (answer.status_code, answer.json()) == (418, "told")


@pytest.mark.parametrize("mark", MARKS)
def test_an_exception_shows_the_line_that_raised_it(mark: Mark, init: Init) -> None:
    @mark
    def failing() -> None:
        raise OwnError

    error = exchange(init(app_with(failing))).error
    assert error is not None
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    assert traceback is not None
    assert traceback.tb_frame.f_code is failing.__code__


def test_a_failing_request_does_not_harm_the_next(serve: Serve) -> None:
    @async_safe
    def read(fail: bool = False) -> str:
        if fail:
            raise OwnError
        return "fine"

    app = FastAPI()

    @app.get("/")
    async def endpoint(value: Annotated[str, Depends(read)]) -> str:
        return value

    client = serve(app)
    for _ in range(2):
        with pytest.raises(OwnError):
            client.get("/?fail=1")
        assert client.get("/?fail=x").status_code == 422
        assert client.get("/").json() == "fine"


def test_a_dependency_that_cannot_be_called_like_that_is_a_type_error(init: Init) -> None:
    @async_safe
    def positional(value: int, /) -> int:
        return value

    error = exchange(init(app_with(positional)), query=b"value=1").error
    assert isinstance(error, TypeError)
    assert "positional" in str(error)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
@pytest.mark.parametrize("mark", MARKS)
def test_what_is_no_exception_passes_through(
    mark: Mark, error: type[BaseException], init: Init
) -> None:
    @mark
    def failing() -> None:
        raise error

    app = init(app_with(failing))
    raised = []

    async def caught() -> None:
        try:
            await Exchange().run(app)
        except BaseException as found:
            raised.append(type(found))

    anyio.run(caught)
    assert raised == [error]


@pytest.mark.accelerated
@pytest.mark.parametrize("make", [*EXCEPTIONS, lambda: ValueError("not valid")])
def test_each_exception_of_a_validator_is_what_it_is_on_stock(
    make: Callable[[], BaseException], same_as_stock: SameAsStock
) -> None:
    calls: list[str] = []

    def validator(value: str) -> str:
        calls.append(value)
        if value == "bad":
            raise make()
        return value

    @async_safe
    def read(name: Annotated[str, AfterValidator(validator)], page: int) -> None: ...

    queries = [b"name=good&page=1", b"name=bad&page=1", b"name=bad&page=x", b"page=x"]
    same_as_stock(lambda: app_with(read), *(Exchange(query=query) for query in queries))
    half = len(calls) // 2
    assert calls[:half] == calls[half:] == ["good", "bad", "bad"]


@pytest.mark.accelerated
def test_a_route_class_may_try_again(same_as_stock: SameAsStock) -> None:
    class TriesAgain(APIRoute):
        def get_route_handler(self) -> Callable[..., Any]:
            handler = super().get_route_handler()

            async def handle(request: Request) -> Any:
                try:
                    return await handler(request)
                except OwnError:
                    return await handler(request)

            return handle

    def make_app() -> FastAPI:
        attempts: list[int] = []

        @async_safe
        def context(page: int) -> Iterator[int]:
            attempts.append(page)
            yield len(attempts)

        @async_safe
        def failing_first(attempt: Annotated[int, Depends(context)]) -> int:
            if attempt == 1:
                raise OwnError
            return attempt

        app = FastAPI()
        app.router.route_class = TriesAgain

        @app.get("/")
        async def endpoint(attempt: Annotated[int, Depends(failing_first)]) -> int:
            return attempt

        return app

    (answer,) = same_as_stock(make_app, Exchange(query=b"page=1"))
    assert answer.body == b"2"


# ---- values that look like something to wait for ----------------------------------------------


@pytest.mark.parametrize("mark", MARKS)
def test_a_coroutine_that_a_sync_dependency_returns_is_handed_on(mark: Mark, serve: Serve) -> None:
    async def work() -> str:
        return "worked"

    @mark
    def dependency() -> Any:
        return work()

    app = FastAPI()

    @app.get("/")
    async def endpoint(value: Annotated[Any, Depends(dependency)]) -> list[Any]:
        return [asyncio.iscoroutine(value), await value]

    assert serve(app).get("/").json() == [True, "worked"]


@pytest.mark.parametrize("mark", MARKS)
def test_a_generator_that_a_sync_dependency_returns_is_handed_on(mark: Mark, serve: Serve) -> None:
    def numbers() -> Iterator[int]:
        yield from range(3)

    @mark
    def dependency() -> Any:
        return numbers()

    app = FastAPI()

    @app.get("/")
    async def endpoint(value: Annotated[Any, Depends(dependency)]) -> list[int]:
        return list(value)

    assert serve(app).get("/").json() == [0, 1, 2]


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("value", [Ellipsis, NotImplemented, None, (), Exception, object])
def test_any_value_is_handed_on(value: Any, mark: Mark, serve: Serve) -> None:
    @mark
    def dependency() -> Any:
        return value

    app = FastAPI()

    @app.get("/")
    async def endpoint(got: Annotated[Any, Depends(dependency)]) -> bool:
        return got is value

    assert serve(app).get("/").json() is True


@pytest.mark.accelerated  # a thread of the pool keeps the last exception
@pytest.mark.parametrize("flavour", ["sync", "async"])
def test_an_exception_does_not_keep_what_keeps_it(flavour: str, init: Init) -> None:
    class Collector:
        error: BaseException | None = None

    witnesses = []

    @async_safe
    def collector() -> Collector:
        made = Collector()
        witnesses.append(weakref.ref(made))
        return made

    def fails(collector: Annotated[Collector, Depends(collector)]) -> None:
        collector.error = ValueError("kept")
        raise collector.error

    async def fails_later(collector: Annotated[Collector, Depends(collector)]) -> None:
        await anyio.lowlevel.checkpoint()
        fails(collector)

    failing = fails_later if flavour == "async" else async_safe(fails)

    def serve_once() -> None:
        app = FastAPI()

        @app.get("/")
        async def endpoint(
            collector: Annotated[Collector, Depends(collector)],
            failed: Annotated[None, Depends(failing)],
        ) -> None: ...

        assert str(exchange(init(app)).error) == "kept"

    serve_once()
    gc.collect()
    assert [witness() for witness in witnesses] == [None]
