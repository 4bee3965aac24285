"""The one logger, and what is said on it once."""

from __future__ import annotations

import logging
from typing import Any

from . import _fastapi

logger = logging.getLogger("fastapi_async_safe")

#: For marked calls that are known to block, so that this alone can be turned off.
proof_logger = logging.getLogger("fastapi_async_safe.proof")


_said: set[str] = set()


def say_once_that_fastapi_is_unknown(problem: str) -> None:
    if problem not in _said:
        _said.add(problem)
        logger.warning(
            "FastAPI %s is not known to fastapi-async-safe: %s. What cannot be accelerated runs "
            "as without it",
            _fastapi.VERSION,
            problem,
        )


def say_once_that_call_is_unknown(request: Any, dependant: Any, names: list[str]) -> None:
    path = str(dependant.path or request.scope.get("path"))
    if path not in _said:
        _said.add(path)
        logger.warning(
            "%s is left to FastAPI %s, its dependencies run as without fastapi-async-safe: "
            "solve_dependencies was called with an argument that is not known here (%s)",
            path,
            _fastapi.VERSION,
            ", ".join(names),
        )
