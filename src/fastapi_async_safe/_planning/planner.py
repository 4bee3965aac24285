"""Dependant tree to plan: everything that can be known before a request comes, found out once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from inspect import CO_GENERATOR
from types import FunctionType, MethodType, ModuleType
from typing import Any

from .. import _fastapi
from .._core_py import (
    CONTEXT,
    COROUTINE,
    INLINE,
    INLINE_CONTEXT,
    INLINE_CONTEXT_LIMITED,
    INLINE_LIMITED,
    INLINE_TIMED,
    ROOT,
    THREAD,
)
from .._proof import Proof
from ..markers import SeenMarks
from ..policy import Policy
from ..slow_calls import SlowCalls
from .parameters import is_repeatable, parameter
from .proofs import Proofs, is_answered_plainly, once, rows_of
from .watched import observed, watched_context

_CONTEXTS = (CONTEXT, INLINE_CONTEXT, INLINE_CONTEXT_LIMITED)


class DeclinedError(Exception):
    """This tree is left to FastAPI's own code; the text says why.

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
        connection: `Request` or `WebSocket`.
        overrides: `dependency_overrides`, None if there are none.
        one_trip: what goes to the thread pool may go there together.
        proofs: those made so far.
        slow_calls: who wants to know of inline calls that hold up the event loop.
        path: of the route, for whom that concerns.
        route: FastAPI's, None if the dependant belongs to none.
    """

    def __init__(
        self,
        policy: Policy,
        core: ModuleType,
        connection: type,
        overrides: Mapping[Any, Any] | None = None,
        one_trip: bool = False,
        proofs: Proofs | None = None,
        route: Any = None,
        slow_calls: SlowCalls | None = None,
        path: str | None = None,
    ) -> None:
        self._policy = policy
        self._core = core
        self._connection = connection
        self._overrides = overrides
        self._wants_one_trip = one_trip
        self._one_trip = one_trip and _fastapi.pool_is_plain()
        self._proofs = Proofs() if proofs is None else proofs
        self._route = route
        self._marks = SeenMarks()  # of all that the policy is asked about
        self._slow_calls = SlowCalls(None, None) if slow_calls is None else slow_calls
        self._path = path
        self._proven: list[tuple[Any, str, Any]] = []  # what the proofs rest on
        self._chosen: list[tuple[Any, Any]] = []  # what `overrides` gave for which call
        self._order: list[int] = []
        self._after: list[int] = []
        self._drafts: list[_Draft] = []
        self._slots: dict[Any, int] = {}
        self._shapes: dict[Any, int] = {}
        self._shapes_of_slot: dict[int, set[int]] = {}
        self._keys_known: dict[int, Any] = {}
        self._reading = _fastapi.reading(connection)
        self._solving = _fastapi.solving(under_overrides=overrides is not None)
        self._raw = self._reading.is_own and _fastapi.makes_containers_as_known()

    def plan(self, dependant: _fastapi.Dependant) -> Any:
        """Make the plan of `dependant`.

        Returns:
            A `Plan` of the core.

        Raises:
            DeclinedError: the tree has something in it that is not known here.
        """
        if not self._solving.is_own and dependant.dependencies:
            raise DeclinedError(
                "a function that fastapi.dependencies.utils asks about each dependency was "
                "replaced",
                self._solving.is_as_seen,
            )
        # NOTE: no recursion: a chain of 1,000 dependencies is as good as any other.
        path = [self._enter(dependant, dependant, is_root=True)]
        while path:
            declared = next(path[-1].waiting, None)
            if declared is not None:
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
        return self._finish(dependant)

    def _used(self, declared: _fastapi.Dependant) -> _fastapi.Dependant:
        if self._overrides is None:
            return declared
        call = self._overrides.get(declared.call, declared.call)
        if not any(seen is declared.call for seen, _ in self._chosen):
            self._chosen.append((declared.call, call))
        return _fastapi.overridden(declared, call)

    def _enter(self, declared: Any, used: Any, is_root: bool = False) -> _Visit:
        for dependant in (declared, used):
            unknown = _fastapi.unknown_part(dependant)
            if unknown is not None:
                raise DeclinedError(
                    f"unknown {unknown} of the dependant of {dependant.call!r}",
                    partial(_fastapi.unknown_part, dependant),
                )
        if used.call is None:
            raise DeclinedError("a dependant without a call")
        visit = _Visit(declared, used)
        if used.dependencies or is_root:
            visit.entered_at = len(self._order)
            self._order.append(0)
            self._after.append(0)
        return visit

    def _leave(self, visit: _Visit, above: _Visit | None) -> None:
        draft = self._draft(visit, is_root=above is None)
        index = len(self._drafts)
        self._drafts.append(draft)
        self._order.append(index)
        self._after.append(0)
        if visit.entered_at is not None:
            self._order[visit.entered_at] = ~index
            self._after[visit.entered_at] = len(self._order)
        if above is not None:
            above.shapes.append(draft.shape)
            above.repeatable = above.repeatable and draft.repeatable

    def _draft(self, visit: _Visit, is_root: bool) -> _Draft:
        declared, used = visit.declared, visit.used
        groups = tuple(self._groups(used))
        slot = -1 if is_root else self._slot(declared)
        kind, call = (ROOT, used.call) if is_root else self._calling(used)
        proven = kind == THREAD and self._is_proven(used.call, visit.results)
        if proven:
            kind = INLINE_LIMITED if _fastapi.concurrency_of(used) is not None else INLINE
        connection_names = self._connection_names(used)
        threaded = kind in (THREAD, CONTEXT) and self._is_threaded(used)
        if threaded and kind == CONTEXT:
            call = contextmanager(call)
        reads_quietly = not used.body_params and all(
            g.params and all(map(is_repeatable, g.params)) for g in groups
        )
        shape = (
            slot,
            kind,
            bool(declared.use_cache),
            tuple((g.source, tuple((p.name, p.key) for p in g.params)) for g in groups),
            connection_names,
            used.background_tasks_param_name,
            used.response_param_name,
            used.security_scopes_param_name,
            tuple(visit.shapes),
        )
        joins = reads_quietly and (is_root or threaded or (proven and kind == INLINE))
        watch = None
        if kind in (INLINE, INLINE_LIMITED):
            watch = self._slow_calls.watch(used.call, "dependency", self._path)
            call = observed(call, used.call, self._path)
            if watch is not None and kind == INLINE:
                kind = INLINE_TIMED
        draft = _Draft()
        draft.visit = visit
        draft.shape = self._shapes.setdefault(shape, len(self._shapes))
        draft.repeatable = (
            visit.repeatable
            and bool(declared.use_cache)
            and not used.body_params
            # What it would read may have changed since.
            and not groups
        )
        draft.arguments = {
            "name": declared.name,
            "call": call,
            "kind": kind,
            "leaf": visit.entered_at is None,
            "limited": not is_root and _fastapi.concurrency_of(used) is not None,
            "declared": declared,
            "dependant": used,
            "function_scoped": getattr(declared, "scope", None) == "function",
            "slot": slot,
            "use_cache": bool(declared.use_cache),
            "groups": groups,
            "body_fields": list(used.body_params),
            "connection_names": connection_names,
            "background_name": used.background_tasks_param_name or None,
            "response_name": used.response_param_name or None,
            "scopes_name": used.security_scopes_param_name or None,
            "scopes": (
                tuple(_fastapi.security_scopes(used)) if used.security_scopes_param_name else ()
            ),
            "threaded": threaded,
            # Nobody can tell where what is proven runs, so that it does not end a trip.
            "joins": joins,
            "watch": watch,
        }
        if not is_root:
            self._shapes_of_slot.setdefault(slot, set()).add(draft.shape)
        return draft

    def _slot(self, declared: Any) -> int:
        key = _fastapi.cache_key(declared, self._keys_known)
        return self._slots.setdefault(key, len(self._slots))

    def _calling(self, used: Any) -> tuple[int, Any]:
        call = used.call
        limited = _fastapi.concurrency_of(used) is not None
        if _fastapi.is_async_generator(used):
            return CONTEXT, call
        if _fastapi.is_generator(used):
            if not self._is_inline(call):
                return CONTEXT, call
            self._proofs.warn_if_it_blocks(call)
            kind = INLINE_CONTEXT_LIMITED if limited else INLINE_CONTEXT
            return kind, watched_context(call, self._slow_calls, self._path)
        if _fastapi.is_coroutine(used):
            return COROUTINE, call
        if self._is_inline(call):
            self._proofs.warn_if_it_blocks(call)
            return INLINE_LIMITED if limited else INLINE, call
        return THREAD, call

    def _is_inline(self, call: Any) -> bool:
        self._marks.see(call)
        return self._policy.is_inline(call)

    def _is_proven(self, call: Any, results: dict[str, Any]) -> bool:
        if not self._policy.asks_for_proof(call):
            return False
        proof = self._proofs.proof_of(call, results)
        return proof is not None and self._rests_on(proof)

    def _rests_on(self, proof: Proof) -> bool:
        self._proven += rows_of(proof, self._core.NOTHING)
        for called in proof.called:
            self._marks.see(called)
        return proof.is_current()  # another thread may have set a mark meanwhile

    def _is_threaded(self, used: Any) -> bool:
        """Say whether a call that goes to the thread pool may share a trip with its neighbours."""
        if not self._one_trip or _fastapi.concurrency_of(used) is not None:
            return False
        # NOTE: `run_in_threadpool` has a parameter of that name, and so fails.
        if "func" in _fastapi.keywords_of(used):
            return False
        if _fastapi.is_async_generator(used):
            return False
        if _fastapi.is_generator(used):
            return _fastapi.leaves_contexts_shielded() and _is_generator_function(used.call)
        return True

    def _groups(self, used: Any) -> Iterator[Any]:
        for source, attribute in enumerate(_fastapi.PARAMETER_LISTS):
            fields = getattr(used, attribute)
            if not fields:
                continue
            params: list[Any] = []
            if self._raw:
                params = [parameter(source, field, self._core) for field in fields]
            if None in params:
                params = []
            yield self._core.Group(source=source, fields=list(fields), params=tuple(params))

    def _connection_names(self, used: Any) -> tuple[str, ...]:
        own = (
            used.request_param_name
            if issubclass(self._connection, _fastapi.Request)
            else used.websocket_param_name
        )
        return tuple(name for name in (used.http_connection_param_name, own) if name)

    def _finish(self, dependant: _fastapi.Dependant) -> Any:
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
        reads_raw = bool(groups) or not self._raw
        watched += _fastapi.reading(self._connection, anything=reads_raw).rows
        if dependant.dependencies:
            watched += self._solving.rows
        dependants = self._watched(dependant)
        lists = [items for each in dependants for items in _fastapi.lists_of(each)]
        new_response, new_solved = _fastapi.makers(self._core.NEW)
        inline = self._is_called_inline(dependant) or self._endpoint_is_proven(dependant)
        joins_endpoint = not inline and self._joins_endpoint(dependant)
        if self._wants_one_trip and self._uses_threads(dependant, inline, nodes):
            watched += _fastapi.parts_of_pool()
        return self._core.Plan(
            connection=self._connection,
            raw=self._raw,
            new_response=new_response,
            new_solved=new_solved,
            order=tuple(self._order),
            after=tuple(self._after),
            nodes=tuple(nodes),
            keys=tuple(self._slots),
            needs_stacks=any(node.kind in _CONTEXTS for node in nodes),
            watched=tuple(once([*watched, *self._proven])),
            dependants=tuple(dependants),
            fields=_fastapi.FIELD_NAMES,
            lists=tuple(lists),
            marks=self._marks,
            chosen=None if self._overrides is None else tuple(self._chosen),
            inline=inline,
            # With predicates anything may run inline, a stream that the endpoint gives for one.
            noted=inline or bool(self._policy.predicates),
            joins_endpoint=joins_endpoint,
        )

    def _joins_endpoint(self, endpoint: Any) -> bool:
        return (
            self._one_trip
            and issubclass(self._connection, _fastapi.Request)
            and _fastapi.endpoints_are_plain()
            and not _is_called_elsewhere(endpoint)
        )

    def _uses_threads(self, endpoint: Any, inline: bool, nodes: list[Any]) -> bool:
        return not (inline or _is_called_elsewhere(endpoint)) or any(
            node.kind in (THREAD, CONTEXT) for node in nodes
        )

    def _is_called_inline(self, endpoint: _fastapi.Dependant) -> bool:
        if _fastapi.is_coroutine(endpoint) or _fastapi.is_async_generator(endpoint):
            return False
        if not self._is_inline(endpoint.call):
            return False
        self._proofs.warn_if_it_blocks(endpoint.call)
        return True

    def _endpoint_is_proven(self, endpoint: _fastapi.Dependant) -> bool:
        """Say whether a `def` endpoint and the validation of its response are proven."""
        if self._route is None or not issubclass(self._connection, _fastapi.Request):
            return False
        if _is_called_elsewhere(endpoint):
            return False
        if endpoint.call is None or not self._policy.asks_for_proof(endpoint.call):
            return False
        results = self._drafts[-1].visit.results
        proof = self._proofs.proof_of(endpoint.call, results)
        field = getattr(self._route, "response_field", None)
        if proof is None or not is_answered_plainly(proof, field):
            return False
        return self._rests_on(proof)

    def _watched(self, root: Any) -> list[Any]:
        if self._overrides is None:
            return [draft.visit.declared for draft in self._drafts]
        # Below the root, what stands in for a dependency under overrides is known to nobody else,
        # so that nobody can change it.
        return [root, *root.dependencies]


class _Visit:
    """A dependant on the way down and up again."""

    __slots__ = (
        "declared",
        "entered_at",
        "repeatable",
        "results",
        "shapes",
        "used",
        "waiting",
    )

    def __init__(self, declared: Any, used: Any) -> None:
        self.declared = declared  # what `Depends` said
        self.used = used  # what is solved in its place: another one under overrides
        self.entered_at: int | None = None  # its place in the order, None for a leaf
        self.waiting: Iterator[Any] = iter(list(used.dependencies))
        self.shapes: list[int] = []  # of the nodes directly below
        self.repeatable = True
        self.results: dict[str, Any] = {}  # what is called for its parameters


class _Draft:
    """A node, but for what depends on all the others."""

    __slots__ = ("arguments", "repeatable", "shape", "visit")

    arguments: dict[str, Any]
    repeatable: bool
    shape: int
    visit: _Visit


def _is_called_elsewhere(endpoint: Any) -> bool:
    """Say whether FastAPI runs this endpoint on the event loop, or as a stream."""
    return bool(
        _fastapi.is_coroutine(endpoint)
        or _fastapi.is_async_generator(endpoint)
        or _fastapi.is_generator(endpoint)
    )


def _is_generator_function(call: Any) -> bool:
    """Say whether calling `call` begins a generator, and runs no code of the user's yet."""
    while True:
        if isinstance(call, partial):
            call = call.func
        elif isinstance(call, MethodType):
            call = call.__func__
        elif type(call) is FunctionType:
            return bool(call.__code__.co_flags & CO_GENERATOR)
        else:
            return False
