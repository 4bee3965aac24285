"""Sync `yield` dependencies that are entered and left on the event loop."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any, TypeAlias

from .. import _fastapi

Manager: TypeAlias = AbstractContextManager[Any, bool | None]


def inline_context(manager: Callable[..., Manager]) -> Callable[..., InlineContext]:
    """Make of what gives a context, as `contextmanager` makes it of a sync `yield` dependency,
    what gives it as an inline one.
    """

    def make(*args: Any, **kwargs: Any) -> InlineContext:
        return InlineContext(manager(*args, **kwargs))

    return make


class InlineContext(AbstractAsyncContextManager[Any, bool | None]):
    """What FastAPI's `contextmanager_in_threadpool` does, without the thread pool."""

    __slots__ = ("_manager",)

    def __init__(self, manager: Manager) -> None:
        self._manager = manager

    def enter(self) -> Any:
        """Enter it; it is left as any asynchronous context."""
        try:
            return self._manager.__enter__()
        except StopAsyncIteration as error:
            raise as_in_async_generator(error) from error

    async def __aenter__(self) -> Any:
        return self.enter()

    async def __aexit__(self, kind: Any, exception: BaseException | None, traceback: Any) -> Any:
        raised: BaseException
        try:
            is_swallowed = self._manager.__exit__(kind, exception, traceback)
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
