"""Dependant tree to plan: everything that can be known before a request comes, found out once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import ModuleType
from typing import Any

from .. import _fastapi
from .._core_py import (
    CONTEXT,
    INLINE,
    INLINE_CONTEXT,
    INLINE_CONTEXT_LIMITED,
    ROOT,
    SOURCES,
    THREAD,
)
from ..policy import Policy
from ..slow_calls import SlowCalls
from .given import GivenValues, Giving
from .parameters import is_repeatable, parameter
from .placement import Place, Placement, is_called_elsewhere
from .proofs import Proofs, once
from .visits import Draft, Visit

_CONTEXTS = (CONTEXT, INLINE_CONTEXT, INLINE_CONTEXT_LIMITED)

# How often a plan is made of what changes meanwhile, before FastAPI solves the request at hand.
_TRIES = 3


class DeclinedError(Exception):
    """This tree falls back to FastAPI's own code; the text says why.

    Parameters:
        reason: the text.
        holds: gives something true as long as the reason is there; without it that is for good.
    """

    def __init__(self, reason: str, holds: Callable[[], object] = lambda: True) -> None:
        super().__init__(reason)
        self.holds = holds


class Planner:
    """Makes the plan of one route.

    Parameters:
        policy: says which callables run inline.
        core: the core that is to run the plan.
        connection_class: `Request` or `WebSocket`.
        overrides: `dependency_overrides`, None if there are none.
        one_trip: what goes to the thread pool may go there together.
        proofs: those made so far.
        slow_calls: who wants to know of inline calls that hold up the event loop.
        path: of the route, for whom that concerns.
        owner: FastAPI's route, None if the dependant belongs to none.
    """

    def __init__(
        self,
        policy: Policy,
        core: ModuleType,
        connection_class: type,
        overrides: Mapping[Any, Any] | None = None,
        one_trip: bool = False,
        proofs: Proofs | None = None,
        owner: Any = None,
        slow_calls: SlowCalls | None = None,
        path: str | None = None,
    ) -> None:
        self._policy = policy
        self._core = core
        self._connection_class = connection_class
        self._overrides = overrides
        self._one_trip = one_trip
        self._proofs = Proofs() if proofs is None else proofs
        self._owner = owner
        self._slow_calls = SlowCalls(None, None) if slow_calls is None else slow_calls
        self._path = path

    def _begin(self) -> None:
        """Begin, or begin again, with nothing known of the tree."""
        # NOTE: what is watched is looked at before anything is decided by it.
        self._solving = _fastapi.solving(under_overrides=self._overrides is not None)
        self._reading_nothing = _fastapi.reading(self._connection_class, anything=False)
        self._reading = _fastapi.reading(self._connection_class)
        self._raw = self._reading.is_own and _fastapi.makes_containers_as_known()
        self._placement = Placement(
            self._policy,
            proofs=self._proofs,
            slow_calls=self._slow_calls,
            path=self._path,
            one_trip=self._one_trip,
            nothing=self._core.NOTHING,
            reads_plainly=self._raw,
        )
        self._seen: list[_fastapi.SeenDependant] = []
        self._chosen: list[tuple[Any, Any]] = []  # what `overrides` gave for which call
        self._order: list[int] = []
        self._after: list[int] = []
        self._drafts: list[Draft] = []
        self._slots: dict[Any, int] = {}
        self._given = GivenValues()
        self._shapes: dict[Any, int] = {}
        self._shapes_of_slot: dict[int, set[int]] = {}
        self._keys_known: dict[int, Any] = {}

    def plan(self, dependant: _fastapi.Dependant) -> Any:
        """Make the plan of `dependant`.

        Returns:
            A `Plan` of the core.

        Raises:
            DeclinedError: the tree has something in it that is not supported, or goes on changing.
        """
        for _ in range(_TRIES):
            self._begin()
            plan = self._made(dependant)
            # NOTE: after the plan took what it compares later: a predicate or another thread may
            # have changed a dependant that was read before.
            if all(each.is_as_seen() for each in self._seen):
                return plan
        raise DeclinedError("it changes while its plan is made", lambda: False)

    def _made(self, dependant: _fastapi.Dependant) -> Any:
        root = self._look_at(dependant)
        if not self._solving.is_own and root.dependencies:
            raise DeclinedError(
                "a function was replaced that FastAPI asks about each dependency",
                self._solving.is_as_seen,
            )
        # NOTE: no recursion: a chain of 1,000 dependencies is as good as any other.
        path = [self._enter(root, root, is_root=True)]
        while path:
            below = next(path[-1].waiting, None)
            if below is not None:
                declared = self._look_at(below)
                used = self._used(declared)
                if used.call is not declared.call and any(
                    visit.declared.call is declared.call for visit in path
                ):
                    raise DeclinedError(f"{used.call!r} overrides what it depends on")
                if declared.name is not None:
                    path[-1].results[declared.name] = used.call
                path.append(self._enter(declared, used))
                continue
            visit = path.pop()
            self._leave(visit, path[-1] if path else None)
        return self._finish(root)

    def _look_at(self, dependant: _fastapi.Dependant) -> _fastapi.Declaration:
        self._seen.append(_fastapi.SeenDependant(dependant))
        return _fastapi.Declaration(dependant)

    def _used(self, declared: _fastapi.Declaration) -> _fastapi.Declaration:
        if self._overrides is None:
            return declared
        call = self._chosen_for(declared.call, self._overrides)
        return _fastapi.Declaration(_fastapi.overridden(declared.dependant, call))

    def _chosen_for(self, call: Any, overrides: Mapping[Any, Any]) -> Any:
        for seen, chosen in self._chosen:
            if seen is call:
                return chosen
        chosen = overrides.get(call, call)
        self._chosen.append((call, chosen))
        return chosen

    def _enter(
        self, declared: _fastapi.Declaration, used: _fastapi.Declaration, is_root: bool = False
    ) -> Visit:
        for each in (declared, used):
            unknown = _fastapi.unknown_part(each.dependant)
            if unknown is not None:
                raise DeclinedError(
                    f"unknown {unknown} of the dependant of {each.call!r}",
                    partial(_fastapi.unknown_part, each.dependant),
                )
        if used.call is None:
            raise DeclinedError("a dependant without a call")
        visit = Visit(declared, used)
        if used.dependencies or is_root:
            visit.entered_at = len(self._order)
            self._order.append(0)
            self._after.append(0)
        return visit

    def _leave(self, visit: Visit, above: Visit | None) -> None:
        draft = self._draft(visit, is_root=above is None)
        index = len(self._drafts)
        self._drafts.append(draft)
        self._order.append(index)
        self._after.append(0)
        if visit.entered_at is not None:
            self._order[visit.entered_at] = ~index
            self._after[visit.entered_at] = len(self._order)
        if above is not None:
            name, slot = draft.arguments["name"], draft.arguments["slot"]
            self._given.note(index, slot, draft.place, visit.made_at)
            above.below.append(Giving(name, slot, draft.place.proof))
            above.shapes.append(draft.shape)
            above.repeatable = above.repeatable and draft.repeatable

    def _draft(self, visit: Visit, is_root: bool) -> Draft:
        """Make of a dependant what can be said of its node before all others are known.

        Its shape is a number that other dependants have too if they do the same for a request, with
        all that is below them. It is repeatable if a second visit in the same request cannot find
        out anything new: all of it is cached, and reads nothing.
        """
        declared, used = visit.declared, visit.used
        groups = tuple(self._groups(used))
        slot = -1 if is_root else self._slot(declared)
        place = Place(ROOT, used.call)
        if not is_root:
            known: dict[str, Any] = {}
            if not _fastapi.repeats_keywords(used.dependant):
                known, visit.made_at = self._given.known(visit.below)
            place = self._placement.of_dependency(used, visit.results, known)
        connection_names = used.connection_names(self._connection_class)
        body_fields = used.body_fields
        reads_quietly = not body_fields and all(
            g.params and all(map(is_repeatable, g.params)) for g in groups
        )
        shape = (
            slot,
            place.kind,
            declared.use_cache,
            tuple((g.source, tuple((p.name, p.key) for p in g.params)) for g in groups),
            connection_names,
            used.background_name,
            used.response_name,
            used.scopes_name,
            tuple(visit.shapes),
        )
        # Nobody can tell where what is proven runs, so that it does not end a trip.
        goes_along = place.proven and place.kind == INLINE and place.guard is None
        draft = Draft()
        draft.visit = visit
        draft.place = place
        draft.shape = self._shapes.setdefault(shape, len(self._shapes))
        draft.repeatable = (
            visit.repeatable
            and declared.use_cache
            and not body_fields
            # What it would read may have changed since.
            and not groups
        )
        draft.arguments = {
            "name": declared.name,
            "call": place.call,
            "kind": place.kind,
            "leaf": visit.entered_at is None,
            "limited": not is_root and _fastapi.concurrency_of(used.dependant) is not None,
            "declared": declared.dependant,
            "used": used.dependant,
            "function_scoped": declared.is_function_scoped,
            "slot": slot,
            "use_cache": declared.use_cache,
            "groups": groups,
            "body_fields": body_fields,
            "connection_names": connection_names,
            "background_name": used.background_name,
            "response_name": used.response_name,
            "scopes_name": used.scopes_name,
            "scopes": (tuple(_fastapi.security_scopes(used.dependant)) if used.scopes_name else ()),
            "threaded": place.threaded,
            "joins": reads_quietly and (is_root or place.threaded or goes_along),
            "watch": place.watch,
            "guard": place.guard,
            "short_guard": place.short_guard,
        }
        if not is_root:
            self._shapes_of_slot.setdefault(slot, set()).add(draft.shape)
        return draft

    def _slot(self, declared: _fastapi.Declaration) -> int:
        key = _fastapi.cache_key(declared.dependant, self._keys_known)
        return self._slots.setdefault(key, len(self._slots))

    def _groups(self, used: _fastapi.Declaration) -> Iterator[Any]:
        for source in SOURCES:
            fields = used.fields(source)
            if not fields:
                continue
            params: list[Any] = []
            if self._raw:
                params = [parameter(source, each, self._core, self._reading) for each in fields]
            if None in params:
                params = []
            yield self._core.Group(source=source, fields=fields, params=tuple(params))

    def _finish(self, root: _fastapi.Declaration) -> Any:
        """Make nodes of all drafts, and the plan of them with what it has to watch.

        A node can be reused, without a look at what is below it, if its slot of the dependency
        cache is filled by others, all of which have its shape.
        """
        counts: dict[int, int] = {}
        for draft in self._drafts:
            slot = draft.arguments["slot"]
            counts[slot] = counts.get(slot, 0) + 1
        nodes = []
        for draft in self._drafts:
            slot = draft.arguments["slot"]
            reusable = (
                slot >= 0
                and counts[slot] > 1
                and draft.repeatable
                and len(self._shapes_of_slot[slot]) == 1
            )
            nodes.append(self._core.Node(reusable=reusable, **draft.arguments))
        groups = [group for node in nodes for group in node.groups if group.params]
        watched = list(_fastapi.responding().rows)
        is_http = issubclass(self._connection_class, _fastapi.Request)
        inline = self._placement.endpoint_is_inline(
            root, self._owner if is_http else None, self._drafts[-1].visit.results
        )
        reads_raw = bool(groups) or not self._raw or self._placement.rests_on_reading
        if self._placement.rests_on_reading_bodies:
            watched += self._placement.reading_bodies.rows
        watched += (self._reading if reads_raw else self._reading_nothing).rows
        if root.dependencies:
            watched += self._solving.rows
        dependants = self._watched(root)
        lists = [items for each in dependants for items in _fastapi.lists_of(each)]
        new_response, new_solved = _fastapi.constructors(self._core.NEW)
        joins_endpoint = not inline and is_http and self._placement.joins_endpoint(root.dependant)
        if self._uses_threads(root.dependant, inline, nodes):
            watched += self._placement.pool
        return self._core.Plan(
            connection_class=self._connection_class,
            raw=self._raw,
            new_response=new_response,
            new_solved=new_solved,
            order=tuple(self._order),
            after=tuple(self._after),
            nodes=tuple(nodes),
            keys=tuple(self._slots),
            needs_stacks=any(node.kind in _CONTEXTS for node in nodes),
            watched=tuple(once([*watched, *self._placement.proven])),
            dependants=tuple(dependants),
            fields=_fastapi.FIELD_NAMES,
            lists=tuple(lists),
            marks=self._placement.marks,
            chosen=None if self._overrides is None else tuple(self._chosen),
            inline=inline,
            # With predicates anything may run inline, a stream that the endpoint gives for one.
            records_request=inline or bool(self._policy.predicates),
            joins_endpoint=joins_endpoint,
        )

    def _uses_threads(self, endpoint: _fastapi.Dependant, inline: bool, nodes: list[Any]) -> bool:
        return not (inline or is_called_elsewhere(endpoint)) or any(
            node.kind in (THREAD, CONTEXT) or node.guard is not None for node in nodes
        )

    def _watched(self, root: _fastapi.Declaration) -> list[_fastapi.Dependant]:
        if self._overrides is None:
            return [draft.visit.declared.dependant for draft in self._drafts]
        # Below the root, what stands in for a dependency under overrides is known to nobody else,
        # so that nobody can change it.
        return [root.dependant, *root.dependencies]
