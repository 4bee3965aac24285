"""The core in Python: runs a plan until something has to be awaited, and awaits nothing itself.

This is the specification of the compiled core (`csrc/_core.pyx`), which has the same names in the
same order, and the fallback where that was not built. What the names mean is told here.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import cache
from typing import Any
from urllib.parse import unquote_plus

from pydantic_core import ValidationError

from . import _fastapi

# Where a group of parameters is read from.
PATH, QUERY, HEADER, COOKIE = range(4)

# What stands in for a parameter that the request does not have: an error, one object for all
# requests (immutable), or a new one for each.
REQUIRED, SHARED, FRESH = range(3)

# How a parameter's text becomes its value: it is the value; it is an integer, or a float, which the
# compiled core makes itself where it consists of a few digits; pydantic's validator makes it (no
# code of the user's in it); FastAPI's field does.
TEXT, DIGITS, DECIMAL, SCHEMA, FIELD = range(5)

# How a node is called. The core calls INLINE nodes, enters INLINE_CONTEXT ones, and calls COROUTINE
# ones that have no limit, for which the driver then waits; the driver does all the others.
ROOT, INLINE, INLINE_CONTEXT, INLINE_LIMITED, INLINE_CONTEXT_LIMITED, COROUTINE, THREAD, CONTEXT = (
    range(8)
)

# What a `Run` that is not done asks of the driver.
AWAIT, BODY, CALL, APART = range(4)

NOTHING: Any = object()
NEW: Any = object.__new__


class Param:
    """One parameter that is read without FastAPI's help."""

    __slots__ = (
        "convert",
        "default",
        "field",
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
        "use_cache",
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
        # With its slot filled nothing below it needs another look: all of it is cached, and
        # reading its parameters again would run no code of the user's and find no error.
        self.reusable = reusable
        self.groups = groups
        self.body_fields = body_fields
        self.connection_names = connection_names  # keywords for the request or WebSocket
        self.background_name = background_name
        self.response_name = response_name
        self.scopes_name = scopes_name
        self.scopes = scopes
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
        "_read_fields",
        "_seen",
        "after",
        "chosen",
        "connection",
        "cookie_names",
        "dependants",
        "header_names",
        "inline",
        "keys",
        "needs_stacks",
        "new_response",
        "new_solved",
        "nodes",
        "noted",
        "order",
        "query_names",
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
        query_names: dict[str, bool],
        header_names: dict[bytes, tuple[str, bool]],
        cookie_names: frozenset[str],
        needs_stacks: bool,
        watched: tuple[tuple[Any, str, Any], ...],
        dependants: tuple[Any, ...],
        fields: tuple[str, ...],
        lists: tuple[list[Any], ...],
        chosen: tuple[tuple[Any, Any], ...] | None,
        inline: bool,
        noted: bool,
    ) -> None:
        self.connection = connection  # `Request` or `WebSocket`
        self.raw = raw  # its parameters may be read without asking its getters
        self.new_response = new_response
        self.new_solved = new_solved  # makes the result, with a new response if there is none
        self.order = order
        self.after = after
        self.nodes = nodes
        self.keys = keys  # of the dependency cache, by slot
        self.query_names = query_names  # to whether all values of that name are wanted
        self.header_names = header_names  # to the same as text, and whether all are wanted
        self.cookie_names = cookie_names
        self.needs_stacks = needs_stacks
        self.watched = watched  # owner, attribute, what it was when the plan was made
        self.dependants = dependants  # with all their fields and lists, as they were then
        self.chosen = chosen  # calls, and what the overrides had for them; None: no overrides
        self.inline = inline  # the endpoint, a sync one, runs on the event loop
        self.noted = noted  # who serves the request is asked for after its dependencies are solved
        self._read_fields = _reader_of(fields)
        self._seen = [self._read_fields(dependant) for dependant in dependants]
        self._empty_lists = [items for items in lists if not items]
        self._filled_lists = [items for items in lists if items]
        self._filled_seen = [items.copy() for items in self._filled_lists]

    def is_current(self) -> bool:
        """Say whether everything the plan was made from is as it was."""
        for owner, attribute, value in self.watched:
            if getattr(owner, attribute) is not value:
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


@cache
def _reader_of(fields: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    # PERF: a third of the time of `operator.attrgetter`, which the interpreter cannot specialise.
    names = ", ".join(f"dependant.{name}" for name in fields)
    reader: Callable[[Any], tuple[Any, ...]] = eval(f"lambda dependant: ({names},)")
    return reader


def scan_query(query: bytes, names: dict[str, bool]) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Read the wanted names of a query string, as Starlette's `QueryParams` reads them.

    Parameters:
        query: as it stands in the ASGI scope.
        names: the wanted names, to whether all their values are wanted or only the last.

    Returns:
        The last value by name, and all values by name of those where all are wanted.
    """
    scalars: dict[str, str] = {}
    lists: dict[str, list[str]] = {}
    if query:
        # PERF: a third of the time of `parse_qsl`, of which this is the part that Starlette uses.
        for pair in query.decode("latin-1").split("&"):
            name, _, value = pair.partition("=")
            if "%" in pair or "+" in pair:
                name, value = unquote_plus(name), unquote_plus(value)
            many = names.get(name)
            if many is None or not pair:
                continue
            scalars[name] = value
            if many:
                lists.setdefault(name, []).append(value)
    return scalars, lists


def _bytes_of(key: Any) -> bytes:
    return bytes(key) if isinstance(key, (bytearray, memoryview)) else b""


def scan_headers(
    headers: Any, names: dict[bytes, tuple[str, bool]]
) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Read the wanted headers, as Starlette's `Headers` reads them.

    Parameters:
        headers: pairs of lower-case name and value, as they stand in the ASGI scope.
        names: the wanted names, to the same as text and whether all their values are wanted.

    Returns:
        The first value by name, and all values by name of those where all are wanted.
    """
    scalars: dict[str, str] = {}
    lists: dict[str, list[str]] = {}
    for key, value in headers:
        # Some servers have other things than bytes there, which have no hash.
        wanted = names.get(key if type(key) is bytes else _bytes_of(key))
        if wanted is None:
            continue
        name, many = wanted
        text = value.decode("latin-1")
        scalars.setdefault(name, text)
        if many:
            lists.setdefault(name, []).append(text)
    return scalars, lists


def scan_cookies(headers: list[Any], names: frozenset[str]) -> dict[str, str] | None:
    """Read the wanted cookies, as Starlette's `HTTPConnection.cookies` reads them.

    Parameters:
        headers: pairs of lower-case name and value, as they stand in the ASGI scope.
        names: the wanted names.

    Returns:
        The last value by name; None for Starlette to read what is seldom: cookies in several
        headers, with quotes, or with other characters than those of ASCII.
    """
    found: bytes | None = None
    for pair in headers:
        if type(pair) not in (tuple, list) or len(pair) != 2:
            return None
        key, value = pair
        if type(key) is not bytes or key == b"cookie":
            if type(key) is not bytes or type(value) is not bytes or found is not None:
                return None
            found = value
    cookies: dict[str, str] = {}
    if found is None:
        return cookies
    if b'"' in found or not found.isascii():
        return None
    for chunk in found.decode("ascii").split(";"):
        name, equals, text = chunk.partition("=")
        if not equals:
            name, text = "", chunk
        name, text = name.strip(), text.strip()
        if name in names and (name or text):
            cookies[name] = text
    return cookies


def extract(
    params: tuple[Param, ...],
    scalars: Any,
    lists: Any,
    values: dict[str, Any],
    errors: list[Any],
) -> None:
    """Put the value of each parameter into `values`, and what is wrong with it into `errors`."""
    for param in params:
        raw = lists.get(param.key) if param.many else scalars.get(param.key)
        if raw is None:
            if param.otherwise == SHARED:
                values[param.name] = param.default
            elif param.missing is not None:
                errors.append(param.missing.copy())
            else:
                values[param.name] = deepcopy(param.field.default)
        elif param.convert == TEXT and type(raw) is str:
            values[param.name] = raw
        elif param.convert == FIELD:
            value, found = _fastapi.explain(param.field, raw, param.loc)
            if found:
                errors.extend(found)
            else:
                values[param.name] = value
        else:
            try:
                values[param.name] = param.validate(raw)
            except ValidationError:
                errors.extend(_fastapi.explain(param.field, raw, param.loc)[1])


class Run:
    """One request on its way through a plan.

    Where `advance` gives no result, `action` says what is asked for. AWAIT: `awaitable` is to be
    awaited; advance with what it gave. BODY: `node` is the one whose body parameters are wanted;
    hand them to `receive_body`, then advance with NOTHING. CALL: `node` is to be called with
    `values` as keywords; advance with what it returned. APART: the overrides of `node` are no
    longer those of the plan; have it solved apart, with what `share` gives, hand the result to
    `receive_solved`, then advance with NOTHING.
    """

    __slots__ = (
        "_background",
        "_body_read",
        "_cache",
        "_cookies",
        "_errors",
        "_frames",
        "_header_list",
        "_headers",
        "_headers_seen",
        "_mark",
        "_marks",
        "_position",
        "_provider",
        "_query",
        "_raw",
        "_response",
        "_reuses",
        "_slots",
        "action",
        "awaitable",
        "function_stack",
        "node",
        "plan",
        "request",
        "request_stack",
        "values",
    )

    action: int
    awaitable: Any
    node: Node
    values: dict[str, Any]
    _headers_seen: list[Any]
    _mark: int

    def __init__(
        self,
        plan: Plan,
        request: Any,
        stack: Any,
        provider: Any,
        background: Any,
        response: Any,
        cache: dict[Any, Any] | None,
    ) -> None:
        self.plan = plan
        self.request = request
        self.request_stack: Any = None
        self.function_stack: Any = None
        if plan.needs_stacks:
            stacks = _fastapi.exit_stacks(request.scope, stack)
            self.request_stack, self.function_stack = stacks
        self._provider = provider  # of `dependency_overrides`
        self._position = 0
        self._body_read = False
        self._query: tuple[dict[str, str], dict[str, list[str]]] | None = None
        self._header_list: list[Any] | None = None
        self._headers: tuple[dict[str, str], dict[str, list[str]]] | None = None
        self._cookies: dict[str, str] | None = None
        self._frames: list[dict[str, Any]] = []  # the values of the nodes entered, not yet left
        self._marks: list[int] = []  # how many errors there were when they were entered
        self._slots: list[Any] = [NOTHING] * len(plan.keys)
        self._errors: list[Any] = []
        self._background = background
        self._response = response
        self._cache = cache  # a dependency cache that others may use at the same time, or None
        # What another resolution cached says nothing about the parameters of this one.
        self._reuses = cache is None
        self._raw = plan.raw and type(request) is plan.connection
        if self._raw:
            self._read(plan, request)

    def advance(self, value: Any) -> Any:
        """Go on until something has to be awaited.

        Parameters:
            value: what the last call returned.

        Returns:
            A `SolvedDependency`, or None where something is asked for first.
        """
        plan = self.plan
        nodes, order, slots = plan.nodes, plan.order, self._slots
        frames, marks, errors = self._frames, self._marks, self._errors
        position, end = self._position, len(order)
        # The plan was chosen for the overrides that the first dependency has.
        watches = self._provider is not None
        self.awaitable = None
        if value is not NOTHING:
            self._keep(self.node, value)
            position += 1
        while position < end:
            index = order[position]
            if index < 0:
                node = nodes[~index]
                if watches and position > 1 and self._is_overridden_anew(node):
                    return self._ask(APART, node, position)
                if node.reusable and self._reuses and slots[node.slot] is not NOTHING:
                    self._pass_on(node, slots[node.slot])
                    position = plan.after[position]
                    continue
                frames.append({})
                marks.append(len(errors))
                position += 1
                continue
            node = nodes[index]
            if self._body_read:
                self._body_read = False
                values, mark = self.values, self._mark
            else:
                if not node.leaf:
                    values, mark = frames.pop(), marks.pop()
                else:
                    if watches and position > 1 and self._is_overridden_anew(node):
                        return self._ask(APART, node, position)
                    if node.reusable and self._reuses and slots[node.slot] is not NOTHING:
                        self._pass_on(node, slots[node.slot])
                        position += 1
                        continue
                    values, mark = {}, len(errors)
                if node.groups or not self._raw:
                    self._extract(node, values)
                if node.body_fields:
                    self.values, self._mark = values, mark
                    return self._ask(BODY, node, position)
            if node.special:
                self._add_special(node, values)
            kind = node.kind
            if kind == ROOT:
                self.values = values
            elif len(errors) == mark:
                cached = self._cached_value(node) if node.use_cache else NOTHING
                if cached is not NOTHING:
                    self._pass_on(node, cached)
                elif kind == INLINE:
                    self._keep(node, node.call(**values))
                elif kind == INLINE_CONTEXT:
                    stack = self.function_stack if node.function_scoped else self.request_stack
                    self._keep(node, stack.enter_context(node.call(**values)))
                elif kind == COROUTINE and not node.limited:
                    self.awaitable = node.call(**values)
                    return self._ask(AWAIT, node, position)
                else:
                    self.values = values
                    return self._ask(CALL, node, position)
            position += 1
        return self._result()

    def receive_body(self, values: dict[str, Any], errors: list[Any]) -> None:
        """Take the body parameters of `node`."""
        self.values.update(values)
        self._errors.extend(errors)
        self._body_read = True

    def share(self) -> tuple[Any, Any, dict[Any, Any]]:
        """Give the background tasks, the response and the cache for what is solved apart."""
        if self._response is None:
            self._response = self.plan.new_response()
        if self._cache is None:
            self._cache = self._cached()
            self._reuses = False
        return self._background, self._response, self._cache

    def receive_solved(self, solved: Any) -> None:
        """Take the `SolvedDependency` of something that depends on nothing but `node`."""
        node, plan = self.node, self.plan
        assert self._cache is not None  # since `share`
        self._background = solved.background_tasks
        self._errors.extend(solved.errors)
        if not solved.errors and node.name is not None:
            self._pass_on(node, solved.values[node.name])
        # To 0.119 FastAPI does not add to a cache that is empty, but gives another one back.
        self._cache.update(solved.dependency_cache)
        if plan.order[self._position] < 0:
            self._position = plan.after[self._position]
        else:
            self._position += 1

    def forget(self) -> None:
        """Let go of the values: an exception ended the resolution, and may keep this object."""
        self._frames.clear()
        self.awaitable = None

    def _ask(self, action: int, node: Node, position: int) -> None:
        self.action, self.node, self._position = action, node, position

    def _is_overridden_anew(self, node: Node) -> bool:
        """Say whether the overrides changed since the plan was made or chosen: FastAPI reads them
        at each dependency, and an earlier one or another request may have changed them.
        """
        plan, provider = self.plan, self._provider
        overrides = provider.dependency_overrides if provider else None
        if plan.chosen is None:
            return bool(overrides)
        if not overrides or node.reusable:
            return not plan.fits(overrides)
        call = node.declared.call
        return overrides.get(call, call) is not node.dependant.call

    def _read(self, plan: Plan, request: Any) -> None:
        # NOTE: before anything is called, because that is when FastAPI makes the request read.
        scope, parsed = request.scope, request.__dict__
        if plan.query_names and _fastapi.MADE_QUERY not in parsed:
            query = scope["query_string"]
            if type(query) is bytes:
                self._query = scan_query(query, plan.query_names)
            else:
                request.query_params  # noqa: B018
        if plan.header_names and _fastapi.MADE_HEADERS not in parsed:
            headers = scope["headers"]
            if type(headers) is list:
                self._header_list = headers
            else:
                request.headers  # noqa: B018
        if plan.cookie_names and _fastapi.MADE_COOKIES not in parsed:
            headers = scope["headers"]
            if type(headers) is list and _fastapi.MADE_HEADERS not in parsed:
                self._cookies = scan_cookies(headers, plan.cookie_names)
            if self._cookies is None:
                request.cookies  # noqa: B018

    def _extract(self, node: Node, values: dict[str, Any]) -> None:
        errors, request = self._errors, self.request
        if not self._raw:
            found, wrong = _fastapi.extract_all(node.dependant, request)
            values.update(found)
            errors.extend(wrong)
            return
        for group in node.groups:
            if not group.params:
                found, wrong = _fastapi.extract(group.source, group.fields, request)
                values.update(found)
                errors.extend(wrong)
            elif group.source == QUERY:
                extract(group.params, *self._read_query(), values, errors)
            elif group.source == PATH:
                extract(group.params, request.path_params, None, values, errors)
            elif group.source == HEADER:
                extract(group.params, *self._read_headers(), values, errors)
            else:
                extract(group.params, self._read_cookies(), None, values, errors)

    def _read_query(self) -> tuple[dict[str, str], dict[str, list[str]]]:
        if self._query is not None and _fastapi.MADE_QUERY not in self.request.__dict__:
            return self._query
        self._query = None
        params = self.request.query_params
        scalars: dict[str, str] = {}
        lists: dict[str, list[str]] = {}
        for name, many in self.plan.query_names.items():
            if name in params:
                scalars[name] = params[name]
                if many:
                    lists[name] = params.getlist(name)
        return scalars, lists

    def _read_headers(self) -> tuple[dict[str, str], dict[str, list[str]]]:
        if self._header_list is None or _fastapi.MADE_HEADERS in self.request.__dict__:
            return scan_headers(self.request.headers.raw, self.plan.header_names)
        # A dependency may have added to them.
        if self._headers is None or self._headers_seen != self._header_list:
            self._headers_seen = self._header_list.copy()
            self._headers = scan_headers(self._headers_seen, self.plan.header_names)
        return self._headers

    def _read_cookies(self) -> Any:
        if self._cookies is not None and _fastapi.MADE_COOKIES not in self.request.__dict__:
            return self._cookies
        return self.request.cookies

    def _add_special(self, node: Node, values: dict[str, Any]) -> None:
        for name in node.connection_names:
            values[name] = self.request
        if node.background_name is not None:
            if self._background is None:
                self._background = _fastapi.new_background_tasks()
            values[node.background_name] = self._background
        if node.response_name is not None:
            if self._response is None:
                self._response = self.plan.new_response()
            values[node.response_name] = self._response
        if node.scopes_name is not None:
            values[node.scopes_name] = _fastapi.new_security_scopes(list(node.scopes))

    def _pass_on(self, node: Node, value: Any) -> None:
        if node.name is not None:
            self._frames[-1][node.name] = value

    def _keep(self, node: Node, value: Any) -> None:
        self._pass_on(node, value)
        if self._cache is not None:
            self._cache.setdefault(self.plan.keys[node.slot], value)
        elif self._slots[node.slot] is NOTHING:
            self._slots[node.slot] = value

    def _cached_value(self, node: Node) -> Any:
        if self._cache is None:
            return self._slots[node.slot]
        return self._cache.get(self.plan.keys[node.slot], NOTHING)

    def _result(self) -> Any:
        cache = self._cached() if self._cache is None else self._cache
        return self.plan.new_solved(
            self.values, self._errors, self._background, self._response, cache
        )

    def _cached(self) -> dict[Any, Any]:
        pairs = zip(self.plan.keys, self._slots, strict=True)
        return {key: value for key, value in pairs if value is not NOTHING}


class Entry:
    """The dependant of one endpoint, as a `Solver` finds it."""

    __slots__ = ("connection", "dependant", "owner", "plan", "route")

    def __init__(self, *, dependant: Any, connection: Any, owner: Any, route: Any) -> None:
        self.dependant = dependant
        self.connection = connection  # `Request` or `WebSocket`
        self.owner = owner  # weakly: the route that FastAPI has for it; None: it is a tool's
        self.route = route  # makes the plans
        self.plan: Plan | None = None  # the last one without overrides that `route` gave


class Solver:
    """Solves the dependencies of requests: runs the plan if it is there, asks for one if it is not.

    Parameters:
        adopt: makes the entry of a dependant that has none.
        drive: a coroutine function that goes on with a run that has to await something.
        serve: notes which route serves a request.
        marked: is true as soon as that has to be noted.
    """

    __slots__ = ("_adopt", "_drive", "_marked", "_serve", "entries")

    def __init__(
        self,
        *,
        adopt: Callable[[Any, Any], Entry],
        drive: Callable[..., Any],
        serve: Callable[[Any, Any, Any, Any], None],
        marked: set[Any],
    ) -> None:
        self._adopt = adopt
        self._drive = drive
        self._serve = serve
        self._marked = marked
        self.entries: dict[int, Entry] = {}  # by identity of the dependant, which has no hash

    def solve(
        self,
        request: Any,
        dependant: Any,
        body: Any,
        background_tasks: Any,
        response: Any,
        overrides_provider: Any,
        dependency_cache: Any,
        async_exit_stack: Any,
        embed_body_fields: bool,
    ) -> Any:
        """Solve the dependencies of one request.

        The parameters are those of FastAPI's `solve_dependencies`.

        Returns:
            A `SolvedDependency`, or a coroutine that gives it, or None where FastAPI's own code
            has to do it.
        """
        entry = self.entries.get(id(dependant))
        if entry is None or entry.dependant is not dependant:
            entry = self._adopt(dependant, request)
        if not isinstance(request, entry.connection):
            return None
        if dependency_cache is not None and type(dependency_cache) is not dict:
            return None
        plan = entry.plan
        try:
            overrides = overrides_provider and overrides_provider.dependency_overrides
            is_overridden = bool(overrides)
            if is_overridden:
                plan = entry.route.plan_for(request, overrides)
        except Exception:
            return None  # FastAPI asks for overrides later, and only where there is a dependency
        if not is_overridden and (plan is None or not plan.is_current()):
            plan = entry.plan = entry.route.make_plan(request)
        if plan is None:
            return None
        if _fastapi.TELLS_NAMES:
            _fastapi.note_names(request, dependant, overrides_provider)
        run = Run(
            plan,
            request,
            async_exit_stack,
            overrides_provider,
            background_tasks,
            response,
            dependency_cache,
        )
        solved = run.advance(NOTHING)
        if solved is None:
            return self._drive(
                self, entry, run, body, overrides_provider, async_exit_stack, embed_body_fields
            )
        if self._marked:
            self.note(entry, run)
        return solved

    def note(self, entry: Entry, run: Run) -> None:
        """Note which route serves the request whose dependencies were solved by `run`."""
        if entry.owner is None:
            return
        if run.plan.noted and not run._errors:
            dependant = entry.dependant if run.plan.inline else None
            self._serve(entry.route, run.request, dependant, entry.owner)
        else:
            self._serve(None, run.request, None, None)
