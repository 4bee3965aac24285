"""Assignments: what storing a value under a name, an attribute or an item does."""

from __future__ import annotations

import ast

from . import attributes
from .analysis import Frame
from .expressions import evaluate
from .parts import unpacked
from .values import Box, Opaque, Value, is_hashable, options_of
from .written import text_of


def store(frame: Frame, target: ast.expr, value: Value) -> None:
    """Assign `value` to a target."""
    if isinstance(target, ast.Name):
        if target.id in frame.local_names:
            frame.assign(target.id, value)
        else:
            frame.refuse(target, f"writes the variable `{target.id}` of another scope")
    elif isinstance(target, ast.Attribute):
        receiver = evaluate(frame, target.value)
        attributes.write(frame, target, receiver, frame.mangled(target.attr), value)
    elif isinstance(target, (ast.Tuple, ast.List)):
        if any(isinstance(each, ast.Starred) for each in target.elts):
            frame.refuse(target, f"unpacks into `{text_of(target)}`")
            parts: list[Value] = [Opaque(f"a part of `{text_of(target)}`") for _ in target.elts]
        else:
            parts = unpacked(frame, target, value, len(target.elts))
        for each, part in zip(target.elts, parts, strict=True):
            store(frame, each.value if isinstance(each, ast.Starred) else each, part)
    elif isinstance(target, ast.Subscript):
        _store_item(frame, target, value)
    else:
        frame.refuse(target, f"assigns to `{text_of(target)}`")


def _store_item(frame: Frame, target: ast.Subscript, value: Value) -> None:
    receiver = evaluate(frame, target.value)
    key = evaluate(frame, target.slice)
    for option in options_of(receiver):
        if not isinstance(option, Box):
            frame.refuse(target, f"changes `{text_of(target)}`, which others may see")
        elif option.type is dict and is_hashable(key):
            option.keys = [*(option.keys or ()), key]
            option.elements.append(value)
            option.exact = False
        elif option.type is list and not isinstance(target.slice, ast.Slice) and is_hashable(key):
            option.elements.append(value)
            option.exact = False
        else:
            frame.refuse(target, f"changes `{text_of(target)}`, which may run code of its class")
