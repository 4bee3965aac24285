"""Which `init_app` a request belongs to."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, TypeAlias

from . import _fastapi
from ._resolver import Resolver

# The resolver, and with it every plan, is an attribute of its root, so that it lives and dies with
# it, and so that a copy of a root is served as the root is until it is initialised itself.
# NOTE: all copies of this package in a process use this name: the last `init_app` wins, whose ever
# it was.
_ATTRIBUTE = "_fastapi_async_safe_resolver"

# What was initialised, in the order in which it first was. By identity, as routers have no hash.
_Roots: TypeAlias = dict[int, weakref.ref[Any]]
_roots: _Roots = {}
_routers: _Roots = {}

# The ways that requests took, by what they lead from and to: the positions of the entries that they
# go through. A way is followed before it is believed, so none has to go when anything changes, not
# even when what is at its ends, by identity, is something else by now.
_Way: TypeAlias = tuple[int, ...]
_ways: dict[tuple[int, int], _Way] = {}
_WAYS_KEPT = 4096

# Whether any router was ever initialised: a copy of it may be, even when it is gone.
_has_routers = False

# Whether the hooks are in, and `depth_of_router` of the copies of this package whose are below.
_is_asked = False
_others: list[Callable[[Any], int | None]] = []


def register(root: Any, resolver: Resolver) -> None:
    """Let `resolver` resolve what `root`, an application or a router, serves from now on."""
    global _has_routers  # noqa: PLW0603
    _add(_roots, root)
    if isinstance(root, _fastapi.APIRouter):
        _add(_routers, root)
        _has_routers = True
    setattr(root, _ATTRIBUTE, resolver)


def forget(root: Any) -> None:
    """Let FastAPI serve `root` from now on, as what was never initialised."""
    if _own(root) is not None:
        delattr(root, _ATTRIBUTE)


def initialised() -> list[tuple[Any, Resolver]]:
    """List the applications and routers that were initialised, each with its resolver."""
    return [(root, resolver) for root in _alive(_roots) if (resolver := _own(root)) is not None]


def note_hooks(*, are_in: bool, others: list[Callable[[Any], int | None]]) -> None:
    """Note whether requests come here now, and what others are to be asked before they are served.

    Parameters:
        are_in: the hooks are in.
        others: `depth_of_router` of the copies of this package whose hooks are below.
    """
    global _is_asked  # noqa: PLW0603
    _is_asked = are_in
    _others[:] = others


def resolver_of(scope: Any) -> Resolver | None:
    """Find the resolver for a request: that of the innermost root it goes through.

    Parameters:
        scope: the ASGI scope of the request, as a route sees it.

    Returns:
        The resolver of the router that declares the route, else of the application that serves
        it, else of what that is mounted in; None if none of these was initialised.
    """
    if _has_routers or _others:
        router = _router_of(scope)
        if _others and _is_of_another(router, scope):
            return None
        if router is not None:
            return _own(router)
    app = scope.get("app")
    # PERF: not by `_own`: 97 -> 71 ns (3.13, with the call).
    try:
        resolver = getattr(app, _ATTRIBUTE, None)
    except Exception:  # of a `__getattr__` of its own: it has none
        resolver = None
    if resolver.__class__ is Resolver:
        return resolver
    return None if app is None or _is_foreign(resolver) else _of_mount(app, scope)


def depth_of_router(scope: Any) -> int | None:
    """Say how many routers are within the one that was initialised and declares the route of a
    request, None if there is none.

    NOTE: this is for other copies of this package: its meaning may not change.
    """
    router = _router_of(scope) if _is_asked else None
    return None if router is None else _fastapi.count_routers_within(router)


def _add(roots: _Roots, root: Any) -> None:
    # NOTE: not by the attribute, which a copy has too.
    key = id(root)
    if key not in roots:
        roots[key] = weakref.ref(root, lambda _: roots.pop(key, None))


def _alive(roots: _Roots) -> list[Any]:
    # NOTE: of a list, as each that goes meanwhile takes its reference along.
    return [root for each in list(roots.values()) if (root := each()) is not None]


def _own(root: Any) -> Resolver | None:
    try:
        resolver = getattr(root, _ATTRIBUTE, None)
    except Exception:
        return None
    return resolver if resolver.__class__ is Resolver else None  # a mock has any attribute


def _is_foreign(resolver: Any) -> bool:
    """Say whether this is the resolver of another copy of this package."""
    kind = type(resolver)
    return kind is not Resolver and getattr(kind, "is_resolver_of_fastapi_async_safe", 0) is True


def _is_of_another(router: Any, scope: Any) -> bool:
    """Say whether a router that another copy of this package initialised is further in."""
    depths = [depth for claim in _others if (depth := claim(scope)) is not None]
    return bool(depths) and (router is None or min(depths) < _fastapi.count_routers_within(router))


def _router_of(scope: Any) -> Any:
    """Find the innermost router that was initialised and declares the route of a request."""
    route = _fastapi.route_of(scope)
    if route is None:
        return None
    # The way a request went tells most, and finds copies too.
    if not _fastapi.COPIES_ROUTES:
        target = _fastapi.context_of(scope) or route
        root = _root_between(_fastapi.router_of(scope.get("app")), target, any_way=True)
        if root is not _NO_WAY:
            return root
    roots = reversed(_alive(_routers))
    holding = [root for root in roots if _own(root) is not None and _fastapi.has_route(root, route)]
    # The innermost is the one that none of the others is below; of equal ones the last.
    return min(
        holding,
        key=lambda root: (_fastapi.count_routers_within(root), len(root.routes)),
        default=None,
    )


def _of_mount(app: Any, scope: Any) -> Resolver | None:
    """Find the resolver for an application that is no root: that of the root it is mounted below.

    NOTE: where it is mounted at several places, nothing says which of them a request went through.
    """
    outermost = _fastapi.router_of(scope.get("router"))
    if outermost is None or outermost is _fastapi.router_of(app):
        return None
    first = (root for root in _alive(_roots) if _fastapi.router_of(root) is outermost)
    root = _root_between(next(first, outermost), app, any_way=False)
    return None if root is _NO_WAY else _own(root)


_NO_WAY: Any = object()


def _root_between(start: Any, target: Any, *, any_way: bool) -> Any:
    """Find the innermost root on a way that a request can take.

    Parameters:
        start: the application or router where the way begins.
        target: the route, FastAPI's context of one, or the application where it ends.
        any_way: the way need not go through a root.

    Returns:
        The root, None if there is none on the way, `_NO_WAY` if there is no such way.
    """
    key = (id(start), id(target))
    way = _ways.get(key)
    # PERF: instead of a search each time: 14 -> 3 us among 300 routes (3.13).
    root = _NO_WAY if way is None else _root_on(way, start, target)
    if root is _NO_WAY or (root is None and not any_way):
        # PERF: what is below no root is known by looking below the roots alone: a request 248 ->
        # 125 us where one of 20 applications with 50 routes each is a root, and another is asked.
        if not any_way and not any(_leads_to(root, target) for root in _alive(_roots)):
            return _NO_WAY
        root, way = _search(start, target, any_way=any_way)
        if way is not None:
            if len(_ways) >= _WAYS_KEPT:
                _ways.clear()
            _ways[key] = way
    return root


def _root_on(way: _Way, start: Any, target: Any) -> Any:
    """Find the innermost root on a way, `_NO_WAY` if it does not lead to `target` any more."""
    root, place, entry = None, start, None
    for position in way:
        root = _innermost(place, root)
        try:
            entry = _fastapi.entries_of(place)[position]
        except Exception:  # IndexError; anything, of a list of a tool's
            return _NO_WAY
        place = _fastapi.place_behind(entry)
    return root if target is entry or target is place else _NO_WAY


def _search(start: Any, target: Any, *, any_way: bool) -> tuple[Any, _Way | None]:
    """Find the innermost root on one of the shortest ways, and that way."""
    pending: list[tuple[Any, Any, _Way]] = [(start, _innermost(start, None), ())]
    seen: set[tuple[int, bool]] = set()
    for place, root, way in pending:
        entries = _fastapi.entries_now(place)
        if any_way:
            for position, entry in enumerate(entries):
                if entry is target:
                    return root, (*way, position)
        for position, behind in _fastapi.places_behind(entries):
            if behind is target:
                if root is not None:
                    return root, (*way, position)
                continue
            below = _innermost(behind, root)
            if (id(behind), below is None) not in seen:
                seen.add((id(behind), below is None))
                pending.append((behind, below, (*way, position)))
    return _NO_WAY, None


def _leads_to(root: Any, target: Any) -> bool:
    """Say whether there is a way from a root to an application."""
    return _search(root, target, any_way=False)[1] is not None


def _innermost(place: Any, around: Any) -> Any:
    """Give the root of what is in a place: the place itself, else the one around it."""
    try:
        places = (_fastapi.router_of(place), place) if _has_routers else (place,)
        resolvers = [(each, getattr(each, _ATTRIBUTE, None)) for each in places]
    except Exception:  # of a proxy that has routes, and fails for what it has not
        return around
    for each, resolver in resolvers:
        if resolver is not None:
            if resolver.__class__ is Resolver:
                return each
            if _is_foreign(resolver):
                return None
    return around
