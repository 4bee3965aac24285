"""Comprehensions, and generators that are gone through at once."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, TypeAlias

from .analysis import Frame, merged
from .conditions import perhaps
from .operations import keys_hash, truth_of
from .parts import length_now, rounds, unpacked
from .values import Box, Opaque, Value, is_scalar
from .written import text_of

Evaluate: TypeAlias = Callable[[Frame, ast.expr], Value]


def collected(evaluate: Evaluate, kind: type, frame: Frame, node: Any) -> Value:
    """Give what a comprehension collects.

    Parameters:
        evaluate: gives what an expression gives.
        kind: of what it collects into.
        frame: the function that it stands in.
        node: the comprehension, or the generator.
    """
    keys: list[Value] = []
    values: list[Value] = []
    exact = [kind in (list, tuple)]
    overlay: dict[str, Value] = {}
    # NOTE: the first iterable belongs to the scope outside.
    first = _iterable(evaluate, frame, node.generators[0].iter)
    frame.overlays.append(overlay)
    if _reads_ahead(node):
        frame.refuse(node, f"reads a variable of a later loop: `{text_of(node)}`")
    with perhaps(frame):
        _go_through(evaluate, frame, node, 0, first, overlay, keys, values, exact)
    frame.overlays.pop()
    made = Box(kind, values, keys if kind is dict else None, exact=exact[0])
    if kind in (dict, set) and not keys_hash(made):
        return frame.refuse(node, f"has keys that may run code: `{text_of(node)}`")
    return made


def _reads_ahead(node: Any) -> bool:
    """Say whether a loop reads a variable that is bound later: it has one of an earlier round."""
    bound: set[str] = set()
    loops = node.generators
    for number, loop in enumerate(loops):
        own = _names_in(loop.target)
        later = _names_in(*(each.target for each in loops[number + 1 :]))
        if number and _names_in(loop.iter) & ((own | later) - bound):
            return True
        bound |= own
        if _names_in(*loop.ifs) & (later - bound):
            return True
    return False


def _names_in(*nodes: ast.AST) -> set[str]:
    return {each.id for node in nodes for each in ast.walk(node) if isinstance(each, ast.Name)}


def _iterable(evaluate: Evaluate, frame: Frame, node: ast.expr) -> Value:
    """Give what a comprehension goes through."""
    if not isinstance(node, ast.GeneratorExp):
        return evaluate(frame, node)
    made = collected(evaluate, tuple, frame, node)
    # NOTE: it is gone through little by little, and what it asks may change meanwhile.
    if not (_asks_its_own_only(node) and _is_of_scalars(evaluate, frame, node)):
        frame.refuse(node, f"goes through a generator: `{text_of(node)}`")
    return Box(tuple, made.elements, exact=False) if isinstance(made, Box) else made


def _asks_its_own_only(node: ast.GeneratorExp) -> bool:
    own = node.generators[0]
    if len(node.generators) > 1 or not isinstance(own.target, ast.Name):
        return False
    return all(
        isinstance(each, _OF_ITS_OWN) or (isinstance(each, ast.Name) and each.id == own.target.id)
        for part in [node.elt, *own.ifs]
        for each in ast.walk(part)
    )


_OF_ITS_OWN = (
    ast.Attribute,
    ast.Call,
    ast.Compare,
    ast.Constant,
    ast.Slice,
    ast.Subscript,
    ast.cmpop,
    ast.expr_context,
)


def _is_of_scalars(evaluate: Evaluate, frame: Frame, node: ast.GeneratorExp) -> bool:
    found = rounds(frame, node, evaluate(frame, node.generators[0].iter))
    return found is not None and all(map(is_scalar, found[0]))


def _go_through(
    evaluate: Evaluate,
    frame: Frame,
    node: Any,
    depth: int,
    iterable: Value,
    overlay: dict[str, Value],
    keys: list[Value],
    values: list[Value],
    exact: list[bool],
) -> None:
    generator = node.generators[depth]
    found = rounds(frame, generator.iter, iterable)
    if generator.is_async:
        frame.refuse(node, "awaits in a comprehension")
    if found is None:
        found = [Opaque(f"an element of `{text_of(generator.iter)}`")], False
    items, is_exact = found
    exact[0] = exact[0] and is_exact
    before = length_now(iterable)
    for item in items:
        left_out = [] if is_exact else [dict(frame.env)]
        _bind(frame, generator.target, item, overlay)
        taken = True
        for condition in generator.ifs:
            truth = truth_of(frame, condition, evaluate(frame, condition))
            if truth is False:
                taken = False
                break
            if truth is None:
                exact[0] = False
                left_out.append(dict(frame.env))
        if not taken:
            frame.env = merged([*left_out, frame.env]) or frame.env
            continue
        if depth + 1 < len(node.generators):
            inner = _iterable(evaluate, frame, node.generators[depth + 1].iter)
            _go_through(evaluate, frame, node, depth + 1, inner, overlay, keys, values, exact)
        elif isinstance(node, ast.DictComp):
            keys.append(evaluate(frame, node.key))
            values.append(evaluate(frame, node.value))
        else:
            values.append(evaluate(frame, node.elt))
        frame.env = merged([*left_out, frame.env]) or frame.env
    if length_now(iterable) != before:
        frame.refuse(node, f"changes `{text_of(generator.iter)}` while it goes through it")


def _bind(frame: Frame, target: ast.expr, value: Value, overlay: dict[str, Value]) -> None:
    if isinstance(target, ast.Name):
        overlay[target.id] = value
        return
    if isinstance(target, ast.Tuple):
        parts = unpacked(frame, target, value, len(target.elts))
        for each, part in zip(target.elts, parts, strict=True):
            _bind(frame, each, part, overlay)
        return
    frame.refuse(target, f"binds `{text_of(target)}` in a comprehension")
