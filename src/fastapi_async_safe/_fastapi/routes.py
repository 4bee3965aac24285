"""Requests, routes and routers: what belongs to what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from fastapi import routing as _routing
from fastapi.routing import APIRoute, APIRouter, APIWebSocketRoute
from starlette.routing import Host, Mount, Route, WebSocketRoute

from .dependants import Dependant


def exit_stacks(scope: Any, async_exit_stack: Any) -> tuple[Any, Any]:
    """Give the stacks whose contexts exit after the response, and before it is sent.

    The scope has both from 0.121; before that all contexts are on the one FastAPI hands over.
    """
    request_stack = scope.get("fastapi_inner_astack", async_exit_stack)
    return request_stack, scope.get("fastapi_function_astack", request_stack)


def owner_of(scope: Any, dependant: Dependant) -> Any:
    """Find what lives as long as `dependant`: the route it was made for, as seen from a request.

    Returns:
        A route, or the context of an included route (0.137), or None if it belongs to neither.
    """
    context = context_of(scope)
    for owner in (context, getattr(context, "starlette_route", None), scope.get("route")):
        # NOTE: what cannot be referred to weakly is a tool's, no route of FastAPI's.
        if getattr(owner, "dependant", None) is dependant and type(owner).__weakrefoffset__:
            return owner
    return None


def context_of(scope: Any) -> Any:
    """Give what FastAPI made of a route for one place where it is included (0.137), else None."""
    kept = scope.get("fastapi")  # anything, in a scope that is a tool's
    context = kept.get("effective_route_context") if isinstance(kept, dict) else None
    if context is None:
        return None
    # NOTE: that of a mount in an included router is still there in what is mounted. FastAPI asks
    # whether it is that of the route, too.
    original, route = getattr(context, "original_route", None), scope.get("route")
    is_at_hand = route is original or route is getattr(context, "starlette_route", None)
    return context if is_at_hand or isinstance(original, _FRONTEND) else None


_FRONTEND: Any = getattr(_routing, "_FrontendRouteGroup", ())


# The attribute of a route that has what validates its response, None without one.
RESPONSE_FIELD = "response_field"


def response_field_of(owner: Any) -> Any:
    """Give what validates the response of a route, None without one.

    Parameters:
        owner: the route, or FastAPI's context of an included one.
    """
    return getattr(owner, RESPONSE_FIELD, None)


def route_of(scope: Any) -> Any:
    """Find the route of a request as it was declared on its router."""
    return getattr(context_of(scope), "original_route", None) or scope.get("route")


def path_of(route: Any) -> str | None:
    """Give the path of a route as it was declared, None without one."""
    return getattr(route, "path", None)


def router_of(place: Any) -> Any:
    """Give what holds the routes of an application, of a router, or of a router as included."""
    if isinstance(place, _INCLUDED):
        return place.original_router
    try:
        return getattr(place, "router", place)
    except Exception:  # of a router with a `__getattr__` of its own
        return place


# What routers hold of the routers they include, and of their routes (0.137).
_INCLUDED: Any = getattr(_routing, "_IncludedRouter", ())
_CONTEXTS: Any = getattr(_routing, "_EffectiveRouteContext", ())
_LEADING_ON: Any = (Mount, Host, _INCLUDED, _CONTEXTS)

# To 0.136 `include_router` copies routes: nothing says where a copy comes from.
COPIES_ROUTES = not hasattr(_routing, "_IncludedRouter")


def entries_of(place: Any) -> Sequence[Any]:
    """List what a request may find in an application, a router or a router as included: routes, and
    in the last what FastAPI made of them there.
    """
    if isinstance(place, _INCLUDED):
        return [
            *getattr(place, "_effective_candidates", ()),
            *getattr(place, "_effective_low_priority_routes", ()),
        ]
    try:
        routes = getattr(router_of(place), "routes", ())
        # PERF: `list`, as nearly all are, is known at once: 210 -> 50 ns (3.13).
        return routes if isinstance(routes, (list, Sequence)) else ()
    except Exception:  # what is mounted may be anything, which stock only calls
        return ()


def entries_now(place: Any) -> list[Any]:
    """List what `entries_of` gives in a list of its own, as another thread may change that one."""
    try:
        return list(entries_of(place))
    except Exception:  # of a list of a tool's
        return []


def place_behind(entry: Any) -> Any:
    """Give what an entry leads on to: a router as included, or what is mounted, without the
    middleware around it. None if it leads no further.
    """
    if isinstance(entry, _INCLUDED):
        return entry
    route = entry.starlette_route if isinstance(entry, _CONTEXTS) else entry
    return mounted_by(route) if isinstance(route, (Mount, Host)) else None


def places_behind(entries: Sequence[Any]) -> Iterator[tuple[int, Any]]:
    """List what entries lead on to, as `place_behind` gives it, each with the entry's position."""
    for position, kind in enumerate(map(id, map(type, entries))):
        # PERF: without a look at the classes of most: 300 in 75 -> 31 us (3.13).
        if kind in _ENDS or not issubclass(type(entries[position]), _LEADING_ON):
            continue
        place = place_behind(entries[position])
        if place is not None:
            yield position, place


# By identity, as a class may have a metaclass with anything in it.
_ENDS = frozenset(map(id, (APIRoute, APIWebSocketRoute, Route, WebSocketRoute)))


#: How many layers of middleware an application is looked for in. What has any attribute, as a mock,
#: has no end of them.
MOST_LAYERS = 100


def mounted_by(route: Mount | Host) -> Any:
    """Give what is mounted, without the middleware around it; None if it cannot be asked."""
    try:
        app: Any = route.app
        for _ in range(MOST_LAYERS):
            if hasattr(app, "routes") or not hasattr(app, "app"):
                return app
            app = app.app
    except Exception:  # of a proxy, for one, that stands for nothing yet
        pass
    return None


def routers_within(root: Any) -> Iterator[Any]:
    """List the router of `root` and those it includes, as far as FastAPI keeps them (0.137)."""
    seen: set[int] = set()
    pending = [router_of(root)]
    while pending:
        router = pending.pop()
        if id(router) in seen:
            continue
        seen.add(id(router))
        yield router
        # NOTE: by the class, as asking an object may run code of a tool's.
        included = [each for each in entries_now(router) if issubclass(type(each), _INCLUDED)]
        pending += [each.original_router for each in included]


def count_routers_within(root: Any) -> int:
    """Say how many `routers_within` lists."""
    return sum(1 for _ in routers_within(root))


def has_route(root: Any, route: Any) -> bool:
    """Say whether a route, as `route_of` gives it, was declared on `root` or what it includes."""
    is_copied = COPIES_ROUTES and isinstance(route, (Route, WebSocketRoute))
    endpoint = route.endpoint if is_copied else None
    for router in routers_within(root):
        for own in entries_now(router):
            if own is route or (
                is_copied
                and getattr(own, "endpoint", None) is endpoint
                and route.path.endswith(own.path)
            ):
                return True
    return False


def mounted_within(root: Any) -> Iterator[Any]:
    """List what is mounted on `root`, without the middleware around it."""
    for router in routers_within(root):
        for route in entries_now(router):
            if isinstance(route, (Mount, Host)) and (mounted := mounted_by(route)) is not None:
                yield mounted


def dependants_of(router: APIRouter) -> Iterator[Dependant]:
    """List the dependants of the endpoints of `router`, of included routers too."""
    for route in router.routes:
        contexts = getattr(route, "effective_route_contexts", None)
        if contexts is not None:  # 0.137
            for context in contexts():
                for owner in (context, context.starlette_route):
                    if getattr(owner, "dependant", None) is not None:
                        yield owner.dependant
                        break
        elif (dependant := getattr(route, "dependant", None)) is not None:
            yield dependant
