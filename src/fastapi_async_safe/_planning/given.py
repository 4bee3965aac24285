"""What is known of what dependencies give to those above them, while a plan is made."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import NamedTuple

from .._core_py import INLINE
from .._proof import Proof
from .._proof.values import Value
from .placement import Place

#: Where nothing is known that was made anywhere.
NOWHERE = sys.maxsize


class Giving(NamedTuple):
    """A node, by what it gives to the one above.

    Attributes:
        name: the keyword, None if it is not passed on.
        slot: of the dependency cache.
        proof: of its call; None without one.
    """

    name: str | None
    slot: int
    proof: Proof | None


class GivenValues:
    """Follows the nodes of a plan in the order in which they are called.

    What a proven call made is as it was made, if nothing but proven calls followed. Whether all
    these calls were as their proofs have it is known on a request.
    """

    def __init__(self) -> None:
        self._by_slot: dict[int, _Filled] = {}
        self._not_proven_at = -1  # the last node whose call is not proven

    def known(self, below: Iterable[Giving]) -> tuple[dict[str, Value], int]:
        """Give what is known of what a node gets.

        Returns:
            What is known, by name, and the number of the node that made the first part of it.
        """
        known: dict[str, Value] = {}
        made_at = NOWHERE
        for name, slot, proof in below:
            filled = self._by_slot[slot]
            # NOTE: it may come out of the dependency cache.
            if filled.proof is not proof or filled.made_at <= self._not_proven_at:
                continue
            if name is not None and proof is not None and proof.gives is not None:
                known[name] = proof.gives
                made_at = min(made_at, filled.made_at)
        return known, made_at

    def note(self, number: int, slot: int, place: Place, made_at: int) -> None:
        """Take a node.

        Parameters:
            number: of the node, in order.
            slot: of the dependency cache.
            place: where it is called.
            made_at: the number of the node that made the first part of what it gets.
        """
        if not (place.proven and place.kind == INLINE):
            self._not_proven_at = number
        self._by_slot.setdefault(slot, _Filled(place.proof, min(made_at, number)))


class _Filled(NamedTuple):
    """What fills a slot of the dependency cache."""

    proof: Proof | None
    made_at: int  # the number of the node that made the first part of it
