"""What was marked in this process and is still there, so that marks without effect can be told."""

from __future__ import annotations

import weakref
from contextlib import suppress
from typing import Any

# By identity, as not everything has a hash.
_marked: dict[int, weakref.ref[Any]] = {}


def note_marked(target: Any) -> None:
    """Note that a callable was marked, if it can be referred to weakly."""
    key = id(target)

    def forget(reference: weakref.ref[Any]) -> None:
        if _marked.get(key) is reference:
            del _marked[key]

    with suppress(TypeError):
        _marked[key] = weakref.ref(target, forget)


def all_marked() -> list[Any]:
    """List what was marked, in the order in which it was."""
    return [target for reference in list(_marked.values()) if (target := reference()) is not None]
