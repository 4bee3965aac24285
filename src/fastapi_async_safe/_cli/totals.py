"""What an explanation comes to, in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from .. import RouteExplanation


@dataclass(frozen=True)
class Totals:
    """Sums over routes.

    Attributes:
        routes: how many there are.
        cores: how many of them each core resolves; "FastAPI" for those that have no `init_app`,
            "declined" for those that have one.
        places: how many callables run where, each counted once.
        trips: of one request to each route.
        stock_trips: those of FastAPI alone.
        trips_if_proven_safe: those with `proven_safe=True`.
    """

    routes: int
    cores: dict[str, int]
    places: dict[str, int]
    trips: int
    stock_trips: int
    trips_if_proven_safe: int


def totals_of(routes: Sequence[RouteExplanation]) -> Totals:
    """Add up some routes."""
    cores = Counter(core_of(route) for route in routes)
    places = {(id(each.call), each.place) for route in routes for each in route.calls}
    return Totals(
        routes=len(routes),
        cores=dict(cores),
        places=dict(Counter(place for _, place in places)),
        trips=sum(route.trips for route in routes),
        stock_trips=sum(route.stock_trips for route in routes),
        trips_if_proven_safe=sum(route.trips_if_proven_safe for route in routes),
    )


def core_of(route: RouteExplanation) -> str:
    """Name what resolves the dependencies of a route."""
    if route.declined is not None:
        return "declined"
    return "FastAPI" if route.core is None else route.core
