"""Clients that look at each answer, and clients that leave in the middle of something."""

import json
import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from benchmarks.subjects.client import Answer, ClientRequest

from .served import LINES, NUMBERS, STREAMS

TIMEOUT = 60
PAUSE = 0.05
#: After a worker has gone, what it left behind may still be met.
GRACE = 2.0

#: As JSON that is sent in two parts.
TEXT = "text" * 5000


class Restarts:
    """When workers were going."""

    def __init__(self) -> None:
        self._times: list[tuple[float, float | None]] = []

    @property
    def count(self) -> int:
        """How many workers were made to go."""
        return len(self._times)

    def begin(self) -> None:
        """Note that a worker is made to go now."""
        self._times.append((time.monotonic(), None))

    def end(self) -> None:
        """Note that it has gone."""
        self._times[-1] = (self._times[-1][0], time.monotonic())

    def overlap(self, since: float) -> bool:
        """Say whether a worker was going since then."""
        return any(end is None or end + GRACE >= since for _, end in self._times)


@dataclass
class Seen:
    """What clients saw of one server."""

    answers: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    broken_by_restarts: int = 0


@dataclass(frozen=True)
class Expected:
    """A request, and the answer that stock FastAPI gives to it in the process of the client."""

    name: str
    request: ClientRequest
    answer: Answer


class Client(threading.Thread):
    """Does one thing after the other, in a random order.

    Parameters:
        port: of the server, on the loopback.
        seed: of the order.
        expected: what is asked, and compared.
        restarts: of the server.
        done: ends it.
    """

    def __init__(
        self,
        port: int,
        seed: int,
        expected: list[Expected],
        restarts: Restarts,
        done: threading.Event,
    ) -> None:
        super().__init__(daemon=True)
        self.seen = Seen()
        self._port = port
        self._random = random.Random(seed)
        self._expected = expected
        self._restarts = restarts
        self._done = done

    def run(self) -> None:
        actions: list[Callable[[], None]] = [
            *[self._ask] * 6,
            self._ask_for_lines,
            self._talk,
            self._leave_a_request,
            self._leave_before_the_answer,
            self._leave_an_answer,
            self._leave_lines,
            self._leave_a_handshake,
            self._leave_a_talk,
        ]
        while not self._done.wait(self._random.random() * PAUSE):
            action = self._random.choice(actions)
            with self._noting(action.__name__.strip("_").replace("_", " ")):
                action()

    @contextmanager
    def _noting(self, what: str) -> Iterator[None]:
        """Note what breaks meanwhile."""
        began = time.monotonic()
        try:
            yield
        except TimeoutError:
            self.seen.wrong[f"{what}: nothing for {TIMEOUT} seconds"] += 1
        except (OSError, HTTPException, WebSocketException) as error:
            if self._restarts.overlap(began):
                self.seen.broken_by_restarts += 1
            else:
                self.seen.wrong[f"{what}: {type(error).__name__}"] += 1

    def _ask(self) -> None:
        expected = self._random.choice(self._expected)
        status, body = self._answer(expected.request)
        if (status, body) == (expected.answer.status, expected.answer.body):
            self.seen.answers[expected.name] += 1
        else:
            kind = "another body" if status == expected.answer.status else str(status)
            self.seen.wrong[f"{expected.name}: {kind}"] += 1

    def _ask_for_lines(self) -> None:
        path = self._random.choice(STREAMS)
        status, body = self._answer(ClientRequest(path))
        if status == 200 and body.split() == [b"%d" % number for number in range(LINES)]:
            self.seen.answers[path] += 1
        else:
            self.seen.wrong[f"{path}: {status}, {len(body.split())} lines"] += 1

    def _answer(self, request: ClientRequest) -> tuple[int, bytes]:
        with self._sent(request) as connection:
            response = HTTPResponse(connection, method=request.method)
            response.begin()
            return response.status, response.read()

    def _talk(self) -> None:
        with self._echo() as websocket:
            for number in range(self._random.randrange(5)):
                self._say(websocket, str(number))
        self.seen.answers["WebSocket"] += 1

    def _echo(self) -> ClientConnection:
        url = f"ws://127.0.0.1:{self._port}/echo?q=book"
        return connect(url, open_timeout=TIMEOUT, ping_interval=None)

    def _say(self, websocket: ClientConnection, text: str) -> None:
        websocket.send(text)
        if json.loads(websocket.recv(TIMEOUT)) != ["book", text]:
            self.seen.wrong["WebSocket: another text"] += 1

    def _leave_a_request(self) -> None:
        body = json.dumps({"text": TEXT}).encode()
        request = _waiting(body)
        with self._sent(request, self._random.randrange(len(body))) as connection:
            self._leave(connection, "in a request body")

    def _leave_before_the_answer(self) -> None:
        with self._sent(_waiting(b'{"text": "short"}')) as connection:
            time.sleep(self._random.random() * PAUSE)
            self._leave(connection, "before the answer")

    def _leave_an_answer(self) -> None:
        with self._sent(ClientRequest("/large", f"skip={NUMBERS // 2}")) as connection:
            connection.recv(self._random.randrange(1, 4096))
            self._leave(connection, "in an answer")

    def _leave_lines(self) -> None:
        with self._sent(ClientRequest(self._random.choice(STREAMS))) as connection:
            for _ in range(self._random.randrange(1, 6)):
                connection.recv(64)
            self._leave(connection, "in a stream")

    def _leave_a_handshake(self) -> None:
        headers = {
            "connection": "Upgrade",
            "upgrade": "websocket",
            "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
            "sec-websocket-version": "13",
        }
        with self._sent(ClientRequest("/echo", headers=headers), close=False) as connection:
            self._leave(connection, "in a handshake")

    def _leave_a_talk(self) -> None:
        websocket = self._echo()
        try:
            for number in range(self._random.randrange(4)):
                self._say(websocket, str(number))
        finally:
            # NOTE: not closed: a thread of the library waits for it, and closes it then.
            websocket.socket.shutdown(socket.SHUT_RDWR)
            websocket.recv_events_thread.join()
        self.seen.left["in a WebSocket"] += 1

    @contextmanager
    def _sent(
        self, request: ClientRequest, length: int | None = None, *, close: bool = True
    ) -> Iterator[socket.socket]:
        """Send a request, of its body no more than `length` bytes."""
        head = [f"{request.method} {request.target} HTTP/1.1"]
        for scope_name, value in request.scope()["headers"]:
            head.append(f"{scope_name.decode()}: {value.decode()}")
        if close:
            head.append("connection: close")
        text = "\r\n".join([*head, "", ""])
        with socket.create_connection(("127.0.0.1", self._port), timeout=TIMEOUT) as connection:
            connection.sendall(text.encode() + request.body[:length])
            yield connection

    def _leave(self, connection: socket.socket, where: str) -> None:
        """Close it, or break it."""
        if self._random.random() < 0.5:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
        self.seen.left[where] += 1


def _waiting(body: bytes) -> ClientRequest:
    return ClientRequest(
        "/waiting", method="POST", headers={"content-type": "application/json"}, body=body
    )
