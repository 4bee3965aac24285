"""Sends requests to an application in this process, over ASGI, with its lifespan running."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Coroutine, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from asgi_lifespan import LifespanManager, LifespanNotSupported

from .bad_input import AppError, BadInputError
from .requests_given import GivenRequest

_USUAL = (("host", "127.0.0.1:8000"), ("user-agent", "fastapi-async-safe"), ("accept", "*/*"))


@dataclass(frozen=True)
class Response:
    """What an application answered; the header `date` is left out."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class _Connection:
    """The `receive` and `send` of one request."""

    def __init__(self, body: bytes) -> None:
        self._body: bytes | None = body
        self.sent: list[MutableMapping[str, Any]] = []

    async def receive(self) -> MutableMapping[str, Any]:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        # The client waits for the end of the response, and then is gone.
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]

    async def send(self, message: MutableMapping[str, Any]) -> None:
        self.sent.append(message)


def _scope(request: GivenRequest) -> dict[str, Any]:
    """Make a scope as uvicorn does."""
    headers = list(request.headers)
    names = {name for name, _ in headers}
    headers = [each for each in _USUAL if each[0] not in names] + headers
    if request.body:
        headers.append(("content-length", str(len(request.body))))
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50000),
        "scheme": "http",
        "method": request.method,
        "root_path": "",
        "path": unquote(request.path),
        "raw_path": request.path.encode(),
        "query_string": request.query.encode(),
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers],
        "state": {},
    }


async def send(app: Any, request: GivenRequest) -> Response:
    """Send one request, in a task of its own as a server does.

    Raises:
        BadInputError: an exception comes out of the application, or no response.
    """
    connection = _Connection(request.body)
    scope = _scope(request)
    try:
        await asyncio.create_task(app(scope, connection.receive, connection.send))
    except Exception as error:
        raise BadInputError(
            f"{request} fails with {type(error).__name__}: {_first_line(error)}; "
            "send what the application can answer"
        ) from error
    start = next((each for each in connection.sent if "status" in each), None)
    if start is None:
        raise BadInputError(f"{request} gets no response; send what the application can answer")
    return Response(
        start["status"],
        tuple(
            (name.decode("latin-1").lower(), value.decode("latin-1"))
            for name, value in start.get("headers", ())
            if name.lower() != b"date"
        ),
        b"".join(each.get("body", b"") for each in connection.sent),
    )


async def first_responses(app: Any, requests: list[GivenRequest]) -> list[Response]:
    """Send each request once, and say on stderr which are refused, as nothing of them may run.

    Raises:
        BadInputError: one fails: an exception comes out of the application, or its status is 5xx.
    """
    responses = []
    for request in requests:
        response = await send(app, request)
        if response.status >= 500:
            raise BadInputError(
                f"{request} is answered with {response.status}: {_start_of(response.body)}; "
                "send what the application can answer"
            )
        if response.status >= 400:
            print(
                f"{request} is answered with {response.status}: {_start_of(response.body)}",
                file=sys.stderr,
            )
        responses.append(response)
    return responses


@asynccontextmanager
async def started(app: Any) -> AsyncIterator[Any]:
    """Run the lifespan of an application, if it has one, and give what answers requests.

    Raises:
        AppError: the application could not start, or not stop.
    """
    manager = LifespanManager(app, startup_timeout=None, shutdown_timeout=None)
    try:
        await manager.__aenter__()
    except LifespanNotSupported:
        yield app
        return
    except Exception as error:
        raise AppError(error) from error
    try:
        yield manager.app
    except BaseException as error:
        await manager.__aexit__(type(error), error, error.__traceback__)
        raise
    try:
        await manager.__aexit__(None, None, None)
    except Exception as error:
        raise AppError(error) from error


def run(main: Coroutine[Any, Any, Any]) -> Any:
    """Run `main` on an event loop as uvicorn would take it: uvloop's if it is installed.

    Raises:
        AppError: the application has ended the process.
    """
    try:
        with asyncio.Runner(loop_factory=_new_event_loop) as runner:
            return runner.run(main)
    except SystemExit as error:
        raise AppError(error) from None


def _new_event_loop() -> asyncio.AbstractEventLoop:
    if sys.platform != "win32":
        try:
            import uvloop
        except ImportError:
            pass
        else:
            return uvloop.new_event_loop()
    return asyncio.new_event_loop()


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "no text")


def _start_of(body: bytes) -> str:
    text = " ".join(body.decode(errors="replace").split())
    return text if len(text) <= 100 else text[:97] + "..."
