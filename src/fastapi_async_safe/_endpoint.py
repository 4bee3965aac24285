"""Marked endpoints: what runs inline after the dependencies of a request are solved.

FastAPI hands a `def` endpoint to the thread pool, then the validation of its response, then each
item of a sync stream, then each sync background task. The hooks ask here before they do.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
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

    def runs_inline(self, call: Any) -> bool:
        """Say whether the policy of the route takes a background task for safe."""


class _Served:
    """A request that is being served; its route is known when its dependencies are solved."""

    __slots__ = ("route", "scope")

    def __init__(self, scope: Any) -> None:
        self.scope = scope
        self.route: Route | None = None


_served: ContextVar[_Served | None] = ContextVar("fastapi_async_safe_served", default=None)


def serve_by(route: Route | None) -> None:
    """Note which route serves the request; None: nothing of it is to run inline."""
    served = _served.get()
    if served is not None:
        served.route = route


def contained(app: Callable[..., Awaitable[None]], connection: Any) -> Any:
    """Wrap what handles a request so that what is noted of it ends with it.

    NOTE: an endpoint may call another application in its own context, and some servers and tests
    serve one request after the other in one: neither may see the route of the other.
    """
    before = _served.get()
    if before is not None and before.scope is connection.scope:
        return app

    async def contained_app(scope: Any, receive: Any, send: Any) -> None:
        _served.set(_Served(connection.scope))
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


def is_task_inline(func: Any) -> bool:
    """Say whether a sync background task is to be called on the event loop."""
    route = _route()
    return route is not None and route.runs_inline(func)


def _route() -> Route | None:
    served = _served.get()
    return None if served is None else served.route
