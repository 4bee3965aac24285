"""One valid request followed through a plan, or through FastAPI's own code, without running it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .. import _fastapi
from .._core_py import CONTEXT, INLINE_CONTEXT, INLINE_CONTEXT_LIMITED, ROOT, THREAD


class Step:
    """A callable of a route where its turn comes.

    Parameters:
        dependant: FastAPI's, of what is called.
        name: the keyword for its result.
        depth: how far below the endpoint it is.
        below: what it depends on.
    """

    __slots__ = (
        "above",
        "below",
        "call",
        "dependant",
        "depth",
        "is_cached",
        "is_inline",
        "name",
        "trip",
    )

    def __init__(
        self, dependant: _fastapi.Dependant, name: str | None, depth: int, below: list[Step]
    ) -> None:
        self.dependant = dependant
        self.call = _fastapi.Declaration(dependant).call
        self.name = name
        self.depth = depth
        self.below = below
        self.above: Step | None = None  # what depends on it
        self.is_cached = False
        self.is_inline = False  # not by FastAPI, which knows no such thing
        self.trip: int | None = None


class Followed:
    """The steps of a request in their order, the endpoint last, and its trips to the pool.

    Parameters:
        route: that the request is for.
    """

    __slots__ = ("_exits", "_route", "_tops", "steps", "trips")

    def __init__(self, route: _fastapi.ServedRoute) -> None:
        self.steps: list[Step] = []
        self.trips = 0
        self._route = route
        self._exits = 0
        # By scope, whether what was put on that exit stack last is left with what comes next.
        self._tops = {False: False, True: False}

    def call_in_thread(self, step: Step, *, on_trip: bool = False) -> None:
        """Call something in a thread, on the last trip or on a new one."""
        self.trips += not on_trip
        step.trip = self.trips

    def enter(self, step: Step, *, is_function_scoped: bool, shares: bool) -> None:
        """Note how a context is left that was entered.

        Parameters:
            is_function_scoped: it is left before the response is sent.
            shares: it is left on one trip with those of its kind that are next to it.
        """
        is_left_with_last = shares and self._tops[is_function_scoped]
        self._tops[is_function_scoped] = shares
        self._exits += step.trip is not None and not is_left_with_last

    def end(self) -> Followed:
        """Leave the contexts."""
        self.trips += self._exits
        return self

    def call_endpoint(self, *, validates_along: bool = False) -> None:
        """Call the endpoint as FastAPI's handler does.

        Parameters:
            validates_along: the response is validated on the trip of a `def` endpoint.
        """
        step = self.steps[-1]
        if self._route.is_websocket or _is_awaited(step.dependant):
            return
        if _fastapi.is_generator(step.dependant) and _fastapi.STREAMS_GENERATORS:
            return
        self.call_in_thread(step)
        self.trips += self._route.has_response_field and not validates_along


def followed_by_plan(plan: Any, route: _fastapi.ServedRoute) -> Followed:
    """Follow a request through a plan, as the core, the driver and their trips do.

    Parameters:
        plan: of the Python core.
        route: that it was made for.
    """
    nodes, order = plan.nodes, plan.order
    followed = Followed(route)
    entered: list[tuple[int, list[Step]]] = []  # nodes, with the steps directly below
    slots: set[int] = set()
    on_trip = was_on_loop = False
    position = 0
    while position < len(order):
        index = order[position]
        is_entered = index < 0
        node = nodes[~index if is_entered else index]
        is_known = node.reusable and plan.raw and node.slot in slots
        if is_entered and not is_known:
            entered.append((index, []))
            position += 1
            continue
        below = entered.pop()[1] if not (is_entered or node.leaf) else []
        step = _step(followed, node.used, node.name, entered, below)
        position = plan.after[position] if is_entered else position + 1
        if is_known and (is_entered or node.leaf):
            step.is_cached = True
            continue
        if on_trip and not (node.joins and plan.raw):
            on_trip, was_on_loop = False, True
        was_on_loop = was_on_loop or bool(node.body_fields)
        if node.kind == ROOT:
            break
        if node.use_cache and node.slot in slots:
            step.is_cached = True
            continue
        slots.add(node.slot)
        is_awaited = _is_awaited(node.used)
        step.is_inline = node.kind not in (THREAD, CONTEXT) and not is_awaited
        # What has a guard joins a trip that is under way, and else is inline for most values.
        if node.threaded and (on_trip or not step.is_inline):
            followed.call_in_thread(step, on_trip=on_trip)
            on_trip = True
        elif step.is_inline:
            step.trip = followed.trips if on_trip else None
            was_on_loop = was_on_loop or node.limited
        else:
            was_on_loop = True
            if not is_awaited:
                followed.call_in_thread(step)
        if node.kind in (CONTEXT, INLINE_CONTEXT, INLINE_CONTEXT_LIMITED):
            followed.enter(step, is_function_scoped=node.function_scoped, shares=node.threaded)
    endpoint = followed.steps[-1]
    endpoint.is_inline = plan.inline
    if not plan.inline:
        if plan.joins_endpoint and on_trip:
            followed.call_in_thread(endpoint, on_trip=True)
        else:
            # What went on on the loop gives its result to FastAPI's handler.
            followed.call_endpoint(validates_along=plan.joins_endpoint and not was_on_loop)
    return followed.end()


def followed_by_fastapi(
    route: _fastapi.ServedRoute, overrides: Mapping[Any, Any] | None
) -> Followed:
    """Follow a request through FastAPI's own code.

    Parameters:
        route: that it is for.
        overrides: `dependency_overrides`, None if there are none.
    """
    followed = Followed(route)
    keys_known: dict[int, Any] = {}
    called: set[Any] = set()
    done: set[Any] = set()  # what has nothing below it that is called again
    root = _fastapi.Declaration(route.dependant)
    _know_keys(root, keys_known)
    entered = [_Entered(root, root)]
    while entered:
        visit = entered[-1]
        dependant = next(visit.waiting, None)
        if dependant is not None:
            declared = used = _fastapi.Declaration(dependant)
            if overrides is not None:
                call = overrides.get(declared.call, declared.call)
                used = _fastapi.Declaration(_fastapi.overridden(dependant, call))
                if used.dependant is not dependant:
                    _know_keys(used, keys_known)
            below = _Entered(declared, used)
            below.key = _fastapi.cache_key(dependant, keys_known)
            # An override that depends on what it overrides has no end.
            if below.key in done or any(each.declared.call is declared.call for each in entered):
                below.waiting = iter(())
            entered.append(below)
            continue
        entered.pop()
        step = _step(followed, visit.used.dependant, visit.declared.name, entered, visit.below)
        if not entered:
            break
        if visit.declared.use_cache and visit.key in called:
            step.is_cached = True
        elif not _is_awaited(visit.used.dependant):
            followed.call_in_thread(step)
        called.add(visit.key)
        visit.is_done = visit.is_done and visit.declared.use_cache
        if visit.is_done:
            done.add(visit.key)
        entered[-1].is_done = entered[-1].is_done and visit.is_done
        if _is_context(step.dependant) and not step.is_cached:
            is_function_scoped = visit.declared.is_function_scoped
            followed.enter(step, is_function_scoped=is_function_scoped, shares=False)
    followed.call_endpoint()
    return followed.end()


def endpoint_alone(route: _fastapi.ServedRoute) -> Followed:
    """Give the endpoint of a route all of whose requests fail before they reach it."""
    followed = Followed(route)
    _step(followed, route.dependant, None, [], [])
    return followed


def _know_keys(above: _fastapi.Declaration, known: dict[int, Any]) -> None:
    """Find out the keys of all that is below, from the leaves up.

    NOTE: FastAPI asks what is below a dependant by recursion, for which the limit of C calls is too
    low in some versions of CPython, such as 3.12.1.
    """
    found = list(above.dependencies)
    for dependant in found:  # which grows
        found += _fastapi.Declaration(dependant).dependencies
    for dependant in reversed(found):
        _fastapi.cache_key(dependant, known)


class _Entered:
    """What is declared, whose dependencies come first."""

    __slots__ = ("below", "declared", "is_done", "key", "used", "waiting")

    def __init__(self, declared: _fastapi.Declaration, used: _fastapi.Declaration) -> None:
        self.declared = declared
        self.used = used
        self.waiting: Iterator[Any] = iter(used.dependencies)
        self.below: list[Step] = []
        self.key: Any = None
        self.is_done = True


def _step(
    followed: Followed, dependant: Any, name: str | None, entered: list[Any], below: list[Step]
) -> Step:
    step = Step(dependant, name, len(entered), below)
    followed.steps.append(step)
    for each in below:
        each.above = step
    if entered:
        above = entered[-1]
        (above.below if isinstance(above, _Entered) else above[1]).append(step)
    return step


def _is_awaited(dependant: _fastapi.Dependant) -> bool:
    return _fastapi.is_coroutine(dependant) or _fastapi.is_async_generator(dependant)


def _is_context(dependant: _fastapi.Dependant) -> bool:
    return _fastapi.is_generator(dependant) or _fastapi.is_async_generator(dependant)
