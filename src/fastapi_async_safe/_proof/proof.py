"""`prove`: whether calling something waits, loops for long, or runs code that nobody knows."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from inspect import Parameter
from types import FunctionType, MethodType
from typing import Any, Literal

from .analysis import Analysis, Frame, Reason, StopError
from .calls import call_object, construct
from .lookup import ABSENT, find, name_of
from .operations import existing
from .parameters import passed, signature_of
from .source import Source
from .statements import run_function
from .values import Value

Verdict = Literal["proven", "unknown", "blocks"]


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
    """

    holds: bool
    verdict: Verdict
    reasons: tuple[Reason, ...]
    watched: tuple[tuple[Any, str, Any], ...]

    def is_current(self) -> bool:
        """Say whether everything the proof rests on is as it was."""
        return all(getattr(owner, name, ABSENT) is value for owner, name, value in self.watched)


def prove(call: Callable[..., Any], *, trusts_results: bool = True) -> Proof:
    """Find out whether `call`, a dependency or `def` endpoint, can hold up an event loop.

    Nothing of it is run. Its source is read, held against the code that is installed, and followed
    into everything that it calls; what is met there has to be known not to wait, to loop over
    something small only, and to be either proven too or one of the built-in functions of a list.

    Parameters:
        call: a function, class, method, callable instance or `functools.partial`; it is called as
            FastAPI does, with parameters validated by their annotations.
        trusts_results: a class that is a dependency of `call` gives an instance of that class, as
            it does unless it is overridden.

    Returns:
        A proof; one that does not hold says why. It speaks of the moment it was made, `is_current`
        says whether that has passed.
    """
    analysis = Analysis(run_function)
    try:
        with suppress(StopError):
            _run(analysis, call, trusts_results)
    except RecursionError:
        _give_up(analysis, f"{_named(call)} is too deep to be followed")
    except Exception as error:
        # A fault of this package's: what it did not understand is not proven.
        _give_up(analysis, f"{_named(call)} could not be followed ({type(error).__name__})")
    reasons = tuple(analysis.reasons.values())
    verdict: Verdict = "proven"
    if reasons:
        verdict = "blocks" if any(reason.blocks for reason in reasons) else "unknown"
    return Proof(not reasons, verdict, reasons, analysis.watched.rows() if not reasons else ())


def _give_up(analysis: Analysis, text: str) -> None:
    analysis.frame = None
    with suppress(StopError):
        analysis.refuse(None, text)


def _named(call: Any) -> str:
    return f"`{name_of(call)}`"


def _run(analysis: Analysis, call: Any, trusts_results: bool) -> None:
    frame = _outside(analysis)
    signature = signature_of(call)
    if signature is None:
        analysis.refuse(None, f"{_named(call)} has no signature")
        return
    if sys.flags.bytes_warning:
        analysis.refuse(None, "comparing bytes with text warns here (python -b)")
        return
    args: list[Value] = []
    kwargs: dict[str, Value] = {}
    for parameter in signature.parameters.values():
        value = passed(parameter, analysis.watched, trusts_results=trusts_results)
        # FastAPI passes everything by keyword; what cannot be passed so is an error there, too.
        if parameter.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY):
            kwargs[parameter.name] = value
        elif parameter.kind is Parameter.POSITIONAL_ONLY and parameter.default is Parameter.empty:
            args.append(value)
        elif parameter.kind in (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD):
            kwargs[parameter.name] = value
    _place(analysis, call)
    node = frame.source.node
    if isinstance(call, type):
        construct(frame, node, call, args, kwargs)
        return
    if (
        not isinstance(call, (FunctionType, MethodType, partial))
        and find(type(call), "__call__")[0] is ABSENT
    ):
        analysis.refuse(None, f"{_named(call)} cannot be called")
        return
    existing(frame, call)
    call_object(frame, node, call, args, kwargs)


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
