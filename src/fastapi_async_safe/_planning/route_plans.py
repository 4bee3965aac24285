"""The plans of one route: made when they are wanted, and again when they no longer hold."""

from __future__ import annotations

from collections.abc import Mapping
from threading import RLock
from typing import TYPE_CHECKING, Any

from .. import _fastapi
from .._messages import logger
from ..markers import is_async_safe
from .planner import DeclinedError, Planner

if TYPE_CHECKING:
    from .._resolver import Resolver

# Event loops in several threads may serve one app; a plan, and the proofs it rests on, are made by
# one of them at a time.
_planning = RLock()

_OVERRIDE_PLANS_KEPT = 4


class RoutePlans:
    """Makes the plans of one route."""

    __slots__ = (
        "_connection",
        "_declined",
        "_declined_overrides",
        "_dependant",
        "_has_owner",
        "_is_declined",
        "_overridden",
        "_plan",
        "_resolver",
        "handler",
        "handler_is_known",
    )

    def __init__(
        self,
        resolver: Resolver,
        dependant: _fastapi.Dependant,
        connection: type,
        *,
        has_owner: bool,
    ) -> None:
        self._resolver = resolver
        self._dependant = dependant
        self._connection = connection
        self._has_owner = has_owner
        self._plan: Any = None
        self._is_declined = False
        self._overridden: list[Any] = []
        self._declined: set[str] = set()
        self._declined_overrides: dict[Any, Any] | None = None
        self.handler: _fastapi.Handler | None = None  # which calls the endpoint, if it is FastAPI's
        self.handler_is_known = False

    def streams_inline(self) -> bool:
        """Say whether a sync iterator is iterated on the event loop that an endpoint gave which
        does not run inline itself.
        """
        # A mark on an `async def` changes nothing; a predicate goes for all that belongs to it.
        call = self._dependant.call
        return is_async_safe(call) is None and self._resolver.runs_inline(call)

    def make_plan(self, request: Any) -> Any:
        """Make the plan, or make it anew; None if the route is left to FastAPI."""
        if self._is_declined:
            return None
        with _planning:
            if self._plan is None or not self._plan.is_current():
                self._plan = self._made(None, request)
            self._is_declined = self._plan is None
            return self._plan

    def plan_for(self, request: Any, overrides: Mapping[Any, Any]) -> Any:
        """Give the plan under overrides; None if the route is left to FastAPI."""
        for made in self._overridden:
            if made.fits(overrides) and made.is_current():
                return made
        if self._declined_overrides == overrides:
            return None
        with _planning:
            plan = self._made(overrides, request)
        if plan is not None:
            self._overridden.insert(0, plan)
            del self._overridden[_OVERRIDE_PLANS_KEPT:]
        else:
            is_mapping = isinstance(overrides, Mapping)
            self._declined_overrides = dict(overrides) if is_mapping else None
        return plan

    def _made(self, overrides: Mapping[Any, Any] | None, request: Any) -> Any:
        resolver = self._resolver
        planner = Planner(
            resolver.policy,
            resolver.core,
            self._connection,
            overrides,
            one_trip=resolver.one_trip,
            proofs=resolver.proofs,
            route=_fastapi.owner_of(request.scope, self._dependant),
        )
        try:
            plan = planner.plan(self._dependant)
        except DeclinedError as reason:
            self._decline(str(reason), request)
        except Exception as error:
            self._decline(f"{type(error).__name__}: {error}", request)
        else:
            if plan.noted and self._has_owner:
                resolver.prepare_endpoints()
            if plan.joins_endpoint and self._has_owner:
                resolver.prepare_trips()
            return plan
        return None

    def _decline(self, reason: str, request: Any) -> None:
        if reason not in self._declined:
            self._declined.add(reason)
            logger.warning(
                "%s is left to FastAPI %s, its dependencies run as without fastapi-async-safe: %s",
                self._dependant.path or request.scope.get("path"),
                _fastapi.VERSION,
                reason,
            )
