"""What differs between the responses of two variants, if something does that matters."""

from __future__ import annotations

import json
from typing import Any


def varies_by_itself(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Say whether stock answers the same request in two ways: with the time, or a new number."""
    return one != other


def difference(expected: dict[str, Any], given: dict[str, Any], *, varies: bool) -> str | None:
    """Say in one line what differs between two responses to one request; None if nothing does.

    Parameters:
        expected: of stock FastAPI.
        given: of a variant.
        varies: stock itself answers differently each time, so that only the status, the names of
            headers and the shape of what is JSON count.
    """
    if expected["status"] != given["status"]:
        return f"status {given['status']} in place of {expected['status']}"
    headers, others = expected["headers"], given["headers"]
    if varies:
        headers, others = _names(headers), _names(others)
    if headers != others:
        changed = [each for each in others if each not in headers] or [
            each for each in headers if each not in others
        ]
        return f"headers differ: {changed or others}"
    body, other = expected["body"], given["body"]
    if varies:
        body, other = _shape_of(body), _shape_of(other)
    if body == other:
        return None
    at = next((i for i, pair in enumerate(zip(body, other, strict=False)) if pair[0] != pair[1]), 0)
    return f"body differs: {_around(other, at)} in place of {_around(body, at)}"


def _names(headers: list[list[str]]) -> list[str]:
    return sorted(name for name, _ in headers)


def _shape_of(body: str) -> str:
    try:
        return json.dumps(_shape(json.loads(body)), sort_keys=True)
    except ValueError:
        return ""


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _shape(each) for name, each in value.items()}
    if isinstance(value, list):
        shapes = {json.dumps(_shape(each), sort_keys=True) for each in value}
        return sorted(shapes)
    return type(value).__name__


def _around(text: str, at: int) -> str:
    return repr(text[max(at - 15, 0) : at + 25])
