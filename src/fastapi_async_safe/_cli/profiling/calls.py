"""The sync calls that go to a thread while requests are sent: how long they run and wait."""

from __future__ import annotations

import logging
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from ..._fastapi.pool_calls import Part, observed_pool
from ..._messages import logger
from .definitions import Definition, definition_of
from .waiting import Sighting, Watch, watch_audit_events

# Parts of a callable that come with another one: they count for its time, not as a call.
_FOLLOWING = ("exit", "validation")


@dataclass
class InOneRequest:
    """What one callable took in one request, nanoseconds.

    Attributes:
        calls: how often it was called.
        run: inside the callable, on the clock.
        cpu: of that on the processor.
        longest: the longest stretch that the event loop would be held.
        waited: from being given to the pool until a thread began.
        returned: from its end until the event loop went on.
        switches: how often its thread gave the processor away.
    """

    calls: int = 0
    run: int = 0
    cpu: int = 0
    longest: int = 0
    waited: int = 0
    returned: int = 0
    switches: int = 0


@dataclass
class MeasuredCall:
    """What was measured of one callable.

    Attributes:
        call: the first one of those that have this definition.
        timed: what it took in each request in which it was not traced.
        traced: the numbers of the requests in which it was.
        seen: what it was seen doing that waits or may, with the numbers of the requests.
        first: the number of the first request that it was called in.
        routes: of the requests as they were given.
        parts: what of it ran in a thread.
    """

    definition: Definition
    call: Any
    first: int
    timed: dict[int, InOneRequest] = field(default_factory=dict)
    traced: set[int] = field(default_factory=set)
    seen: dict[Sighting, set[int]] = field(default_factory=dict)
    routes: Counter[str] = field(default_factory=Counter)
    parts: set[Part] = field(default_factory=set)

    @property
    def calls(self) -> int:
        """How often it was called, traced or not."""
        return sum(self.routes.values())

    def values(self, name: str) -> list[float]:
        """List a figure of each call that was timed, in microseconds."""
        return sorted(
            getattr(each, name) / max(each.calls, 1) / 1000 for each in self.timed.values()
        )

    def typical(self, name: str) -> float:
        """Give the median of a figure, in microseconds; 0 without one."""
        values = self.values(name)
        return median(values) if values else 0.0


class CallRecorder:
    """Records each sync call that goes to a thread.

    Attributes:
        measured: by definition, in the order of their first calls.
    """

    def __init__(self) -> None:
        self.measured: dict[Definition, MeasuredCall] = {}
        self._by_identity: dict[int, tuple[Any, Definition]] = {}
        self._request = -1
        self._route = ""
        self._is_traced = False

    def begin_request(self, route: str, *, traced: bool) -> None:
        """Note what is sent next. What is traced is not timed, and the other way round."""
        self._request += 1
        self._route = route
        self._is_traced = traced

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Record while this lasts; nothing of it stays."""
        watch_audit_events()
        interval, level = sys.getswitchinterval(), logger.level
        # Nobody takes a thread's turn away in the middle of a call, which would look like waiting.
        sys.setswitchinterval(1)
        # What it says of an application's first requests is not about these.
        logger.setLevel(logging.ERROR)
        try:
            with observed_pool(self._observe):
                yield
        finally:
            sys.setswitchinterval(interval)
            logger.setLevel(level)

    def _observe(self, call: Any, part: Part, function: Callable[..., Any]) -> _Submitted:
        known = self._by_identity.get(id(call))
        definition = known[1] if known is not None and known[0] is call else definition_of(call)
        if part != "item":  # a generator is new each time
            self._by_identity[id(call)] = call, definition
        measured = self.measured.get(definition)
        if measured is None:
            measured = MeasuredCall(definition, call, self._request)
            self.measured[definition] = measured
        measured.parts.add(part)
        if part not in _FOLLOWING:
            measured.routes[self._route] += 1
        # A first call may import, connect and fill caches: it is looked at, and not timed.
        traced = self._is_traced or measured.first == self._request
        return _Submitted(measured, part, function, self._request, traced)


class _Submitted:
    """One call on its way to a thread and back."""

    def __init__(
        self,
        measured: MeasuredCall,
        part: Part,
        function: Callable[..., Any],
        request: int,
        traced: bool,
    ) -> None:
        self._measured = measured
        self._part = part
        self._function = function
        self._request = request
        self._watch = Watch(traced=traced)
        self._submitted = time.perf_counter_ns()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            with self._watch:
                return self._function(*args, **kwargs)
        finally:
            self._record()

    def is_back(self) -> None:
        watch = self._watch
        found = self._measured.timed.get(self._request)
        if found is not None and watch.begin:
            found.returned += time.perf_counter_ns() - watch.begin - watch.run

    def _record(self) -> None:
        watch = self._watch
        for sighting in watch.seen:
            self._measured.seen.setdefault(sighting, set()).add(self._request)
        if watch.traced:
            self._measured.traced.add(self._request)
            return
        found = self._measured.timed.setdefault(self._request, InOneRequest())
        found.calls += self._part not in _FOLLOWING
        found.run += watch.run
        found.cpu += watch.cpu
        found.longest = max(found.longest, watch.run)
        found.switches += watch.switches
        if self._part != "item":  # nobody tells when that was asked for
            found.waited += watch.begin - self._submitted
