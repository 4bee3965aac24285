"""Clients that ask a server again and again, and remember which worker they were talking to."""

import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException

CLIENTS = 6
PAUSE = 0.02


@dataclass(frozen=True)
class Failure:
    """One request without a good answer; `worker` is None where the connection was a new one."""

    worker: int | None
    reason: str
    before_answer: bool = False
    """Whether no byte of an answer had come, so that it may be sent again."""
    answered: bool = False
    """Whether all of an answer came, and was the wrong one."""


@dataclass
class Traffic:
    """What all clients saw so far."""

    workers: set[int] = field(default_factory=set)
    failures: list[Failure] = field(default_factory=list)
    created: list[str] = field(default_factory=list)
    answers: int = 0


class _Client(threading.Thread):
    def __init__(self, port: int, token: str | None, keep_alive: bool, traffic: Traffic) -> None:
        super().__init__(daemon=True)
        self._port = port
        self._token = token
        self._keep_alive = keep_alive
        self._traffic = traffic
        self.stopping = threading.Event()
        self.worker: int | None = None
        """Which worker its connection leads to."""

    def run(self) -> None:
        connection: HTTPConnection | None = None
        while not self.stopping.is_set():
            if connection is None:
                connection = HTTPConnection("127.0.0.1", self._port, timeout=60)
            try:
                self._ask(connection)
            except (OSError, HTTPException) as error:
                closed = isinstance(error, ConnectionError)
                self._traffic.failures.append(Failure(self.worker, repr(error), closed))
                time.sleep(0.05)
            else:
                # Not as fast as it can: new workers need the processor to start.
                self.stopping.wait(PAUSE)
                if self._keep_alive:
                    continue
            connection.close()
            connection = None
            self.worker = None
        if connection is not None:
            connection.close()

    def _ask(self, connection: HTTPConnection) -> None:
        connection.request("GET", "/alive", headers=self._headers())
        answer = self._answer(connection, 200)
        if answer is None:
            return
        self.worker = answer["worker"]
        self._traffic.workers.add(answer["worker"])
        if self._token is not None and self._keep_alive:
            name = str(uuid.uuid4())
            body = json.dumps({"name": name, "price_cents": 1})
            connection.request("POST", "/psycopg/items", body, self._headers())
            if self._answer(connection, 201) is not None:
                self._traffic.created.append(name)

    def _headers(self) -> dict[str, str]:
        headers = {} if self._keep_alive else {"Connection": "close"}
        if self._token is not None:
            headers |= {
                "Authorization": f"Bearer {self._token}",
                "Content-Type": "application/json",
            }
        return headers

    def _answer(self, connection: HTTPConnection, status: int) -> "dict[str, int] | None":
        response = connection.getresponse()
        content = response.read()
        if response.status != status:
            reason = f"{response.status}: {content!r}"
            self._traffic.failures.append(Failure(self.worker, reason, answered=True))
            return None
        self._traffic.answers += 1
        answer: dict[str, int] = json.loads(content)
        return answer


@contextmanager
def traffic(port: int, token: str | None = None, *, keep_alive: bool = True) -> Iterator[Traffic]:
    """Send requests until the end of the block.

    Parameters:
        port: of a shop on the loopback.
        token: with one, each second request creates an item.
        keep_alive: stay on one connection, and so with one worker.
    """
    seen = Traffic()
    clients = [_Client(port, token, keep_alive, seen) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        yield seen
    finally:
        for client in clients:
            client.stopping.set()
        for client in clients:
            client.join(timeout=60)
    assert not any(client.is_alive() for client in clients)
