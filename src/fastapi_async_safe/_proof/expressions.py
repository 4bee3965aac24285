"""Expressions: what each gives, and what else it does."""

from __future__ import annotations

import ast
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from . import attributes, variables
from .analysis import Frame, merged
from .blocking import why_class_blocks, why_method_blocks
from .calls import call
from .comprehensions import collected
from .conditions import kept, narrowed, perhaps
from .lookup import name_of
from .operations import combined, compared, existing, keys_hash, truth_of
from .parts import item_of, keywords, length_now, rounds
from .values import (
    NEVER,
    ROUNDS,
    Bound,
    Box,
    Function,
    Known,
    Opaque,
    Plain,
    Value,
    any_of,
    bits_of,
    builtin_type,
    class_of,
    is_constant,
    is_scalar,
    options_of,
)
from .written import built_text, is_simple_spec, text_of, written

_NUMBERS = (int, float, bool)


def evaluate(frame: Frame, node: ast.expr) -> Value:
    """Give what the expression `node` gives."""
    frame.analysis.spend(node, 0.5)
    handler = _HANDLERS.get(type(node))
    if handler is None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                evaluate(frame, child)
        return frame.refuse(node, f"`{text_of(node)}` is a kind of expression that is not proven")
    return handler(frame, node)


def _name(frame: Frame, node: Any) -> Value:
    return variables.read(frame, node, node.id)


def _constant(frame: Frame, node: Any) -> Value:
    # NOTE: the compiler makes equal complex numbers one object, the parser does not.
    return Opaque("a complex number") if type(node.value) is complex else Known(node.value)


def _attribute(frame: Frame, node: Any) -> Value:
    value = evaluate(frame, node.value)
    return attributes.read(frame, node, value, frame.mangled(node.attr))


def _call(frame: Frame, node: Any) -> Value:
    blocked = None
    if isinstance(node.func, ast.Attribute):
        receiver = evaluate(frame, node.func.value)
        method = frame.mangled(node.func.attr)
        blocked = _why_blocks(receiver, method)
        if blocked is not None:
            frame.refuse(node, f"calls `{text_of(node.func)}`, which {blocked}", blocks=True)
            callee: Value = NEVER
        else:
            callee = attributes.read(frame, node.func, receiver, method)
    else:
        callee = evaluate(frame, node.func)
    generators = [each for each in node.args if isinstance(each, ast.GeneratorExp)]
    at_once = len(node.args) == 1 and _goes_through_at_once(callee)
    if generators and not at_once:
        frame.refuse(node, f"passes on a generator: `{text_of(node)}`")
        return Opaque(f"the result of `{text_of(node.func)}`")
    args: list[Value] | None
    if generators:
        args = [_EAGER(frame, generators[0])]
    elif at_once and _is_map(frame, node.args[0]):
        args = [_mapped(frame, node.args[0])]
    else:
        args = elements(frame, node.args)
    kwargs: dict[str, Value] = {}
    known = args is not None
    if _unpacks_late(node):
        frame.refuse(node, f"passes on `{text_of(node.args[0])}` before its keywords are known")
    for keyword in node.keywords:
        value = evaluate(frame, keyword.value)
        if keyword.arg is not None:
            kwargs[frame.mangled(keyword.arg)] = value
            continue
        passed = keywords(value)
        if passed is None:
            known = False
            frame.refuse(node, f"passes on `**{text_of(keyword.value)}`, which is not known")
        else:
            kwargs.update(passed)
    if blocked is not None:
        return Opaque(f"the result of `{text_of(node.func)}`")
    if not known or args is None:
        return Opaque(f"the result of `{text_of(node.func)}`")
    return call(frame, node, callee, args, kwargs)


def _unpacks_late(node: ast.Call) -> bool:
    """Say whether the one `*values` is unpacked after keywords that may change what is in it."""
    return (
        len(node.args) == 1
        and isinstance(node.args[0], ast.Starred)
        and not all(
            isinstance(part, _CHANGING_NOTHING)
            for each in node.keywords
            for part in ast.walk(each.value)
        )
    )


_CHANGING_NOTHING = (ast.Name, ast.Constant, ast.Tuple, ast.List, ast.Dict, ast.expr_context)


def _goes_through_at_once(callee: Value) -> bool:
    function = callee.function if isinstance(callee, Bound) else getattr(callee, "obj", None)
    return any(function is each for each in _EAGER_FUNCTIONS)


def _is_map(frame: Frame, node: ast.expr) -> bool:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
        return False
    if len(node.args) != 2 or node.keywords or isinstance(node.args[1], ast.Starred):
        return False
    function = evaluate(frame, node.func)
    return isinstance(function, Known) and function.obj is map


def _mapped(frame: Frame, node: Any) -> Value:
    """Give all that `map` gives, where it is gone through at once."""
    found = elements(frame, node.args)
    if found is None or len(found) != 2:
        return Opaque(f"the result of `{text_of(node)}`")
    function, iterable = found
    given = rounds(frame, node.args[1], iterable)
    if given is None:
        return Opaque(f"the result of `{text_of(node)}`")
    items, exact = given
    length = length_now(iterable)
    results = [call(frame, node, function, [item], {}) for item in items]
    if length_now(iterable) != length:
        frame.refuse(node, f"changes `{text_of(node.args[1])}` while it goes through it")
    return Box(tuple, results, exact=exact)


def _why_blocks(receiver: Value, method: str) -> str | None:
    for option in options_of(receiver):
        cls = option.hint if isinstance(option, Opaque) else class_of(option)
        if isinstance(option, Known) and isinstance(option.obj, type):
            cls = None
        why = why_method_blocks(cls, method)
        if why is not None:
            return why
    return None


def elements(frame: Frame, nodes: list[ast.expr]) -> list[Value] | None:
    """Evaluate expressions with stars between them; None if one is of unknown length."""
    found: list[Value] = []
    known = True
    for node in nodes:
        if not isinstance(node, ast.Starred):
            found.append(evaluate(frame, node))
            continue
        value = evaluate(frame, node.value)
        if isinstance(value, Known) and type(value.obj) is tuple and len(value.obj) <= ROUNDS:
            found += [existing(frame, each) for each in value.obj]
        elif isinstance(value, Box) and value.exact and value.type in (tuple, list):
            frame.analysis.build(node, len(found) + len(value.elements))
            found += value.elements
        else:
            known = False
            frame.refuse(node, f"unpacks `{text_of(node.value)}`, which is of unknown length")
    return found if known else None


def _sequence(kind: type) -> Callable[[Frame, Any], Value]:
    def handler(frame: Frame, node: Any) -> Value:
        found = elements(frame, node.elts)
        if found is None:
            return Opaque("a container of unknown length")
        made = Box(kind, found, exact=kind is not set)
        if kind is set and not keys_hash(made):
            return frame.refuse(node, f"puts into a set what may run code: `{text_of(node)}`")
        return made

    return handler


def _dict(frame: Frame, node: Any) -> Value:
    keys: list[Value] = []
    values: list[Value] = []
    exact = True
    for key_node, value_node in zip(node.keys, node.values, strict=True):
        if key_node is None:
            value = evaluate(frame, value_node)
            if not isinstance(value, Box) or value.keys is None:
                frame.refuse(node, f"copies `{text_of(value_node)}`, which is of unknown size")
                exact = False
                continue
            frame.analysis.build(node, len(keys) + len(value.keys))
            keys += value.keys
            values += value.elements
            exact = False
        else:
            keys.append(evaluate(frame, key_node))
            values.append(evaluate(frame, value_node))
    seen = [key.obj for key in keys if isinstance(key, Known) and is_constant(key.obj)]
    made = Box(dict, values, keys, exact=exact and len(set(seen)) == len(keys))
    if not keys_hash(made):
        return frame.refuse(node, f"has keys that may run code: `{text_of(node)}`")
    return made


def _binary(frame: Frame, node: Any) -> Value:
    left = evaluate(frame, node.left)
    return combined(frame, node, left, node.op, evaluate(frame, node.right))


def _unary(frame: Frame, node: Any) -> Value:
    value = evaluate(frame, node.operand)
    if isinstance(node.op, ast.Not):
        truth = truth_of(frame, node.operand, value)
        return Plain(bool) if truth is None else Known(not truth)
    kinds = {builtin_type(option) for option in options_of(value)}
    is_number = isinstance(value, Known) and builtin_type(value) in (int, float)
    if isinstance(value, Known) and is_number and isinstance(node.op, ast.USub):
        return Known(-value.obj)
    if not kinds <= {int, float, bool} or (isinstance(node.op, ast.Invert) and bool in kinds):
        return frame.refuse(node, f"computes `{text_of(node)}` with operands of unknown class")
    return (
        any_of(
            Plain(float) if kind is float else Plain(int, bits=bits_of(value) + 1) for kind in kinds
        )
        if not isinstance(value, Plain)
        else Plain(int if value.type is bool else value.type, bits=bits_of(value) + 1)
    )


def _boolean(frame: Frame, node: Any) -> Value:
    with perhaps(frame):
        return _boolean_value(frame, node)


def _boolean_value(frame: Frame, node: Any) -> Value:
    found: list[Value] = []
    for index, each in enumerate(node.values):
        value = evaluate(frame, each)
        if index == len(node.values) - 1:
            found.append(value)
            break
        truth = truth_of(frame, each, value)
        wanted = isinstance(node.op, ast.And)  # it goes on while this is so
        if truth is not wanted:
            found.append(kept(value, not wanted))
            if truth is not None:
                break
        frame.env.update(narrowed(frame, each, wanted))
    return any_of(found)


def _conditional(frame: Frame, node: Any) -> Value:
    truth = truth_of(frame, node.test, evaluate(frame, node.test))
    before = dict(frame.env)
    found: list[Value] = []
    after: list[dict[str, Value]] = []
    for branch, way in ((node.body, True), (node.orelse, False)):
        if truth is (not way):
            continue
        frame.env = {**before, **narrowed(frame, node.test, way)}
        found.append(evaluate(frame, branch))
        after.append(frame.env)
    frame.env = merged(after) or before
    return any_of(found)


def _comparison(frame: Frame, node: Any) -> Value:
    left = evaluate(frame, node.left)
    found: list[Value] = []
    with perhaps(frame) if len(node.ops) > 1 else nullcontext():
        _compare_all(frame, node, left, found)
    return found[0] if len(found) == 1 else Plain(bool)


def _compare_all(frame: Frame, node: Any, left: Value, found: list[Value]) -> None:
    for op, right_node in zip(node.ops, node.comparators, strict=True):
        right = evaluate(frame, right_node)
        found.append(compared(frame, node, left, op, right))
        left = right


def _formatted_text(frame: Frame, node: Any) -> Value:
    parts: list[Value] = []
    more = 0.0
    for each in node.values:
        if isinstance(each, ast.Constant):
            parts.append(Known(each.value))
            continue
        value = evaluate(frame, each.value)
        if each.format_spec is not None:
            spec = each.format_spec
            constant = len(spec.values) == 1 and isinstance(spec.values[0], ast.Constant)
            if not constant or not is_simple_spec(str(spec.values[0].value)):
                return frame.refuse(node, f"formats in a way that is not known: `{text_of(node)}`")
            more += 0.25
        parts.append(written(frame, each.value, value, escaped=each.conversion in (97, 114)))
    return built_text(frame, node, str, parts, more)


def _subscript(frame: Frame, node: Any) -> Value:
    value = evaluate(frame, node.value)
    index = evaluate(frame, node.slice)
    return any_of([item_of(frame, node, option, index) for option in options_of(value)])


def _slice(frame: Frame, node: Any) -> Value:
    for part in (node.lower, node.upper, node.step):
        if part is not None and not is_scalar(evaluate(frame, part)):
            frame.refuse(node, f"slices by `{text_of(part)}`, whose class is not known")
    return Plain(slice)


def _comprehension(kind: type) -> Callable[[Frame, Any], Value]:
    def handler(frame: Frame, node: Any) -> Value:
        return collected(evaluate, kind, frame, node)

    return handler


def _walrus(frame: Frame, node: Any) -> Value:
    value = evaluate(frame, node.value)
    if node.target.id not in frame.local_names:
        return frame.refuse(node, f"writes the variable `{node.target.id}` of another scope")
    frame.assign(node.target.id, value)
    return value


def _lambda(frame: Frame, node: Any) -> Value:
    for default in [*node.args.defaults, *node.args.kw_defaults]:
        if default is not None:
            evaluate(frame, default)
    return Function()


def _yield(frame: Frame, node: Any) -> Value:
    if getattr(node, "value", None) is not None:
        given = evaluate(frame, node.value)
        for option in options_of(given):
            cls = option.hint if isinstance(option, Opaque) else class_of(option)
            why = why_class_blocks(cls)
            if why is not None and cls is not None:
                frame.refuse(node, f"hands out {name_of(cls)}, which {why}", blocks=True)
    return Opaque("what is sent to a generator")


_HANDLERS: dict[type, Callable[[Frame, Any], Value]] = {
    ast.Attribute: _attribute,
    ast.BinOp: _binary,
    ast.BoolOp: _boolean,
    ast.Call: _call,
    ast.Compare: _comparison,
    ast.Constant: _constant,
    ast.Dict: _dict,
    ast.DictComp: _comprehension(dict),
    ast.IfExp: _conditional,
    ast.JoinedStr: _formatted_text,
    ast.Lambda: _lambda,
    ast.List: _sequence(list),
    ast.ListComp: _comprehension(list),
    ast.Name: _name,
    ast.NamedExpr: _walrus,
    ast.Set: _sequence(set),
    ast.SetComp: _comprehension(set),
    ast.Slice: _slice,
    ast.Subscript: _subscript,
    ast.Tuple: _sequence(tuple),
    ast.UnaryOp: _unary,
    ast.Yield: _yield,
    ast.YieldFrom: _yield,
}

_EAGER = _comprehension(tuple)
_EAGER_FUNCTIONS = (
    any,
    all,
    sum,
    min,
    max,
    tuple,
    list,
    set,
    frozenset,
    sorted,
    str.__dict__["join"],
)
