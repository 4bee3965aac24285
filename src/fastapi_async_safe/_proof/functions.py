"""Python functions: what calling one gives."""

from __future__ import annotations

import ast
from types import FunctionType
from typing import Any

from .analysis import DEPTH, Frame, local_names_of
from .expressions import evaluate
from .lookup import name_of
from .operations import existing
from .source import NoSourceError, source_of
from .statements import block
from .values import (
    Box,
    Known,
    Value,
    any_of,
)

_GENERATOR, _COROUTINE, _ASYNC_GENERATOR = 0x20, 0x80, 0x200


def run_function(
    frame: Frame,
    node: ast.AST | None,
    function: FunctionType,
    args: list[Value],
    kwargs: dict[str, Value],
    owner: type | None = None,
) -> Value:
    """Give what calling a Python function gives.

    Parameters:
        frame: the function that calls it.
        node: where it does.
        owner: the class that has the function.
    """
    analysis = frame.analysis
    code = function.__code__
    here = f"`{name_of(function)}`"
    analysis.spend(node, 3)
    if any(each is function for each in analysis.active):
        return analysis.refuse(node, f"calls {here} again within itself")
    if len(analysis.active) >= DEPTH:
        return analysis.refuse(node, f"calls {here} within too many other calls")
    analysis.watched.add(function, "__code__", code)
    if code.co_flags & (_COROUTINE | _ASYNC_GENERATOR):
        return analysis.refuse(node, f"calls {here}, which is a coroutine function")
    try:
        source = source_of(function, owner)
    except NoSourceError as error:
        return analysis.refuse(node, f"calls {here}: {error}")
    inner = Frame(analysis, function, source, local_names_of(source.node), {})
    if not _bind(inner, node, args, kwargs):
        return analysis.refuse(node, f"calls {here} with arguments that do not fit")
    outer, analysis.frame = analysis.frame, inner
    analysis.active.append(function)
    try:
        if code.co_flags & _GENERATOR:
            inner.refuse(source.node, f"{here} is a generator")
        if isinstance(source.node, ast.Lambda):
            return evaluate(inner, source.node.body)
        falls = block(inner, source.node.body)
        if falls:
            inner.returned.append(Known(None))
        return any_of(inner.returned)
    finally:
        analysis.active.pop()
        analysis.frame = outer


def _bind(frame: Frame, node: Any, args: list[Value], kwargs: dict[str, Value]) -> bool:
    """Put the arguments where the parameters are; say whether they fit."""
    # As pyright has it, getting a function from an object makes a method of it.
    function: FunctionType = frame.function  # pyright: ignore[reportAssignmentType]
    arguments = frame.source.node.args
    watched = frame.analysis.watched
    by_position = [*arguments.posonlyargs, *arguments.args]
    rest = dict(kwargs)
    env = frame.env
    for parameter, value in zip(by_position, args, strict=False):
        env[parameter.arg] = value
    if len(args) > len(by_position) and arguments.vararg is None:
        return False
    if arguments.vararg is not None:
        env[arguments.vararg.arg] = Box(tuple, list(args[len(by_position) :]))
    for parameter in [*arguments.args, *arguments.kwonlyargs]:
        name = frame.mangled(parameter.arg)
        if name in rest:
            if parameter.arg in env:
                return False
            env[parameter.arg] = rest.pop(name)
    defaults = function.__defaults__ or ()
    without = len(by_position) - len(defaults)
    for index, parameter in enumerate(by_position):
        if parameter.arg not in env:
            watched.add(function, "__defaults__", function.__defaults__)
            if index < without:
                return False
            env[parameter.arg] = existing(frame, defaults[index - without])
    by_name = function.__kwdefaults__ or {}
    for parameter in arguments.kwonlyargs:
        if parameter.arg not in env:
            watched.add(function, "__kwdefaults__", function.__kwdefaults__)
            name = frame.mangled(parameter.arg)
            if name not in by_name:
                return False
            watched.key(by_name, name)
            env[parameter.arg] = existing(frame, by_name[name])
    if arguments.kwarg is not None:
        env[arguments.kwarg.arg] = Box(dict, list(rest.values()), [Known(name) for name in rest])
    elif rest:
        return False
    if by_position:
        frame.first_name = by_position[0].arg
    return True
