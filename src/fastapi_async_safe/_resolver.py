"""What one `init_app` set up: its policy, its core, and the plans of its routes."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from types import ModuleType
from typing import Any

from . import _fastapi
from ._backend import served
from ._core_py import marked_endpoints
from ._driver import drive
from ._messages import logger
from ._planning.proofs import Proofs
from ._planning.route_plans import RoutePlans
from .policy import Policy

_UNOWNED_KEPT = 256


class Resolver:
    """What one `init_app` set up: its policy, its core, and the plans made by them so far.

    Parameters:
        policy: says which callables run inline.
        core: the core that runs the plans.
        prepare_endpoints: called before the first marked `def` endpoint is.
        prepare_trips: called before the first `def` endpoint that shares a trip is.
        one_trip: what goes to the thread pool goes there together.
    """

    def __init__(
        self,
        policy: Policy,
        core: ModuleType,
        prepare_endpoints: Callable[[], None],
        prepare_trips: Callable[[], None],
        *,
        one_trip: bool,
    ) -> None:
        self.policy = policy
        self.core = core
        self.prepare_endpoints = prepare_endpoints
        self.prepare_trips = prepare_trips
        self.one_trip = one_trip
        self.proofs = Proofs()
        solver = core.Solver(
            adopt=self._adopt, drive=drive, serve=served.serve_by, marked=marked_endpoints
        )
        self.solve = solver.solve  # takes the arguments of FastAPI's function, by position
        self._entries: dict[int, Any] = solver.entries
        self._unowned: list[int] = []
        self._predicate_failed = False

    def runs_inline(self, call: Any) -> bool:
        """Say whether the policy takes a background task, or what streams, for safe."""
        try:
            return self.policy.is_inline(call, classes=False)
        except Exception:
            if not self._predicate_failed:
                self._predicate_failed = True
                logger.warning(
                    "a predicate failed on %r, which is left to FastAPI", call, exc_info=True
                )
            return False

    def _adopt(self, dependant: _fastapi.Dependant, request: Any) -> Any:
        key = id(dependant)
        owner = _fastapi.owner_of(request.scope, dependant)
        is_http = isinstance(request, _fastapi.Request)
        connection = _fastapi.Request if is_http else _fastapi.WebSocket
        route = RoutePlans(self, dependant, connection, has_owner=owner is not None)

        def forget(_: Any) -> None:
            if self._entries.get(key) is entry:
                del self._entries[key]

        # FastAPI makes the dependants of included routers anew when their routes change: the plans
        # of the old ones go with the routes they were made for.
        entry = self._entries[key] = self.core.Entry(
            dependant=dependant,
            connection=connection,
            owner=None if owner is None else weakref.ref(owner, forget),
            route=route,
        )
        if owner is None:  # of a tool, which may keep it or may make another one for each call
            self._unowned.append(key)
            if len(self._unowned) > _UNOWNED_KEPT:
                self._entries.pop(self._unowned.pop(0), None)
        return entry
