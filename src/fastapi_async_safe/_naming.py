"""Callables as a user knows them: by name, and by file and line."""

from __future__ import annotations

import inspect
from functools import partial
from types import FunctionType, MethodType
from typing import Any

from ._proof.lookup import name_of


def callable_name(call: Any) -> str:
    """Give module and qualified name of a callable; of an instance those of its class."""
    if isinstance(call, partial):
        return f"partial({callable_name(call.func)})"
    if isinstance(call, MethodType):
        return name_of(call.__func__)
    if isinstance(call, (type, FunctionType)):
        return name_of(call)
    if type(call).__module__ == "builtins":
        return name_of(call)
    return f"{name_of(type(call))}()"


def source_of(call: Any) -> str:
    """Give file and line of a callable, an empty text for what has none."""
    target = call
    while isinstance(target, (partial, MethodType)):
        target = target.func if isinstance(target, partial) else target.__func__
    if isinstance(target, FunctionType):
        return f"{target.__code__.co_filename}:{target.__code__.co_firstlineno}"
    cls = target if isinstance(target, type) else type(target)
    try:
        return f"{inspect.getsourcefile(cls)}:{_line_of(cls)}"
    except (TypeError, OSError):
        return ""


def _line_of(cls: type) -> int:
    line = vars(cls).get("__firstlineno__")  # from CPython 3.13 on
    return line if isinstance(line, int) else inspect.getsourcelines(cls)[1]
