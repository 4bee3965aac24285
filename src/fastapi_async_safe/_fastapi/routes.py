"""Requests, routes and routers: what belongs to what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import routing as _routing
from fastapi.routing import APIRouter
from starlette.routing import Host, Mount

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
        if getattr(owner, "dependant", None) is dependant:
            return owner
    return None


def context_of(scope: Any) -> Any:
    """Give what FastAPI made of a route for one place where it is included (0.137), else None."""
    return scope.get("fastapi", {}).get("effective_route_context")


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


def routers_on_the_way(scope: Any) -> list[Any]:
    """List the routers that a request went through, from the application's inwards.

    FastAPI keeps them from 0.137; before, and for routes that are not included, there are none.
    """
    context, app = context_of(scope), scope.get("app")
    if context is None or app is None:
        return []
    pending = [(router_of(app), [router_of(app)])]
    while pending:
        level, way = pending.pop()
        own = getattr(level, "routes", ()) if len(way) == 1 else _made_of(level)
        if any(each is context for each in own):
            return way
        for each in own:
            included = getattr(each, "original_router", None)
            if included is not None and all(router is not included for router in way):
                pending.append((each, [*way, included]))
    return []


def _made_of(included: Any) -> list[Any]:
    """List what `_IncludedRouter` made of the routes of its router."""
    return [
        *getattr(included, "_effective_candidates", ()),
        *getattr(included, "_effective_low_priority_routes", ()),
    ]


def router_of(root: Any) -> Any:
    """Give what holds the routes of an application or router."""
    return getattr(root, "router", root)


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
        for route in getattr(router, "routes", ()):
            included = getattr(route, "original_router", None)
            if included is not None:
                pending.append(included)


def count_routers_within(root: Any) -> int:
    """Say how many `routers_within` lists."""
    return sum(1 for _ in routers_within(root))


def has_route(root: Any, route: Any) -> bool:
    """Say whether a route, as `route_of` gives it, was declared on `root` or what it includes."""
    for router in routers_within(root):
        for own in getattr(router, "routes", ()):
            if own is route or (
                _COPIES_ROUTES
                and getattr(own, "endpoint", None) is route.endpoint
                and route.path.endswith(own.path)
            ):
                return True
    return False


_COPIES_ROUTES = not hasattr(_routing, "_IncludedRouter")  # include_router, to 0.136


def mounted_within(root: Any) -> Iterator[Any]:
    """List what is mounted on `root`, without the middleware around it."""
    for router in routers_within(root):
        for route in getattr(router, "routes", ()):
            if isinstance(route, (Mount, Host)):
                app: Any = route.app
                while not hasattr(app, "routes") and hasattr(app, "app"):
                    app = app.app
                yield app


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
