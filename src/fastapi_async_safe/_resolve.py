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
from ._backend import served
from ._core_py import (
    APART,
    AWAIT,
    BODY,
    CONTEXT,
    COROUTINE,
    INLINE_CONTEXT_LIMITED,
    INLINE_LIMITED,
    NOTHING,
    THREAD,
)
from ._endpoint import marked_endpoints
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
        solver = core.Solver(
            adopt=self._adopt, drive=_drive, serve=served.serve_by, marked=marked_endpoints
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
        route = _Route(self, dependant, connection, has_owner=owner is not None)

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


class _Route:
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
        planner = Planner(resolver.policy, resolver.core, self._connection, overrides)
        try:
            plan = planner.plan(self._dependant)
        except DeclinedError as reason:
            self._decline(str(reason), request)
        except Exception as error:
            self._decline(f"{type(error).__name__}: {error}", request)
        else:
            if plan.noted and self._has_owner:
                resolver.prepare_endpoints()
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


async def _drive(
    solver: Any,
    entry: Any,
    run: Any,
    body: Any,
    overrides_provider: Any,
    async_exit_stack: Any,
    embed_body_fields: bool,
) -> Any:
    solved = None
    try:
        while solved is None:
            node, action = run.node, run.action
            if action == AWAIT:
                solved = run.advance(await run.awaitable)
            elif action == BODY:
                run.receive_body(
                    *await _fastapi.extract_body(
                        node.body_fields, body, embed_body_fields, run.request
                    )
                )
                solved = run.advance(NOTHING)
            elif action == APART:
                background_tasks, response, dependency_cache = run.share()
                run.receive_solved(
                    await _fastapi.solve_alone(
                        node.declared,
                        entry.dependant,
                        request=run.request,
                        body=body,
                        background_tasks=background_tasks,
                        response=response,
                        dependency_overrides_provider=overrides_provider,
                        dependency_cache=dependency_cache,
                        async_exit_stack=async_exit_stack,
                        embed_body_fields=embed_body_fields,
                    )
                )
                solved = run.advance(NOTHING)
            else:
                solved = run.advance(await _call(run, node))
    except BaseException:
        run.forget()
        raise
    if marked_endpoints:
        solver.note(entry, run)
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
