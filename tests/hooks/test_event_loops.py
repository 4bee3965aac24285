"""Event loops: asyncio's own, uvloop, and trio through anyio, each with a server and real HTTP."""

import asyncio
import contextvars
import json
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import anyio
import anyio.abc
import anyio.lowlevel
import h11
import httpx
import pytest
import sniffio
import uvicorn
from anyio.from_thread import start_blocking_portal
from fastapi import BackgroundTasks, Depends, FastAPI, Form, HTTPException, Request, WebSocket
from fastapi.responses import StreamingResponse
from starlette.testclient import TestClient

from fastapi_async_safe import async_safe
from tests.support.serving import Exchange, Init, here, needs_concurrency_limits

pytestmark = pytest.mark.slow

LOOPS = [
    "asyncio",
    pytest.param(
        "uvloop",
        marks=pytest.mark.skipif(sys.platform == "win32", reason="uvloop is not for Windows"),
    ),
    "trio",
]
_BACKENDS: dict[str, dict[str, Any]] = {
    "asyncio": {"backend": "asyncio"},
    "uvloop": {"backend": "asyncio", "backend_options": {"use_uvloop": True}},
    "trio": {"backend": "trio"},
}

user: contextvars.ContextVar[str] = contextvars.ContextVar("user", default="nobody")


class Recorded:
    """The application under test, and what was called in it."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.threads: set[int] = set()
        self.is_over = threading.Event()
        self.app = FastAPI()
        _declare(self.app, self.note, self.threads)

    def note(self, what: Any) -> None:
        """Note a call; the last one of all is the exit of the session."""
        self.calls.append(what)
        if what == "session exit":
            self.is_over.set()


def _declare(app: FastAPI, note: Callable[[Any], None], threads: set[int]) -> None:
    def marked_call(what: str) -> None:
        note(what)
        threads.add(here())

    @async_safe
    class Page:
        def __init__(self, limit: int = 10, q: str | None = None) -> None:
            marked_call("Page")
            self.limit, self.q = limit, q

    @async_safe
    def session(page: Annotated[Page, Depends()]) -> Iterator[str]:
        marked_call("session")
        try:
            yield f"session of {page.limit}"
        except HTTPException as error:
            marked_call(f"session saw {error.status_code}")
            raise
        finally:
            marked_call("session exit")

    def pool_session() -> Iterator[str]:
        note("pool session")
        yield "pool session"
        note("pool session exit")

    async def client(session: Annotated[str, Depends(session)]) -> AsyncIterator[str]:
        note("client")
        await anyio.lowlevel.checkpoint()
        yield f"client on {session}"
        await anyio.lowlevel.checkpoint()
        note("client exit")

    @async_safe
    def signed_in(who: str = "me") -> str:
        marked_call("signed_in")
        user.set(who)
        return who

    def in_pool() -> str:
        return user.get()

    async def waiting(page: Annotated[Page, Depends()]) -> str:
        await anyio.lowlevel.checkpoint()
        return f"{page.limit} waits"

    @app.get("/context", dependencies=[Depends(signed_in)])
    async def context(
        waits: Annotated[str, Depends(waiting)], pool: Annotated[str, Depends(in_pool)]
    ) -> list[str]:
        return [user.get(), pool]

    @app.get("/loop")
    async def loop() -> str:
        if sniffio.current_async_library() == "trio":
            return "trio"
        return type(asyncio.get_running_loop()).__module__.partition(".")[0]

    @app.get("/items/{item}")
    async def items(
        item: int,
        signed: Annotated[str, Depends(signed_in)],
        page: Annotated[Page, Depends()],
        client: Annotated[str, Depends(client)],
        pool: Annotated[str, Depends(pool_session)],
        waits: Annotated[str, Depends(waiting)],
    ) -> list[Any]:
        marked_call("endpoint")
        return [item, signed, page.limit, page.q, client, pool, waits]

    @app.get("/refused", dependencies=[Depends(client)])
    async def refused() -> None:
        raise HTTPException(418, "refused")

    @app.get("/streamed")
    async def streamed(session: Annotated[str, Depends(session)]) -> StreamingResponse:
        async def parts() -> AsyncIterator[str]:
            for part in session.split():
                await anyio.lowlevel.checkpoint()
                note(part)
                yield part

        return StreamingResponse(parts())

    @app.post("/posted")
    async def posted(
        name: Annotated[str, Form()],
        page: Annotated[Page, Depends()],
        request: Request,
        tasks: BackgroundTasks,
    ) -> list[Any]:
        tasks.add_task(note, "task")
        return [name, page.limit, request.method]

    @app.websocket("/socket")
    async def sockets(websocket: WebSocket, page: Annotated[Page, Depends()]) -> None:
        await websocket.accept()
        await websocket.send_json([page.limit, await websocket.receive_text()])
        await websocket.close()


REQUESTS: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "/items/1?limit=5&q=a%20b&who=you", {}),
    ("GET", "/items/one?limit=many", {}),
    ("GET", "/refused", {}),
    ("GET", "/streamed?limit=3", {}),
    ("POST", "/posted?limit=7", {"data": {"name": "a name"}}),
    ("POST", "/posted", {}),
    ("GET", "/nowhere", {}),
]
IN_ORDER = [
    "signed_in",
    "Page",
    "session",
    "client",
    "pool session",
    "endpoint",
    "pool session exit",
    "client exit",
    "session exit",
]


@contextmanager
def served(app: FastAPI, loop: str) -> Iterator[str]:
    """Serve an application by HTTP on this loop, in a thread of its own.

    Returns:
        The URL of the server.
    """
    serving = served_by_h11 if loop == "trio" else served_by_uvicorn
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        with serving(app, loop, listening):
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@contextmanager
def served_by_uvicorn(app: FastAPI, loop: str, listening: socket.socket) -> Iterator[None]:
    """Serve it by uvicorn, which runs on asyncio and uvloop."""
    server = uvicorn.Server(uvicorn.Config(app, loop=loop, log_level="error", lifespan="off"))
    started = threading.Event()
    startup = server.startup

    async def noted_startup(*args: Any, **options: Any) -> None:
        await startup(*args, **options)
        started.set()

    server.startup = noted_startup  # type: ignore[method-assign]
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        assert started.wait(30)
        yield
    finally:
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive()


@contextmanager
def served_by_h11(app: FastAPI, loop: str, listening: socket.socket) -> Iterator[None]:
    """Serve it on any loop that anyio knows, one request for each connection."""

    async def run(*, task_status: anyio.abc.TaskStatus[None]) -> None:
        listener = await anyio.abc.SocketListener.from_socket(listening)
        task_status.started()
        await listener.serve(answer)

    async def answer(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            connection = h11.Connection(h11.SERVER)
            request, body = None, b""
            while not isinstance(event := connection.next_event(), h11.EndOfMessage):
                if event is h11.NEED_DATA:
                    connection.receive_data(await stream.receive())
                elif isinstance(event, h11.Request):
                    request = event
                elif isinstance(event, h11.Data):
                    body += event.data
            assert request is not None
            path, _, query = request.target.partition(b"?")
            exchange = Exchange(
                path.decode(), query, list(request.headers), request.method.decode(), body
            )
            answered = await exchange.run(app)
            assert answered.error is None
            head = [*answered.headers, (b"connection", b"close")]
            await stream.send(
                connection.send(h11.Response(status_code=answered.status or 500, headers=head))
                + connection.send(h11.Data(data=answered.body))
                + connection.send(h11.EndOfMessage())
            )

    with start_blocking_portal(**_BACKENDS[loop]) as portal:
        future, _ = portal.start_task(run)
        yield
        future.cancel()


@pytest.mark.parametrize("loop", LOOPS)
def test_a_server_answers_as_on_stock(loop: str, init: Init) -> None:
    expected = _answers(TestClient(Recorded().app))
    with (
        served(init(Recorded().app), loop) as url,
        httpx.Client(base_url=url, timeout=30) as client,
    ):
        assert client.get("/loop").json() == loop
        assert [_answers(client) for _ in range(3)] == [expected] * 3


def _answers(client: Any) -> list[tuple[int, str]]:
    answers = [client.request(method, url, **options) for method, url, options in REQUESTS]
    return [(answer.status_code, answer.text) for answer in answers]


@pytest.mark.parametrize("loop", LOOPS)
def test_a_server_calls_in_order_and_what_is_marked_inline(
    loop: str, init: Init, variant: str
) -> None:
    recorded = Recorded()
    with served(init(recorded.app), loop) as url:
        assert httpx.get(f"{url}/items/1", timeout=30).status_code == 200
        assert recorded.is_over.wait(30)
    assert recorded.calls == IN_ORDER
    assert (len(recorded.threads) == 1) == (variant != "stock")


@pytest.mark.accelerated
@pytest.mark.parametrize("loop", LOOPS)
def test_a_context_variable_set_inline_is_seen_by_all_that_follows(loop: str, init: Init) -> None:
    recorded = Recorded()
    init(recorded.app)

    async def main() -> list[Any]:
        return json.loads((await Exchange("/context", b"who=you").run(recorded.app)).body)

    assert anyio.run(main, **_BACKENDS[loop]) == ["you", "you"]
    assert user.get() == "nobody"


@pytest.mark.parametrize("loop", LOOPS)
def test_requests_at_the_same_time_do_not_mix(loop: str, init: Init) -> None:
    recorded = Recorded()
    init(recorded.app)
    found: dict[int, Any] = {}

    async def one(number: int) -> None:
        query = f"limit={number}&who=user{number}".encode()
        answer = await Exchange(f"/items/{number}", query).run(recorded.app)
        found[number] = json.loads(answer.body)

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for number in range(50):
                group.start_soon(one, number)

    anyio.run(main, **_BACKENDS[loop])
    for number, answer in found.items():
        assert answer[:3] == [number, f"user{number}", number]
        assert answer[4] == f"client on session of {number}"


@pytest.mark.parametrize("loop", LOOPS)
def test_what_was_entered_exits_when_a_request_is_cancelled(loop: str, init: Init) -> None:
    app = FastAPI()
    calls: list[str] = []

    @async_safe
    def outer() -> Iterator[None]:
        calls.append("outer")
        try:
            yield
        finally:
            calls.append("outer exit")

    async def inner(outer: Annotated[None, Depends(outer)]) -> AsyncIterator[None]:
        calls.append("inner")
        try:
            yield
        finally:
            calls.append("inner exit")

    async def never(inner: Annotated[None, Depends(inner)]) -> None:
        calls.append("never")
        await anyio.sleep_forever()

    @app.get("/", dependencies=[Depends(never)])
    async def endpoint() -> None:
        calls.append("endpoint")

    init(app)

    async def main() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(Exchange("/").run, app)
            await anyio.wait_all_tasks_blocked()
            group.cancel_scope.cancel()

    anyio.run(main, **_BACKENDS[loop])
    assert calls == ["outer", "inner", "never", "inner exit", "outer exit"]


@needs_concurrency_limits
@pytest.mark.parametrize("loop", LOOPS)
def test_limits_of_concurrency_hold(loop: str, init: Init) -> None:
    app = FastAPI()
    inside: list[int] = []
    most: list[int] = []

    @async_safe
    def limited() -> Iterator[None]:
        inside.append(1)
        most.append(len(inside))
        yield
        inside.pop()

    @app.get("/", dependencies=[Depends(limited, max_concurrency=2)])
    async def endpoint() -> None:
        while len(inside) < 2 and len(most) % 10:  # one alone is the last
            await anyio.lowlevel.checkpoint()

    init(app)

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(10):
                group.start_soon(Exchange("/").run, app)

    for _ in range(2):  # semaphores belong to a loop, plans to all of them
        anyio.run(main, **_BACKENDS[loop])
    assert len(most) == 20
    assert max(most) == 2


@pytest.mark.parametrize("loop", LOOPS)
def test_websockets_are_served(loop: str, init: Init) -> None:
    recorded = Recorded()
    client = TestClient(init(recorded.app), **_BACKENDS[loop])
    with client.websocket_connect("/socket?limit=4") as session:
        session.send_text("hello")
        assert session.receive_json() == [4, "hello"]


def test_one_application_serves_on_several_loops_at_the_same_time(init: Init) -> None:
    recorded = Recorded()
    init(recorded.app)
    together = threading.Barrier(3)
    answers: dict[str, list[Any]] = {}

    def serve(loop: str) -> None:
        async def main() -> None:
            together.wait(30)
            found = answers.setdefault(loop, [])
            for number in range(50):
                query = f"limit={number}&who={loop}".encode()
                found.append((await Exchange(f"/items/{number}", query).run(recorded.app)).body)

        anyio.run(main, **_BACKENDS[loop])

    loops = ["asyncio", "asyncio" if sys.platform == "win32" else "uvloop", "trio"]
    threads = [threading.Thread(target=serve, args=[loop]) for loop in loops]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for loop, found in answers.items():
        assert [json.loads(body)[:3] for body in found] == [[n, loop, n] for n in range(50)]
