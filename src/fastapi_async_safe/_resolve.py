"""Resolves the dependencies of requests by plans; every `await` of a resolution is here.

One source for both cores: the core computes until something has to be awaited, the driver here
awaits it and lets the core go on.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Mapping
from threading import RLock
from types import ModuleType
from typing import Any

from . import _fastapi
from ._core_py import (
    APART,
    BODY,
    CONTEXT,
    COROUTINE,
    INLINE_CONTEXT_LIMITED,
    INLINE_LIMITED,
    NOTHING,
    THREAD,
)
from ._endpoint import marked_endpoints, serve_by
from ._plan import DeclinedError, Planner
from .markers import is_async_safe
from .policy import Policy

logger = logging.getLogger("fastapi_async_safe")

# Event loops in several threads may serve one app; a plan, and the proofs it rests on, are made by
# one of them at a time.
_planning = RLock()

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
        self._predicate_failed = False

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
            route = self._adopt(dependant, request)
        if not isinstance(request, route.connection):
            return None
        plan = route.plan
        try:
            overrides = overrides_provider and overrides_provider.dependency_overrides
            is_overridden = bool(overrides)
            if is_overridden:
                plan = route.plan_for(request, overrides)
        except Exception:
            return None  # FastAPI asks for overrides later, and only where there is a dependency
        if not is_overridden:
            if plan is None:
                plan = None if route.is_declined else route.make_plan(request)
            elif not plan.is_current():
                plan = route.make_plan(request)
        if plan is None:
            return None
        if dependency_cache is not None and type(dependency_cache) is not dict:
            return None
        if _fastapi.TELLS_NAMES:
            _fastapi.note_names(request, dependant, overrides_provider)
        run = self.core.Run(
            plan,
            request,
            async_exit_stack,
            overrides_provider,
            background_tasks,
            response,
            dependency_cache,
        )
        solved = run.advance(NOTHING)
        if solved is not None:
            if marked_endpoints:
                route.serve(request, solved)
            return solved
        handed_on = {
            "body": body,
            "dependency_overrides_provider": overrides_provider,
            "async_exit_stack": async_exit_stack,
            "embed_body_fields": embed_body_fields,
        }
        return _drive(route, run, handed_on)

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

    def _adopt(self, dependant: _fastapi.Dependant, request: Any) -> _Route:
        key = id(dependant)
        route = self._routes[key] = _Route(self, dependant, request)
        owner = _fastapi.owner_of(request.scope, dependant)
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
        "connection",
        "dependant",
        "is_declined",
        "is_inline",
        "is_served",
        "owner",
        "plan",
    )

    def __init__(self, resolver: Resolver, dependant: _fastapi.Dependant, request: Any) -> None:
        self.dependant = dependant
        is_http = isinstance(request, _fastapi.Request)
        self.connection = _fastapi.Request if is_http else _fastapi.WebSocket
        self.owner: Any = None
        self.plan: Any = None
        self.is_declined = False
        self.is_inline = False
        self.is_served = False
        self._resolver = resolver
        self._overridden: list[Any] = []
        self._declined: set[str] = set()
        self._declined_overrides: dict[Any, Any] | None = None

    def response_field(self) -> Any:
        """Give FastAPI's field for the response, None if there is none."""
        return None if self.owner is None else getattr(self.owner(), "response_field", None)

    def streams_inline(self) -> bool:
        """Say whether a sync iterator that the endpoint gave is iterated on the event loop."""
        # A mark on an `async def` changes nothing; a predicate goes for all that belongs to it.
        call = self.dependant.call
        return self.is_inline or (is_async_safe(call) is None and self._resolver.runs_inline(call))

    def serve(self, request: Any, solved: Any) -> None:
        """Note that this route serves the request whose dependencies were solved."""
        if self.owner is not None:
            serve_by(self if self.is_served and not solved.errors else None, request)

    def make_plan(self, request: Any) -> Any:
        """Make the plan, or make it anew; None if the route is left to FastAPI."""
        with _planning:
            if self.plan is None or not self.plan.is_current():
                self.plan = self._made(None, request)
            self.is_declined = self.plan is None
            return self.plan

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
        planner = Planner(resolver.policy, resolver.core, self.connection, overrides)
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
        self.is_served = self.owner is not None and (self.is_inline or bool(policy.predicates))
        if self.is_served:
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


async def _drive(route: _Route, run: Any, handed_on: dict[str, Any]) -> Any:
    solved = None
    try:
        while solved is None:
            node, action = run.node, run.action
            if action == BODY:
                run.receive_body(
                    *await _fastapi.extract_body(
                        node.body_fields,
                        handed_on["body"],
                        handed_on["embed_body_fields"],
                        run.request,
                    )
                )
                solved = run.advance(NOTHING)
            elif action == APART:
                background_tasks, response, dependency_cache = run.share()
                run.receive_solved(
                    await _fastapi.solve_alone(
                        node.declared,
                        route.dependant,
                        request=run.request,
                        background_tasks=background_tasks,
                        response=response,
                        dependency_cache=dependency_cache,
                        **handed_on,
                    )
                )
                solved = run.advance(NOTHING)
            elif node.kind == COROUTINE and not node.limited:
                solved = run.advance(await node.call(**run.values))
            else:
                solved = run.advance(await _call(run, node))
    except BaseException:
        run.forget()
        raise
    if marked_endpoints:
        route.serve(run.request, solved)
    return solved


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
