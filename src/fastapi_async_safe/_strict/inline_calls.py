"""Which inline calls the applications of a test run could make."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import Any

from .. import _fastapi, _registry
from .._explaining import CallExplanation, explain
from ..slow_calls import InlineCall, Phase
from .observer import Key, key_of


class InlineCalls:
    """Collects the inline calls of all applications that were initialised, while they are there."""

    def __init__(self) -> None:
        self.found: dict[Key, None] = {}  # in order
        self._looked_at: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()

    def look(self) -> None:
        """Look at those applications that are new, or have other routes than when last seen."""
        for root, _ in _registry.initialised():
            count = len(root.routes)
            if self._looked_at.get(root) == count:
                continue
            self._looked_at[root] = count
            for call in _inline_calls_of(root):
                self.found[key_of(call)] = None


def _inline_calls_of(root: Any) -> Iterator[InlineCall]:
    if not _fastapi.is_application(root):
        return  # a router: it is seen by the application that includes it
    for route in explain(root).routes:
        for call in route.calls:
            if call.place == "inline":
                for phase in _phases_of(call):
                    yield InlineCall(call.call, phase, route.path)


def _phases_of(call: CallExplanation) -> tuple[Phase, ...]:
    if call.role == "endpoint":
        return ("stream item",) if call.yields else ("endpoint",)
    return ("enter", "exit") if call.yields else ("dependency",)
