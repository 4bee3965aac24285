"""Conditions: what is known where one holds, and after what may not have run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager

from .analysis import Frame
from .values import NEVER, Known, Opaque, Plain, Value, any_of, is_constant, options_of


def narrowed(frame: Frame, test: ast.expr, way: bool) -> dict[str, Value]:
    """Say what local variables are where `test` is true, or where it is not."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return narrowed(frame, test.operand, not way)
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) is way:
        found: dict[str, Value] = {}
        before = frame.env
        for index, each in enumerate(test.values):
            # NOTE: a later part may assign to what an earlier one asked about.
            later = {name for after in test.values[index + 1 :] for name in _assigned_in(after)}
            here = narrowed(frame, each, way)
            found.update({name: value for name, value in here.items() if name not in later})
            frame.env = {**frame.env, **found}
        frame.env = before
        return found
    if isinstance(test, ast.NamedExpr):
        return narrowed(frame, test.target, way)
    if isinstance(test, ast.Name) and test.id in frame.local_names and not frame.overlays:
        value = frame.env.get(test.id)
        return {} if value is None else {test.id: kept(value, way)}
    if not (isinstance(test, ast.Compare) and len(test.ops) == 1 and not frame.overlays):
        return {}
    subject, op, other = test.left, test.ops[0], test.comparators[0]
    if isinstance(subject, ast.NamedExpr):
        subject = subject.target
    if not (isinstance(subject, ast.Name) and subject.id in frame.local_names):
        return {}
    if not (isinstance(other, ast.Constant) and other.value is None):
        return {}
    value = frame.env.get(subject.id)
    if value is None or not isinstance(op, (ast.Is, ast.IsNot)):
        return {}
    is_none = isinstance(op, ast.Is) is way
    options = [each for each in options_of(value) if _may_be_none(each) is not (not is_none)]
    return {subject.id: any_of(options)}


def kept(value: Value, truth: bool) -> Value:
    """Leave out of `value` what surely is not of that truth."""
    kept = []
    for option in options_of(value):
        known: bool | None = None
        if isinstance(option, Known) and is_constant(option.obj):
            known = bool(option.obj)
        elif isinstance(option, Plain) and option.type is type(None):
            known = False
        if known is None or known is truth:
            kept.append(option)
    return any_of(kept)


@contextmanager
def perhaps(frame: Frame) -> Iterator[None]:
    """Run a part of an expression that may not run: what it assigns is one possibility more."""
    before = dict(frame.env)
    log: dict[str, list[Value]] = {}
    frame.logs.append(log)
    yield
    frame.logs.pop()
    for key in {*frame.env, *before}:
        known = [before[key]] if key in before else []
        frame.env[key] = any_of([*known, *log.get(key, [])]) if known or key in log else NEVER


def _assigned_in(node: ast.AST) -> set[str]:
    return {each.target.id for each in ast.walk(node) if isinstance(each, ast.NamedExpr)}


def _may_be_none(value: Value) -> bool | None:
    """Say whether `value` is None: surely, surely not, or perhaps."""
    if isinstance(value, Known):
        return value.obj is None
    if isinstance(value, Plain):
        return value.type is type(None)
    return None if isinstance(value, Opaque) else False
