"""Where each callable of a plan runs: on the event loop, in the thread pool, on whose trip."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from functools import partial
from inspect import CO_GENERATOR
from types import FunctionType, MethodType
from typing import Any, NamedTuple

from .. import _fastapi
from .._core_py import (
    CONTEXT,
    COROUTINE,
    INLINE,
    INLINE_CONTEXT,
    INLINE_CONTEXT_LIMITED,
    INLINE_LIMITED,
    SOURCES,
    THREAD,
)
from .._proof import Guard, Proof, guard_of
from .._proof.values import Value
from ..markers import SeenMarks
from ..policy import Policy
from ..slow_calls import SlowCalls, Watch
from .proofs import Arguments, Proofs, arguments_of, is_answered_plainly, listed_scopes, rows_of
from .watched import observed, watched_context, watches_of


class Place(NamedTuple):
    """How the core calls a node, and what it calls."""

    kind: int
    call: Callable[..., Any]
    proven: bool = False  # that is why it is inline
    threaded: bool = False  # it may share a trip to the thread pool with its neighbours
    watch: Watch | None = None
    guard: Guard | None = None  # whether a call is one that the proof speaks of
    short_guard: Guard | None = None  # the same, where all before went as the plan has it
    proof: Proof | None = None  # that knows most of it


class Placement:
    """Decides for one plan, and keeps what its decisions rest on.

    Parameters:
        policy: says which callables run inline.
        proofs: those made so far.
        slow_calls: who wants to know of inline calls that hold up the event loop.
        path: of the route, for whom that concerns.
        one_trip: what goes to the thread pool may go there together.
        nothing: stands in a row for an attribute that is not there.
        reads_plainly: parameters are read by FastAPI's own code, so that they are what they are
            declared to be.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        proofs: Proofs,
        slow_calls: SlowCalls,
        path: str | None,
        one_trip: bool,
        nothing: Any,
        reads_plainly: bool = True,
    ) -> None:
        self.marks = SeenMarks()  # of all that the policy was asked about
        self.proven: list[_fastapi.Row] = []  # what the proofs rest on
        self._policy = policy
        self._proofs = proofs
        self._slow_calls = slow_calls
        self._path = path
        # NOTE: before anything is decided by it, so that whatever changes later is noticed.
        self.pool = _fastapi.parts_of_pool() if one_trip else []
        self.reading_bodies = _fastapi.reading_bodies()
        self._one_trip = one_trip and _fastapi.pool_is_plain()
        self._nothing = nothing
        self._reads_plainly = reads_plainly
        # Whether something is proven, or is not, depends on what reads its parameters.
        self.rests_on_reading = self.rests_on_reading_bodies = False

    def of_dependency(
        self, used: _fastapi.Declaration, results: dict[str, Any], given: dict[str, Value]
    ) -> Place:
        """Give the place of a dependency.

        Parameters:
            used: what its dependant says.
            results: what is called for its parameters, by name.
            given: what of that gives what for sure, if all goes as the plan has it.
        """
        kind, call = self._calling(used)
        limited = _fastapi.concurrency_of(used.dependant) is not None
        proof = self._proof_of(used, results) if kind == THREAD else None
        guard = short_guard = None
        if proof is not None and not (limited and proof.expects):
            kind = INLINE_LIMITED if limited else INLINE
            keywords = _fastapi.keywords_of(used.dependant)
            guard = short_guard = guard_of(proof.expects, keywords)
            proof = self._closer_proof(used, results, given) or proof
            if guard is not None:
                short_guard = guard_of(proof.expects, keywords)
        threaded = (kind in (THREAD, CONTEXT) or guard is not None) and self._is_threaded(used)
        watch = None
        if kind in (INLINE, INLINE_LIMITED):
            watch = self._slow_calls.watch(used.call, "dependency", self._path)
            if guard is None:  # as it may run in a thread, too
                call = observed(call, used.call, self._path)
        elif kind in (INLINE_CONTEXT, INLINE_CONTEXT_LIMITED):
            watches = watches_of(call, self._slow_calls, self._path)
            watch = watches.entering if watches is not None else None
            call = watched_context(call, watches, self._path)
        elif kind == CONTEXT and threaded:
            call = contextmanager(call)
        proven = proof is not None and kind != THREAD
        return Place(kind, call, proven, threaded, watch, guard, short_guard, proof)

    def _calling(self, used: _fastapi.Declaration) -> tuple[int, Any]:
        call, dependant = used.call, used.dependant
        limited = _fastapi.concurrency_of(dependant) is not None
        if _fastapi.is_async_generator(dependant):
            return CONTEXT, call
        if _fastapi.is_generator(dependant):
            if not self._is_inline(call):
                return CONTEXT, call
            self._proofs.warn_if_it_blocks(call)
            return INLINE_CONTEXT_LIMITED if limited else INLINE_CONTEXT, call
        if _fastapi.is_coroutine(dependant):
            return COROUTINE, call
        if self._is_inline(call):
            self._proofs.warn_if_it_blocks(call)
            return INLINE_LIMITED if limited else INLINE, call
        return THREAD, call

    def _is_inline(self, call: Any) -> bool:
        self.marks.see(call)
        return self._policy.is_inline(call)

    def _proof_of(self, used: _fastapi.Declaration, results: dict[str, Any]) -> Proof | None:
        if not self._policy.asks_for_proof(used.call) or not self._gets_what_it_declares(used):
            return None
        # NOTE: `run_in_threadpool` has a parameter of that name, and so fails.
        if "func" in _fastapi.keywords_of(used.dependant):
            return None
        proof = self._proofs.proof_of(used.call, arguments_of(used.dependant, results))
        return proof if proof is not None and self._rests_on(proof) else None

    def _closer_proof(
        self, used: _fastapi.Declaration, results: dict[str, Any], given: dict[str, Value]
    ) -> Proof | None:
        """Prove a dependency with what is known of the values that it gets, beside its declaration.

        None if nothing is, or that does not help.
        """
        scopes = self._scopes_of(used)
        known = given if scopes is None else {**given, str(used.scopes_name): scopes}
        if not known:
            return None
        proof = self._proofs.proof_of(used.call, arguments_of(used.dependant, results, known))
        return proof if proof is not None and self._rests_on(proof) else None

    def _scopes_of(self, used: _fastapi.Declaration) -> Value | None:
        """Give what is known of the security scopes that a dependency gets."""
        if used.scopes_name is None:
            return None
        scopes = listed_scopes(tuple(_fastapi.security_scopes(used.dependant)))
        if scopes is None:
            return None
        proof = self._proofs.proof_of(
            _fastapi.new_security_scopes, Arguments({}, {"scopes": scopes})
        )
        return proof.gives if proof is not None and self._rests_on(proof) else None

    def _gets_what_it_declares(self, used: _fastapi.Declaration) -> bool:
        reads, reads_body = any(map(used.fields, SOURCES)), bool(used.body_fields)
        self.rests_on_reading |= reads
        self.rests_on_reading_bodies |= reads_body
        if reads_body and not self.reading_bodies.is_own:
            return False
        return self._reads_plainly or not reads

    def _rests_on(self, proof: Proof) -> bool:
        self.proven += rows_of(proof, self._nothing)
        for called in proof.called:
            self.marks.see(called)
        return proof.is_current()  # another thread may have set a mark meanwhile

    def _is_threaded(self, used: _fastapi.Declaration) -> bool:
        dependant = used.dependant
        if not self._one_trip or _fastapi.concurrency_of(dependant) is not None:
            return False
        # NOTE: `run_in_threadpool` has a parameter of that name, and so fails.
        if "func" in _fastapi.keywords_of(dependant):
            return False
        if _fastapi.is_async_generator(dependant):
            return False
        if _fastapi.is_generator(dependant):
            return _fastapi.leaves_contexts_shielded() and _is_generator_function(used.call)
        return True

    def endpoint_is_inline(
        self, endpoint: _fastapi.Declaration, owner: Any, results: dict[str, Any]
    ) -> bool:
        """Say whether a `def` endpoint runs on the event loop.

        Parameters:
            endpoint: what its dependant says.
            owner: FastAPI's route, of HTTP; None where a proof says nothing.
            results: what is called for its parameters, by name.
        """
        dependant = endpoint.dependant
        if _fastapi.is_coroutine(dependant) or _fastapi.is_async_generator(dependant):
            return False
        if self._is_inline(endpoint.call):
            self._proofs.warn_if_it_blocks(endpoint.call)
            return True
        return owner is not None and self._endpoint_is_proven(endpoint, owner, results)

    def _endpoint_is_proven(
        self, endpoint: _fastapi.Declaration, owner: Any, results: dict[str, Any]
    ) -> bool:
        """Say whether a `def` endpoint and the validation of its response are proven."""
        if is_called_elsewhere(endpoint.dependant) or endpoint.call is None:
            return False
        if not self._policy.asks_for_proof(endpoint.call):
            return False
        if not self._gets_what_it_declares(endpoint):
            return False
        proof = self._proofs.proof_of(endpoint.call, arguments_of(endpoint.dependant, results))
        if proof is None or proof.expects:
            return False
        if not is_answered_plainly(proof, _fastapi.response_field_of(owner)):
            return False
        return self._rests_on(proof)

    def joins_endpoint(self, endpoint: _fastapi.Dependant) -> bool:
        """Say whether the endpoint of an HTTP route may be called on the plan's last trip."""
        return (
            self._one_trip and _fastapi.endpoints_are_plain() and not is_called_elsewhere(endpoint)
        )


def is_called_elsewhere(endpoint: _fastapi.Dependant) -> bool:
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
