"""The routes that an application serves, each as a request to it would find it."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any, NamedTuple

from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.applications import Starlette
from starlette.routing import Host, Mount

from .routes import entries_of, mounted_by, response_field_of, router_of

#: Whether a generator endpoint is sent item by item (0.135).
STREAMS_GENERATORS = find_spec("fastapi.sse") is not None


class ServedRoute(NamedTuple):
    """A route of FastAPI's in its place."""

    path: str  # with the prefixes of what it is included and mounted in
    owner: Any  # the route, or FastAPI's context of an included one
    dependant: Any  # that the handler solves
    scope: dict[str, Any]  # of a request to it, as far as it says what belongs to what
    is_websocket: bool

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods it answers, none for a WebSocket."""
        return () if self.is_websocket else tuple(sorted(self.owner.methods or ()))

    @property
    def has_response_field(self) -> bool:
        """Whether its response is validated."""
        return response_field_of(self.owner) is not None

    @property
    def overrides_provider(self) -> Any:
        """What has the `dependency_overrides`, None without one."""
        provider = getattr(self.owner, "dependency_overrides_provider", None)
        return self.scope["app"] if self.is_websocket else provider


def served_routes(app: Starlette) -> Iterator[ServedRoute]:
    """List the routes of FastAPI's that an application serves, those of included routers and of
    mounted applications in their place.

    FastAPI's contexts of included routes (0.137) are made here if no request did yet.
    """
    yield from _below(app, app, router_of(app), "", frozenset())


def _below(
    holder: Any, app: Any, outermost: Any, prefix: str, way: frozenset[int]
) -> Iterator[ServedRoute]:
    if isinstance(holder, Starlette):
        app = holder
    if id(holder) in way:  # mounted below itself
        return
    way |= {id(holder)}
    for route, context in _with_contexts(entries_of(holder)):
        if isinstance(route, (Mount, Host)):
            place = route.path if isinstance(route, Mount) else f"{route.host}:"
            yield from _below(mounted_by(route), app, outermost, prefix + place, way)
            continue
        owner = context if getattr(context, "dependant", None) is not None else route
        original = getattr(context, "original_route", route)
        if not isinstance(original, (APIRoute, APIWebSocketRoute)):
            continue
        is_websocket = isinstance(original, APIWebSocketRoute)
        scope: dict[str, Any] = {
            "type": "websocket" if is_websocket else "http",
            "app": app,
            "router": outermost,
            "route": route,
            "fastapi": {} if context is None else {"effective_route_context": context},
        }
        yield ServedRoute(prefix + owner.path, owner, owner.dependant, scope, is_websocket)


def _with_contexts(routes: Any) -> Iterator[tuple[Any, Any]]:
    for route in routes:
        contexts = getattr(route, "effective_route_contexts", None)
        if contexts is None:
            yield route, None
        else:  # 0.137
            for context in contexts():
                yield context.starlette_route or context.original_route, context
