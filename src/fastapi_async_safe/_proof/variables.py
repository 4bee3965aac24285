"""Variables: what a name stands for where it is read."""

from __future__ import annotations

import ast
import builtins
from types import FunctionType

from .analysis import Frame
from .lookup import ABSENT
from .operations import existing
from .values import NEVER, Value

_BUILTINS = vars(builtins)


def read(frame: Frame, node: ast.AST, written_name: str) -> Value:
    """Give what is read from a variable, written by this name."""
    for overlay in reversed(frame.overlays):
        if written_name in overlay:
            return overlay[written_name]
    function: FunctionType = frame.function  # pyright: ignore[reportAssignmentType]
    code = function.__code__
    mangled = frame.mangled(written_name)
    if written_name in frame.local_names:
        return frame.env.get(written_name, NEVER)  # unbound: an error
    watched = frame.analysis.watched
    if mangled in code.co_freevars:
        if function.__closure__ is None:
            return frame.refuse(node, f"reads `{written_name}`, which is not known")
        cell = function.__closure__[code.co_freevars.index(mangled)]
        try:
            found = cell.cell_contents
        except ValueError:
            return frame.refuse(node, f"reads `{written_name}`, which has no value yet")
        watched.add(cell, "cell_contents", found)
        return existing(frame, found)
    is_local = mangled in code.co_varnames or mangled in code.co_cellvars
    if is_local and not frame.overlays and mangled not in code.co_names:
        return frame.refuse(node, f"reads `{written_name}` in a way that is not known")
    if type(function.__globals__) is not dict:
        return frame.refuse(node, f"reads `{written_name}` from globals that are no plain dict")
    found = watched.global_name(function.__globals__, mangled)
    if found is ABSENT:
        if function.__builtins__ is not _BUILTINS:  # type: ignore[attr-defined, unused-ignore]
            return frame.refuse(node, f"reads `{written_name}` from other builtins")
        found = watched.builtin_name(mangled)
        if found is ABSENT:
            return NEVER  # a NameError
    return existing(frame, found)
