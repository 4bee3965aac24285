"""One request on its way through a plan, until something has to be awaited."""

from __future__ import annotations

from typing import Any

from .. import _fastapi
from .containers import is_plain, received
from .nodes import (
    AWAIT,
    BODY,
    CALL,
    COROUTINE,
    INLINE,
    INLINE_CONTEXT,
    LOOP,
    NOTHING,
    ROOT,
    SEPARATELY,
    SOURCES,
    Node,
)
from .overrides import overrides_of
from .plan import Plan
from .read import extract

# What a `Run` wants next: to be advanced, without a value or with one; that for which it asked; or
# nothing any more.
_NO_VALUE, _VALUE, _BODY_FIRST, _SOLVED_FIRST, _NO_MORE = range(5)

# By what it asked for.
_WANTED = {
    AWAIT: _VALUE,
    BODY: _BODY_FIRST,
    CALL: _VALUE,
    SEPARATELY: _SOLVED_FIRST,
    LOOP: _NO_VALUE,
}


def _out_of_turn() -> RuntimeError:
    return RuntimeError("a resolution is gone on with in another way than it asked for")


class Run:
    """One request on its way through a plan.

    Where `advance` gives no result, `action` says what is asked for. AWAIT: `awaitable` is to be
    awaited; advance with what it gave. BODY: `node` is the one whose body parameters are wanted;
    hand them to `take_body`, then advance. CALL: `node` is to be called with `values` as keywords;
    advance with what it returned. SEPARATELY: the overrides of `node` are no longer those of the
    plan; have it solved separately, with what `shared_state` gives, hand the result to
    `take_solved`, then advance. LOOP, in a thread only: `node` has to be done on the event loop;
    advance there. What does none of this would leave out a dependency, and is a RuntimeError.
    """

    __slots__ = (
        "_as_planned",
        "_asks",
        "_asks_always",
        "_background",
        "_body_read",
        "_cache",
        "_frames",
        "_mark",
        "_marks",
        "_position",
        "_provider",
        "_raw",
        "_response",
        "_reuses",
        "_slots",
        "_wants",
        "action",
        "awaitable",
        "errors",
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
        self._wants = _NO_VALUE
        self._body_read = False
        self._frames: list[dict[str, Any]] = []  # the values of the nodes entered, not yet left
        self._marks: list[int] = []  # how many errors there were when they were entered
        self._slots: list[Any] = [NOTHING] * len(plan.keys)
        self.errors: list[Any] = []
        self._background = background
        self._response = response
        self._cache = cache  # a dependency cache that others may use at the same time, or None
        # What another resolution cached says nothing about the parameters of this one.
        self._reuses = cache is None
        # All that was called was as the plan has it, nothing comes from elsewhere.
        self._as_planned = cache is None
        self._raw = plan.raw and type(request) is plan.connection_class
        if not self._raw:
            self._reuses = False  # it asks the request again
        # A request makes its containers when the first node asks it, and again only if somebody
        # who has the request took them away.
        self._asks = True
        self._asks_always = plan.hands_out or not self._raw

    def advance(self, value: Any = NOTHING, in_thread: bool = False, /) -> Any:
        """Go on until something has to be awaited.

        Parameters:
            value: what the call returned that was asked for; nothing if none was.
            in_thread: this is no event loop's thread: go on only to what can be done there.

        Returns:
            A `SolvedDependency`, or None where something is asked for first.

        Raises:
            RuntimeError: it is not the turn of this.
        """
        if self._wants != (_NO_VALUE if value is NOTHING else _VALUE):
            raise _out_of_turn()
        self._wants = _NO_MORE
        plan = self.plan
        nodes, order, slots = plan.nodes, plan.order, self._slots
        frames, marks, errors = self._frames, self._marks, self.errors
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
                if watches and position > 1 and self._overrides_changed(node):
                    return self._ask(SEPARATELY, node, position)
                if node.reusable and self._reuses and slots[node.slot] is not NOTHING:
                    self._reuse(node)
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
                if node.leaf:
                    if watches and position > 1 and self._overrides_changed(node):
                        return self._ask(SEPARATELY, node, position)
                    if node.reusable and self._reuses and slots[node.slot] is not NOTHING:
                        self._reuse(node)
                        position += 1
                        continue
                if in_thread and not (node.joins and self._raw):
                    return self._ask(LOOP, node, position)
                if node.leaf:
                    values, mark = {}, len(errors)
                else:
                    values, mark = frames.pop(), marks.pop()
                if self._asks or node.groups:
                    self._read(node, values)
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
                elif kind == INLINE and (node.guard is None or self._is_as_expected(node, values)):
                    stopped = None
                    watch = None if in_thread else node.watch  # there it holds up nobody
                    try:
                        if watch is None:
                            value = node.call(**values)
                        else:
                            value = watch.call(node.call, values)
                    except StopIteration as error:
                        stopped = _fastapi.as_from_thread(error)
                    if stopped is not None:  # and its context is not what is handled here
                        try:
                            raise stopped
                        finally:
                            stopped = None
                    self._keep(node, value)
                    value = None  # an exception keeps this frame
                elif kind == INLINE_CONTEXT:
                    stack = self.function_stack if node.function_scoped else self.request_stack
                    context = node.call(**values)
                    if node.watch is None:
                        value = context.enter()
                    else:
                        value = node.watch.call(context.enter, {})
                    stack.push_async_exit(context)
                    self._keep(node, value)
                    context = value = None
                elif kind == COROUTINE and not node.limited:
                    self.awaitable = node.call(**values)
                    return self._ask(AWAIT, node, position)
                else:
                    self.values = values
                    return self._ask(CALL, node, position)
            position += 1
        return self._result()

    def take_body(self, values: dict[str, Any], errors: list[Any], /) -> None:
        """Take the body parameters of `node`."""
        if self._wants != _BODY_FIRST:
            raise _out_of_turn()
        self._wants = _NO_VALUE
        self._add_found(self.values, values)
        self.errors.extend(errors)
        self._body_read = True

    def shared_state(self) -> tuple[Any, Any, dict[Any, Any]]:
        """Give the background tasks, the response and the cache for what is solved separately."""
        if self._wants != _SOLVED_FIRST:
            raise _out_of_turn()
        if self._response is None:
            self._response = self.plan.new_response()
        if self._cache is None:
            self._cache = self._cached()
            self._reuses = self._as_planned = False
        return self._background, self._response, self._cache

    def take_solved(self, solved: Any, /) -> None:
        """Take the `SolvedDependency` of something that depends on nothing but `node`."""
        node, plan = self.node, self.plan
        if self._wants != _SOLVED_FIRST or self._cache is None:  # it is there since `shared_state`
            raise _out_of_turn()
        self._wants = _NO_VALUE
        values, errors, self._background, cache = _fastapi.parts_of(solved)
        self.errors.extend(errors)
        if not errors and node.name is not None:
            self._pass_on(node, values[node.name])
        # To 0.119 FastAPI does not add to a cache that is empty, but gives another one back.
        self._cache.update(cache)
        if plan.order[self._position] < 0:
            self._position = plan.after[self._position]
        else:
            self._position += 1

    def forget(self) -> None:
        """Let go of the values: an exception ended the resolution, and may keep this object."""
        self._wants = _NO_MORE
        self._frames.clear()
        self._slots.clear()
        self.awaitable = None

    def _ask(self, action: int, node: Node, position: int) -> None:
        self.action, self.node, self._position = action, node, position
        self._wants = _WANTED[action]

    def _overrides_changed(self, node: Node) -> bool:
        """Say whether the overrides changed since the plan was made or chosen: FastAPI reads them
        at each dependency, and an earlier one or another request may have changed them.
        """
        plan, provider = self.plan, self._provider
        overrides = overrides_of(provider)
        if overrides is NOTHING:
            return True
        if plan.chosen is None:
            return bool(overrides)
        if not overrides or node.reusable:
            return not plan.fits(overrides)
        call = getattr(node.declared, _fastapi.CALL)
        return overrides.get(call, call) is not getattr(node.used, _fastapi.CALL)

    def _read(self, node: Node, values: dict[str, Any]) -> None:
        errors, request = self.errors, self.request
        asks, self._asks = self._asks, self._asks_always
        if not self._raw:
            found, wrong = _fastapi.extract_all(node.used, request)
            self._add_found(values, found)
            errors.extend(wrong)
            return
        groups = iter(node.groups)
        group = next(groups, None)
        for source in SOURCES:
            if group is None or group.source != source:
                if asks:
                    received(request, source)
                continue
            container = received(request, source)
            if group.params and is_plain(container, source):
                extract(group.params, container, values, errors)
            else:
                found, wrong = _fastapi.extract(source, group.fields, request)
                self._add_found(values, found)
                errors.extend(wrong)
            group = next(groups, None)

    def _add_found(self, values: dict[str, Any], found: dict[str, Any]) -> None:
        if not values.keys().isdisjoint(found):  # a tool gives what nobody asked for
            self._as_planned = False
        values.update(found)

    def _reuse(self, node: Node) -> None:
        if self._asks_always:
            for source in SOURCES:
                received(self.request, source)
        self._pass_on(node, self._slots[node.slot])

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

    def _is_as_expected(self, node: Node, values: dict[str, Any]) -> bool:
        guard = node.short_guard if self._as_planned else node.guard
        if guard is None or guard(**values):
            return True
        self._as_planned = False
        return False

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
        cache = self._cache
        if cache is None:
            cache = self._cached()
            if not self.errors and len(cache) != len(self.plan.keys):
                raise AssertionError("a dependency was left out")
        return self.plan.new_solved(
            self.values, self.errors, self._background, self._response, cache
        )

    def _cached(self) -> dict[Any, Any]:
        pairs = zip(self.plan.keys, self._slots, strict=True)
        return {key: value for key, value in pairs if value is not NOTHING}
