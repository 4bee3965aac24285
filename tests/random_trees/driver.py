"""Hands one request to an ASGI application, without a server and without a test client.

This module is embedded into reproducers as text, so it imports nothing of the project.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import MISSING, dataclass, fields
from typing import Any
from urllib.parse import unquote

Message = MutableMapping[str, Any]
Application = Callable[
    [
        MutableMapping[str, Any],
        Callable[[], Awaitable[Message]],
        Callable[[Message], Awaitable[None]],
    ],
    Awaitable[None],
]

#: Seconds after which a request counts as hung.
TIME_LIMIT = 20


class Short:
    """Gives a dataclass a `repr` that leaves out what is at its default."""

    def __repr__(self) -> str:
        said = []
        for each in fields(self):  # type: ignore[arg-type]
            value = getattr(self, each.name)
            made = each.default_factory
            default = each.default if made is MISSING else made()
            if value != default:
                said.append(f"{each.name}={value!r}")
        return f"{type(self).__name__}({', '.join(said)})"


@dataclass(frozen=True, repr=False)
class Request(Short):
    """One request as it is handed to the application."""

    path: str = "/"
    query: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: tuple[bytes, ...] = (b"",)
    method: str = "GET"
    websocket: bool = False
    overridden: bool = False
    failures: tuple[tuple[str, str, str], ...] = ()


def scope_of(request: Request) -> dict[str, Any]:
    """Make the ASGI scope of `request`."""
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": unquote(request.path),
        "raw_path": request.path.encode(),
        "root_path": "",
        "query_string": request.query,
        "headers": list(request.headers),
        "client": ("client", 1),
        "server": ("server", 80),
        "extensions": {},
    }
    if request.websocket:
        del scope["method"]
        scope.update(type="websocket", scheme="ws", subprotocols=[])
    return scope


class Client:
    """The end of a connection on which `request` is made; keeps what came back."""

    def __init__(self, request: Request) -> None:
        self.outgoing: list[Message] = []
        self._answered = asyncio.Event()
        if request.websocket:
            self.incoming: list[Message] = [
                {"type": "websocket.connect"},
                {"type": "websocket.receive", "text": "hello"},
                {"type": "websocket.disconnect", "code": 1000},
            ]
            return
        self.incoming = [
            {
                "type": "http.request",
                "body": part,
                "more_body": number < len(request.body) - 1,
            }
            for number, part in enumerate(request.body)
        ]
        self.incoming.append({"type": "http.disconnect"})

    async def receive(self) -> Message:
        """Give the next message to the application."""
        if self.incoming[0]["type"] == "http.disconnect":
            # A client stays until it has its answer.
            await self._answered.wait()
            return self.incoming[0]
        if len(self.incoming) == 1:
            return self.incoming[0]
        return self.incoming.pop(0)

    async def send(self, message: Message) -> None:
        """Take a message of the application's."""
        self.outgoing.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self._answered.set()


async def exchange(
    application: Application, request: Request
) -> tuple[list[Message], BaseException | None]:
    """Send `request`, and return the messages that came back and what reached the server."""
    client = Client(request)
    try:
        async with asyncio.timeout(TIME_LIMIT):
            await application(scope_of(request), client.receive, client.send)
    except BaseException as exc:
        if (task := asyncio.current_task()) is not None and task.cancelling():
            raise
        return client.outgoing, exc
    return client.outgoing, None
