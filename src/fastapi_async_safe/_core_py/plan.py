"""Plans: a dependant tree in the order in which it is solved, made once per route."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from types import CodeType, FunctionType
from typing import Any, Protocol

from ..markers import SeenMarks, last_mark

# Where a group of parameters is read from.
SOURCES = PATH, QUERY, HEADER, COOKIE = range(4)

# What stands in for a parameter that the request does not have: an error, one object for all
# requests (immutable), or a new one for each.
REQUIRED, SHARED, FRESH = range(3)

# How a parameter's text becomes its value: it is the value; it is an integer, or a float, which the
# compiled core makes itself where it consists of a few digits; pydantic's validator makes it (no
# code of the user's in it); FastAPI's field does.
TEXT, DIGITS, DECIMAL, SCHEMA, FIELD = range(5)

# How a node is called. The core calls INLINE nodes, enters INLINE_CONTEXT ones, and calls COROUTINE
# ones that have no limit, for which the driver then waits; the driver does all the others.
# INLINE_TIMED is INLINE with a watch.
ROOT, INLINE, INLINE_TIMED, INLINE_CONTEXT, COROUTINE = range(5)
INLINE_LIMITED, INLINE_CONTEXT_LIMITED, THREAD, CONTEXT = range(5, 9)

# What a `Run` that is not done asks of the driver.
AWAIT, BODY, CALL, SEPARATELY, LOOP = range(5)

# Each core has its own, and it is the same when this module is loaded again.
NOTHING: Any = globals().get("NOTHING") or object()

NEW: Any = object.__new__


class Watch(Protocol):
    """Says how long an inline call may hold up the event loop."""

    limit: float  # in seconds

    def call(self, call: Callable[..., Any], values: dict[str, Any]) -> Any:
        """Call what is watched with these keywords, and take how long it was."""

    def held(self, seconds: float) -> None:
        """Take a call that was longer than that."""


class Param:
    """One parameter that is read without FastAPI's help."""

    __slots__ = (
        "convert",
        "default",
        "default_seen",
        "factory_seen",
        "field",
        "info",
        "key",
        "loc",
        "many",
        "missing",
        "name",
        "otherwise",
        "validate",
    )

    def __init__(
        self,
        *,
        name: str,
        key: str,
        loc: tuple[str, ...],
        many: bool,
        otherwise: int,
        default: Any,
        missing: dict[str, Any] | None,
        convert: int,
        validate: Callable[[Any], Any],
        field: Any,
        info: Any,
    ) -> None:
        self.name = name  # the keyword of the dependency
        self.key = key  # its name in the request, of a header in lower case
        self.loc = loc  # its place in errors
        self.many = many  # takes all values of that name, not one
        self.otherwise = otherwise
        self.default = default  # for SHARED
        self.missing = missing  # the error for REQUIRED
        self.convert = convert
        self.validate = validate  # pydantic's; raises ValidationError
        self.field = field  # FastAPI's; its `default` makes the one for FRESH
        self.info = info  # has the defaults, which `default` and `missing` were made of
        self.default_seen, self.factory_seen = info.default, info.default_factory


class Group:
    """The parameters of one node that come from one source."""

    __slots__ = ("fields", "params", "source")

    def __init__(self, *, source: int, fields: list[Any], params: tuple[Param, ...]) -> None:
        self.source = source
        self.fields = fields  # FastAPI's, for FastAPI's own function
        self.params = params  # empty: only FastAPI's own function will do


class Node:
    """One dependency at one place of the tree."""

    __slots__ = (
        "background_name",
        "body_fields",
        "call",
        "connection_names",
        "declared",
        "dependant",
        "function_scoped",
        "groups",
        "joins",
        "kind",
        "leaf",
        "limited",
        "name",
        "response_name",
        "reusable",
        "scopes",
        "scopes_name",
        "slot",
        "special",
        "threaded",
        "use_cache",
        "watch",
    )

    def __init__(
        self,
        *,
        name: str | None,
        call: Callable[..., Any],
        kind: int,
        leaf: bool,
        limited: bool,
        declared: Any,
        dependant: Any,
        function_scoped: bool,
        slot: int,
        use_cache: bool,
        reusable: bool,
        groups: tuple[Group, ...],
        body_fields: list[Any],
        connection_names: tuple[str, ...],
        background_name: str | None,
        response_name: str | None,
        scopes_name: str | None,
        scopes: tuple[str, ...],
        threaded: bool,
        joins: bool,
        watch: Watch | None,
    ) -> None:
        self.name = name  # the keyword of the dependency above; None: its result is not passed on
        self.call = call
        self.kind = kind
        self.leaf = leaf  # no dependencies of its own, so that it is left without being entered
        self.limited = limited  # by `Depends(max_concurrency=...)`
        self.declared = declared  # FastAPI's dependant, as `Depends` said it
        self.dependant = dependant  # the one in its place: another one under overrides
        self.function_scoped = function_scoped  # a context exits before the response is sent
        self.slot = slot  # its place in the dependency cache; -1 for the root
        self.use_cache = use_cache
        # With its slot filled nothing below it needs another look: all of it is cached, and there
        # are no parameters to be read again.
        self.reusable = reusable
        self.groups = groups
        self.body_fields = body_fields
        self.connection_names = connection_names  # keywords for the request or WebSocket
        self.background_name = background_name
        self.response_name = response_name
        self.scopes_name = scopes_name
        self.scopes = scopes
        # Its call may share a trip to the thread pool with its neighbours'. A context is then made
        # by `call`, and entered by whoever makes the trip.
        self.threaded = threaded
        # All of it may be done in the thread: it is the root, or threaded, and reading its
        # parameters runs no code of the user's.
        self.joins = joins
        self.watch = watch  # of an inline call that is timed where it is called, not by `call`
        self.special = bool(connection_names or background_name or response_name or scopes_name)


class Plan:
    """A dependant tree in the order in which it is solved; made once, never changed.

    `order` holds the index of a node where it is left (its parameters are read and it is called),
    and, for a node with dependencies, `~index` where it is entered. `after` says, for the latter,
    where to go on if it can be skipped.
    """

    __slots__ = (
        "_empty_lists",
        "_filled_lists",
        "_filled_seen",
        "_is_as_seen",
        "_is_left",
        "_read_fields",
        "_seen",
        "after",
        "chosen",
        "connection",
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
        "noted",
        "order",
        "raw",
        "watched",
    )

    def __init__(
        self,
        *,
        connection: type,
        raw: bool,
        new_response: Callable[[], Any],
        new_solved: Callable[..., Any],
        order: tuple[int, ...],
        after: tuple[int, ...],
        nodes: tuple[Node, ...],
        keys: tuple[Any, ...],
        needs_stacks: bool,
        watched: tuple[tuple[Any, str, Any], ...],
        dependants: tuple[Any, ...],
        fields: tuple[str, ...],
        lists: tuple[list[Any], ...],
        marks: SeenMarks,
        chosen: tuple[tuple[Any, Any], ...] | None,
        inline: bool,
        noted: bool,
        joins_endpoint: bool,
    ) -> None:
        self.connection = connection  # `Request` or `WebSocket`
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
        self.noted = noted  # who serves the request is asked for after its dependencies are solved
        # PERF: FastAPI finds out that there are neither dependencies nor parameters in less time
        # than it takes to compare what is watched: W0 by the plan 7 us more.
        self._is_left = not (keys or nodes[-1].groups or noted or joins_endpoint)
        self._is_as_seen = _comparer_of(() if self._is_left else watched)
        self._read_fields = _reader_of(fields)
        self._seen = [self._read_fields(dependant) for dependant in dependants]
        self._empty_lists = [items for items in lists if not items]
        self._filled_lists = [items for items in lists if items]
        self._filled_seen = [items.copy() for items in self._filled_lists]

    def is_current(self) -> bool:
        """Say whether everything the plan was made from is as it was."""
        if self.marks.last is not last_mark[0] and not self.marks.are_current():
            return False
        try:
            if not self._is_as_seen():
                return False
        except AttributeError:  # deleted, or not there when the plan was made either
            if any(getattr(owner, name, NOTHING) is not seen for owner, name, seen in self.watched):
                return False
        return (
            [self._read_fields(dependant) for dependant in self.dependants] == self._seen
            and self._filled_lists == self._filled_seen
            and not any(self._empty_lists)
        )

    def fits(self, overrides: Any) -> bool:
        """Say whether a plan made under these `dependency_overrides` would be this one."""
        if not overrides or self.chosen is None:
            return not overrides and self.chosen is None
        return all(overrides.get(call, call) is chosen for call, chosen in self.chosen)


def _comparer_of(watched: tuple[tuple[Any, str, Any], ...]) -> Callable[[], bool]:
    owners, attributes, values = zip(*watched, strict=True) if watched else ((), (), ())
    # The owners and the values are defaults of parameters.
    code = _comparing_code(attributes)
    return FunctionType(code, {}, argdefs=(*owners, *values))


@lru_cache(maxsize=256)
def _comparing_code(attributes: tuple[str, ...]) -> CodeType:
    # PERF: a fifth of the time of a loop with `getattr`, as the interpreter specialises each.
    count = range(len(attributes))
    parameters = [*(f"owner_{number}" for number in count), *(f"seen_{number}" for number in count)]
    each = [f"owner_{number}.{name} is seen_{number}" for number, name in enumerate(attributes)]
    compare = eval(f"lambda {', '.join(parameters)}: {' and '.join(each) or True}")
    code: CodeType = compare.__code__
    return code


@cache
def _reader_of(fields: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    # PERF: a third of the time of `operator.attrgetter`, which the interpreter cannot specialise.
    names = ", ".join(f"dependant.{name}" for name in fields)
    reader: Callable[[Any], tuple[Any, ...]] = eval(f"lambda dependant: ({names},)")
    return reader
