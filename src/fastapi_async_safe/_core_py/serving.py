"""Which route serves the request at hand, for what runs after its dependencies.

NOTE: a word from the solver to the next endpoint called in the thread would do for most requests,
and save one microsecond of 47; but where a tool waits in between, or two applications share a
route, the wrong request takes it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any, Protocol
from weakref import ref

from .. import _fastapi


class Need:
    """Something that nothing is done for before the first plan needs it."""

    __slots__ = ("enabled", "prepare")

    def __init__(self) -> None:
        self.enabled = False
        self.prepare: Callable[[], None] | None = None  # called before it is enabled

    def enable(self) -> None:
        """Say that a plan needs it."""
        if not self.enabled and self.prepare is not None:
            self.prepare()
        self.enabled = True


marked_endpoints = Need()  # endpoints that run inline: a record of the current request
joined_endpoints = Need()  # endpoints that share a trip to the thread pool


class Route(Protocol):
    """What is known of the route that serves a request."""

    def streams_inline(self) -> bool:
        """Say whether a sync iterator that its endpoint gives is iterated on the event loop."""
        ...

    def took(self, phase: Any, seconds: float) -> None:
        """Take how long what belongs to the endpoint held up the event loop."""

    def inline(self, phase: Any) -> Any:
        """Name what belongs to the endpoint, and runs inline."""


class CurrentRequest:
    """A request that is being served; its route is known when its dependencies are solved.

    Parameters:
        request: it, or a WebSocket; nobody but who serves it need keep it.
    """

    __slots__ = ("dependant", "is_resolved", "owner", "request", "route")

    def __init__(self, request: Any) -> None:
        self.request: Callable[[], Any] = ref(request)  # weakly
        self.route: Route | None = None  # None: nothing of the request is to run inline
        # Of the endpoint, if that, a sync one, is to run inline.
        self.dependant: _fastapi.Dependant = None
        self.owner: Any = None  # weakly: FastAPI's route
        self.is_resolved = False  # what serves it is known


current_request: ContextVar[CurrentRequest | None] = ContextVar(
    "fastapi_async_safe_current_request", default=None
)


def set_route(
    route: Route | None, request: Any, dependant: _fastapi.Dependant, owner: Any, /
) -> None:
    """Say which route serves the current request, with what `CurrentRequest` has."""
    current = current_request.get()
    if current is None or current.request() is None:  # it began before there was a marked endpoint
        current = begin(request)
    current.route = route
    current.dependant = dependant
    current.owner = owner
    current.is_resolved = True


def clear() -> None:
    """Say that nothing more of the current request is its route's."""
    current = current_request.get()
    if current is not None:
        current.route = current.dependant = current.owner = None
        current.is_resolved = True


def isolate_nested(app: Callable[..., Awaitable[None]], request: Any, /) -> Any:
    """Begin to serve a request by `app`, and keep its record from other requests.

    NOTE: some servers and tests serve one request after the other in one context, and an endpoint
    may call another application in its own: neither may see the route of the other. The record
    of a request that has ended does not count, so that only a request within a request is wrapped.

    PERF: neither is a request wrapped that is within no other, nor is anything recorded before
    there is a marked endpoint.
    """
    before = current_request.get()
    if before is not None:
        around = before.request()
        if around is not None:
            if around.scope is request.scope and not before.is_resolved:
                return app
            return isolated(app, request, before, begin, current_request)
    begin(request)
    return app


def isolated(
    app: Callable[..., Awaitable[None]],
    request: Any,
    before: Any,
    begin: Callable[[Any], Any],
    current_request: ContextVar[Any],
) -> Callable[..., Awaitable[None]]:
    """Make of `app` one that serves a request within a request, whose record it restores."""

    async def isolated_app(scope: Any, receive: Any, send: Any) -> None:
        begin(request)
        try:
            await app(scope, receive, send)
        finally:
            current_request.set(before)

    return isolated_app


def begin(request: Any, /) -> CurrentRequest:
    """Make the record of a request that is being served from now on."""
    current = CurrentRequest(request)
    current_request.set(current)
    return current


def current_route() -> Route | None:
    """Give the route that serves the request at hand, None if nothing of it is to run inline."""
    current = current_request.get()
    return None if current is None or current.request() is None else current.route


def is_called_inline(dependant: _fastapi.Dependant, /) -> bool:
    """Say whether the endpoint of `dependant`, a sync one, is to be called on the event loop."""
    current = current_request.get()
    return current is not None and current.dependant is dependant and current.request() is not None


def is_validated_inline(field: Any, /) -> bool:
    """Say whether the response of a sync endpoint is to be validated on the event loop.

    Parameters:
        field: FastAPI's, that of the response.
    """
    current = current_request.get()
    return (
        current is not None
        and current.dependant is not None
        and current.request() is not None
        and getattr(current.owner(), _fastapi.RESPONSE_FIELD, None) is field
    )


def is_streamed_inline() -> bool:
    """Say whether a sync iterator is to be iterated on the event loop."""
    current = current_request.get()
    if current is None or current.route is None or current.request() is None:
        return False
    return current.dependant is not None or current.route.streams_inline()
