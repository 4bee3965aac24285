"""Nodes: what a plan consists of, and the words for what is done with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from .. import _fastapi

# Where a group of parameters is read from.
SOURCES = PATH, QUERY, HEADER, COOKIE = range(4)

# What stands in for a parameter that the request does not have: an error, one object for all
# requests (immutable), or a new one for each.
ERROR, CONSTANT, FACTORY = range(3)

# How a parameter's text becomes its value: it is the value; it is an integer, or a float, which the
# compiled core makes itself where it consists of a few digits; pydantic's validator makes it (no
# code of the user's in it); FastAPI's field does.
TEXT, INT, FLOAT, PYDANTIC, FASTAPI = range(5)

# How a node is called. The core calls INLINE nodes, enters INLINE_CONTEXT ones, and calls COROUTINE
# ones that have no limit, for which the driver then waits; the driver does all the others.
ROOT, INLINE, INLINE_CONTEXT, COROUTINE = range(4)
INLINE_LIMITED, INLINE_CONTEXT_LIMITED, THREAD, CONTEXT = range(4, 8)

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
        "if_missing",
        "info",
        "key",
        "loc",
        "many",
        "missing",
        "name",
        "validate",
    )

    def __init__(
        self,
        *,
        name: str,
        key: str,
        loc: tuple[str, ...],
        many: bool,
        if_missing: int,
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
        self.if_missing = if_missing
        self.default = default  # for CONSTANT
        self.missing = missing  # the error for ERROR
        self.convert = convert
        self.validate = validate  # pydantic's; raises ValidationError
        self.field = field  # FastAPI's, which makes the default for FACTORY
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
        "function_scoped",
        "groups",
        "guard",
        "joins",
        "kind",
        "leaf",
        "limited",
        "name",
        "response_name",
        "reusable",
        "scopes",
        "scopes_name",
        "short_guard",
        "slot",
        "special",
        "threaded",
        "use_cache",
        "used",
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
        declared: _fastapi.Dependant,
        used: _fastapi.Dependant,
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
        guard: Callable[..., bool] | None,
        short_guard: Callable[..., bool] | None,
    ) -> None:
        self.name = name  # the keyword of the dependency above; None: its result is not passed on
        self.call = call
        self.kind = kind
        self.leaf = leaf  # no dependencies of its own, so that it is left without being entered
        self.limited = limited  # by `Depends(max_concurrency=...)`
        self.declared = declared  # FastAPI's dependant, as `Depends` said it
        self.used = used  # the one in its place: another one under overrides
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
        # Says whether an inline call may be one with these values; if not, it goes to a thread.
        self.guard = guard
        # The same, where all calls before were as the plan has it; None: it is one then.
        self.short_guard = short_guard
        self.special = bool(connection_names or background_name or response_name or scopes_name)
