"""One trip: what a worker calls for one run, and who waits for it on the event loop.

Each call has what it has on stock: a copy of the request's context of its own. Nothing more is
called once the request is cancelled.
"""

from __future__ import annotations

import threading
from contextvars import Context, copy_context
from types import FrameType
from typing import Any

from .. import _fastapi
from .._core_py import CALL, CONTEXT
from .._planning.contexts import as_in_async_generator
from .contexts import entered_last_on
from .endpoint import CalledEndpoint, keep


async def take_trip(run: Any, solved: Any, serving: _fastapi.Handler | None) -> Any:
    """Make one trip to the thread pool.

    Parameters:
        run: asks for a call that is threaded, or is done.
        solved: what it gave, if it is done.
        serving: FastAPI's handler of the route, if the endpoint may be called on this trip, too.

    Returns:
        The `SolvedDependency`, or None where the run asks for something else first.
    """
    trip = _Trip(run, solved, serving)
    try:
        await _fastapi.run_in_pool(trip)
    except BaseException as error:
        if trip.endpoint is None or not trip.endpoint.takes(error):
            if trip.abandon():
                run.forget()
            raise
    if trip.endpoint is not None:
        keep(trip.endpoint)
    return trip.solved


def serving_of(entry: Any, run: Any, frame: FrameType | None) -> _fastapi.Handler | None:
    """Say by whom the endpoint is called after its dependencies.

    Parameters:
        entry: of the endpoint.
        run: through its plan.
        frame: of what called `solve_dependencies`.

    Returns:
        FastAPI's handler, None unless it is FastAPI's, and nothing can be observed between the
        dependencies and the endpoint.
    """
    if not run.plan.joins_endpoint or entry.owner is None or frame is None:
        return None
    if not _fastapi.is_handler(frame) or _fastapi.is_traced():
        return None
    # Each time: several handlers with responses of their own may share a dependant.
    return _fastapi.handler_of(frame, entry.dependant)


class _Trip:
    """What a worker does: calls, from the one that the run asks for to where it needs the loop.

    Parameters are those of `take_trip`.
    """

    __slots__ = (
        "_is_abandoned",
        "_is_under_way",
        "_lock",
        "_run",
        "_serving",
        "endpoint",
        "solved",
    )

    def __init__(self, run: Any, solved: Any, serving: _fastapi.Handler | None) -> None:
        self.solved = solved
        self.endpoint: CalledEndpoint | None = None
        self._run = run
        self._serving = serving
        self._lock = threading.Lock()
        self._is_under_way = False
        self._is_abandoned = False

    def __call__(self) -> None:
        with self._lock:
            if self._is_abandoned:
                return
            self._is_under_way = True
        try:
            self._go(copy_context())
        finally:
            with self._lock:
                self._is_under_way = False
                if self._is_abandoned:
                    self._run.forget()

    def abandon(self) -> bool:
        """Let nothing more be called: nobody waits for it any more.

        Returns:
            False if a call is under way; the worker lets go of the run after it.
        """
        with self._lock:
            self._is_abandoned = True
            return not self._is_under_way

    def _go(self, context: Context) -> None:
        run = self._run
        while self.solved is None:
            node = run.node
            if node.kind == CONTEXT:
                value = self._enter(node, run.values, context)
            else:
                value = context.copy().run(node.call, **run.values)
            self.solved = run.advance(value, True)
            if self._is_cancelled():
                return
            if self.solved is None and not (run.action == CALL and run.node.threaded):
                return
        if self._serving is not None and not run.errors:
            self.endpoint = CalledEndpoint(run.values, self._serving.call)
            if self.endpoint.call(context) and not self._is_cancelled():
                self.endpoint.validate(self._serving.field, context)

    def _enter(self, node: Any, values: dict[str, Any], context: Context) -> Any:
        manager = node.call(**values)
        try:
            value = context.copy().run(manager.__enter__)
        except StopAsyncIteration as error:
            raise as_in_async_generator(error) from error
        stack = self._run.function_stack if node.function_scoped else self._run.request_stack
        # Where the task was cancelled meanwhile, its stacks are being left, and FastAPI's own
        # context would not be left either.
        with self._lock:
            if not self._is_abandoned:
                entered_last_on(stack).add(manager)
        return value

    def _is_cancelled(self) -> bool:
        if self._is_abandoned:
            return True
        assert _fastapi.check_cancelled is not None
        try:
            _fastapi.check_cancelled()
        except BaseException:
            return True
        return False
