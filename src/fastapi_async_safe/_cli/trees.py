"""Where the boxes of a dependency tree are drawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .. import CallExplanation, RouteExplanation
from . import wording

_BOX_WIDTH, _BOX_HEIGHT = 190, 40
_COLUMN, _ROW = 226, 50
_LONGEST = 25  # characters of a name that have room in a box
_MARGIN = 3


@dataclass(frozen=True)
class Box:
    """A callable of a route; coordinates and sizes are in pixels."""

    x: int
    y: int
    name: str
    place: str
    kind: str  # inline, thread, await or cached: its colour

    width = _BOX_WIDTH
    height = _BOX_HEIGHT


@dataclass(frozen=True)
class Tree:
    """A dependency tree: the endpoint on the left, what it depends on to its right."""

    width: int
    height: int
    boxes: list[Box]
    lines: list[str]  # paths of SVG


def tree_of(route: RouteExplanation) -> Tree:
    """Lay out the dependency tree of a route."""
    below: dict[int | None, list[int]] = {}
    for number, call in enumerate(route.calls):
        below.setdefault(call.parent, []).append(number)
    rows = _rows(below)
    boxes, lines = [], []
    for number, call in enumerate(route.calls):
        box = _box(call, rows[number])
        boxes.append(box)
        if call.parent is not None:
            parent = route.calls[call.parent]
            lines.append(_line(_x(parent) + _BOX_WIDTH, rows[call.parent], box.x, rows[number]))
    return Tree(
        width=max(box.x for box in boxes) + _BOX_WIDTH + _MARGIN,
        height=(max(rows.values()) + 1) * _ROW - _ROW + _BOX_HEIGHT + 2 * _MARGIN,
        boxes=boxes,
        lines=lines,
    )


def kind_of(call: CallExplanation) -> str:
    """Name the colour of a callable."""
    if call.is_cached:
        return "cached"
    return {"inline": "inline", "thread pool": "thread", "event loop": "await"}[call.place]


def _rows(below: dict[int | None, list[int]]) -> dict[int, int]:
    """Give each callable a row: the first of those that it depends on."""
    rows: dict[int, int] = {}
    row = 0
    pending = list(below[None])
    while pending:
        number = pending.pop()
        rows[number] = row
        if number in below:
            pending += reversed(below[number])
        else:
            row += 1
    return rows


def _x(call: CallExplanation) -> int:
    return _MARGIN + call.depth * _COLUMN


def _box(call: CallExplanation, row: int) -> Box:
    name = wording.short_name(call.name)
    place = wording.place(call) + (", yield" if call.yields else "")
    return Box(
        x=_x(call),
        y=_MARGIN + row * _ROW,
        name=name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…",
        place=place,
        kind=kind_of(call),
    )


def _line(x: int, row: int, to_x: int, to_row: int) -> str:
    y, to_y = (_MARGIN + each * _ROW + _BOX_HEIGHT // 2 for each in (row, to_row))
    middle = (x + to_x) // 2
    return f"M{x} {y}H{middle}V{to_y}H{to_x}"


def mermaid(route: RouteExplanation) -> Iterator[str]:
    """Give the lines of a Mermaid flow chart of a route."""
    yield "flowchart LR"
    for number, call in enumerate(route.calls):
        box = _box(call, 0)
        name = wording.short_name(call.name).replace('"', "#quot;")
        yield f'    n{number}["{name}<br>{box.place}"]:::{box.kind}'
    for number, call in enumerate(route.calls):
        if call.parent is not None:
            yield f"    n{call.parent} --> n{number}"
    yield "    classDef inline fill:#d5f0dc,stroke:#1b7a3a,color:#0b3d1c"
    yield "    classDef thread fill:#ffe6bf,stroke:#a35a00,color:#4a2900"
    yield "    classDef await fill:#d9e8fb,stroke:#2460a7,color:#0e2f57"
    yield "    classDef cached fill:none,stroke:#808080,stroke-dasharray:4"
