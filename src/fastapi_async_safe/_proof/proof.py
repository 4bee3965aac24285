"""`prove`: whether calling something waits, loops for long, or runs code that nobody knows."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from inspect import Parameter, Signature
from types import FunctionType, MethodType
from typing import Any, Literal, NamedTuple

from ..markers import is_async_safe
from .analysis import Analysis, Frame, Reason, StopError
from .calls import call_object, construct
from .expected import Expectation, Expected
from .functions import run_function
from .given import given_by
from .kinds import LARGE, SMALL
from .lookup import ABSENT, find, is_compared_plainly, name_of
from .operations import existing
from .parameters import as_made, declared_by, evaluated, passed
from .source import Source
from .values import Opaque, Value, is_data

Verdict = Literal["proven", "unknown", "blocks"]

_LEFT_OUT = 16  # of what was expected, tried one by one


@dataclass(frozen=True)
class Parameters:
    """What a callable declares; FastAPI reads it when a route is made, not on a request."""

    call: Any
    declared: tuple[Any, ...]

    def are_current(self) -> bool:
        """Say whether the callable declares the same still."""
        now = _declared(declared_by(self.call))
        return len(now) == len(self.declared) and all(map(is_the_same, now, self.declared))


def is_the_same(one: Any, other: Any) -> bool:
    """Say whether two annotations, or parts of them, are one, or are equal."""
    # NOTE: some libraries make their annotations anew for whoever asks.
    try:
        return one is other or bool(one == other)
    except Exception:
        return False


def _declared(signature: Signature | None) -> tuple[Any, ...]:
    parameters = () if signature is None else signature.parameters.values()
    return tuple(each for one in parameters for each in (one.name, one.annotation))


@dataclass(frozen=True)
class Proof:
    """What `prove` found out about a callable.

    Attributes:
        holds: calling it waits for nothing, ends soon, and runs no code of unknown origin.
        verdict: "proven" if it holds; "blocks" if something in it is known to wait, such as
            `time.sleep` or a method of a sync database session; else "unknown".
        reasons: what cannot be proven, in the order it was met; empty if it holds.
        watched: what the proof rests on, as rows of an owner, the name of an attribute, and what
            it was; `ABSENT` for one that was not there.
        called: the functions and classes that it follows: it rests on that none of them is marked
            `async_unsafe`, too.
        parameters: what the callable declared, by which FastAPI validates what it passes.
        gives_data: what the call returns is plain: texts, numbers, None, and lists, tuples and
            dicts of such that it made.
        expects: what has to be so of the values that a call gets, for the proof to speak of it;
            empty if it speaks of every call. It is looked at before each call, and where it is not
            so, the call goes to the thread pool.
        gives: what those that get the result may count on while nothing runs but what is proven;
            None if that is nothing.
    """

    holds: bool
    verdict: Verdict
    reasons: tuple[Reason, ...]
    watched: tuple[tuple[Any, str, Any], ...]
    gives_data: bool = False
    called: tuple[Any, ...] = ()
    parameters: Parameters | None = None
    expects: tuple[Expectation, ...] = ()
    gives: Value | None = field(default=None, repr=False, compare=False)

    def is_current(self) -> bool:
        """Say whether everything the proof rests on is as it was."""
        return (
            all(getattr(owner, name, ABSENT) is value for owner, name, value in self.watched)
            and not any(is_async_safe(called) is False for called in self.called)
            and (self.parameters is None or self.parameters.are_current())
        )


def prove(call: Callable[..., Any]) -> Proof:
    """Find out whether `call`, a dependency or `def` endpoint, can hold up an event loop.

    Nothing of it is run. Its source is read, held against the code that is installed, and followed
    into everything that it calls; what is met there has to be known not to wait, to loop over
    something small only, and to be either proven too or one of the built-in functions of a list.

    Parameters:
        call: a function, class, method, callable instance or `functools.partial`; it is called as
            FastAPI does, with parameters validated by their annotations. A class that is a
            dependency of it gives an instance of that class, as it does unless it is overridden.

    Returns:
        A proof; one that does not hold says why. It speaks of the moment it was made, `is_current`
        says whether that has passed.
    """
    return prove_as(call, None)


def prove_as(
    call: Callable[..., Any],
    results: Mapping[str, Any] | None,
    known: Mapping[str, Value] | None = None,
    made: Mapping[str, Any] | None = None,
) -> Proof:
    """Prove `call`, as `prove` does, for certain dependencies.

    Parameters:
        results: what is called in fact for each parameter that is a dependency, by its name; None
            for what `Depends` says.
        known: what is passed for sure, by name; what proofs of other calls say that these give.
        made: what FastAPI made of the parameters, by name; None for what their annotations mean
            now.
    """
    given = _Arguments(results, known, made)
    surely = _attempt(call, given, None)
    if surely.verdict != "unknown":
        return surely
    found = _expecting(call, given)
    if found is None:
        return surely
    proof, expected = found
    # What it can do without is not asked for.
    for path in [each.path for each in expected.expectations][:_LEFT_OUT]:
        fewer = Expected([*expected.without, path], expected.sizes)
        attempt = _attempt(call, given, fewer)
        if attempt.holds:
            proof, expected = attempt, fewer
    return proof


class _Arguments(NamedTuple):
    """What is said of the arguments of a call, beside its signature; as `prove_as` takes it."""

    results: Mapping[str, Any] | None
    known: Mapping[str, Value] | None
    made: Mapping[str, Any] | None


def _expecting(call: Any, given: _Arguments) -> tuple[Proof, Expected] | None:
    """Find a proof that expects something, and give it with that; None if there is none."""
    for sizes in (LARGE, SMALL):
        expected = Expected(sizes=sizes)
        proof = _attempt(call, given, expected)
        if proof.holds:
            return proof, expected
        if not expected.met_large:
            break
    return None


def _attempt(call: Any, given: _Arguments, expected: Expected | None) -> Proof:
    analysis = Analysis(run_function, expected=expected)
    signature = declared_by(call)
    result: Value | None = None
    try:
        with suppress(StopError):
            result = _run(analysis, call, signature, given)
    except RecursionError:
        _give_up(analysis, f"{_named(call)} is too deep to be followed")
    except Exception as error:
        # A fault of this package's: what it did not understand is not proven.
        _give_up(analysis, f"{_named(call)} could not be followed ({type(error).__name__})")
    reasons = tuple(analysis.reasons.values())
    verdict: Verdict = "proven"
    if reasons:
        verdict = "blocks" if any(reason.blocks for reason in reasons) else "unknown"
    watched = () if reasons else analysis.watched.rows()
    called = () if reasons else analysis.watched.called()
    gives_data = not reasons and result is not None and is_data(result)
    parameters = None if reasons else Parameters(call, _declared(signature))
    expects = () if reasons or expected is None else expected.expectations
    gives = None
    if not reasons and result is not None:
        gives = given_by(result, f"what {_named(call)} gives")
    return Proof(
        not reasons, verdict, reasons, watched, gives_data, called, parameters, expects, gives
    )


def _give_up(analysis: Analysis, text: str) -> None:
    analysis.frame = None
    with suppress(StopError):
        analysis.refuse(None, text)


def _named(call: Any) -> str:
    return f"`{name_of(call)}`"


def _run(
    analysis: Analysis,
    call: Any,
    signature: Signature | None,
    given: _Arguments,
) -> Value | None:
    frame = _outside(analysis)
    if signature is None:
        return analysis.refuse(None, f"{_named(call)} has no signature")
    if sys.flags.bytes_warning:
        return analysis.refuse(None, "comparing bytes with text warns here (python -b)")
    args: list[Value] = []
    kwargs: dict[str, Value] = {}
    for parameter in evaluated(signature, call).parameters.values():
        if given.made is not None:
            parameter = as_made(parameter, given.made, given.results)  # noqa: PLW2901
        value = passed(parameter, analysis.watched, given.results, analysis.expected, given.known)
        # FastAPI passes everything by keyword; what cannot be passed so is an error there, too.
        if parameter.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY):
            kwargs[parameter.name] = value
        elif parameter.kind is Parameter.POSITIONAL_ONLY and parameter.default is Parameter.empty:
            args.append(value)
        elif parameter.kind in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD):
            kwargs[parameter.name] = value
    _place(analysis, call)
    node = frame.source.node
    if isinstance(call, type) and is_compared_plainly(call):
        return construct(frame, node, call, args, kwargs)
    if (
        not isinstance(call, (FunctionType, MethodType, partial))
        and find(type(call), "__call__")[0] is ABSENT
    ):
        return analysis.refuse(None, f"{_named(call)} cannot be called")
    if isinstance(existing(frame, call), Opaque):
        return analysis.refuse(None, f"{_named(call)} is of a class that a metaclass compares")
    return call_object(frame, node, call, args, kwargs)


def _place(analysis: Analysis, call: Any) -> None:
    function = _first_function(call)
    if function is not None and analysis.frame is not None:
        code = function.__code__
        node = analysis.frame.source.node
        node.lineno = code.co_firstlineno
        analysis.frame.source = Source(node, code.co_filename, None)


def _first_function(call: Any) -> FunctionType | None:
    while isinstance(call, (partial, MethodType)):
        call = call.func if isinstance(call, partial) else call.__func__
    if isinstance(call, type):
        call = find(call, "__init__")[0]
    elif not isinstance(call, FunctionType):
        call = find(type(call), "__call__")[0]
    return call if isinstance(call, FunctionType) else None


def _outside(analysis: Analysis) -> Frame:
    """Make the frame of the one who calls: FastAPI."""
    node = ast.parse("lambda: None", mode="eval").body
    assert isinstance(node, ast.Lambda)
    here: Any = _outside
    frame = Frame(analysis, here, Source(node, "", None), frozenset(), {})
    analysis.frame = frame
    return frame
