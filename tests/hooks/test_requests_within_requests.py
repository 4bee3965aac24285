"""Requests within requests: what one route lets run inline says nothing of another's code."""

from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import anyio
import pytest
from fastapi import BackgroundTasks, Depends, FastAPI
from fastapi.responses import StreamingResponse
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from fastapi_async_safe import async_safe
from tests.support.serving import FASTAPI, Exchange, Init, exchange, here, needs_dependency_scopes

pytestmark = pytest.mark.accelerated


def unmarked(call: Any) -> Any:
    return call


@pytest.fixture(params=["everything marked", "nothing marked", "not initialised"])
def inner(request: pytest.FixtureRequest, init: Init) -> FastAPI:
    """Give an application that others call in-process."""
    app = FastAPI()
    app.add_api_route("/", lambda: None)
    if request.param == "not initialised":
        return app
    return init(app, predicates=[lambda call: request.param == "everything marked"])


async def call(app: FastAPI) -> None:
    """Call an application in the context of a request."""
    assert (await Exchange().run(app)).status == 200


class Parts:
    """A sync stream that keeps the threads it was iterated on."""

    def __init__(self) -> None:
        self.threads: list[int] = []

    def __iter__(self) -> Iterator[bytes]:
        for part in (b"one", b"two"):
            self.threads.append(here())
            yield part

    @property
    def are_inline(self) -> bool:
        assert len(self.threads) == 2
        assert len({thread == here() for thread in self.threads}) == 1
        return self.threads[0] == here()


@pytest.mark.parametrize("is_initialised", [True, False])
def test_an_unmarked_stream_stays_in_the_pool(
    is_initialised: bool, inner: FastAPI, init: Init
) -> None:
    parts, app = Parts(), FastAPI()

    @app.get("/")
    async def endpoint() -> StreamingResponse:
        await call(inner)
        return StreamingResponse(parts)

    assert exchange(init(app) if is_initialised else app).body == b"onetwo"
    assert not parts.are_inline


@needs_dependency_scopes
@pytest.mark.parametrize("mark", [async_safe, unmarked])
def test_a_call_on_leaving_a_context_changes_nothing(mark: Any, inner: FastAPI, init: Init) -> None:
    parts, app = Parts(), FastAPI()

    async def context() -> AsyncIterator[None]:
        yield
        await call(inner)

    @app.get("/", dependencies=[Depends(context, scope="function")])
    @mark
    def endpoint() -> StreamingResponse:
        return StreamingResponse(parts)

    assert exchange(init(app)).body == b"onetwo"
    assert parts.are_inline == (mark is async_safe)


@pytest.mark.parametrize("mark", [async_safe, unmarked])
def test_a_call_by_a_dependency_changes_nothing(mark: Any, inner: FastAPI, init: Init) -> None:
    async def dependency() -> None:
        await call(inner)

    @mark
    def endpoint(nothing: Annotated[None, Depends(dependency)]) -> bool:
        return here() == thread

    thread = here()
    app = init(FastAPI())
    app.add_api_route("/", endpoint)
    assert exchange(app).body == (b"true" if mark is async_safe else b"false")


@pytest.mark.parametrize("mark", [async_safe, unmarked])
def test_a_call_by_a_background_task_changes_nothing(mark: Any, inner: FastAPI, init: Init) -> None:
    threads: list[bool] = []
    thread = here()

    @mark
    def task() -> None:
        threads.append(here() == thread)

    async def endpoint(tasks: BackgroundTasks) -> None:
        tasks.add_task(task)
        tasks.add_task(call, inner)
        tasks.add_task(task)

    app = init(FastAPI())
    app.add_api_route("/", endpoint)
    assert exchange(app).error is None
    assert threads == [mark is async_safe] * 2


@pytest.mark.parametrize("is_same_app", [True, False])
def test_a_plain_route_is_on_stock_after_any_request(is_same_app: bool, init: Init) -> None:
    parts = Parts()

    async def plain(request: Request) -> StreamingResponse:
        return StreamingResponse(parts)

    app = init(FastAPI(), predicates=[lambda call: True])
    app.add_api_route("/", lambda: None)
    route = Route("/plain", plain)
    if is_same_app:
        app.router.routes.append(route)

    async def one_after_the_other() -> None:
        await call(app)
        answer = await Exchange("/plain").run(app if is_same_app else Starlette(routes=[route]))
        assert answer.body == b"onetwo"

    anyio.run(one_after_the_other)
    assert not parts.are_inline


@pytest.mark.slow
@pytest.mark.skipif(
    (0, 157) <= FASTAPI < (0, 160), reason="FastAPI 0.157 to 0.159 never ends such a request"
)
@pytest.mark.parametrize("is_longer", [False, True])
@pytest.mark.declines
def test_an_override_that_needs_what_it_stands_in_for_is_an_error_as_on_stock(
    is_longer: bool, init: Init
) -> None:
    def declared() -> None: ...

    def between(nothing: Annotated[None, Depends(declared)]) -> None: ...

    def override(nothing: Annotated[None, Depends(between if is_longer else declared)]) -> None: ...

    app = init(FastAPI())

    @app.get("/", dependencies=[Depends(declared)])
    async def endpoint() -> None: ...

    app.dependency_overrides[declared] = override
    assert isinstance(exchange(app).error, RecursionError)


def test_an_app_that_is_handed_the_request_of_another_says_nothing_of_its_stream(
    init: Init,
) -> None:
    parts, app, marked = Parts(), init(FastAPI()), FastAPI()

    @marked.get("/")
    @async_safe
    def inline() -> None: ...

    init(marked)

    @app.get("/")
    async def endpoint(request: Request) -> StreamingResponse:
        async def send(message: Any) -> None: ...

        await marked(request.scope, request.receive, send)
        return StreamingResponse(parts)

    for _ in range(2):  # the hooks are there from the second one on
        parts.threads.clear()
        assert exchange(app).body == b"onetwo"
        assert not parts.are_inline
