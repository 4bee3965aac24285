"""Which `init_app` a request belongs to."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, TypeAlias

from . import _fastapi
from ._resolver import Resolver

_ATTRIBUTE = "_fastapi_async_safe_resolver"

# What was initialised. The resolver, and with it every plan, is an attribute of its root, so that
# it lives and dies with it.
_roots: list[weakref.ref[Any]] = []
_routers: list[weakref.ref[Any]] = []

# What was found for routes, and for applications that are no roots themselves (with the outermost
# router a request went through), as long as there are as many routes on the roots as there were
# then. By identity, as neither routes nor routers have a hash.
_Found: TypeAlias = Callable[[], Resolver | None]
_by_route: dict[int, tuple[Any, int, _Found]] = {}
_by_app: dict[tuple[int, int], tuple[Any, Any, int, _Found]] = {}


def register(root: Any, resolver: Resolver) -> None:
    """Let `resolver` resolve what `root`, an application or a router, serves from now on."""
    if _own(root) is None:
        _roots.append(weakref.ref(root, _roots.remove))
        if isinstance(root, _fastapi.APIRouter):
            _routers.append(weakref.ref(root, _routers.remove))
    setattr(root, _ATTRIBUTE, resolver)
    _by_route.clear()
    _by_app.clear()


def resolver_of(scope: Any) -> Resolver | None:
    """Find the resolver for a request: that of the innermost root it goes through.

    Parameters:
        scope: the ASGI scope of the request, as a route sees it.

    Returns:
        The resolver of the router that declares the route, else of the application that serves
        it, else of what that is mounted in; None if none of these was initialised.
    """
    if _routers:
        resolver = _of_router(scope)
        if resolver is not None:
            return resolver
    app = scope.get("app")
    # PERF: not by `_own`: a sixth of the time.
    resolver = getattr(app, _ATTRIBUTE, None)
    if resolver.__class__ is Resolver:
        return resolver
    return None if app is None else _of_mount(app, scope)


def _own(root: Any) -> Resolver | None:
    resolver = getattr(root, _ATTRIBUTE, None)
    return resolver if isinstance(resolver, Resolver) else None  # a mock has any attribute


def _stamp(roots: list[weakref.ref[Any]]) -> int:
    return sum(len(root.routes) for reference in roots if (root := reference()) is not None)


def _of_router(scope: Any) -> Resolver | None:
    route = _fastapi.route_of(scope)
    if route is None:
        return None
    stamp = _stamp(_routers)
    known = _by_route.get(id(route))
    if known is not None and known[0]() is route and known[1] == stamp:
        return known[2]()
    roots = [root for reference in _routers if (root := reference()) is not None]
    holding = [root for root in roots if _fastapi.has_route(root, route)]
    # The innermost is the one that none of the others is below.
    holding.sort(key=lambda root: (_fastapi.count_routers_within(root), len(root.routes)))
    resolver = _own(holding[0]) if holding else None
    key = id(route)
    _by_route[key] = (
        weakref.ref(route, lambda _: _by_route.pop(key, None)),
        stamp,
        _weakly(resolver),
    )
    return resolver


def _of_mount(app: Any, scope: Any) -> Resolver | None:
    outermost = scope.get("router", app)
    stamp = _stamp(_roots)
    key = (id(outermost), id(app))
    known = _by_app.get(key)
    if known is not None and known[0]() is outermost and known[1]() is app and known[2] == stamp:
        return known[3]()
    resolver = _search_mounts(app, outermost)

    def forget(_: Any) -> None:
        _by_app.pop(key, None)

    try:
        ends = weakref.ref(outermost, forget), weakref.ref(app, forget)
    except TypeError:  # an application that cannot be referred to weakly
        return resolver
    _by_app[key] = (*ends, stamp, _weakly(resolver))
    return resolver


def _weakly(resolver: Resolver | None) -> _Found:
    return (lambda: None) if resolver is None else weakref.ref(resolver)


def _search_mounts(app: Any, outermost: Any) -> Resolver | None:
    for reference in _roots:
        root = reference()
        if root is None or not _is_mounted_below(root, app):
            continue
        # Mounted there, and did this request come that way?
        if outermost is _fastapi.router_of(root) or _is_mounted_below(outermost, root):
            return _own(root)
    return None


def _is_mounted_below(root: Any, app: Any) -> bool:
    seen: set[int] = set()
    pending = [root]
    while pending:
        for mounted in _fastapi.mounted_within(pending.pop()):
            if mounted is app:
                return True
            if id(mounted) not in seen and _own(mounted) is None:
                seen.add(id(mounted))
                pending.append(mounted)
    return False
