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

# What was found for routes, and for applications that are no roots themselves (with the outermost
# router a request went through), as long as there are as many routes on the roots as there were
# then. By identity, as neither routes nor routers have a hash.
_Found: TypeAlias = Callable[[], Any]
_by_route: dict[int, tuple[_Found, int, _Found]] = {}
_by_app: dict[tuple[int, int], tuple[_Found, _Found, int, _Found]] = {}

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
    _by_route.clear()
    _by_app.clear()


def forget(root: Any) -> None:
    """Let FastAPI serve `root` from now on, as what was never initialised."""
    if _own(root) is not None:
        delattr(root, _ATTRIBUTE)
        _by_route.clear()
        _by_app.clear()


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
    resolver = getattr(app, _ATTRIBUTE, None)
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
    resolver = getattr(root, _ATTRIBUTE, None)
    return resolver if resolver.__class__ is Resolver else None  # a mock has any attribute


def _is_foreign(resolver: Any) -> bool:
    """Say whether this is the resolver of another copy of this package."""
    kind = type(resolver)
    return kind is not Resolver and getattr(kind, "is_resolver_of_fastapi_async_safe", 0) is True


def _is_of_another(router: Any, scope: Any) -> bool:
    """Say whether a router that another copy of this package initialised is further in."""
    depths = [depth for claim in _others if (depth := claim(scope)) is not None]
    return bool(depths) and (router is None or min(depths) < _fastapi.count_routers_within(router))


def _route_count(roots: _Roots) -> int:
    return sum(len(root.routes) for root in _alive(roots))


def _router_of(scope: Any) -> Any:
    """Find the innermost router that was initialised and declares the route of a request."""
    route = _fastapi.context_of(scope) or _fastapi.route_of(scope)
    if route is None:
        return None
    route_count = _route_count(_routers)
    known = _by_route.get(id(route))
    if known is not None and known[0]() is route and known[1] == route_count:
        return known[2]()
    router = _search_routers(scope)
    key = id(route)
    _by_route[key] = (
        weakref.ref(route, lambda _: _by_route.pop(key, None)),
        route_count,
        _weakly(router),
    )
    return router


def _search_routers(scope: Any) -> Any:
    # The way a request went tells most, and finds copies too; FastAPI keeps it from 0.137.
    for router in reversed(_fastapi.routers_on_the_way(scope)):
        if _own(router) is not None:
            return router
    route = _fastapi.route_of(scope)
    roots = reversed(_alive(_routers))
    holding = [root for root in roots if _own(root) is not None and _fastapi.has_route(root, route)]
    # The innermost is the one that none of the others is below; of equal ones the last.
    return min(
        holding,
        key=lambda root: (_fastapi.count_routers_within(root), len(root.routes)),
        default=None,
    )


def _of_mount(app: Any, scope: Any) -> Resolver | None:
    outermost = scope.get("router", app)
    route_count = _route_count(_roots)
    key = (id(outermost), id(app))
    known = _by_app.get(key)
    if (
        known is not None
        and known[0]() is outermost
        and known[1]() is app
        and known[2] == route_count
    ):
        return known[3]()  # type: ignore[no-any-return]
    resolver = _search_mounts(app, outermost)

    def forget(_: Any) -> None:
        _by_app.pop(key, None)

    try:
        ends = weakref.ref(outermost, forget), weakref.ref(app, forget)
    except TypeError:  # an application that cannot be referred to weakly
        return resolver
    _by_app[key] = (*ends, route_count, _weakly(resolver))
    return resolver


def _weakly(found: Any) -> _Found:
    return (lambda: None) if found is None else weakref.ref(found)


def _search_mounts(app: Any, outermost: Any) -> Resolver | None:
    """Find the root that `app` is mounted in, itself or in what is mounted there, and so on.

    Parameters:
        app: an application that is no root.
        outermost: the router of the request's first application. One application may be mounted
            at several places: the root has to be that application, or to be mounted below it.
    """
    for root in _alive(_roots):
        if not _is_mounted_below(root, app):
            continue
        if outermost is _fastapi.router_of(root) or _is_mounted_below(outermost, root):
            return _own(root)
    return None


def _is_mounted_below(root: Any, app: Any) -> bool:
    """Say whether `app` is mounted on `root`, or on what is, with no other root between them."""
    seen: set[int] = set()
    pending = [root]
    while pending:
        for mounted in _fastapi.mounted_within(pending.pop()):
            if mounted is app:
                return True
            if id(mounted) in seen or _own(mounted) is not None:
                continue
            if not _is_foreign(getattr(mounted, _ATTRIBUTE, None)):
                seen.add(id(mounted))
                pending.append(mounted)
    return False
