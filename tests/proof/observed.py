"""Runs a callable and notes what it calls: Python code, and C functions."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType
from typing import Any

from fastapi_async_safe._proof.listed import listed
from fastapi_async_safe._proof.lookup import EXCEPTION_INIT, EXCEPTION_NEW, find

_TOOL = 4


@dataclass
class Calls:
    """What was called."""

    codes: list[CodeType] = field(default_factory=list)
    functions: list[Any] = field(default_factory=list)
    error: BaseException | None = None


def observe(call: Callable[..., Any], kwargs: dict[str, Any]) -> Calls:
    """Call `call`, and note what it calls in turn."""
    gc.disable()  # a collection calls what others registered for it
    try:
        return (_by_monitoring if sys.version_info >= (3, 12) else _by_profile)(call, kwargs)
    finally:
        gc.enable()


def _by_monitoring(call: Callable[..., Any], kwargs: dict[str, Any]) -> Calls:
    calls = Calls()
    monitoring: Any = vars(sys)["monitoring"]  # from 3.12 on
    events = monitoring.events
    monitoring.use_tool_id(_TOOL, "observed")

    def started(code: CodeType, offset: int) -> None:
        calls.codes.append(code)

    def called(code: CodeType, offset: int, function: Any, first: Any) -> None:
        if code is not here:
            calls.functions.append(function)

    here = _by_monitoring.__code__
    try:
        monitoring.register_callback(_TOOL, events.PY_START, started)
        monitoring.register_callback(_TOOL, events.CALL, called)
        monitoring.set_events(_TOOL, events.PY_START | events.CALL)
        try:
            result = call(**kwargs)
        except Exception as error:
            calls.error = error
            result = None
    finally:
        monitoring.set_events(_TOOL, 0)
        monitoring.register_callback(_TOOL, events.PY_START, None)
        monitoring.register_callback(_TOOL, events.CALL, None)
        monitoring.free_tool_id(_TOOL)
    del result
    return calls


def _by_profile(call: Callable[..., Any], kwargs: dict[str, Any]) -> Calls:
    calls = Calls()

    def note(frame: Any, event: str, argument: Any) -> None:
        if event == "call":
            calls.codes.append(frame.f_code)
        elif event == "c_call" and argument is not sys.setprofile:
            calls.functions.append(argument)

    result = None
    sys.setprofile(note)
    try:
        result = call(**kwargs)
    except Exception as error:
        calls.error = error
    finally:
        sys.setprofile(None)
    del result
    return calls


def is_allowed(function: Any) -> bool:
    """Say whether calling `function` is allowed to a proven call, apart from Python code."""
    if isinstance(function, (type, FunctionType, MethodType)):
        return True  # what that runs in turn is noted, too
    if isinstance(function, BuiltinFunctionType) and not isinstance(function.__self__, type(sys)):
        owner = function.__self__
        own = find(owner if isinstance(owner, type) else type(owner), function.__name__)[0]
        if own is not function and own is not None:
            function = own if not isinstance(own, (staticmethod, classmethod)) else function
    if listed(function) is not None:
        return True
    if any(function is each for each in (*EXCEPTION_INIT, *EXCEPTION_NEW)):
        return True
    name = getattr(function, "__qualname__", "")
    return name in ("object.__new__", "object.__init__", "object.__setattr__", "tuple.__new__")


def shortest(call: Callable[..., Any], kwargs: dict[str, Any], limit: float) -> float:
    """Give the shortest time of a call in seconds; at once if that is below `limit`."""
    best = float("inf")
    for _ in range(40):
        begin = time.perf_counter()
        with suppress(Exception):
            call(**kwargs)
        best = min(best, time.perf_counter() - begin)
        if best < limit:
            break
    return best
