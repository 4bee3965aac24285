"""What is known of a dependant on the way through its tree, and of the node that is made of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .. import _fastapi
from .given import NOWHERE, Giving
from .placement import Place


class Visit:
    """A dependant on the way down and up again."""

    __slots__ = (
        "below",
        "declared",
        "entered_at",
        "made_at",
        "repeatable",
        "results",
        "shapes",
        "used",
        "waiting",
    )

    def __init__(self, declared: _fastapi.Declaration, used: _fastapi.Declaration) -> None:
        self.declared = declared  # what `Depends` said
        self.used = used  # what is solved in its place: another one under overrides
        self.entered_at: int | None = None  # its place in the order, None for a leaf
        self.waiting: Iterator[Any] = iter(used.dependencies)
        self.below: list[Giving] = []  # the nodes directly below
        self.made_at = NOWHERE  # what is known of its arguments, the first part of it
        self.shapes: list[int] = []  # of the nodes directly below
        self.repeatable = True
        self.results: dict[str, Any] = {}  # what is called for its parameters


class Draft:
    """A node, but for what depends on all the others."""

    __slots__ = ("arguments", "place", "repeatable", "shape", "visit")

    arguments: dict[str, Any]
    place: Place
    repeatable: bool
    shape: int
    visit: Visit
