"""Sync streams: those of marked endpoints are iterated on the event loop, others in the pool."""

from collections.abc import Callable, Iterator
from typing import Annotated, Any

import anyio
import anyio.lowlevel
import pytest
from fastapi import APIRouter, Depends, FastAPI, HTTPException
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from starlette.concurrency import iterate_in_threadpool

from fastapi_async_safe import async_safe, async_unsafe
from tests.support.serving import BACKENDS, Exchange, Init, SameAsStock, exchange, here
from tests.support.streams import (
    Declare,
    app_with,
    each_kind,
    events,
    events_of_an_instance,
    needs_generator_endpoints,
    unmarked,
)


class StreamError(Exception):
    """What happens in the middle of a stream."""


def telling(threads: list[int], count: int = 1) -> Callable[[], Iterator[int]]:
    """Make what streams `count` numbers, and tells `threads` where each is asked for."""

    def make() -> Iterator[int]:
        for number in range(count):
            threads.append(here())
            yield number
        threads.append(here())

    return make


# ---- where they are iterated ------------------------------------------------------------------


@pytest.mark.accelerated
@pytest.mark.parametrize("backend", BACKENDS)
@each_kind
def test_what_is_marked_is_iterated_on_the_loop(declare: Declare, backend: str, init: Init) -> None:
    threads: list[int] = []

    app = init(app_with(declare, telling(threads, 3), async_safe))
    for _ in range(2):
        assert exchange(app, backend=backend).error is None
    assert threads == [here()] * 8


@pytest.mark.parametrize("mark", [unmarked, async_unsafe])
@each_kind
def test_what_is_not_marked_is_iterated_in_the_pool(
    declare: Declare, mark: Any, init: Init
) -> None:
    threads: list[int] = []

    predicates = [lambda call: True] if mark is async_unsafe else []
    app = init(app_with(declare, telling(threads, 3), mark), predicates=predicates)
    assert exchange(app).error is None
    assert len(threads) == 4
    assert here() not in threads


@pytest.mark.accelerated
@each_kind
def test_a_predicate_is_asked_for_them(declare: Declare, init: Init) -> None:
    threads: list[int] = []

    for is_safe in (True, False):
        app = app_with(declare, telling(threads), unmarked)
        init(app, predicates=[lambda call, is_safe=is_safe: is_safe])
        assert exchange(app).error is None
    assert [thread == here() for thread in threads] == [True, True, False, False]


def test_a_mark_on_an_async_endpoint_does_not_move_its_stream(init: Init) -> None:
    threads: list[int] = []

    def make() -> Iterator[str]:
        threads.append(here())
        yield ""

    @async_safe
    async def endpoint(value: Annotated[int, Depends(lambda: 1)]) -> StreamingResponse:
        return StreamingResponse(make())

    app = init(FastAPI(), predicates=[lambda call: False])
    app.add_api_route("/", endpoint, response_model=None)
    assert exchange(app).error is None
    assert threads
    assert here() not in threads


@pytest.mark.accelerated
@each_kind
def test_streams_of_included_routers_and_mounted_apps_are_too(declare: Declare, init: Init) -> None:
    threads: list[int] = []

    router = APIRouter()
    declare(router, telling(threads), async_safe)
    app = FastAPI()
    app.include_router(router, prefix="/included")
    app.mount("/mounted", app_with(declare, telling(threads), async_safe))
    init(app)
    for path in ("/included/", "/mounted/"):
        assert exchange(app, path).error is None
    assert threads == [here()] * 4


@each_kind
def test_an_app_that_was_not_initialised_iterates_in_the_pool(declare: Declare, init: Init) -> None:
    threads: list[int] = []

    init(FastAPI(), predicates=[lambda call: True])
    assert exchange(app_with(declare, telling(threads), async_safe)).error is None
    assert here() not in threads


@needs_generator_endpoints
@pytest.mark.accelerated
def test_a_session_is_on_the_thread_of_the_stream_that_uses_it(init: Init) -> None:
    threads: list[int] = []

    @async_safe
    def session() -> Iterator[str]:
        threads.append(here())
        yield "row"
        threads.append(here())

    @async_safe
    def endpoint(row: Annotated[str, Depends(session)]) -> Iterator[str]:
        threads.append(here())
        yield row

    app = init(FastAPI())
    app.add_api_route("/", endpoint)
    assert exchange(app).body == b'"row"\n'
    assert threads == [here()] * 3


@pytest.mark.parametrize("goes_wrong", ["the endpoint", "validation"])
def test_what_an_exception_handler_streams_is_iterated_in_the_pool(
    goes_wrong: str, init: Init
) -> None:
    seen: list[int] = []

    def stream() -> Iterator[bytes]:
        seen.append(here())
        yield b"handled"

    async def handle(request: Any, error: Exception) -> StreamingResponse:
        return StreamingResponse(stream())

    app = FastAPI(exception_handlers={HTTPException: handle, RequestValidationError: handle})

    @app.get("/")
    @async_safe
    def endpoint(number: int) -> None:
        raise HTTPException(400)

    query = b"number=1" if goes_wrong == "the endpoint" else b""
    assert exchange(init(app), query=query).body == b"handled"
    assert seen != [here()]


def test_outside_of_requests_iterate_in_threadpool_is_as_before(init: Init) -> None:
    init(FastAPI(), predicates=[lambda call: True])

    async def threads() -> list[int]:
        return [thread async for thread in iterate_in_threadpool(here() for _ in range(3))]

    found = anyio.run(threads)
    assert len(found) == 3
    assert here() not in found


# ---- what they give ---------------------------------------------------------------------------


@pytest.mark.parametrize("mark", [async_safe, unmarked])
@pytest.mark.parametrize(
    "items",
    [[], [1], [1, 2, 3], [1, "two", None], [{"nan": 1.5}], ["ü" * 1000] * 3, list(range(200))],
    ids=[0, 1, 3, "mixed", "mapping", "text", 200],
)
@each_kind
def test_they_give_what_they_give_on_stock(
    declare: Declare, items: list[Any], mark: Any, same_as_stock: SameAsStock
) -> None:
    same_as_stock(lambda: app_with(declare, lambda: iter(items), mark), Exchange())


@pytest.mark.parametrize(
    "error",
    [StreamError("broken"), HTTPException(418), StopAsyncIteration(1), LookupError("text")],
    ids=repr,
)
@pytest.mark.parametrize("after", [0, 2])
@pytest.mark.parametrize("mark", [async_safe, unmarked])
@each_kind
def test_what_they_raise_is_what_they_raise_on_stock(
    declare: Declare,
    mark: Any,
    after: int,
    error: Exception,
    init: Init,
    same_as_stock: SameAsStock,
) -> None:
    def make() -> Iterator[int]:
        yield from range(after)
        raise error

    error.__traceback__ = error.__context__ = error.__cause__ = None
    if declare in (events, events_of_an_instance):
        # What comes before the end depends on which task of FastAPI's is first, on stock too.
        expected, given = (
            exchange(wrap(app_with(declare, make, mark))) for wrap in (unmarked, init)
        )
        assert given.sent[:1] == expected.sent[:1]
        assert repr(given.error) == repr(expected.error)
    else:
        (given,) = same_as_stock(lambda: app_with(declare, make, mark), Exchange())
    assert given.error is not None


@pytest.mark.parametrize("mark", [async_safe, unmarked])
def test_an_iterator_of_ones_own_may_be_streamed(mark: Any, same_as_stock: SameAsStock) -> None:
    class Countdown:
        def __init__(self) -> None:
            self.number = 3

        def __iter__(self) -> "Countdown":
            return self

        def __next__(self) -> str:
            self.number -= 1
            if self.number < 0:
                raise StopIteration
            return str(self.number)

    class NotIterable:
        def __iter__(self) -> Any:
            raise StreamError("not this time")

    def make_app() -> FastAPI:
        app = FastAPI()
        for path, content in (("/own", Countdown), ("/not", NotIterable), ("/list", list)):
            app.add_api_route(
                path,
                mark(lambda content=content: StreamingResponse(content())),
                response_model=None,
            )
        return app

    own, wrong, empty = same_as_stock(make_app, *map(Exchange, ("/own", "/not", "/list")))
    assert (own.body, repr(wrong.error), empty.body) == (
        b"210",
        "StreamError('not this time')",
        b"",
    )
