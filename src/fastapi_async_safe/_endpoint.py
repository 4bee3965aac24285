"""Marked endpoints: what runs inline after the dependencies of a request are solved.

FastAPI hands a `def` endpoint to the thread pool, then the validation of its response, then each
item of a sync stream, then each sync background task. The hooks ask here before they do.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Protocol

from . import _fastapi


class ServedRoute(Protocol):
    """What is known of the route that serves a request."""

    dependant: _fastapi.Dependant
    is_inline: bool

    def response_field(self) -> Any:
        """Give FastAPI's field for the response, None if there is none."""

    def streams_inline(self) -> bool:
        """Say whether a sync iterator that the endpoint gave is iterated on the event loop."""

    def runs_inline(self, call: Any) -> bool:
        """Say whether the policy of the route takes a sync callable for safe."""


served_route: ContextVar[ServedRoute | None] = ContextVar("fastapi_async_safe_route", default=None)


def leave_to_fastapi() -> None:
    """Let nothing run inline for this request; its context may be that of another one."""
    if served_route.get() is not None:
        served_route.set(None)


def is_called_inline(dependant: _fastapi.Dependant) -> bool:
    """Say whether the endpoint of `dependant`, a sync one, is to be called on the event loop."""
    route = served_route.get()
    return route is not None and route.is_inline and route.dependant is dependant


def is_validated_inline(field: Any) -> bool:
    """Say whether the response of a sync endpoint is to be validated on the event loop."""
    route = served_route.get()
    return route is not None and route.is_inline and route.response_field() is field


def is_streamed_inline() -> bool:
    """Say whether a sync iterator is to be iterated on the event loop."""
    route = served_route.get()
    return route is not None and route.streams_inline()


def is_task_inline(func: Any) -> bool:
    """Say whether a sync background task is to be called on the event loop."""
    route = served_route.get()
    return route is not None and route.runs_inline(func)
