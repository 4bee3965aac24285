"""The one logger, and what is said on it, once each."""

from __future__ import annotations

import logging
from typing import Any

from . import _fastapi

logger = logging.getLogger("fastapi_async_safe")

#: For marked calls that are known to block, so that this alone can be turned off.
proof_logger = logging.getLogger("fastapi_async_safe.proof")

_KEPT = 1000


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
            values: they are the same as others that look the same.
            level: of the `logging` module.
            error: an exception, whose traceback is logged too.
        """
        said = (text, *map(str, values))
        if said in self._said:
            return
        self._said[said] = None
        if len(self._said) > _KEPT:
            # NOTE: in one step, as another thread may say something meanwhile.
            oldest, *_ = self._said
            self._said.pop(oldest, None)
        logger.log(level, text, *values, exc_info=error)

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


class SilentNotices(Notices):
    """Where nothing is to be said, as nothing is served."""

    __slots__ = ()

    def say_once(
        self, text: str, *values: Any, level: int = logging.WARNING, error: Any = None
    ) -> None:
        """Say nothing."""


notices = Notices()  # of the process
