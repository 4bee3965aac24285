"""Proofs that plans rest on, kept as long as they hold; warnings of marked calls that block."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

from .. import _fastapi
from .._messages import proof_logger, say
from .._naming import callable_name
from .._proof import ABSENT, Proof, prove_as
from .._proof.libraries import is_made_by_pydantic
from .._proof.lookup import Probe
from .._proof.proof import is_the_same
from .._proof.values import ROUNDS, Box, Known, Value, is_constant
from ..markers import is_async_safe, may_block

_KEPT = 4096

# What changes more often than this changes all the time, and so is not worth a plan.
_CHANGES_BORNE = 8

#: Parts of core schemas that run no code of the user's on plain data.
_PLAIN_PARTS = frozenset(
    {
        "any",
        "bool",
        "date",
        "datetime",
        "decimal",
        "default",
        "definition-ref",
        "definitions",
        "dict",
        "enum",
        "float",
        "frozenset",
        "int",
        "list",
        "literal",
        "model",
        "model-field",
        "model-fields",
        "none",
        "nullable",
        "set",
        "str",
        "time",
        "timedelta",
        "tuple",
        "union",
        "url",
        "uuid",
    }
)
_NO_SCHEMAS = frozenset({"config", "default", "expected", "metadata", "serialization"})


class Arguments(NamedTuple):
    """What is said of the arguments of a call, each by the name of the parameter.

    Attributes:
        results: what is called for the parameters that are dependencies.
        known: what is passed for sure; what other proofs say is given.
        made: what FastAPI made of the parameters.
    """

    results: Mapping[str, Any]
    known: Mapping[str, Value] = MappingProxyType({})
    made: Mapping[str, Any] = MappingProxyType({})

    def are_same(self, other: Arguments) -> bool:
        """Say whether a proof for one is one for the other."""
        return (
            _same(self.results, other.results)
            and _same(self.known, other.known)
            and self.made.keys() == other.made.keys()
            and all(_means_the_same(self.made[name], other.made[name]) for name in self.made)
        )


def arguments_of(
    dependant: _fastapi.Dependant,
    results: Mapping[str, Any],
    known: Mapping[str, Value] = MappingProxyType({}),
) -> Arguments:
    """Say of the arguments of a call what its dependant, as it is solved, says of them."""
    return Arguments(results, known, _fastapi.made_of_parameters(dependant))


class _Kept:
    __slots__ = ("arguments", "call", "changes", "proof")

    def __init__(self, call: Any, arguments: Arguments, proof: Proof) -> None:
        self.call = call  # so that nothing else gets its identity
        self.arguments = arguments
        self.proof = proof
        self.changes = 0


class Proofs:
    """The proofs of one `init_app`, by what was proven."""

    __slots__ = ("_kept", "_warned")

    def __init__(self) -> None:
        self._kept: dict[tuple[int, bool], _Kept] = {}  # by the call, and whether more is known
        self._warned: dict[int, Any] = {}

    def proof_of(self, call: Any, arguments: Arguments) -> Proof | None:
        """Prove a call, or give its proof that still holds.

        Parameters:
            call: no generator and no coroutine function.
            arguments: what is said of them.

        Returns:
            A proof that holds, None without one.
        """
        key = id(call), bool(arguments.known)
        kept = self._kept.get(key)
        if kept is not None and kept.arguments.are_same(arguments):
            if not kept.proof.holds:
                return None
            if kept.proof.is_current():
                return kept.proof
            kept.changes += 1
            if kept.changes > _CHANGES_BORNE:
                return None
            kept.proof = prove_as(call, *arguments)
        else:
            changes = 0 if kept is None else kept.changes
            proof = prove_as(call, *arguments)
            kept = self._kept[key] = _Kept(call, arguments, proof)
            kept.changes = changes
            if len(self._kept) > _KEPT:
                del self._kept[next(iter(self._kept))]
        return kept.proof if kept.proof.holds else None

    def warn_if_it_blocks(self, call: Any) -> None:
        """Say once of a marked call that it is known to wait, unless its mark says it does not."""
        if is_async_safe(call) is not True or id(call) in self._warned or not may_block(call):
            return
        self._remember(call)
        proof = prove_as(call, None)
        reason = next((reason for reason in proof.reasons if reason.blocks), None)
        if reason is not None:
            say(
                proof_logger,
                logging.WARNING,
                "%s is marked async_safe, and holds up the event loop: it %s (%s:%d: %s). Leave it "
                "unmarked or mark it async_unsafe, so that it runs in the thread pool; if it does "
                "not block, say so: @async_safe(blocks=False)",
                callable_name(call),
                reason.text,
                reason.file,
                reason.line,
                reason.code,
            )

    def _remember(self, call: Any) -> None:
        """Keep that a call was looked at, as long as there is this call."""
        key = id(call)
        try:
            self._warned[key] = weakref.ref(call, lambda _: self._warned.pop(key, None))
        except TypeError:
            self._warned[key] = call  # so that nothing else gets its identity
            if len(self._warned) > _KEPT:
                # NOTE: in one step, as any of the others may go meanwhile.
                self._warned.pop(list(self._warned)[0], None)  # noqa: RUF015


class SilentProofs(Proofs):
    """Where nothing is to be warned of, as nothing is served."""

    __slots__ = ()

    def warn_if_it_blocks(self, call: Any) -> None:
        """Say nothing."""

    def found_about(self, call: Any, arguments: Arguments) -> Proof:
        """Give the proof of a call as `proof_of` does, also one that does not hold."""
        held = self.proof_of(call, arguments)
        return self._kept[id(call), bool(arguments.known)].proof if held is None else held


def listed_scopes(scopes: tuple[str, ...]) -> Value | None:
    """Give what is known of a new list of these security scopes; None if they are many or odd."""
    if len(scopes) > ROUNDS or not all(type(each) is str and len(each) <= 256 for each in scopes):
        return None
    return _listed(scopes)


@lru_cache(maxsize=256)
def _listed(texts: tuple[str, ...]) -> Value:
    # NOTE: the same for the same texts, as proofs are kept by what is known.
    return Box(list, [Known(each) for each in texts])


def rows_of(proof: Proof, nothing: Any) -> tuple[tuple[Any, str, Any], ...]:
    """Give what a proof rests on, as plans watch it.

    Parameters:
        proof: the proof.
        nothing: what the core of the plan takes for an attribute that is not there.
    """
    return tuple(
        (owner, name, nothing if value is ABSENT else value) for owner, name, value in proof.watched
    )


def once(rows: list[tuple[Any, str, Any]]) -> list[tuple[Any, str, Any]]:
    """Leave out what is there twice. NOTE: neither owners nor values need have a hash."""
    found: dict[tuple[Any, ...], tuple[Any, str, Any]] = {}
    for owner, name, value in rows:
        what = owner.looks_at if type(owner) is Probe else (id(owner), name)
        found[*what, id(value)] = owner, name, value
    return list(found.values())


def is_answered_plainly(proof: Proof, field: Any) -> bool:
    """Say whether what an endpoint returns is validated without code of the user's.

    Parameters:
        proof: of the endpoint.
        field: FastAPI's, that validates the response; None without one.
    """
    if not proof.gives_data:
        return False
    if field is None:
        return True
    schema = _fastapi.schema_of(field)
    return isinstance(schema, dict) and _runs_no_code(schema)


def _runs_no_code(schema: Any) -> bool:
    pending = [schema]
    while pending:
        part = pending.pop()
        if isinstance(part, (list, tuple)):
            pending += part
            continue
        if not isinstance(part, dict):
            continue
        if isinstance(part.get("type"), str) and not _is_plain(part):
            return False
        pending += [each for key, each in part.items() if key not in _NO_SCHEMAS]
    return True


def _is_plain(part: dict[str, Any]) -> bool:
    kind = part["type"]
    if kind == "model" and (
        any(part.get(x) for x in ("custom_init", "post_init", "root_model"))
        or not is_made_by_pydantic(part["cls"])
    ):
        return False
    if kind == "default" and not _is_plain_default(part):
        return False
    if kind == "enum" and part.get("missing") is not None:
        return False
    if kind == "str" and part.get("pattern"):
        return False
    return kind in _PLAIN_PARTS


def _is_plain_default(part: dict[str, Any]) -> bool:
    default = part.get("default")
    is_empty = type(default) in (list, dict, set) and not default
    return part.get("default_factory") is None and (is_constant(default) or is_empty)


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return one.keys() == other.keys() and all(one[name] is other[name] for name in one)


def _means_the_same(one: Any, other: Any) -> bool:
    """Say whether parameters are validated the same by FastAPI's `FieldInfo` of each."""
    return one is other or all(
        is_the_same(getattr(one, name, None), getattr(other, name, None)) for name in _OF_FIELDS
    )


_OF_FIELDS = ("__class__", "annotation", "metadata", "default", "default_factory")
