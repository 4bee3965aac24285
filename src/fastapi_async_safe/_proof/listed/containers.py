"""Listed methods of containers, and views of them."""

from __future__ import annotations

import http
import http.client
from typing import Any

from ..analysis import Frame
from ..lookup import dict_of
from ..operations import constant_dict, existing, keys_hash
from ..values import (
    ROUNDS,
    Box,
    Known,
    Opaque,
    Plain,
    Value,
    View,
    any_of,
    boxed,
    is_hashable,
    iterated,
    options_of,
    size_of,
)
from .listing import Rule, put_methods


def _get(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    if kwargs or len(args) not in (2, 3) or not is_hashable(args[1]):
        return None
    frame.analysis.spend(node, 2 + size_of(args[1]) * 20)
    fallback = args[2] if len(args) == 3 else Known(None)
    found: list[Value] = [fallback]
    for box in options_of(args[0]):
        if isinstance(box, Known) and type(box.obj) is dict and constant_dict(frame, box.obj):
            found += [existing(frame, each) for each in box.obj.values()]
            continue
        if isinstance(box, Known) and box.obj is http.client.responses:
            if not _has_plain_numbers(frame):
                return None
            found.append(Opaque("the phrase of a status"))
            continue
        if not keys_hash(box):
            return None
        if isinstance(box, Box):
            found += box.elements
        elif isinstance(box, Plain):
            found.append(item_under(frame, box, args[1], "a value of a dictionary"))
        else:
            return None
    return any_of(found)


def item_under(frame: Frame, value: Plain, key: Value, what: str) -> Value:
    """Give what a dict that others have, too, has under a key; `what` says what that is."""
    expected = frame.analysis.expected
    if expected is not None and isinstance(key, Known) and type(key.obj) is str:
        return expected.item(value, key.obj, what)
    return value.element or Opaque(what)


def _has_plain_numbers(frame: Frame) -> bool:
    """Say whether the standard library's phrases of statuses stand under numbers alone."""
    watched = frame.analysis.watched
    watched.size(http.client.responses)
    return all(type(each) is http.HTTPStatus for each in http.client.responses) and all(
        watched.class_attribute(http.HTTPStatus, name) is dict_of(int)[name]
        for name in ("__hash__", "__eq__")
    )


def contained(frame: Frame, value: Value) -> Box | None:
    """Give what is in a container of a bounded length as it is now, None for anything else."""
    boxes = _possible(frame, value)
    return None if boxes is None else _together(boxes)


def _possible(frame: Frame, value: Value) -> tuple[Box, ...] | None:
    boxes = [_contained_in_one(frame, option) for option in options_of(value)]
    known = tuple(box for box in boxes if box is not None)
    if len(known) < len(boxes) or len({box.type for box in known}) != 1:
        return None
    return known


def _contained_in_one(frame: Frame, value: Value) -> Box | None:
    if isinstance(value, Known) and type(value.obj) is tuple and len(value.obj) <= ROUNDS:
        return Box(tuple, [existing(frame, each) for each in value.obj])
    if isinstance(value, View):
        found = viewed(value)
        return None if found is None else Box(tuple, found[0], exact=found[1])
    return boxed(value)


def _together(boxes: tuple[Box, ...]) -> Box:
    if len(boxes) == 1:
        return boxes[0]
    longest = max(len(box.elements) for box in boxes)
    elements = any_of(each for box in boxes for each in box.elements)
    keys = any_of(each for box in boxes for each in box.keys or ())
    return Box(
        boxes[0].type,
        [elements] * longest,
        None if boxes[0].keys is None else [keys] * longest,
        exact=False,
    )


def view_as(part: str) -> Rule:
    def rule(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
        if kwargs or any(isinstance(option, View) for each in args for option in options_of(each)):
            return None
        found = [_possible(frame, each) for each in args]
        # NOTE: the boxes themselves, not what is in them: that may change until it is gone through.
        boxes = tuple(each for each in found if each is not None)
        if len(boxes) < len(args):
            return None
        if part in ("keys", "values", "items") and len(boxes) != 1:
            return None
        return View(part, boxes)

    return rule


def viewed(view: View) -> tuple[list[Value], bool] | None:
    """Give what going through `view` gives from here on, and whether it is exactly that."""
    found = _viewed_at_first(view)
    view.times += 1
    if found is None or view.times == 1 or view.part not in ("enumerate", "zip"):
        return found
    return [any_of(found[0])] * len(found[0]), False  # it may be at its end


def _viewed_at_first(view: View) -> tuple[list[Value], bool] | None:
    boxes = [_together(each) for each in view.boxes]
    if view.part == "zip":
        if any(box.type not in (list, tuple) for box in boxes):
            return None
        columns = [
            box.elements if box.exact else [any_of(box.elements)] * len(box.elements)
            for box in boxes
        ]
        rows = zip(*columns, strict=False)
        return [Box(tuple, list(row)) for row in rows], all(box.exact for box in boxes)
    box = boxes[0]
    exact = box.exact and box.type not in (set, frozenset)
    if view.part == "range" or view.part == "values":
        return list(box.elements), exact
    if view.part == "keys":
        return list(box.keys or ()), exact
    if view.part == "enumerate":
        pairs: list[Value] = [Box(tuple, [Plain(int, bits=32), each]) for each in iterated(box)]
        return pairs, exact
    keys = box.keys or []
    if exact and len(keys) == len(box.elements):
        return [Box(tuple, [key, each]) for key, each in zip(keys, box.elements, strict=True)], True
    pair = Box(tuple, [any_of(keys), any_of(box.elements)])
    return [pair] * len(keys), False


def _append(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    if kwargs or len(args) != 2 or not isinstance(args[0], Box):
        return None
    box = args[0]
    if box.type is set and not is_hashable(args[1]):
        return None
    if box.type is set and not keys_hash(box):
        return None
    box.elements.append(args[1])
    box.exact = False
    return Known(None)


def _extend(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    if kwargs or len(args) != 2 or not isinstance(args[0], Box):
        return None
    other = contained(frame, args[1])
    if other is None or other.type not in (list, tuple):
        return None
    frame.analysis.build(node, len(args[0].elements) + len(other.elements))
    args[0].elements += list(other.elements)
    args[0].exact = False
    return Known(None)


def _update(frame: Frame, node: Any, args: list[Value], kwargs: dict[str, Value]) -> Value | None:
    if len(args) not in (1, 2) or not isinstance(args[0], Box) or not keys_hash(args[0]):
        return None
    keys: list[Value] = [Known(name) for name in kwargs]
    elements = list(kwargs.values())
    if len(args) == 2:
        other = contained(frame, args[1])
        if other is None or other.type is not dict or not keys_hash(other):
            return None
        keys += other.keys or []
        elements += other.elements
    frame.analysis.build(node, len(args[0].elements) + len(elements))
    args[0].exact = False
    args[0].elements += elements
    args[0].keys = [*(args[0].keys or ()), *keys]
    return Known(None)


def _copy(frame: Frame, node: Any, args: list[Value], kwargs: Any) -> Value | None:
    box = contained(frame, args[0]) if len(args) == 1 and not kwargs else None
    if box is None:
        return None
    frame.analysis.build(node, len(box.elements))
    return Box(box.type, list(box.elements), box.keys and list(box.keys), exact=box.exact)


put_methods(dict, "a plain key, plain keys in the dict", _get, "get")
put_methods(dict, "a dict of a bounded length", view_as("keys"), "keys")
put_methods(dict, "a dict of a bounded length", view_as("values"), "values")
put_methods(dict, "a dict of a bounded length", view_as("items"), "items")
put_methods(dict, "a dict that the call made", _update, "update")
put_methods(dict, "a dict of a bounded length", _copy, "copy")
put_methods(list, "a list that the call made", _append, "append")
put_methods(list, "lists that the call made", _extend, "extend")
put_methods(list, "a list of a bounded length", _copy, "copy")
put_methods(set, "a plain value, a set that the call made", _append, "add")
put_methods(set, "a set of a bounded length", _copy, "copy")
