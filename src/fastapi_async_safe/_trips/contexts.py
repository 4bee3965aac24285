"""Sync `yield` dependencies that were entered next to each other, and are left in one trip."""

from __future__ import annotations

import sys
import threading
from contextlib import AbstractAsyncContextManager, AbstractContextManager, AsyncExitStack
from contextvars import copy_context
from typing import Any, TypeAlias

from .. import _fastapi
from .._planning.contexts import as_in_async_generator

_Manager: TypeAlias = AbstractContextManager[Any, bool | None]


def entered_last_on(stack: AsyncExitStack) -> EnteredTogether:
    """Give what is on top of a stack if that is an `EnteredTogether`, else put one there."""
    callbacks = stack._exit_callbacks  # type: ignore[attr-defined]
    if callbacks:
        last = getattr(callbacks[-1][1], "__self__", None)
        if type(last) is EnteredTogether:
            return last
    together = EnteredTogether()
    stack.push_async_exit(together)
    return together


class EnteredTogether(AbstractAsyncContextManager[None, bool | None]):
    """Leaves contexts in reverse order, each with the exception that it would get from an
    `AsyncExitStack` on which each stands in FastAPI's `contextmanager_in_threadpool` (0.162).
    """

    def __init__(self) -> None:
        self._managers: list[_Manager] = []

    def add(self, manager: _Manager) -> None:
        """Take a context that has been entered."""
        self._managers.append(manager)

    async def __aexit__(self, kind: Any, exception: BaseException | None, traceback: Any) -> bool:
        handled = sys.exception()
        pending, raised = exception, None
        while self._managers:
            leaving = _Leaving(self._managers, pending)
            try:
                await _fastapi.while_handling(pending, _fastapi.leave_in_thread, leaving)
            except BaseException as error:
                raised = error
                # NOTE: what cancels the task itself is not kept away by a shield. FastAPI's next
                # context is then left with it while the one before is still being left.
                leaving.abandon()
            # Not while it is being handled, which would show in what the next one raises.
            if raised is not None:
                pending, raised = _as_from_stack(raised, pending, handled), None
            elif leaving.is_swallowed:
                pending = None
        if pending is None or pending is exception:
            return pending is None and exception is not None
        context = pending.__context__
        try:
            raise pending
        finally:
            pending.__context__ = context


class _Leaving:
    """What a worker does: leaves contexts, the last one first, as long as none of them changes
    which exception the next one gets.

    Parameters:
        managers: what is left, which is taken from the list.
        pending: the exception that they get.
    """

    __slots__ = ("_is_abandoned", "_lock", "_managers", "is_swallowed", "pending")

    def __init__(self, managers: list[_Manager], pending: BaseException | None) -> None:
        self.pending = pending
        self.is_swallowed = False
        self._managers = managers
        self._lock = threading.Lock()
        self._is_abandoned = False

    def abandon(self) -> None:
        """Leave no more contexts than the one that is being left."""
        with self._lock:
            self._is_abandoned = True

    def __call__(self) -> None:
        pending = self.pending
        details = (
            (None, None, None)
            if pending is None
            else (type(pending), pending, pending.__traceback__)
        )
        context = copy_context()
        while True:
            with self._lock:
                if self._is_abandoned or not self._managers:
                    return
                manager = self._managers.pop()
            if context.copy().run(manager.__exit__, *details) and pending is not None:
                self.is_swallowed = True
                return


def _as_from_stack(
    raised: BaseException, pending: BaseException | None, handled: BaseException | None
) -> BaseException:
    """Give what an `AsyncExitStack` makes of an exception that a context raised.

    Parameters:
        raised: the exception.
        pending: the one that the context got.
        handled: the one that is being handled where the stack is left.
    """
    if isinstance(raised, StopAsyncIteration):
        stopped, raised = raised, as_in_async_generator(raised)
        raised.__cause__ = raised.__context__ = stopped
    last = raised
    while last.__context__ is not None and last.__context__ is not pending:
        if last.__context__ is handled:
            last.__context__ = pending
            break
        last = last.__context__
    return raised
