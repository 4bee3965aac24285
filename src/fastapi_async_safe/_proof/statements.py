"""Statements: what each does to what is known, and where it leads."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from typing import Any

from .analysis import Frame, Loop, merged
from .assignments import store
from .blocking import why_class_blocks
from .calls import call
from .conditions import narrowed
from .expressions import evaluate
from .lookup import name_of
from .operations import combined, truth_of
from .parts import length_now, rounds
from .values import (
    Box,
    Function,
    Held,
    Known,
    Made,
    Opaque,
    Value,
    any_of,
    class_of,
    options_of,
)
from .written import text_of

_CAUGHT = "an exception that was caught"


def block(frame: Frame, statements: list[ast.stmt]) -> bool:
    """Run statements one after the other; say whether what stands behind them is reached."""
    for statement in statements:
        frame.analysis.spend(statement, 0.5)
        handler = _HANDLERS.get(type(statement))
        if handler is None:
            _unknown(frame, statement)
        elif not handler(frame, statement):
            return False
    return True


def _unknown(frame: Frame, statement: ast.stmt) -> None:
    what = _WHAT.get(type(statement), f"has a statement that is not proven: `{_line(statement)}`")
    frame.refuse(statement, what)
    for each in ast.walk(statement):
        for target in ("name", "asname"):
            bound = getattr(each, target, None)
            if isinstance(bound, str):
                frame.assign(bound.split(".")[0], Opaque(f"`{bound}`"))
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
            frame.assign(each.id, Opaque(f"`{each.id}`"))
    for body in ("body", "orelse"):
        if isinstance(getattr(statement, body, None), list) and not isinstance(
            statement, ast.ClassDef
        ):
            block(frame, getattr(statement, body))
    if isinstance(statement, ast.Match):
        for case in statement.cases:
            block(frame, case.body)


def _line(node: ast.AST) -> str:
    return text_of(node)


_WHAT: dict[type, str] = {
    ast.Import: "imports a module",
    ast.ImportFrom: "imports a module",
    ast.ClassDef: "makes a class",
    ast.While: "loops as long as a condition holds",
    ast.Match: "has a `match` statement",
}


def _expression(frame: Frame, node: Any) -> bool:
    evaluate(frame, node.value)
    return True


def _nothing(frame: Frame, node: Any) -> bool:
    return True


def _assign(frame: Frame, node: Any) -> bool:
    value = evaluate(frame, node.value)
    for target in node.targets:
        store(frame, target, value)
    return True


def _annotated(frame: Frame, node: Any) -> bool:
    if node.value is not None:
        store(frame, node.target, evaluate(frame, node.value))
    elif isinstance(node.target, ast.Attribute):
        evaluate(frame, node.target.value)
    elif isinstance(node.target, ast.Subscript):
        frame.refuse(node, f"annotates `{text_of(node.target)}`, which is not assigned to")
    return True


def _augmented(frame: Frame, node: Any) -> bool:
    target = node.target
    loaded: ast.expr
    if isinstance(target, ast.Name):
        loaded = ast.copy_location(ast.Name(target.id, ast.Load()), target)
    elif isinstance(target, ast.Attribute):
        loaded = ast.copy_location(ast.Attribute(target.value, target.attr, ast.Load()), target)
    else:
        frame.refuse(node, f"changes `{text_of(target)}` in place")
        evaluate(frame, node.value)
        return True
    before = evaluate(frame, loaded)
    value = evaluate(frame, node.value)
    for option in options_of(before):
        if isinstance(option, Box) and option.type is not tuple:
            frame.refuse(node, f"changes `{text_of(target)}` in place")
    whole = ast.copy_location(ast.BinOp(loaded, node.op, node.value), node)
    store(frame, target, combined(frame, whole, before, node.op, value))
    return True


def _return(frame: Frame, node: Any) -> bool:
    frame.returned.append(Known(None) if node.value is None else evaluate(frame, node.value))
    return False


def _raise(frame: Frame, node: Any) -> bool:
    if node.exc is not None:
        _raised(frame, node, evaluate(frame, node.exc))
    if node.cause is not None:
        _raised(frame, node, evaluate(frame, node.cause), may_be_none=True)
    return False


def _raised(frame: Frame, node: Any, value: Value, *, may_be_none: bool = False) -> None:
    for option in options_of(value):
        cls = option.obj if isinstance(option, Known) else class_of(option)
        if isinstance(cls, type) and issubclass(cls, (StopIteration, StopAsyncIteration)):
            frame.refuse(node, f"raises `{text_of(node.exc)}`, which ends iterators")
        if isinstance(option, Known):
            if option.obj is None and may_be_none:
                continue
            if isinstance(option.obj, type) and type.__subclasscheck__(BaseException, option.obj):
                _raised(frame, node, call(frame, node, option, [], {}))
                continue
        if isinstance(option, (Made, Held)) and issubclass(option.cls, BaseException):
            continue
        if isinstance(option, Opaque) and option.what == _CAUGHT:
            continue
        frame.refuse(node, f"raises `{text_of(node.exc)}`, which is not known")


def _if(frame: Frame, node: Any) -> bool:
    truth = truth_of(frame, node.test, evaluate(frame, node.test))
    before = dict(frame.env)
    after: list[dict[str, Value]] = []
    for body, way in ((node.body, True), (node.orelse, False)):
        if truth is (not way):
            continue
        frame.env = {**before}
        frame.env.update(narrowed(frame, node.test, way))
        if block(frame, body):
            after.append(frame.env)
    together = merged(after)
    frame.env = before if together is None else together
    return together is not None


def _for(frame: Frame, node: Any) -> bool:
    iterable = evaluate(frame, node.iter)
    found = rounds(frame, node.iter, iterable)
    if found is None:
        found = [Opaque(f"an element of `{text_of(node.iter)}`")], False
    items, exact = found
    length = length_now(iterable)
    loop = Loop()
    done: list[dict[str, Value]] = []
    reached = True
    for item in items:
        left_out = [] if exact else [dict(frame.env)]
        store(frame, node.target, item)
        loop.continued = []
        frame.loops.append(loop)
        falls = block(frame, node.body)
        frame.loops.pop()
        together = merged([*left_out, *loop.continued, *([frame.env] if falls else [])])
        if together is None:
            reached = False
            break
        frame.env = together
    if length_now(iterable) != length:
        frame.refuse(node, f"changes `{text_of(node.iter)}` while it loops over it")
    if reached:
        done.append(dict(frame.env))
    after = list(loop.broken)
    together = merged(done)
    if together is not None:
        frame.env = together
        if block(frame, node.orelse):
            after.append(frame.env)
    together = merged(after)
    if together is not None:
        frame.env = together
    return together is not None


def _break(frame: Frame, node: Any) -> bool:
    if frame.loops:
        frame.loops[-1].broken.append(dict(frame.env))
    return not frame.loops


def _continue(frame: Frame, node: Any) -> bool:
    if frame.loops:
        frame.loops[-1].continued.append(dict(frame.env))
    return not frame.loops


def _while(frame: Frame, node: Any) -> bool:
    frame.refuse(node, _WHAT[ast.While])
    evaluate(frame, node.test)
    loop = Loop()
    frame.loops.append(loop)
    block(frame, node.body)
    frame.loops.pop()
    block(frame, node.orelse)
    return True


def _try(frame: Frame, node: Any) -> bool:
    if node.finalbody and frame.loops and _leaves_loop(node):
        frame.refuse(node, "leaves a loop through a `finally`")
    before = dict(frame.env)
    log: dict[str, list[Value]] = {}
    frame.logs.append(log)
    ends: list[dict[str, Value]] = []
    if block(frame, node.body) and block(frame, node.orelse):
        ends.append(frame.env)
    for handler in node.handlers:
        frame.env = _at_any_point(before, log)
        if _handler(frame, handler):
            ends.append(frame.env)
    frame.logs.pop()
    if node.finalbody:
        frame.env = _at_any_point(before, log)
        if not block(frame, node.finalbody):
            return False
        return bool(ends)
    together = merged(ends)
    if together is not None:
        frame.env = together
    return together is not None


def _leaves_loop(node: ast.Try) -> bool:
    return any(isinstance(each, (ast.Break, ast.Continue)) for each in ast.walk(node))


def _at_any_point(before: dict[str, Value], log: dict[str, list[Value]]) -> dict[str, Value]:
    env = dict(before)
    for name, values in log.items():
        env[name] = any_of([*([before[name]] if name in before else []), *values])
    return env


def _handler(frame: Frame, node: ast.ExceptHandler) -> bool:
    if node.type is not None:
        wanted = evaluate(frame, node.type)
        for option in options_of(wanted):
            classes: list[Value] = [option]
            if isinstance(option, Box) and option.type is tuple:
                classes = option.elements
            elif isinstance(option, Known) and type(option.obj) is tuple:
                classes = [Known(each) for each in option.obj]
            for each in classes:
                if not (
                    isinstance(each, Known)
                    and isinstance(each.obj, type)
                    and type.__subclasscheck__(BaseException, each.obj)
                ):
                    frame.refuse(node, f"catches `{text_of(node.type)}`, which is not known")
    if node.name is not None:
        if node.name not in frame.local_names:
            frame.refuse(node, f"writes the variable `{node.name}` of another scope")
        frame.assign(node.name, Opaque(_CAUGHT))
    falls = block(frame, node.body)
    if node.name is not None:
        frame.env.pop(node.name, None)
    return falls


def _with(frame: Frame, node: Any) -> bool:
    for item in node.items:
        value = evaluate(frame, item.context_expr)
        entered: Value = Opaque(f"what `{text_of(item.context_expr)}` gives on entry")
        for option in options_of(value):
            cls = option.hint if isinstance(option, Opaque) else class_of(option)
            why = why_class_blocks(cls)
            if why is not None and cls is not None:
                frame.refuse(node, f"enters {name_of(cls)}, which {why}", blocks=True)
                entered = Opaque(entered.what if isinstance(entered, Opaque) else "it", cls)
        frame.refuse(node, f"enters `{text_of(item.context_expr)}`, a context manager")
        if item.optional_vars is not None:
            store(frame, item.optional_vars, entered)
    return block(frame, node.body)


def _assert(frame: Frame, node: Any) -> bool:
    if sys.flags.optimize:
        return True  # it is left out
    truth = truth_of(frame, node.test, evaluate(frame, node.test))
    if node.msg is not None and truth is not True:
        evaluate(frame, node.msg)
    frame.env.update(narrowed(frame, node.test, True))
    return truth is not False


def _delete(frame: Frame, node: Any) -> bool:
    for target in node.targets:
        if isinstance(target, ast.Name) and target.id in frame.local_names:
            frame.env.pop(target.id, None)
        else:
            frame.refuse(node, f"deletes `{text_of(target)}`")
    return True


def _function(frame: Frame, node: Any) -> bool:
    for default in [*node.args.defaults, *node.args.kw_defaults]:
        if default is not None:
            evaluate(frame, default)
    if node.decorator_list:
        frame.refuse(node, f"decorates `{node.name}`")
    if _evaluates_annotations(node):
        frame.refuse(node, f"makes `{node.name}`, whose annotations are evaluated")
    if node.name in frame.local_names:
        frame.assign(node.name, Function())
    else:
        frame.refuse(node, f"writes the variable `{node.name}` of another scope")
    return True


def _evaluates_annotations(node: ast.FunctionDef) -> bool:
    arguments = node.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    every += [each for each in (arguments.vararg, arguments.kwarg) if each is not None]
    annotations = [each.annotation for each in every] + [node.returns]
    return any(
        each is not None and not isinstance(each, (ast.Constant, ast.Name)) for each in annotations
    ) or bool(getattr(node, "type_params", None))


_HANDLERS: dict[type, Callable[[Frame, Any], bool]] = {
    ast.AnnAssign: _annotated,
    ast.Assert: _assert,
    ast.Assign: _assign,
    ast.AugAssign: _augmented,
    ast.Break: _break,
    ast.Continue: _continue,
    ast.Delete: _delete,
    ast.Expr: _expression,
    ast.For: _for,
    ast.FunctionDef: _function,
    ast.If: _if,
    ast.Nonlocal: _nothing,
    ast.Global: _nothing,
    ast.Pass: _nothing,
    ast.Raise: _raise,
    ast.Return: _return,
    ast.Try: _try,
    ast.While: _while,
    ast.With: _with,
}
