"""Resolves the dependencies of requests by plans; every `await` of a resolution is here.

One source for both cores: the core computes until something has to be awaited, the driver here
awaits it and lets the core go on.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from . import _fastapi
from ._core_py import (
    BODY,
    CONTEXT,
    COROUTINE,
    DONE,
    INLINE_CONTEXT_LIMITED,
    INLINE_LIMITED,
    NOTHING,
    THREAD,
)
from ._endpoint import serve_by
from ._plan import DeclinedError, Planner
from .markers import is_async_safe
from .policy import Policy

logger = logging.getLogger("fastapi_async_safe")

_OVERRIDE_PLANS_KEPT = 4
_UNOWNED_KEPT = 256


class Resolver:
    """What one `init_app` set up: its policy, its core, and the plans made by them so far.

    Parameters:
        policy: says which callables run inline.
        core: the core that runs the plans.
        prepare_endpoints: called before the first marked `def` endpoint is.
    """

    def __init__(
        self, policy: Policy, core: ModuleType, prepare_endpoints: Callable[[], None]
    ) -> None:
        self.policy = policy
        self.core = core
        self.prepare_endpoints = prepare_endpoints
        self._routes: dict[int, _Route] = {}  # by identity of the dependant, which has no hash
        self._unowned: list[int] = []

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
        """Resolve the dependencies of one request.

        The parameters are those of FastAPI's `solve_dependencies`.

        Returns:
            A `SolvedDependency`, or a coroutine that gives it, or None where FastAPI's own code
            has to do it.
        """
        route = self._routes.get(id(dependant))
        if route is None or route.dependant is not dependant:
            route = self._adopt(dependant, request.scope)
        if overrides_provider and overrides_provider.dependency_overrides:
            plan = route.plan_for(request, overrides_provider.dependency_overrides)
        else:
            plan = route.plan
            if plan is None:
                plan = None if route.is_declined else route.make_plan(request)
            elif not plan.is_current():
                plan = route.make_plan(request)
        if plan is None or not isinstance(request, plan.connection):
            serve_by(None)
            return None
        if _fastapi.TELLS_NAMES:
            _fastapi.note_names(request, dependant, overrides_provider)
        stacks: tuple[Any, Any] = (None, None)
        if plan.needs_stacks:
            stacks = _fastapi.exit_stacks(request.scope, async_exit_stack)
        run = self.core.Run(plan, request, *stacks, background_tasks, response, dependency_cache)
        action = run.advance(NOTHING)
        if action == DONE:
            if route.owner is not None:
                serve_by(route)
            return run.solved
        return _drive(route, run, action, body, embed_body_fields)

    def _adopt(self, dependant: _fastapi.Dependant, scope: Any) -> _Route:
        key = id(dependant)
        route = self._routes[key] = _Route(self, dependant)
        owner = _fastapi.owner_of(scope, dependant)
        if owner is not None:
            # FastAPI makes the dependants of included routers anew when their routes change:
            # the plans of the old ones go with the routes they were made for.
            route.owner = weakref.ref(owner, lambda _: self._forget(key, route))
        else:  # of a tool, which may keep it or may make another one for each call
            self._unowned.append(key)
            if len(self._unowned) > _UNOWNED_KEPT:
                self._routes.pop(self._unowned.pop(0), None)
        return route

    def _forget(self, key: int, route: _Route) -> None:
        if self._routes.get(key) is route:
            del self._routes[key]


class _Route:
    """The plans of one route."""

    __slots__ = (
        "_declined",
        "_declined_overrides",
        "_overridden",
        "_resolver",
        "dependant",
        "is_declined",
        "is_inline",
        "owner",
        "plan",
    )

    def __init__(self, resolver: Resolver, dependant: _fastapi.Dependant) -> None:
        self.dependant = dependant
        self.owner: Any = None
        self.plan: Any = None
        self.is_declined = False
        self.is_inline = False
        self._resolver = resolver
        self._overridden: list[_Overridden] = []
        self._declined: set[str] = set()
        self._declined_overrides: dict[Any, Any] | None = None

    def response_field(self) -> Any:
        """Give FastAPI's field for the response, None if there is none."""
        return None if self.owner is None else getattr(self.owner(), "response_field", None)

    def streams_inline(self) -> bool:
        """Say whether a sync iterator that the endpoint gave is iterated on the event loop."""
        # A mark on an `async def` changes nothing; a predicate goes for all that belongs to it.
        call = self.dependant.call
        return self.is_inline or (is_async_safe(call) is None and self.runs_inline(call))

    def runs_inline(self, call: Any) -> bool:
        """Say whether the policy of the route takes a background task for safe."""
        try:
            return self._resolver.policy.is_inline(call, classes=False)
        except Exception:
            logger.warning(
                "a predicate failed on %r, which is left to FastAPI", call, exc_info=True
            )
            return False

    def make_plan(self, request: Any) -> Any:
        """Make the plan, or make it anew; None if the route is left to FastAPI."""
        self.plan = self._made(self._planner(request, None), request)
        self.is_declined = self.plan is None
        return self.plan

    def plan_for(self, request: Any, overrides: Mapping[Any, Any]) -> Any:
        """Give the plan under overrides; None if the route is left to FastAPI."""
        for made in self._overridden:
            if made.fits(overrides):
                return made.plan
        if self._declined_overrides == overrides:
            return None
        planner = self._planner(request, overrides)
        plan = self._made(planner, request)
        if plan is not None:
            self._overridden.insert(0, _Overridden(plan, planner.chosen))
            del self._overridden[_OVERRIDE_PLANS_KEPT:]
        else:
            self._declined_overrides = dict(overrides)
        return plan

    def _planner(self, request: Any, overrides: Mapping[Any, Any] | None) -> Planner:
        is_http = isinstance(request, _fastapi.Request)
        connection = _fastapi.Request if is_http else _fastapi.WebSocket
        return Planner(self._resolver.policy, self._resolver.core, connection, overrides)

    def _made(self, planner: Planner, request: Any) -> Any:
        try:
            plan = planner.plan(self.dependant)
            self._place_endpoint()
            return plan
        except DeclinedError as reason:
            self._decline(str(reason), request)
        except Exception as error:
            self._decline(f"{type(error).__name__}: {error}", request)
        return None

    def _place_endpoint(self) -> None:
        endpoint, policy = self.dependant, self._resolver.policy
        is_async = _fastapi.is_coroutine(endpoint) or _fastapi.is_async_generator(endpoint)
        self.is_inline = not is_async and policy.is_inline(endpoint.call)
        if self.is_inline:
            self._resolver.prepare_endpoints()

    def _decline(self, reason: str, request: Any) -> None:
        if reason not in self._declined:
            self._declined.add(reason)
            logger.warning(
                "%s is left to FastAPI %s, its dependencies run as without fastapi-async-safe: %s",
                self.dependant.path or request.scope.get("path"),
                _fastapi.VERSION,
                reason,
            )


class _Overridden:
    """A plan, and the overrides it was made under."""

    __slots__ = ("_chosen", "plan")

    def __init__(self, plan: Any, chosen: list[tuple[Any, Any]]) -> None:
        self.plan = plan
        self._chosen = tuple(chosen)

    def fits(self, overrides: Mapping[Any, Any]) -> bool:
        """Say whether a plan made now would be this one."""
        for call, chosen in self._chosen:
            if overrides.get(call, call) is not chosen:
                return False
        return bool(self.plan.is_current())


async def _drive(route: _Route, run: Any, action: int, body: Any, embed_body_fields: bool) -> Any:
    while action != DONE:
        node = run.node
        if action == BODY:
            run.receive_body(
                *await _fastapi.extract_body(node.body_fields, body, embed_body_fields, run.request)
            )
            action = run.advance(NOTHING)
        elif node.kind == COROUTINE and not node.limited:
            action = run.advance(await node.call(**run.values))
        else:
            action = run.advance(await _call(run, node))
    if route.owner is not None:
        serve_by(route)
    return run.solved


async def _call(run: Any, node: Any) -> Any:
    kind, values = node.kind, run.values
    if kind == THREAD and not node.limited:
        return await _fastapi.run_in_thread(node.call, values)
    stack = run.function_stack if node.function_scoped else run.request_stack
    if kind == CONTEXT:
        return await _fastapi.enter_context(node.dependant, stack, values, run.request)
    concurrency = _fastapi.concurrency_of(node.dependant)
    if kind == INLINE_CONTEXT_LIMITED:
        return await stack.enter_async_context(_fastapi.limited(node.call(**values), concurrency))
    async with _fastapi.limit_of(concurrency):
        if kind == INLINE_LIMITED:
            return node.call(**values)
        if kind == COROUTINE:
            return await node.call(**values)
        return await _fastapi.run_in_thread(node.call, values)
