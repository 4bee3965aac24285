"""Sync `yield` dependencies that are entered and left on the event loop."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from time import perf_counter
from typing import Any, TypeAlias

from .. import _fastapi
from ..slow_calls import Watch

Manager: TypeAlias = AbstractContextManager[Any, bool | None]


@dataclass(frozen=True, slots=True)
class Watches:
    """Who wants to know of a context that holds up the event loop."""

    entering: Watch
    leaving: Watch


def inline_context(
    manager: Callable[..., Manager], watches: Watches | None = None
) -> Callable[..., InlineContext]:
    """Make of what gives a context, as `contextmanager` makes it of a sync `yield` dependency,
    what gives it as an inline one.

    Parameters:
        manager: gives the context.
        watches: on entering and leaving it.
    """

    def make(*args: Any, **kwargs: Any) -> InlineContext:
        return InlineContext(manager(*args, **kwargs), watches)

    return make


class InlineContext(AbstractAsyncContextManager[Any, bool | None]):
    """What FastAPI's `contextmanager_in_threadpool` does, without the thread pool.

    Parameters:
        manager: what is entered and left.
        watches: on entering it as an asynchronous context, and on leaving it.
    """

    __slots__ = ("_manager", "_watches")

    def __init__(self, manager: Manager, watches: Watches | None = None) -> None:
        self._manager = manager
        self._watches = watches

    def enter(self) -> Any:
        """Enter it without a watch; it is left as any asynchronous context."""
        try:
            return self._manager.__enter__()
        except StopAsyncIteration as error:
            raise as_in_async_generator(error) from error

    async def __aenter__(self) -> Any:
        if self._watches is None:
            return self.enter()
        return self._watches.entering.call(self.enter, {})

    async def __aexit__(self, kind: Any, exception: BaseException | None, traceback: Any) -> Any:
        raised: BaseException
        watches = self._watches
        try:
            if watches is None:
                is_swallowed = self._manager.__exit__(kind, exception, traceback)
            else:  # PERF: here, not in a manager of its own: 630 -> 91 ns to enter or leave one
                started = perf_counter()
                try:
                    is_swallowed = self._manager.__exit__(kind, exception, traceback)
                finally:
                    seconds = perf_counter() - started
                    if seconds > watches.leaving.limit:
                        watches.leaving.held(seconds)
        except BaseException as error:
            raised = error
        else:
            # NOTE: a task that was resumed with an exception, by `raise_as_from_thread` for one,
            # does not see what is being handled further out.
            if exception is not None and (is_swallowed or sys.exception() is None):
                await _fastapi.resume_as_from_thread()
            return is_swallowed
        try:
            await _fastapi.while_handling(exception, _fastapi.raise_as_from_thread, raised)
        except StopAsyncIteration as error:
            raise as_in_async_generator(error) from error
        finally:
            del raised


def as_in_async_generator(error: StopAsyncIteration) -> RuntimeError:
    # FastAPI's context is an async generator, out of which Python lets no StopAsyncIteration.
    return RuntimeError("async generator raised StopAsyncIteration")
