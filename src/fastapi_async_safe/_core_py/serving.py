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


marked_endpoints = Need()  # endpoints that run inline: a note of who serves a request
joined_endpoints = Need()  # endpoints that share a trip to the thread pool


class Route(Protocol):
    """What is known of the route that serves a request."""

    def streams_inline(self) -> bool:
        """Say whether a sync iterator that its endpoint gives is iterated on the event loop."""

    def took(self, phase: Any, seconds: float) -> None:
        """Take how long what belongs to the endpoint held up the event loop."""

    def inline(self, phase: Any) -> Any:
        """Name what belongs to the endpoint, and runs inline."""


class Served:
    """A request that is being served; its route is known when its dependencies are solved.

    Parameters:
        connection: what nobody but who serves the request need keep.
    """

    __slots__ = ("connection", "dependant", "is_settled", "owner", "route")

    def __init__(self, connection: Any) -> None:
        self.connection: Callable[[], Any] = ref(connection)
        self.route: Route | None = None  # None: nothing of the request is to run inline
        # Of the endpoint, if that, a sync one, is to run inline.
        self.dependant: _fastapi.Dependant = None
        self.owner: Any = None  # weakly: FastAPI's route
        self.is_settled = False  # what serves it is known


_served: ContextVar[Served | None] = ContextVar("fastapi_async_safe_served", default=None)


def serve_by(
    route: Route | None, connection: Any, dependant: _fastapi.Dependant, owner: Any
) -> None:
    """Note which route serves the request, as `Served` has it."""
    served = _served.get()
    if served is None or served.connection() is None:  # it began before there was a marked endpoint
        served = begin(connection)
    served.route = route
    served.dependant = dependant
    served.owner = owner
    served.is_settled = True


def abandon() -> None:
    """Note that nothing more of the request is the route's."""
    served = _served.get()
    if served is not None:
        served.route = served.dependant = served.owner = None
        served.is_settled = True


def contained(app: Callable[..., Awaitable[None]], connection: Any) -> Any:
    """Begin to serve a request by `app`, and keep what is noted of it from other requests.

    NOTE: some servers and tests serve one request after the other in one context, and an endpoint
    may call another application in its own: neither may see the route of the other. What is noted
    of a request that has ended does not count, so that only a request within a request is wrapped.

    PERF: a wrapper around every request would be a twentieth of one without dependencies, and what
    is noted here as much, so that nothing is before there is a marked endpoint.
    """
    before = _served.get()
    if before is not None:
        around = before.connection()
        if around is not None:
            if around.scope is connection.scope and not before.is_settled:
                return app
            return wrapped(app, connection, before, begin, _served)
    begin(connection)
    return app


def wrapped(
    app: Callable[..., Awaitable[None]],
    connection: Any,
    before: Any,
    begin: Callable[[Any], Any],
    noted: ContextVar[Any],
) -> Callable[..., Awaitable[None]]:
    """Make of `app` one that serves a request within a request, and then notes what was before."""

    async def contained_app(scope: Any, receive: Any, send: Any) -> None:
        begin(connection)
        try:
            await app(scope, receive, send)
        finally:
            noted.set(before)

    return contained_app


def begin(connection: Any) -> Served:
    """Note that a request is being served from now on."""
    served = Served(connection)
    _served.set(served)
    return served


def current_route() -> Route | None:
    """Give the route that serves the request at hand, None if nothing of it is to run inline."""
    served = _served.get()
    return None if served is None or served.connection() is None else served.route


def is_called_inline(dependant: _fastapi.Dependant) -> bool:
    """Say whether the endpoint of `dependant`, a sync one, is to be called on the event loop."""
    served = _served.get()
    return served is not None and served.dependant is dependant and served.connection() is not None


def is_validated_inline(field: Any) -> bool:
    """Say whether the response of a sync endpoint is to be validated on the event loop.

    Parameters:
        field: FastAPI's, that of the response.
    """
    served = _served.get()
    return (
        served is not None
        and served.dependant is not None
        and served.connection() is not None
        and getattr(served.owner(), _fastapi.RESPONSE_FIELD, None) is field
    )


def is_streamed_inline() -> bool:
    """Say whether a sync iterator is to be iterated on the event loop."""
    served = _served.get()
    if served is None or served.route is None or served.connection() is None:
        return False
    return served.dependant is not None or served.route.streams_inline()
