"""Marked endpoints: what runs inline after the dependencies of a request are solved.

FastAPI hands a `def` endpoint to the thread pool, then the validation of its response, then each
item of a sync stream, then each sync background task. The hooks ask here before they do.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextvars import ContextVar
from typing import Any, Protocol

from . import _fastapi


class Route(Protocol):
    """What is known of the route that serves a request."""

    dependant: _fastapi.Dependant
    is_inline: bool

    def response_field(self) -> Any:
        """Give FastAPI's field for the response, None if there is none."""

    def streams_inline(self) -> bool:
        """Say whether a sync iterator that the endpoint gave is iterated on the event loop."""


class _Served(weakref.ref[Any]):
    """A request that is being served, by its connection, which nobody but who serves it need keep;
    its route is known when its dependencies are solved.
    """

    __slots__ = ("is_settled", "route")
    route: Route | None
    is_settled: bool  # what serves it is known


marked_endpoints: set[bool] = set()  # filled when there is a marked endpoint
_served: ContextVar[_Served | None] = ContextVar("fastapi_async_safe_served", default=None)


def serve_by(route: Route | None, connection: Any) -> None:
    """Note which route serves the request; None: nothing of it is to run inline."""
    served = _served.get()
    if served is None or served() is None:  # it began before there was a marked endpoint
        served = _begin(connection)
    served.route = route
    served.is_settled = True


def abandon() -> None:
    """Note that nothing more of the request is the route's."""
    served = _served.get()
    if served is not None:
        served.route = None
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
        around = before()
        if around is not None:
            if around.scope is connection.scope and not before.is_settled:
                return app
            return _wrapped(app, connection, before)
    _begin(connection)
    return app


def _begin(connection: Any) -> _Served:
    served = _Served(connection)
    served.route = None
    served.is_settled = False
    _served.set(served)
    return served


def _wrapped(app: Callable[..., Awaitable[None]], connection: Any, before: _Served) -> Any:
    async def contained_app(scope: Any, receive: Any, send: Any) -> None:
        _begin(connection)
        try:
            await app(scope, receive, send)
        finally:
            _served.set(before)

    return contained_app


def is_called_inline(dependant: _fastapi.Dependant) -> bool:
    """Say whether the endpoint of `dependant`, a sync one, is to be called on the event loop."""
    route = _route()
    return route is not None and route.is_inline and route.dependant is dependant


def is_validated_inline(field: Any) -> bool:
    """Say whether the response of a sync endpoint is to be validated on the event loop."""
    route = _route()
    return route is not None and route.is_inline and route.response_field() is field


def is_streamed_inline() -> bool:
    """Say whether a sync iterator is to be iterated on the event loop."""
    route = _route()
    return route is not None and route.streams_inline()


async def iterate_inline(iterator: Iterable[Any]) -> AsyncIterator[Any]:
    """Iterate on the event loop, with the checkpoints of FastAPI's asynchronous streams."""
    for item in iterator:
        yield item
        await _fastapi.checkpoint()


def scope_of_caller() -> Any:
    """Find the ASGI scope of the response whose background tasks are running, None without one.

    NOTE: Starlette hands a background task nothing of the request. What sends the response, and
    runs its tasks afterwards, has the scope as a parameter, and is among the callers.
    """
    frame = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        if "scope" in code.co_varnames[: code.co_argcount]:
            scope = frame.f_locals.get("scope")
            if isinstance(scope, Mapping):
                return scope
        frame = frame.f_back  # type: ignore[assignment]
    return None


def _route() -> Route | None:
    served = _served.get()
    return None if served is None or served() is None else served.route
