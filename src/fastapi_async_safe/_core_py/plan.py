"""Plans: a dependant tree in the order in which it is solved, made once per route."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import _fastapi
from ..markers import SeenMarks
from .nodes import Node
from .seen import Seen


class Plan:
    """A dependant tree in the order in which it is solved; made once, never changed.

    `order` holds the index of a node where it is left (its parameters are read and it is called),
    and, for a node with dependencies, `~index` where it is entered. `after` says, for the latter,
    where to go on if it can be skipped.

    An endpoint (3) that depends on a session (2), which depends on settings (0) and an engine (1):

        position    0    1    2    3    4    5
        order      ~3   ~2    0    1    2    3
        after       6    5    0    0    0    0
    """

    __slots__ = (
        "_is_left",
        "after",
        "chosen",
        "connection_class",
        "hands_out",
        "inline",
        "joins_endpoint",
        "keys",
        "needs_stacks",
        "new_response",
        "new_solved",
        "nodes",
        "order",
        "raw",
        "records_request",
        "seen",
    )

    def __init__(
        self,
        *,
        connection_class: type,
        raw: bool,
        new_response: Callable[[], Any],
        new_solved: Callable[..., Any],
        order: tuple[int, ...],
        after: tuple[int, ...],
        nodes: tuple[Node, ...],
        keys: tuple[Any, ...],
        needs_stacks: bool,
        watched: tuple[tuple[Any, str, Any], ...],
        dependants: tuple[_fastapi.Dependant, ...],
        fields: tuple[str, ...],
        lists: tuple[list[Any], ...],
        marks: SeenMarks,
        chosen: tuple[tuple[Any, Any], ...] | None,
        inline: bool,
        records_request: bool,
        joins_endpoint: bool,
    ) -> None:
        check_order(order, after, nodes)
        self.connection_class = connection_class  # `Request` or `WebSocket`
        self.raw = raw  # its parameters may be read without asking its getters
        self.new_response = new_response
        self.new_solved = new_solved  # makes the result, with a new response if there is none
        self.order = order
        self.after = after
        self.nodes = nodes
        self.keys = keys  # of the dependency cache, by slot
        self.hands_out = any(node.connection_names for node in nodes)  # the request, to user code
        self.needs_stacks = needs_stacks
        self.chosen = chosen  # calls, and what the overrides had for them; None: no overrides
        self.inline = inline  # the endpoint, a sync one, runs on the event loop
        self.joins_endpoint = joins_endpoint  # a sync one may be called on the plan's last trip
        self.records_request = records_request  # for what asks after its dependencies
        # PERF: FastAPI finds out that there are neither dependencies nor parameters in less time
        # than it takes to compare what is watched: W0 by the plan 7 us more.
        self._is_left = not (keys or nodes[-1].groups or records_request or joins_endpoint)
        self.seen = Seen(() if self._is_left else watched, dependants, fields, lists, marks)

    def is_current(self) -> bool:
        """Say whether everything the plan was made from is as it was."""
        return self.seen.is_current()

    def fits(self, overrides: Any) -> bool:
        """Say whether a plan made under these `dependency_overrides` would be this one."""
        if not overrides or self.chosen is None:
            return not overrides and self.chosen is None
        return all(overrides.get(call, call) is chosen for call, chosen in self.chosen)


def check_order(order: tuple[int, ...], after: tuple[int, ...], nodes: tuple[Node, ...]) -> None:
    """Make sure that an order can be followed: the compiled core does not look where it goes.

    Raises:
        ValueError: it cannot.
    """
    left = [index for index in order if index >= 0]
    entered = {~index for index in order if index < 0}
    if sorted(left) != list(range(len(nodes))) or len(entered) + len(left) != len(order):
        raise ValueError(f"an order leaves each node once, and enters it at most once: {order}")
    if any((index in entered) is nodes[index].leaf for index in left):
        raise ValueError(f"a node is entered unless it is a leaf: {order}")
    if len(after) != len(order) or not all(0 <= position <= len(order) for position in after):
        raise ValueError(f"there is no such place to go on: {after}")
