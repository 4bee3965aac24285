"""Endpoints of each kind that streams."""

import importlib.util
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

STREAMS_ITEMS = importlib.util.find_spec("fastapi.sse") is not None


needs_generator_endpoints = pytest.mark.skipif(
    not STREAMS_ITEMS, reason="generator endpoints came with FastAPI 0.134 and 0.135"
)


class Item(BaseModel):
    """What is streamed."""

    number: int


# Each of these declares `/` on a router: what streams the items of `make`, marked by `mark`.
Declare = Callable[[APIRouter, Callable[[], Iterator[Any]], Callable[[Any], Any]], None]


def returned(router: APIRouter, make: Callable[[], Iterator[Any]], mark: Any) -> None:
    """Declare an endpoint that returns a streaming response."""

    @router.get("/")
    @mark
    def endpoint() -> StreamingResponse:
        return StreamingResponse(str(item) for item in make())


def raw(router: APIRouter, make: Callable[[], Iterator[Any]], mark: Any) -> None:
    """Declare a generator endpoint with a response class."""

    @router.get("/", response_class=StreamingResponse)
    @mark
    def endpoint() -> Iterator[str]:
        for item in make():
            yield str(item)


def lines(router: APIRouter, make: Callable[[], Iterator[Any]], mark: Any) -> None:
    """Declare a generator endpoint that gives JSON lines."""

    @router.get("/")
    @mark
    def endpoint() -> Iterator[Any]:
        yield from make()


def checked_lines(router: APIRouter, make: Callable[[], Iterator[Any]], mark: Any) -> None:
    """Declare a generator endpoint that gives validated JSON lines."""

    @router.get("/")
    @mark
    def endpoint() -> Iterator[Item]:
        for item in make():
            yield Item(number=item)


def events(router: APIRouter, make: Callable[[], Iterator[Any]], mark: Any) -> None:
    """Declare a generator endpoint that gives server-sent events."""
    from fastapi.sse import EventSourceResponse, ServerSentEvent

    @router.get("/", response_class=EventSourceResponse)
    @mark
    def endpoint() -> Iterator[Any]:
        for item in make():
            yield item
            yield ServerSentEvent(data=item, event="again", id=str(item))


def events_of_an_instance(router: APIRouter, make: Callable[[], Iterator[Any]], mark: Any) -> None:
    """Declare a callable instance that gives server-sent events."""
    from fastapi.sse import EventSourceResponse

    class Endpoint:
        def __call__(self) -> Iterator[Any]:
            yield from make()

    router.add_api_route("/", mark(Endpoint()), response_class=EventSourceResponse)


each_kind = pytest.mark.parametrize(
    "declare",
    [
        returned,
        *(
            pytest.param(each, marks=needs_generator_endpoints)
            for each in (raw, lines, checked_lines, events, events_of_an_instance)
        ),
    ],
)


def unmarked(call: Any) -> Any:
    return call


def app_with(declare: Declare, make: Callable[[], Iterator[Any]], mark: Any) -> FastAPI:
    """Make an application with one stream."""
    app = FastAPI()
    declare(app.router, make, mark)
    return app
