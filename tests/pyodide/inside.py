"""What is tried in Pyodide: the kinds of work that FastAPI gives to threads, on both."""

import sys
import warnings
from collections.abc import AsyncIterator, Awaitable, Iterator, MutableMapping
from typing import Annotated, Any

import anyio
from fastapi import BackgroundTasks, Depends, FastAPI, WebSocket
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from pydantic_core import _pydantic_core

from fastapi_async_safe import init_app, resolver_backend

Message = MutableMapping[str, Any]
done: list[str] = []


class Page:
    """A class."""

    def __init__(self, limit: int = 10) -> None:
        self.limit = limit


class Item(BaseModel):
    """A body and a response model."""

    name: str
    price: float = 1.5


def session() -> Iterator[str]:
    """A `yield` dependency."""
    yield "open"
    done.append("session closed")


async def outer(opened: Annotated[str, Depends(session)]) -> AsyncIterator[str]:
    """An async one on a sync one."""
    yield f"outer {opened}"
    done.append("outer closed")


def make_app() -> FastAPI:
    """Make an application with a route for each kind of work."""
    app = FastAPI()

    @app.get("/class")
    async def of_class(page: Annotated[Page, Depends()]) -> int:
        return page.limit

    @app.get("/yield")
    async def of_yield(opened: Annotated[str, Depends(outer)]) -> str:
        return opened

    @app.post("/body")
    async def of_body(item: Item, page: Annotated[Page, Depends()]) -> list[Any]:
        return [item.name, page.limit]

    @app.get("/endpoint")
    def of_endpoint() -> str:
        return "def"

    @app.get("/model", response_model=Item)
    def of_model() -> dict[str, object]:
        return {"name": "pen", "more": 1}

    @app.get("/task")
    async def of_task(tasks: BackgroundTasks) -> str:
        tasks.add_task(done.append, "task done")
        return "task"

    @app.get("/stream")
    def of_stream() -> StreamingResponse:
        return StreamingResponse(iter(["a", "b"]), media_type="text/plain")

    @app.websocket("/socket")
    async def of_socket(socket: WebSocket, page: Annotated[Page, Depends()]) -> None:
        await socket.accept()
        await socket.send_text(f"limit {page.limit}")
        await socket.close()

    return app


async def exchange(app: FastAPI, kind: str, path: str, body: bytes) -> tuple[object, str]:
    """Send one request or open a WebSocket; give the status and all that came."""
    sent: list[Message] = []
    method = "POST" if body else "GET"
    scope = {
        "type": kind,
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http" if kind == "http" else "ws",
        "method": method,
        "root_path": "",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"limit=3",
        "headers": [(b"content-type", b"application/json")],
        "subprotocols": [],
    }
    first = "websocket.connect" if kind == "websocket" else "http.request"
    incoming = iter([{"type": first, "body": body}])

    async def receive() -> Message:
        for message in incoming:
            return message
        await anyio.sleep_forever()
        raise AssertionError("nobody wakes this")

    async def send(message: Message) -> None:
        sent.append(message)

    with anyio.fail_after(30):
        await app(scope, receive, send)
    text = "".join(each.get("body", b"").decode() or each.get("text", "") for each in sent)
    return sent[0].get("status", sent[0]["type"]), text


# Each: what is tried, kind and path and body of the request, the answer, and what has to be done.
CASES: list[tuple[str, str, str, bytes, tuple[object, str], list[str]]] = [
    ("class", "http", "/class", b"", (200, "3"), []),
    ("yield", "http", "/yield", b"", (200, '"outer open"'), ["outer closed", "session closed"]),
    ("JSON body", "http", "/body", b'{"name": "pen"}', (200, '["pen",3]'), []),
    ("def endpoint", "http", "/endpoint", b"", (200, '"def"'), []),
    ("response model", "http", "/model", b"", (200, '{"name":"pen","price":1.5}'), []),
    ("background task", "http", "/task", b"", (200, '"task"'), ["task done"]),
    ("stream", "http", "/stream", b"", (200, "ab"), []),
    ("WebSocket", "websocket", "/socket", b"", ("websocket.accept", "limit 3"), []),
]


async def fails_for_want_of_threads(request: Awaitable[object]) -> bool:
    """Say whether a request fails because a thread cannot be started."""
    failed = False
    try:
        await request
    except* RuntimeError as errors:
        first: BaseException = errors
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        if "start new thread" not in str(first):
            raise
        failed = True
    return failed


async def main() -> None:
    """Try everything on stock FastAPI and accelerated."""
    assert sys.platform == "emscripten"
    assert _pydantic_core.__file__.endswith(".so"), "no real pydantic_core"
    assert resolver_backend() == "python"
    stock, accelerated = make_app(), make_app()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        init_app(accelerated, predicates=[lambda call: True], accelerated=True)
    (warning,) = caught
    assert "Pyodide" in str(warning.message), warning.message
    assert "compiler" not in str(warning.message), warning.message
    for name, kind, path, body, expected, expected_done in CASES:
        request = exchange(stock, kind, path, body)
        assert await fails_for_want_of_threads(request), f"{name}: stock needs no thread"
        done.clear()
        answer = await exchange(accelerated, kind, path, body)
        assert (name, answer, done) == (name, expected, expected_done)
        print(f"{name}: stock cannot start a thread, accelerated answers")
    print(f"{len(CASES)} passed, 0 failed")
