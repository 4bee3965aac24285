"""Texts that a call makes: what they may be made of, and how large they grow."""

from __future__ import annotations

import ast
import re

from .analysis import Frame
from .values import (
    NEVER,
    SCALARS,
    TEXT_CLAIMED,
    Box,
    Known,
    Plain,
    Value,
    any_of,
    bits_of,
    boxed,
    builtin_type,
    is_constant,
    is_scalar,
    options_of,
    size_of,
)

#: The largest text a call may build, in texts of TEXT_CLAIMED characters.
_LARGEST_TEXT = 16.0

#: Above this an integer takes long to multiply, to divide by, or to be written out.
SMALL_BITS = 1024

_SIMPLE_TEMPLATE = re.compile(r"(?:[^%]|%[srd%])*\Z")
_SIMPLE_SPEC = re.compile(
    r"(?:[^{}]?[<>=^])?[-+ ]?z?#?0?(\d{0,3})[_,]?(?:\.(\d{1,2}))?[bcdeEfFgGnosxX%]?\Z"
)
_WIDEST = 256


def text_of(node: ast.AST, longest: int = 60) -> str:
    """Give the source of an expression, for a reason."""
    text = ast.unparse(node).replace("\n", " ")
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def built_text(
    frame: Frame, node: ast.AST, kind: type, parts: list[Value], more: float = 0.0
) -> Value:
    """Give a text made of `parts` one after the other."""
    size = more + sum(map(size_of, parts))
    if size > _LARGEST_TEXT:
        return _too_large(frame, node)
    frame.analysis.spend(node, 1 + size * 20)
    return Plain(kind, size=size)


def _too_large(frame: Frame, node: ast.AST) -> Value:
    text = f"builds a text that may grow large: `{text_of(node)}`"
    return frame.refuse(node, text, large=True)


def written(frame: Frame, node: ast.AST, value: Value, *, escaped: bool = False) -> Value:
    """Give the text of `value`, as `str()` and f-strings make it."""
    parts: list[Value] = []
    for option in options_of(value):
        kind = builtin_type(option)
        shown = _shown(option)
        if shown is not None and all(map(is_scalar, shown)):
            texts = [written(frame, node, each, escaped=True) for each in shown]
            parts.append(built_text(frame, node, str, texts, len(texts) * 4 / TEXT_CLAIMED + 0.01))
            continue
        if kind not in SCALARS or (kind is bytes and not escaped):
            text = f"turns `{text_of(node)}` into text, which may run code of its class"
            return frame.refuse(node, text, large=True)
        if kind is int and bits_of(option) > SMALL_BITS:
            return frame.refuse(
                node,
                f"turns `{text_of(node)}`, which may be a large integer, into text; bound it",
            )
        times = 10.0 if escaped or kind is bytes else 1.0
        size = size_of(option) if kind in (str, bytes) else 0.2
        if size * times > _LARGEST_TEXT:
            return _too_large(frame, node)
        frame.analysis.spend(node, 2 + (size * 500 if times > 1 else 0))
        parts.append(Plain(str, size=size * times))
    return any_of(parts) if parts else NEVER


def _shown(value: Value) -> list[Value] | None:
    """Give what the text of a container of a bounded length shows, None for anything else."""
    if isinstance(value, Known) and type(value.obj) is tuple:
        return [Known(each) for each in value.obj] if is_constant(value.obj) else None
    box = boxed(value)
    return None if box is None else [*box.elements, *(box.keys or ())]


def is_simple_spec(spec: str) -> bool:
    """Say whether a format specification asks for a text of a small width."""
    match = _SIMPLE_SPEC.match(spec)
    return match is not None and int(match[1] or 0) <= _WIDEST


def filled(frame: Frame, node: ast.AST, template: Value, right: Value) -> Value:
    """Give what `template % right` gives."""
    if not (isinstance(template, Known) and _SIMPLE_TEMPLATE.match(template.obj)):
        return frame.refuse(node, f"fills a template that is not a simple one: `{text_of(node)}`")
    if isinstance(right, Box) and right.type is tuple:
        values = right.elements
    elif is_scalar(right):
        values = [right]
    else:
        return frame.refuse(
            node, f"fills a template with values of unknown class: `{text_of(node)}`"
        )
    texts = [written(frame, node, each, escaped=True) for each in values]
    return built_text(frame, node, str, [template, *texts])


def small_text(length: int = 1) -> Value:
    """Give a text of a few characters."""
    return Plain(str, size=length / TEXT_CLAIMED)
