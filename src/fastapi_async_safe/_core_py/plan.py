"""Plans: a dependant tree in the order in which it is solved, made once per route."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from itertools import chain
from operator import attrgetter, is_
from types import CodeType, FunctionType
from typing import Any

from .. import _fastapi
from ..markers import SeenMarks, last_mark
from .nodes import NOTHING, Node


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
        "_empty_lists",
        "_fields_seen",
        "_filled_lists",
        "_has_fields",
        "_is_as_seen",
        "_is_left",
        "_items_seen",
        "_lengths_seen",
        "after",
        "chosen",
        "connection_class",
        "dependants",
        "hands_out",
        "inline",
        "joins_endpoint",
        "keys",
        "marks",
        "needs_stacks",
        "new_response",
        "new_solved",
        "nodes",
        "order",
        "raw",
        "records_request",
        "watched",
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
        # Owner, attribute, what it was when the plan was made; NOTHING if there was none.
        self.watched = watched
        self.dependants = dependants  # with all their fields and lists, as they were then
        self.marks = marks  # of what may run inline
        self.chosen = chosen  # calls, and what the overrides had for them; None: no overrides
        self.inline = inline  # the endpoint, a sync one, runs on the event loop
        self.joins_endpoint = joins_endpoint  # a sync one may be called on the plan's last trip
        self.records_request = records_request  # for what asks after its dependencies
        # PERF: FastAPI finds out that there are neither dependencies nor parameters in less time
        # than it takes to compare what is watched: W0 by the plan 7 us more.
        self._is_left = not (keys or nodes[-1].groups or records_request or joins_endpoint)
        self._is_as_seen = _comparer_of(() if self._is_left else watched)
        self._has_fields = _field_comparer_of(fields)
        read = attrgetter(*fields)
        self._fields_seen = [(each, read(each)) for each in dependants]
        self._empty_lists = [items for items in lists if not items]
        self._filled_lists = [items for items in lists if items]
        self._lengths_seen = list(map(len, self._filled_lists))
        self._items_seen = tuple(chain.from_iterable(self._filled_lists))

    def is_current(self) -> bool:
        """Say whether everything the plan was made from is as it was."""
        if self.marks.last is not last_mark[0] and not self.marks.are_current():
            return False
        try:
            if not self._is_as_seen():
                return False
        except Exception:  # deleted, or not there when the plan was made either; or a class's own
            if any(_now(owner, name) is not seen for owner, name, seen in self.watched):
                return False
        # NOTE: all by identity, as what is equal to something need not do the same.
        for dependant, seen in self._fields_seen:
            if not self._has_fields(dependant, seen):
                return False
        return (
            list(map(len, self._filled_lists)) == self._lengths_seen
            and all(map(is_, chain.from_iterable(self._filled_lists), self._items_seen))
            and not any(self._empty_lists)
        )

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


def _comparer_of(watched: tuple[tuple[Any, str, Any], ...]) -> Callable[[], bool]:
    owners, attributes, values = zip(*watched, strict=True) if watched else ((), (), ())
    # The owners and the values are defaults of parameters.
    code = _comparing_code(attributes)
    return FunctionType(code, {}, argdefs=(*owners, *values))


@lru_cache(maxsize=256)
def _comparing_code(attributes: tuple[str, ...]) -> CodeType:
    # PERF: instead of a loop with `getattr`, as the interpreter specialises each: 6.0 -> 1.3 us for
    # 50 (3.13).
    count = range(len(attributes))
    parameters = [*(f"owner_{number}" for number in count), *(f"seen_{number}" for number in count)]
    each = [f"owner_{number}.{name} is seen_{number}" for number, name in enumerate(attributes)]
    compare = eval(f"lambda {', '.join(parameters)}: {' and '.join(each) or True}")
    code: CodeType = compare.__code__
    return code


@cache
def _field_comparer_of(fields: tuple[str, ...]) -> Callable[[Any, tuple[Any, ...]], bool]:
    # PERF: as the interpreter specialises each, 20 fields take 0.6 us instead of the 1.7 of a loop
    # by `map` and `operator.is_` (3.13).
    each = [f"dependant.{name} is seen[{number}]" for number, name in enumerate(fields)]
    comparer: Callable[[Any, tuple[Any, ...]], bool] = eval(
        f"lambda dependant, seen: {' and '.join(each)}"
    )
    return comparer


def _now(owner: Any, name: str) -> Any:
    try:
        return getattr(owner, name, NOTHING)
    except Exception as error:  # of a class with a `__getattr__` of its own by now
        return error
