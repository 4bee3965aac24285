"""A client without a network: calls an ASGI app directly, as a server does, and nothing more."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Literal

Message = MutableMapping[str, Any]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

USUAL_HEADERS = {"host": "127.0.0.1:8000", "user-agent": "benchmark/1.0", "accept": "*/*"}


@dataclass(frozen=True)
class ClientRequest:
    """One request, or one WebSocket handshake, as data."""

    path: str
    query: str = ""
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    kind: Literal["http", "websocket"] = "http"

    @property
    def target(self) -> str:
        """Path and query, as they stand in the request line."""
        return f"{self.path}?{self.query}" if self.query else self.path

    def scope(self) -> Scope:
        """A scope of the form that uvicorn makes, new on each call."""
        headers = {**USUAL_HEADERS, **self.headers}
        if self.body:
            headers["content-length"] = str(len(self.body))
        scope: Scope = {
            "type": self.kind,
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "server": ("127.0.0.1", 8000),
            "client": ("127.0.0.1", 50000),
            "scheme": "http" if self.kind == "http" else "ws",
            "root_path": "",
            "path": self.path,
            "raw_path": self.path.encode(),
            "query_string": self.query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "state": {},
        }
        if self.kind == "http":
            scope["method"] = self.method
        else:
            scope["subprotocols"] = []
        return scope

    def connection(self) -> "Connection":
        """The client's end of a new connection on which this request was sent."""
        if self.kind == "websocket":
            return Connection({"type": "websocket.connect"})
        return Connection({"type": "http.request", "body": self.body, "more_body": False})


class Connection:
    """The `receive` and `send` of one request; keeps what the app sent."""

    def __init__(self, *incoming: Message) -> None:
        self._incoming = iter(incoming)
        self.sent: list[Message] = []

    async def receive(self) -> Message:
        for message in self._incoming:
            return message
        silence: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        return await silence  # the client waits for the app

    async def send(self, message: Message) -> None:
        self.sent.append(message)


@dataclass(frozen=True)
class Answer:
    """What an app sent, in a form in which two apps can be compared."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @classmethod
    def of(cls, connection: Connection) -> "Answer":
        """The answer sent on `connection`; a WebSocket's messages are its body."""
        start, *rest = connection.sent
        body = b"".join(message.get("body") or message.get("text", "").encode() for message in rest)
        return cls(start.get("status", 101), tuple(start.get("headers", ())), body)


async def call(app: App, request: ClientRequest) -> Answer:
    """Send one request and return the answer."""
    connection = request.connection()
    await app(request.scope(), connection.receive, connection.send)
    return Answer.of(connection)


async def start(app: App) -> None:
    """Run the app's lifespan until it is ready for requests; it is never told to stop.

    An app that has no lifespan is ready at once.
    """
    ready = asyncio.Event()

    async def send(message: Message) -> None:
        if message["type"] == "lifespan.startup.failed":
            raise RuntimeError(message.get("message", "the app could not start"))
        ready.set()

    async def run() -> None:
        try:
            await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)
        finally:
            ready.set()

    receive = Connection({"type": "lifespan.startup"}).receive
    task = asyncio.create_task(run())
    _lifespans.add(task)
    await ready.wait()
    if task.done():
        task.result()


_lifespans: set[asyncio.Task[None]] = set()
