"""The one logger, and what is said on it, once each."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from . import _fastapi

logger = logging.getLogger("fastapi_async_safe")

#: For marked calls that are known to block, so that this alone can be turned off.
proof_logger = logging.getLogger("fastapi_async_safe.proof")

_KEPT = 1000


class _Here(threading.local):
    # What waits to be said, each with the arguments of `say`; None: nothing has to wait.
    waiting: list[tuple[tuple[Any, ...], Any]] | None = None


_here = _Here()


def say(to: logging.Logger, level: int, text: str, *values: Any, error: Any = None) -> None:
    """Log something. What a handler or a filter of the user's raises is printed, as `logging`
    does with most of it: no request fails for what is said.

    Parameters:
        to: the logger.
        level: of the `logging` module.
        text: with a place for each value.
        values: plain ones.
        error: an exception, whose traceback is logged too.
    """
    if _here.waiting is not None:
        _here.waiting.append(((to, level, text, *values), error))
        return
    try:
        to.log(level, text, *values, exc_info=error)
    except Exception:
        if logging.raiseExceptions:
            with suppress(Exception):  # without a `stderr`
                traceback.print_exc()


@contextmanager
def saying_afterwards() -> Iterator[None]:
    """Let what is said within be said after it, for one who holds a lock: a handler may wait for
    a thread that waits for that lock.
    """
    if _here.waiting is not None:
        yield
        return
    waiting = _here.waiting = []
    try:
        yield
    finally:
        _here.waiting = None
        _say_all(iter(waiting))


def _say_all(waiting: Iterator[tuple[tuple[Any, ...], Any]]) -> None:
    for arguments, error in waiting:
        try:
            say(*arguments, error=error)
        except BaseException:  # a KeyboardInterrupt, for one
            _say_all(waiting)
            raise


class Notices:
    """What was said of one thing, such as a route, so that it is not said again."""

    __slots__ = ("_said",)

    def __init__(self) -> None:
        self._said: dict[tuple[str, ...], None] = {}  # in the order in which it was said

    def say_once(
        self, text: str, *values: Any, level: int = logging.WARNING, error: Any = None
    ) -> None:
        """Log something, unless it was said before.

        Parameters:
            text: with a `%s` for each value.
            values: text, or anything else for what it looks like; they are the same as others that
                look the same.
            level: of the `logging` module.
            error: an exception, whose traceback is logged too.
        """
        texts = [value if type(value) is str else _text_of(value) for value in values]
        said = (text, *texts)
        if said in self._said:
            return
        self._said[said] = None
        if len(self._said) > _KEPT:
            # NOTE: in one step, as another thread may say something meanwhile.
            self._said.pop(list(self._said)[0], None)  # noqa: RUF015
        say(logger, level, text, *texts, error=error)

    def say_that_route_falls_back(self, path: Any, reason: str) -> None:
        """Say that FastAPI solves a route, and why."""
        self.say_once(
            "route %s falls back to FastAPI %s, with all its dependencies: %s",
            path,
            _fastapi.VERSION,
            reason,
        )

    def say_that_fastapi_is_unsupported(self, problem: str) -> None:
        """Say what of the installed FastAPI cannot be accelerated."""
        self.say_once(
            "FastAPI %s is not supported: %s. What cannot be accelerated falls back to FastAPI",
            _fastapi.VERSION,
            problem,
        )

    def say_that_call_is_unsupported(
        self, request: Any, dependant: _fastapi.Dependant, names: list[str]
    ) -> None:
        """Say that `solve_dependencies` got arguments that no plan was made for."""
        self.say_that_route_falls_back(
            _fastapi.Declaration(dependant).path or request.scope.get("path"),
            f"solve_dependencies was called with {', '.join(names)}, which is not supported",
        )


def _text_of(value: Any) -> str:
    try:
        return repr(value)
    except Exception:  # of a class of the user's
        return object.__repr__(value)


class SilentNotices(Notices):
    """Where nothing is to be said, as nothing is served."""

    __slots__ = ()

    def say_once(
        self, text: str, *values: Any, level: int = logging.WARNING, error: Any = None
    ) -> None:
        """Say nothing."""


notices = Notices()  # of the process
