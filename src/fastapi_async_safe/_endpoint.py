"""Marked endpoints: what runs inline after the dependencies of a request are solved.

FastAPI hands a `def` endpoint to the thread pool, then the validation of its response, then each
item of a sync stream, then each sync background task. The hooks ask here before they do.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

from . import _fastapi

marked_endpoints: set[bool] = set()  # filled when there is a marked endpoint


async def iterate_inline(iterator: Iterable[Any]) -> AsyncIterator[Any]:
    """Iterate on the event loop, with the checkpoints of FastAPI's asynchronous streams."""
    for item in iterator:
        yield item
        await _fastapi.checkpoint()


def scope_of_caller() -> Any:
    """Find the ASGI scope of the response whose background tasks are running, None without one.

    NOTE: Starlette hands a background task nothing of the request. What sends the response, and
    runs its tasks afterwards, has the scope as a parameter, and is among the callers.
    """
    frame = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        if "scope" in code.co_varnames[: code.co_argcount]:
            scope = frame.f_locals.get("scope")
            if isinstance(scope, Mapping):
                return scope
        frame = frame.f_back  # type: ignore[assignment]
    return None
