"""The plans of one route: made when they are wanted, and again when they no longer hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, TypeAlias

from .. import _fastapi, _locks
from .._core_py import joined_endpoints, marked_endpoints
from .._first_requests import FirstRequests
from .._messages import Notices, saying_afterwards
from ..markers import is_async_safe
from ..policy import Policy
from ..slow_calls import InlineCall, Phase, SlowCalls
from .planner import DeclinedError, Planner
from .proofs import Proofs

_OVERRIDE_PLANS_KEPT = 4

# Gives something true as long as a route cannot have a plan.
_Reason: TypeAlias = Callable[[], object]


class RoutePlans:
    """Makes the plans of one route.

    Parameters:
        policy: says which callables run inline.
        core: the core that runs the plans.
        dependant: of the endpoint.
        connection_class: `Request` or `WebSocket`.
        proofs: what is proven so far.
        slow_calls: who wants to know of inline calls that hold up the event loop.
        first_requests: who wants to know of the plans.
        one_trip: what goes to the thread pool may go there together.
        has_owner: it is a route of FastAPI's, not something that a tool has solved.
    """

    __slots__ = (
        "_connection_class",
        "_core",
        "_declared",
        "_declined_because",
        "_declined_overrides",
        "_dependant",
        "_first_requests",
        "_has_owner",
        "_notices",
        "_one_trip",
        "_overridden",
        "_plan",
        "_policy",
        "_proofs",
        "_slow_calls",
    )

    def __init__(
        self,
        policy: Policy,
        core: ModuleType,
        dependant: _fastapi.Dependant,
        connection_class: type,
        *,
        proofs: Proofs,
        slow_calls: SlowCalls,
        first_requests: FirstRequests,
        one_trip: bool,
        has_owner: bool,
    ) -> None:
        self._policy = policy
        self._core = core
        self._dependant = dependant
        self._declared = _fastapi.Declaration(dependant)
        self._connection_class = connection_class
        self._proofs = proofs
        self._slow_calls = slow_calls
        self._first_requests = first_requests
        self._one_trip = one_trip
        self._has_owner = has_owner
        self._plan: Any = None
        self._overridden: list[Any] = []
        self._notices = Notices()
        # As long as these hold it falls back, without overrides and under the last ones.
        self._declined_because: _Reason | None = None
        self._declined_overrides: tuple[dict[Any, Any], _Reason] | None = None

    def streams_inline(self) -> bool:
        """Say whether a sync iterator is iterated on the event loop that an endpoint gave which
        does not run inline itself.
        """
        # A mark on an `async def` changes nothing; a predicate goes for all that belongs to it.
        call = self._declared.call
        return is_async_safe(call) is None and self._policy.is_inline(call, classes=False)

    def took(self, phase: Phase, seconds: float) -> None:
        """Take how long what belongs to the endpoint held up the event loop."""
        self._slow_calls.took(self.inline(phase), seconds)

    def inline(self, phase: Phase) -> InlineCall:
        """Name what belongs to the endpoint, and runs inline."""
        return InlineCall(self._declared.call, phase, self._declared.path)

    def make_plan(self, request: Any) -> Any:
        """Make the plan, or make it anew; None if the route falls back to FastAPI."""
        if self._declined_because is not None and self._declined_because():
            return None
        with saying_afterwards(), _locks.planning_alone() as is_alone:
            if not is_alone:
                self._leave_to_fastapi(request)
                return None
            if self._plan is None or not self._plan.is_current():
                self._plan, self._declined_because = self._made(None, request)
            return self._plan

    def plan_for(self, request: Any, overrides: Mapping[Any, Any]) -> Any:
        """Give the plan under overrides; None if the route falls back to FastAPI."""
        for made in self._overridden:
            if made.fits(overrides) and made.is_current():
                return made
        if self._declined_overrides is not None:
            declined, still_holds = self._declined_overrides
            if declined == overrides and still_holds():
                return None
        with saying_afterwards(), _locks.planning_alone() as is_alone:
            if not is_alone:
                self._leave_to_fastapi(request)
                return None
            plan, because = self._made(overrides, request)
        if because is None:
            self._overridden.insert(0, plan)
            del self._overridden[_OVERRIDE_PLANS_KEPT:]
        elif isinstance(overrides, Mapping):
            self._declined_overrides = dict(overrides), because
        return plan

    def leave_overrides(self, request: Any, provider: Any) -> None:
        """Say that the route falls back to FastAPI, as overrides may notice that they are asked."""
        is_app = _fastapi.is_application(provider)
        overrides = vars(provider).get("dependency_overrides") if is_app else None
        if type(overrides) is dict:
            kind = type(provider).__qualname__
            self._decline(
                f"the application may notice that it is asked for its dependency_overrides: {kind} "
                "has a __bool__, __len__, __getattribute__ or dependency_overrides of its own",
                request,
            )
        elif overrides is not None:
            self._decline(
                f"dependency_overrides are a {type(overrides).__qualname__}, no dict", request
            )

    def _made(
        self, overrides: Mapping[Any, Any] | None, request: Any
    ) -> tuple[Any, _Reason | None]:
        """Give a plan, or None and what says whether it is still not to be had."""
        self._slow_calls.look_at_loop()
        planner = Planner(
            self._policy,
            self._core,
            self._connection_class,
            overrides,
            one_trip=self._one_trip,
            proofs=self._proofs,
            owner=_fastapi.owner_of(request.scope, self._dependant),
            slow_calls=self._slow_calls,
            path=self._path(request),
        )
        try:
            plan = planner.plan(self._dependant)
        except DeclinedError as reason:
            self._decline(str(reason), request)
            return None, reason.holds
        except Exception as error:
            self._decline(f"{type(error).__name__}: {error}", request)
        else:
            if plan.records_request and self._has_owner:
                marked_endpoints.enable()
            if plan.joins_endpoint and self._has_owner:
                joined_endpoints.enable()
            self._first_requests.planned(plan, self._dependant, self._path(request), request)
            return plan, None
        return None, lambda: True

    def _leave_to_fastapi(self, request: Any) -> None:
        self._notices.say_once(
            "a request to %s ran on FastAPI alone: other threads have made plans for %s seconds, "
            "or what one of them runs for that waits for this one",
            self._path(request),
            _locks.PATIENCE,
        )

    def _decline(self, reason: str, request: Any) -> None:
        self._notices.say_that_route_falls_back(self._path(request), reason)

    def _path(self, request: Any) -> Any:
        return self._declared.path or request.scope.get("path")
