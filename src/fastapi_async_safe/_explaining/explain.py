"""`explain`: what a request to each route of an application would do."""

from __future__ import annotations

from typing import Literal

from fastapi import FastAPI

from .. import _backend, _fastapi, _registry
from .._naming import callable_name, source_of
from .._planning.planner import DeclinedError
from .._resolver import Resolver
from ..policy import Policy
from .following import Followed, Step, endpoint_alone, followed_by_fastapi, followed_by_plan
from .idle import idle_marks
from .planned import Planned, overrides_of
from .reasons import Reasons
from .records import CallExplanation, Explanation, Place, RouteExplanation


def explain(app: FastAPI) -> Explanation:
    """Tell where each dependency and endpoint of an application runs, and why.

    It speaks of the application as it is now, with its included routers, mounted applications,
    WebSockets, marks and `dependency_overrides`; one without `init_app` runs as on FastAPI alone.
    No dependency and no endpoint is called. What runs is what runs at a first request too:
    FastAPI's making of included routes, and the predicates of `init_app`. It logs nothing. Later
    requests do what they would have done without it, unless something is changed in an included
    route that FastAPI only reads when it makes it.

    Parameters:
        app: the application.

    Returns:
        Its routes in the order in which FastAPI looks for them, with their calls and trips, and
        the marks that change nothing in it.

    Raises:
        TypeError: it is no FastAPI application.
    """
    if not _fastapi.is_application(app):
        raise TypeError(f"explain expects a FastAPI, not {app!r}")
    explainers: dict[int, _Explainer] = {}
    routes = []
    steps: list[Step] = []
    for route in _fastapi.served_routes(app):
        resolver = _registry.resolver_of(route.scope)
        explainer = explainers.setdefault(id(resolver), _Explainer(resolver))
        explanation, followed = explainer.explain(route)
        routes.append(explanation)
        steps += followed.steps
    return Explanation(app=app, routes=tuple(routes), idle_marks=idle_marks(routes, steps))


class _Explainer:
    """Explains the routes of one `init_app`.

    Parameters:
        resolver: that it set up; None for routes without one.
    """

    def __init__(self, resolver: Resolver | None) -> None:
        self._resolver = resolver
        policy, one_trip = Policy(), True
        if resolver is not None:
            policy, one_trip = resolver.policy, resolver.one_trip
        self._planned = Planned(policy, one_trip=one_trip)
        self._reasons = Reasons(self._planned)

    def explain(self, route: _fastapi.ServedRoute) -> tuple[RouteExplanation, Followed]:
        """Explain one route, and give the steps of a request to it."""
        declined: str | None = None
        failure: str | None = None
        overrides = None
        proving = as_it_is = None
        try:
            overrides = overrides_of(route)
            proving = followed_by_plan(self._planned.plan(route, proving=True), route)
            if self._resolver is not None:
                as_it_is = followed_by_plan(self._planned.plan(route), route)
        except DeclinedError as reason:
            declined = str(reason)
        try:
            stock = followed_by_fastapi(route, overrides)
        except Exception as error:  # as when a request comes
            failure = f"a request fails with {type(error).__name__}: {error}"
            stock = endpoint_alone(route)
        why_not = failure or declined
        is_planned = why_not is None and as_it_is is not None
        followed = as_it_is if is_planned and as_it_is is not None else stock
        explanation = RouteExplanation(
            path=route.path,
            methods=route.methods,
            kind="websocket" if route.is_websocket else "route",
            calls=self._calls(followed.steps, route, is_planned),
            core=self._core() if is_planned else None,
            declined=failure if self._resolver is None else why_not,
            is_initialised=self._resolver is not None,
            trips=followed.trips,
            stock_trips=stock.trips,
            trips_if_proven_safe=stock.trips if why_not or proving is None else proving.trips,
        )
        return explanation, followed

    def _core(self) -> Literal["compiled", "python"]:
        assert self._resolver is not None
        return "python" if self._resolver.core is _backend.python_core else "compiled"

    def _calls(
        self, steps: list[Step], route: _fastapi.ServedRoute, is_planned: bool
    ) -> tuple[CallExplanation, ...]:
        shown = [step for step in steps if not (step.is_cached and _is_below_cached(step))]
        numbers = {id(step): number for number, step in enumerate(shown)}
        return tuple(
            self._call(step, numbers.get(id(step.above)), route, is_planned) for step in shown
        )

    def _call(
        self, step: Step, parent: int | None, route: _fastapi.ServedRoute, is_planned: bool
    ) -> CallExplanation:
        dependant, call = step.dependant, step.call
        role: Literal["dependency", "endpoint"] = "dependency" if step.depth else "endpoint"
        is_awaited = (
            _fastapi.is_coroutine(dependant)
            or _fastapi.is_async_generator(dependant)
            or (role == "endpoint" and route.is_websocket)
        )
        place: Place = "thread pool"
        if is_awaited:
            place = "event loop"
        elif step.is_inline and step.trip is None:
            place = "inline"
        reason = self._reasons.reason(
            step, is_awaited=is_awaited, is_planned=is_planned, is_initialised=bool(self._resolver)
        )
        return CallExplanation(
            call=call,
            name=callable_name(call),
            source=source_of(call),
            role=role,
            parameter=step.name,
            place=place,
            rule=reason.rule,
            why=reason.why,
            proof=reason.proof,
            trip=step.trip,
            yields=_fastapi.is_generator(dependant) or _fastapi.is_async_generator(dependant),
            is_cached=step.is_cached,
            depth=step.depth,
            parent=parent,
        )


def _is_below_cached(step: Step) -> bool:
    return step.above is not None and step.above.is_cached
