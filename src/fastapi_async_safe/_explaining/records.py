"""What `explain` gives: where everything of an application runs, and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from fastapi import FastAPI

from .. import policy
from .._proof import Proof

#: Where a callable runs: as a plain call on the event loop; in the thread pool; awaited on the
#: event loop.
Place = Literal["inline", "thread pool", "event loop"]

#: What decided about the place of a callable.
Rule = policy.Rule | Literal["proven", "not proven", "async def", "declined", "no init_app"]


@dataclass(frozen=True, kw_only=True, slots=True)
class CallExplanation:
    """A dependency or an endpoint at one place of a route.

    Attributes:
        call: the callable; under `dependency_overrides` the one that is called.
        name: its module and qualified name.
        source: its file and line, such as "/srv/shop/db.py:12"; empty for what has no source.
        role: what it is to the route.
        parameter: the keyword for which it is called; None if its result is not passed on.
        place: where it runs.
        rule: which rule decided that.
        why: the same in words.
        proof: what `prove` says of it; None for what is awaited.
        trip: on which trip to the thread pool of a request it is called, counted from 1; None if
            on none, and for what streams.
        yields: it is a `yield` dependency, or an endpoint whose items are sent one by one.
        is_cached: it is not called here, as its value is in the dependency cache by then.
        depth: how far below the endpoint it is, whose own depth is 0.
        parent: the place in `RouteExplanation.calls` of what depends on it; None for the endpoint.
    """

    call: Callable[..., Any]
    name: str
    source: str
    role: Literal["dependency", "endpoint"]
    parameter: str | None
    place: Place
    rule: Rule
    why: str
    proof: Proof | None
    trip: int | None
    yields: bool
    is_cached: bool
    depth: int
    parent: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class RouteExplanation:
    """A route or a WebSocket.

    Trips are those of a valid request whose `async def` dependencies wait for something (where
    none does the compiled core may save one more), and whose endpoint returns no `Response`. Not
    counted is what no plan knows: background tasks, middleware, the items of a stream (each is a
    trip where the endpoint of a stream is in the thread pool), and a tool that traces requests.

    Attributes:
        path: with all prefixes.
        methods: those it answers, none for a WebSocket.
        kind: what it is.
        calls: what is called, in that order, the endpoint last.
        core: what resolves its dependencies; None if FastAPI's own code does.
        declined: why FastAPI's own code does though there is an `init_app`, or why every request
            fails, with any code; None if neither is so. Of a route that fails only the endpoint is
            among the calls.
        is_initialised: there is an `init_app` that it belongs to.
        trips: to the thread pool, for a request.
        stock_trips: those of FastAPI alone.
        trips_if_proven_safe: those with `init_app(..., proven_safe=True)`, marks as they are.
    """

    path: str
    methods: tuple[str, ...]
    kind: Literal["route", "websocket"]
    calls: tuple[CallExplanation, ...]
    core: Literal["compiled", "python"] | None
    declined: str | None
    is_initialised: bool
    trips: int
    stock_trips: int
    trips_if_proven_safe: int

    @property
    def trips_saved(self) -> int:
        """Trips that FastAPI alone would make beside those that are made."""
        return self.stock_trips - self.trips

    @property
    def trips_to_save(self) -> int:
        """Trips that `proven_safe=True` would save beside those that are saved."""
        return self.trips - self.trips_if_proven_safe


@dataclass(frozen=True, kw_only=True, slots=True)
class IdleMark:
    """A mark that changes nothing in an application.

    Attributes:
        call: what was marked.
        name: its module and qualified name.
        source: its file and line; empty for what has no source.
        why: why its mark changes nothing.
    """

    call: Callable[..., Any]
    name: str
    source: str
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """Where everything of an application runs.

    Attributes:
        app: the application.
        routes: its routes and WebSockets, in the order in which FastAPI looks for them.
        idle_marks: marks that change nothing in it.
    """

    app: FastAPI
    routes: tuple[RouteExplanation, ...]
    idle_marks: tuple[IdleMark, ...]
