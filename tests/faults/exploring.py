"""Looks for an example in which something differs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from hypothesis import given, seed

from tests.random_trees.source import source_of
from tests.random_trees.strategies import exploring
from tests.random_trees.variants import Variant, on_loop

from .comparing import Difference, compare
from .planned import Example, examples


class _DifferenceError(AssertionError):
    """Tells hypothesis that an example differs."""


@dataclass
class Found:
    """What came of some examples."""

    examples: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    example: Example | None = None
    differences: list[Difference] = field(default_factory=list)

    def __str__(self) -> str:
        if self.example is None:
            return "no difference"
        shown = "\n".join(map(str, self.differences[:4]))
        source = source_of(self.example.description)
        return f"{shown}\n--- of {self.example!r}\n{source}"


def explore(
    count: int, variants: tuple[Variant, ...], *, start: int, limit: int | None, shrink: bool = True
) -> Found:
    """Run examples until one differs.

    Parameters:
        count: of the examples.
        variants: the first one is stock.
        start: seed of the examples.
        limit: how many faults of each kind an example has at most, None for all.
        shrink: look for a smaller one.
    """
    found = Found()

    @seed(start)
    @exploring(count, shrink=shrink)
    @given(examples())
    def explored(example: Example) -> None:
        compared = on_loop(compare(example, variants, limit))
        if found.example is None:
            found.examples += 1
            found.seen += compared.seen
        if compared.differences:
            found.example, found.differences = example, compared.differences
            raise _DifferenceError

    try:
        explored()
    except AssertionError:  # also hypothesis' own, of what differed once and not again
        if found.example is None:
            raise
    return found
