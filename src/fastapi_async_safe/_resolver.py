"""What one `init_app` set up: its policy, its core, and the plans of its routes."""

from __future__ import annotations

import weakref
from types import ModuleType
from typing import Any

from . import _fastapi
from ._backend import current_request
from ._core_py import marked_endpoints
from ._driver import drive
from ._first_requests import FirstRequests
from ._planning.proofs import Proofs
from ._planning.route_plans import RoutePlans
from .policy import Policy
from .slow_calls import SlowCalls

_UNOWNED_KEPT = 256


class Resolver:
    """What one `init_app` set up: its policy, its core, and the plans made by them so far.

    Parameters:
        policy: says which callables run inline.
        core: the core that runs the plans.
        one_trip: what goes to the thread pool goes there together.
        slow_calls: who wants to know of inline calls that hold up the event loop.
    """

    # NOTE: by this other copies of this package know it, so it may not change.
    is_resolver_of_fastapi_async_safe = True

    # What the core asks, with `adopt`.
    drive = staticmethod(drive)
    set_route = staticmethod(current_request.set_route)
    marked_endpoints = marked_endpoints

    def __init__(
        self, policy: Policy, core: ModuleType, *, one_trip: bool, slow_calls: SlowCalls
    ) -> None:
        self.policy = policy
        self.core = core
        self.one_trip = one_trip
        self.slow_calls = slow_calls
        self.proofs = Proofs()
        solver = core.Solver(self)
        self._first_requests = FirstRequests(core)
        self._solve = solver.solve
        # Takes the arguments of FastAPI's function, by position.
        # PERF: the core's own once there is nothing more to count: an attribute less than asking.
        self.solve = self._solve_first
        self._entries: dict[int, Any] = solver.entries
        self._unowned: list[int] = []

    def __deepcopy__(self, memo: dict[int, Any]) -> Resolver:
        """Serve the copy of a root as its root is served; its plans are its own."""
        return Resolver(self.policy, self.core, one_trip=self.one_trip, slow_calls=self.slow_calls)

    def __reduce__(self) -> tuple[type[None], tuple[()]]:
        """Let a root be pickled as without this: predicates can often not be, so it has to be
        initialised where it is unpickled.
        """
        return type(None), ()

    def _solve_first(self, *arguments: Any) -> Any:
        if self._first_requests.is_over() and self.solve == self._solve_first:
            self.solve = self._solve
        return self._solve(*arguments)

    def adopt(self, dependant: _fastapi.Dependant, request: Any) -> Any:
        """Make the entry of a dependant, and what makes its plans."""
        key = id(dependant)
        owner = _fastapi.owner_of(request.scope, dependant)
        is_http = isinstance(request, _fastapi.Request)
        connection_class = _fastapi.Request if is_http else _fastapi.WebSocket
        route = RoutePlans(
            self.policy,
            self.core,
            dependant,
            connection_class,
            proofs=self.proofs,
            slow_calls=self.slow_calls,
            first_requests=self._first_requests,
            one_trip=self.one_trip,
            has_owner=owner is not None,
        )

        def forget(_: Any) -> None:
            if self._entries.get(key) is entry:
                del self._entries[key]

        # FastAPI makes the dependants of included routers anew when their routes change: the plans
        # of the old ones go with the routes they were made for.
        entry = self._entries[key] = self.core.Entry(
            dependant=dependant,
            connection_class=connection_class,
            owner=None if owner is None else weakref.ref(owner, forget),
            route=route,
        )
        if owner is None:  # of a tool, which may keep it or may make another one for each call
            self._unowned.append(key)
            if len(self._unowned) > _UNOWNED_KEPT:
                self._entries.pop(self._unowned.pop(0), None)
        return entry
