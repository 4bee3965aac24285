"""What an `init_app` says of itself at its first requests."""

import logging
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.dependencies.utils import get_dependant, solve_dependencies
from starlette.testclient import TestClient

from fastapi_async_safe import _registry as registry
from fastapi_async_safe import async_safe
from tests.support.serving import Init, Serve, needs_lazy_routers

pytestmark = [pytest.mark.accelerated, pytest.mark.declines]

LOGGER = "fastapi_async_safe"


@async_safe
def get_number() -> int:
    return 1


@async_safe
def get_session() -> Iterator[str]:
    yield "session"


def in_a_thread() -> int:
    return 2


async def get_in_a_thread(number: Annotated[int, Depends(in_a_thread)]) -> int:
    return number


def marked_app() -> FastAPI:
    """Make an application whose first route has four trips less than on FastAPI."""
    app, router = FastAPI(), APIRouter(prefix="/more")

    @app.get("/")
    async def endpoint(
        number: Annotated[int, Depends(get_number)],
        session: Annotated[str, Depends(get_session)],
        thread: Annotated[int, Depends(in_a_thread)],
    ) -> int:
        return number + thread

    @router.get("/")
    @async_safe
    def marked_endpoint() -> int:
        return 3

    app.include_router(router)
    return app


def unmarked_app() -> FastAPI:
    app = FastAPI()

    @app.get("/")
    async def endpoint(thread: Annotated[int, Depends(in_a_thread)]) -> int:
        return thread

    @app.get("/number")
    async def endpoint_with_number(number: Annotated[int, Depends(get_number)]) -> int:
        return number

    @app.get("/plain")
    async def plain() -> None: ...

    return app


def said(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.name == LOGGER and record.levelno == level
    ]


def test_the_first_request_says_core_and_trips_once(
    serve: Serve, variant: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, LOGGER)
    client = serve(marked_app())

    assert caplog.records == []
    for _ in range(3):
        assert client.get("/").json() == 3
        assert client.get("/more/").json() == 3
    (introduction,) = said(caplog, logging.INFO)
    assert introduction == (
        f"fastapi-async-safe: {variant} core; a request to / makes 1 trip to the thread pool, 3 "
        "fewer than on FastAPI alone"
    )
    assert said(caplog, logging.WARNING) == []


@needs_lazy_routers
def test_what_is_said_makes_no_route_before_its_time(
    init: Init, caplog: pytest.LogCaptureFixture
) -> None:
    """FastAPI reads an included route when it is first looked for, not before."""
    caplog.set_level(logging.INFO, LOGGER)
    app, router = marked_app(), APIRouter()
    router.add_api_route("/", lambda: None)
    app.include_router(router, prefix="/included")
    client = TestClient(init(app))
    client.get("/")
    assert len(said(caplog, logging.INFO)) == 1
    (route,) = router.routes
    route.status_code = 201  # type: ignore[attr-defined]
    assert client.get("/included/").status_code == 201


def test_each_application_says_it(init: Init, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, LOGGER)
    for app in (marked_app(), unmarked_app()):
        TestClient(init(app)).get("/")
    assert len(said(caplog, logging.INFO)) == 2


def test_details_are_at_debug(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, LOGGER)
    client = serve(marked_app())
    client.get("/")
    client.get("/more/")
    here = __name__
    first, second = said(caplog, logging.DEBUG)
    assert first == (
        f"plan of route /: {here}.get_number inline, {here}.get_session inline, "
        f"{here}.in_a_thread on trip 1, {here}.marked_app.<locals>.endpoint awaited"
    )
    assert second == f"plan of route /more/: {here}.marked_app.<locals>.marked_endpoint inline"


def test_by_default_nothing_is_said(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    client = serve(marked_app())
    for _ in range(120):
        client.get("/")
    assert caplog.records == []


def test_an_application_without_anything_inline_says_so_after_100_requests(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    client = serve(unmarked_app())
    for _ in range(98):
        client.get("/plain")
    client.get("/")
    assert caplog.records == []
    for _ in range(50):
        client.get("/")
    (warning,) = said(caplog, logging.WARNING)
    assert warning == (
        "nothing of 2 routes ran inline in 100 requests, though there is an init_app: what is sync "
        "went to the thread pool. See where everything runs, and what may be marked: "
        "fastapi-async-safe check APP"
    )


def test_where_calls_share_trips_that_is_no_warning(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, LOGGER)
    app = FastAPI()

    def on_the_same_trip() -> int:
        return 1

    @app.get("/")
    def endpoint(number: Annotated[int, Depends(on_the_same_trip)]) -> int:
        return number

    client = serve(app)
    for _ in range(101):
        client.get("/")
    assert said(caplog, logging.WARNING) == []
    assert sum("ran inline in 100 requests" in text for text in said(caplog, logging.INFO)) == 1


def test_with_something_inline_it_does_not(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    client = serve(unmarked_app())
    for path in ["/"] * 50 + ["/number"] + ["/"] * 60:
        client.get(path)
    assert caplog.records == []


def test_without_anything_sync_it_does_not(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    client = serve(unmarked_app())
    for _ in range(120):
        client.get("/plain")
    assert caplog.records == []


def test_nothing_is_counted_once_it_is_said(serve: Serve) -> None:
    app = marked_app()
    client = serve(app)
    client.get("/")
    client.get("/")
    resolver = app._fastapi_async_safe_resolver  # type: ignore[attr-defined]
    assert resolver.solve == resolver._solve


def test_what_a_tool_has_solved_is_not_noted_without_end(serve: Serve) -> None:
    app = FastAPI()

    @app.get("/{number}")
    async def endpoint(request: Request) -> None:
        dependant = get_dependant(path="", call=get_in_a_thread)
        async with AsyncExitStack() as stack:
            await solve_dependencies(
                request=request,
                dependant=dependant,
                async_exit_stack=stack,
                embed_body_fields=False,
            )

    client = serve(app)
    for number in range(120):
        client.get(f"/{number}")
    noted = registry.resolver_of({"app": app})._first_requests._routes  # type: ignore[union-attr]
    assert 0 < len(noted) <= 100
