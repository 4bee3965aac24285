"""The variants of one application that are compared, and what makes each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from enum import StrEnum
from typing import Any

from ... import _backend, _fastapi, _registry, async_safe, init_app
from ..._resolver import Resolver
from ...policy import Policy, Predicate
from ..profiling.definitions import definition_of, marked_thing

#: What finds a callable in another process: name, file and line of its definition.
Place = tuple[str, str, int]


class Variant(StrEnum):
    """One variant; the value is what tables call it."""

    STOCK = "stock"
    AS_IT_IS = "as it is"
    PROVEN = "proven_safe"
    RECOMMENDED = "recommended marked"


def make_variant(app: Any, variant: Variant, recommended: list[Place]) -> None:
    """Turn an application that was just loaded into a variant of itself.

    Stock is no work of this function: it takes a process in which `init_app` is switched off.

    Parameters:
        recommended: what is marked in addition, for `Variant.RECOMMENDED`.
    """
    if variant in (Variant.STOCK, Variant.AS_IT_IS):
        return
    predicates: list[Predicate] = []
    if variant is Variant.RECOMMENDED:
        left = _mark(app, set(recommended))
        # Only where marks do not do, as predicates cost each request something.
        predicates = [lambda call: _place_of(call) in left] if left else []
    is_proven = variant is Variant.PROVEN
    roots = _registry.initialised()
    for root, resolver in roots:
        policy = Policy(
            all_classes_safe=resolver.policy.all_classes_safe,
            predicates=[*resolver.policy.predicates, *predicates],
            proven_safe=is_proven or resolver.policy.proven_safe,
        )
        resolver = Resolver(  # noqa: PLW2901
            policy,
            _backend.compiled_core or _backend.python_core,
            one_trip=resolver.one_trip,
            slow_calls=resolver.slow_calls,
        )
        _registry.register(root, resolver)
    if all(root is not app for root, _ in roots):
        is_compiled = _backend.compiled_core is not None
        init_app(app, predicates=predicates, proven_safe=is_proven, accelerated=is_compiled)


def _mark(app: Any, places: set[Place]) -> set[Place]:
    """Mark what has these definitions, as somebody would who pastes the lines.

    Returns:
        Those that cannot be marked, or are not found.
    """
    marked: set[Place] = set()
    for call in _calls_of(app):
        place = _place_of(call)
        if place in places:
            with suppress(TypeError):
                async_safe(marked_thing(call))
                marked.add(place)
    return places - marked


def _place_of(call: Callable[..., Any]) -> Place:
    definition = definition_of(call)
    return definition.name, definition.file, definition.line


def is_initialised(app: Any) -> bool:
    """Say whether an application, or something in it, has an `init_app`."""
    roots = [root for root, _ in _registry.initialised()]
    parts = [part for each in _applications(app) for part in (each, *_fastapi.routers_within(each))]
    return any(root is part for root in roots for part in parts)


def _calls_of(app: Any) -> Iterator[Any]:
    """List what the routes of an application call, and of those mounted in it."""
    for root in _applications(app):
        for endpoint in _fastapi.dependants_of(_fastapi.router_of(root)):
            for dependant in (endpoint, *_fastapi.dependants_below(endpoint)):
                yield _fastapi.Declaration(dependant).call


def _applications(app: Any) -> list[Any]:
    """List an application and those that are mounted in it, and so on."""
    found: list[Any] = []
    pending = [app]
    while pending:
        root = pending.pop()
        if all(root is not known for known in found):
            found.append(root)
            # What is mounted may be no application of routes, but static files for one.
            pending += [each for each in _fastapi.mounted_within(root) if hasattr(each, "routes")]
    return found
