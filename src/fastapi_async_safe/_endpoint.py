"""Marked endpoints: what runs inline after the dependencies of a request are solved.

FastAPI hands a `def` endpoint to the thread pool, then the validation of its response, then each
item of a sync stream, then each sync background task. Before it does the hooks ask the notes
(`_served_py.py`, `_served.pyx`) whether that is to run inline; what else they need is here.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextvars import ContextVar
from typing import Any, Protocol

from . import _fastapi

marked_endpoints: set[bool] = set()  # filled when there is a marked endpoint


class Route(Protocol):
    """What is known of the route that serves a request."""

    def streams_inline(self) -> bool:
        """Say whether a sync iterator that its endpoint gives is iterated on the event loop."""


def wrapped(
    app: Callable[..., Awaitable[None]],
    connection: Any,
    before: Any,
    begin: Callable[[Any], Any],
    noted: ContextVar[Any],
) -> Callable[..., Awaitable[None]]:
    """Make of `app` one that serves a request within a request, and then notes what was before."""

    async def contained_app(scope: Any, receive: Any, send: Any) -> None:
        begin(connection)
        try:
            await app(scope, receive, send)
        finally:
            noted.set(before)

    return contained_app


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
