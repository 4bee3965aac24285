"""Sync `yield` dependencies that are entered and left on the event loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any


def inline_context(call: Callable[..., Iterator[Any]]) -> Callable[..., InlineContext]:
    """Make of a sync `yield` dependency what gives the context of one request."""
    manager = contextmanager(call)

    def make(*args: Any, **kwargs: Any) -> InlineContext:
        return InlineContext(manager(*args, **kwargs))

    return make


class InlineContext(AbstractContextManager[Any, bool | None]):
    """What FastAPI's `contextmanager_in_threadpool` does, without the thread pool."""

    __slots__ = ("_manager",)

    def __init__(self, manager: AbstractContextManager[Any, bool | None]) -> None:
        self._manager = manager

    def __enter__(self) -> Any:
        try:
            return self._manager.__enter__()
        except StopAsyncIteration as error:
            raise as_in_async_generator(error) from error

    def __exit__(self, *exception: Any) -> bool | None:
        try:
            return self._manager.__exit__(*exception)
        except StopAsyncIteration as error:
            raise as_in_async_generator(error) from error


def as_in_async_generator(error: StopAsyncIteration) -> RuntimeError:
    # FastAPI's context is an async generator, out of which Python lets no StopAsyncIteration.
    return RuntimeError("async generator raised StopAsyncIteration")
