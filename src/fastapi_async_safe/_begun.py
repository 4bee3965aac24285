"""Coroutines that the compiled core began to run, and that have to wait for something."""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from typing import Any


class Begun:
    """What goes on with a coroutine when it is awaited, as if it had been awaited from the start.

    Parameters:
        coroutine: has been run until it yielded for the first time.
        yielded: what it yielded, which is for the event loop.
    """

    __slots__ = ("_coroutine", "_yielded")

    def __init__(self, coroutine: Coroutine[Any, Any, Any], yielded: Any) -> None:
        self._coroutine = coroutine
        self._yielded = yielded

    def __await__(self) -> Generator[Any, Any, Any]:
        coroutine, yielded = self._coroutine, self._yielded
        while True:
            thrown: BaseException | None = None
            sent = None
            try:
                sent = yield yielded
            except GeneratorExit:
                coroutine.close()
                raise
            except BaseException as error:
                thrown = error
            if thrown is None and sent is None:
                # From here on Python itself hands over what is sent and thrown.
                return (yield from coroutine.__await__())
            # NOTE: not where the exception is being handled, or it would be the context of others.
            try:
                yielded = coroutine.send(sent) if thrown is None else coroutine.throw(thrown)
            except StopIteration as end:
                return end.value
            finally:
                thrown = None
