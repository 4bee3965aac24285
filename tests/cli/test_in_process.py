"""What an application gets of a request that is sent in this process, and what is said of it."""

from collections.abc import MutableMapping
from typing import Any

import anyio
import pytest

from fastapi_async_safe._cli.bad_input import BadInputError
from fastapi_async_safe._cli.in_process import Response, first_responses, send
from fastapi_async_safe._cli.requests_given import GivenRequest

USUAL = [(b"host", b"127.0.0.1:8000"), (b"user-agent", b"fastapi-async-safe"), (b"accept", b"*/*")]


class App:
    """An application that answers everything alike, and keeps what it was asked."""

    def __init__(self, status: int = 200, body: bytes = b"done") -> None:
        self.status, self.body = status, body
        self.scope: MutableMapping[str, Any] = {}
        self.received: list[MutableMapping[str, Any]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scope = scope
        self.received.append(await receive())
        headers = [(b"Content-Type", b"text/plain"), (b"Date", b"today")]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        await send({"type": "http.response.body"})


@pytest.mark.parametrize(("body", "length"), [(b"", []), (b"12345", [(b"content-length", b"5")])])
def test_it_gets_the_scope_that_a_server_makes(body: bytes, length: list[Any]) -> None:
    app = App()
    request = GivenRequest("POST", "/a%20b", "c=%20", (("x-one", "ü"), ("accept", "a/b")), body)
    response = anyio.run(send, app, request)
    assert response == Response(200, (("content-type", "text/plain"),), b"done")
    assert app.scope == {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50000),
        "scheme": "http",
        "method": "POST",
        "root_path": "",
        "path": "/a b",
        "raw_path": b"/a%20b",
        "query_string": b"c=%20",
        "headers": [*USUAL[:2], (b"x-one", b"\xfc"), (b"accept", b"a/b"), *length],
        "state": {},
    }
    assert app.received == [{"type": "http.request", "body": body, "more_body": False}]


def test_what_is_refused_is_said_with_the_beginning_of_the_answer(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (response,) = anyio.run(first_responses, App(404, b"not here"), [GivenRequest("GET", "/a")])
    assert response.status == 404
    assert capsys.readouterr().err == "GET /a is answered with 404: not here\n"


def test_what_fails_ends_it() -> None:
    with pytest.raises(BadInputError) as raised:
        anyio.run(first_responses, App(500, b"no"), [GivenRequest("GET", "/a", "b=1")])
    assert str(raised.value) == (
        "GET /a?b=1 is answered with 500: no; send what the application can answer"
    )


def test_an_application_that_does_not_answer_ends_it() -> None:
    async def silent(scope: Any, receive: Any, send: Any) -> None: ...

    with pytest.raises(BadInputError, match="GET /a gets no response"):
        anyio.run(send, silent, GivenRequest("GET", "/a"))
