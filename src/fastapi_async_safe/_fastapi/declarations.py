"""Records of dependants: what the rest of the package knows of them, by names of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from starlette.requests import Request

from .dependants import PARAMETER_LISTS, Dependant


class Declaration:
    """What a dependant says of a dependency or an endpoint.

    NOTE: it is read when it is asked for: tools change the dependants of routes that are there.

    Parameters:
        dependant: FastAPI's own.
    """

    __slots__ = ("dependant",)

    def __init__(self, dependant: Dependant) -> None:
        self.dependant = dependant

    @property
    def call(self) -> Any:
        """What is called, None for a dependant without."""
        return self.dependant.call

    @property
    def name(self) -> str | None:
        """The keyword for its result, None if nothing gets that."""
        return self.dependant.name  # type: ignore[no-any-return]

    @property
    def path(self) -> str | None:
        """The path of its route, as it was declared."""
        return self.dependant.path  # type: ignore[no-any-return]

    @property
    def dependencies(self) -> list[Dependant]:
        """The dependants that it depends on, in their order."""
        return list(self.dependant.dependencies)

    @property
    def use_cache(self) -> bool:
        """Whether it is called once a request."""
        return bool(self.dependant.use_cache)

    @property
    def is_function_scoped(self) -> bool:
        """Whether its context is left before the response is sent (0.121)."""
        return getattr(self.dependant, "scope", None) == "function"

    @property
    def body_fields(self) -> list[Any]:
        """FastAPI's fields for its body parameters."""
        return list(self.dependant.body_params)

    def fields(self, source: int) -> list[Any]:
        """Give FastAPI's fields for its parameters of one source, an index of `SOURCES`."""
        return list(getattr(self.dependant, PARAMETER_LISTS[source]))

    def connection_names(self, connection_class: type) -> tuple[str, ...]:
        """Give its keywords for the request or WebSocket, which is a `connection_class`."""
        own = (
            self.dependant.request_param_name
            if issubclass(connection_class, Request)
            else self.dependant.websocket_param_name
        )
        return tuple(name for name in (self.dependant.http_connection_param_name, own) if name)

    @property
    def background_name(self) -> str | None:
        """Its keyword for the background tasks."""
        return self.dependant.background_tasks_param_name or None

    @property
    def response_name(self) -> str | None:
        """Its keyword for the response."""
        return self.dependant.response_param_name or None

    @property
    def scopes_name(self) -> str | None:
        """Its keyword for the security scopes."""
        return self.dependant.security_scopes_param_name or None


def dependants_below(dependant: Dependant) -> Iterator[Dependant]:
    """List the dependants that one depends on, those that these depend on, and so on."""
    pending = list(dependant.dependencies)
    while pending:
        below = pending.pop()
        yield below
        pending.extend(below.dependencies)
