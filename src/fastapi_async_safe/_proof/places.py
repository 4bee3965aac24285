"""Places: where a guard finds a value, and what is annotated of what is there."""

from __future__ import annotations

from typing import Any, NamedTuple


class Item(NamedTuple):
    """A step from a dict to what it has under a key."""

    key: str


class Place(NamedTuple):
    """Where a guard finds a value.

    Attributes:
        path: the name of a parameter, then of the attributes that lead on from there, or items of
            dicts; empty if no guard looks into it.
        owners: for each name but the last, the class of what is there, None if it is surely so.
        is_sure: of what is there itself, the class is.
    """

    path: tuple[str | Item, ...]
    owners: tuple[type | None, ...] = ()
    is_sure: bool = True


class Keys(NamedTuple):
    """The annotation of a dict of which some items are annotated, by their keys."""

    annotations: tuple[tuple[str, Any], ...]


class Items(NamedTuple):
    """What is annotated of the items of a dict that a guard looks into.

    Attributes:
        place: of the dict.
        annotations: pairs of a key and an annotation.
    """

    place: Place
    annotations: tuple[tuple[str, Any], ...]
