"""The way in: finds the plan for a request and runs it."""

from __future__ import annotations

from typing import Any, Protocol

from .. import _fastapi
from .nodes import NOTHING
from .overrides import overrides_of
from .plan import Plan
from .run import Run
from .serving import Need

_PASSES_NAMES = _fastapi.PASSES_NAMES


class Entry:
    """The dependant of one endpoint, as a `Solver` finds it."""

    __slots__ = ("connection_class", "dependant", "owner", "plan", "route")

    def __init__(
        self, *, dependant: _fastapi.Dependant, connection_class: Any, owner: Any, route: Any
    ) -> None:
        self.dependant = dependant
        self.connection_class = connection_class  # `Request` or `WebSocket`
        self.owner = owner  # weakly: the route that FastAPI has for it; None: it is a tool's
        self.route = route  # makes the plans
        self.plan: Plan | None = None  # the last one without overrides that `route` gave


class Host(Protocol):
    """What a `Solver` needs of what is above the core: what makes plans, and what awaits."""

    marked_endpoints: Need

    def adopt(self, dependant: _fastapi.Dependant, request: Any) -> Entry:
        """Make the entry of a dependant that has none."""
        ...

    async def drive(
        self,
        solver: Solver,
        entry: Entry,
        run: Run,
        solved: Any,
        body: Any,
        overrides_provider: Any,
        async_exit_stack: Any,
        embed_body_fields: bool,
    ) -> Any:
        """Go on with a run that has to await something, or whose endpoint may be called on a trip
        to the thread pool, and give its `SolvedDependency`.
        """

    def set_route(
        self, route: Any, request: Any, dependant: _fastapi.Dependant, owner: Any
    ) -> None:
        """Say which route serves a request; asked only where there are marked endpoints."""


class Solver:
    """Solves the dependencies of requests: runs the plan if it is there, asks for one if it is not.

    Parameters:
        host: what it asks.
    """

    __slots__ = ("_adopt", "_drive", "_marked_endpoints", "_set_route", "entries")

    def __init__(self, host: Host, /) -> None:
        self._adopt = host.adopt
        self._drive = host.drive
        self._set_route = host.set_route
        self._marked_endpoints = host.marked_endpoints
        self.entries: dict[int, Entry] = {}  # by identity of the dependant, which has no hash

    def solve(
        self,
        request: Any,
        dependant: _fastapi.Dependant,
        body: Any,
        background_tasks: Any,
        response: Any,
        overrides_provider: Any,
        dependency_cache: Any,
        async_exit_stack: Any,
        embed_body_fields: bool,
    ) -> Any:
        """Solve the dependencies of one request.

        The parameters are those of FastAPI's `solve_dependencies`.

        Returns:
            A `SolvedDependency`, or a coroutine that gives it, or None where FastAPI's own code
            has to do it.
        """
        entry = self.entries.get(id(dependant))
        if entry is None or entry.dependant is not dependant:
            entry = self._adopt(dependant, request)
        if not isinstance(request, entry.connection_class):
            return None
        if dependency_cache is not None and type(dependency_cache) is not dict:
            return None
        plan = entry.plan
        is_overridden = False
        # FastAPI asks for overrides at each dependency, and not without one.
        if overrides_provider is not None and getattr(dependant, _fastapi.DEPENDENCIES):
            overrides = overrides_of(overrides_provider)
            if overrides is NOTHING:
                entry.route.leave_overrides(request, overrides_provider)
                return None
            try:
                is_overridden = bool(overrides)
                if is_overridden:
                    plan = entry.route.plan_for(request, overrides)
            except Exception:
                return None
        if not is_overridden and (plan is None or not plan.is_current()):
            plan = entry.plan = entry.route.make_plan(request)
        if plan is None or plan._is_left:
            return None
        if _PASSES_NAMES:
            _fastapi.keep_names(request, dependant, overrides_provider)
        run = Run(
            plan,
            request,
            async_exit_stack,
            overrides_provider,
            background_tasks,
            response,
            dependency_cache,
        )
        try:
            solved = run.advance()
        except BaseException:
            run.forget()
            raise
        if solved is None or plan.joins_endpoint:
            return self._drive(
                self,
                entry,
                run,
                solved,
                body,
                overrides_provider,
                async_exit_stack,
                embed_body_fields,
            )
        self.record(entry, run)
        return solved

    def record(self, entry: Entry, run: Run, /) -> None:
        """Record which route serves the request whose dependencies were solved by `run`."""
        if not self._marked_endpoints.enabled or entry.owner is None:
            return
        if run.plan.records_request and not run.errors:
            dependant = entry.dependant if run.plan.inline else None
            self._set_route(entry.route, run.request, dependant, entry.owner)
        else:
            self._set_route(None, run.request, None, None)
