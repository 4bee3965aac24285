"""What tests serve applications with, beside Starlette's TestClient."""

import functools
import inspect
import os
import re
import threading
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass, field
from importlib import metadata
from importlib.machinery import EXTENSION_SUFFIXES
from typing import Any, Protocol, TypeVar

import anyio
import pytest
from fastapi import APIRouter, Depends, FastAPI
from fastapi import __version__ as fastapi_version
from fastapi import concurrency as fastapi_concurrency
from fastapi import routing as fastapi_routing
from starlette.testclient import TestClient

Message = MutableMapping[str, Any]
AsgiApp = Callable[..., Awaitable[None]]
Root = TypeVar("Root", FastAPI, APIRouter)

BACKENDS = ["asyncio", "trio"]

needs_dependency_scopes = pytest.mark.skipif(
    "scope" not in inspect.signature(Depends).parameters,
    reason="Depends(scope=...) came with FastAPI 0.121",
)
needs_concurrency_limits = pytest.mark.skipif(
    "max_concurrency" not in inspect.signature(Depends).parameters,
    reason="Depends(max_concurrency=...) came with FastAPI 0.163",
)
CLEANUP_IS_SHIELDED = hasattr(fastapi_concurrency, "CancelScope")
contexts_share = pytest.mark.skipif(
    not CLEANUP_IS_SHIELDED, reason="each context has trips of its own before FastAPI 0.162"
)
FASTAPI = tuple(map(int, fastapi_version.split(".")[:2]))
CURRENT_DEFAULTS = FASTAPI >= (0, 152)

needs_unwrapping = pytest.mark.skipif(
    FASTAPI < (0, 123), reason="FastAPI looks through partials and wrappers from 0.123 on"
)
needs_lazy_routers = pytest.mark.skipif(
    not hasattr(fastapi_routing, "_IncludedRouter"),
    reason="routes added to a router after it was included count from FastAPI 0.137 on",
)


def shown(value: object) -> str:
    """Give the name of a parameter of a test: its `repr`, but without the address, on which two
    processes that run the tests together would not agree.
    """
    return re.sub(r" at 0x[0-9A-Fa-f]+", "", repr(value))


def is_set(variable: str) -> bool:
    """Say whether an environment variable says yes."""
    return os.environ.get(variable, "").strip().lower() in ("1", "true", "yes", "on")


def compiled_core_is_installed() -> bool:
    """Say whether the installed distribution comes with a compiled core, importable or not."""
    record = metadata.distribution("fastapi-async-safe").read_text("RECORD") or ""
    return any(f"fastapi_async_safe/_core{suffix}," in record for suffix in EXTENSION_SUFFIXES)


def expected_backend() -> str:
    """Say which core has to be in use here."""
    if is_set("FASTAPI_ASYNC_SAFE_NO_EXTENSIONS"):
        return "python"
    required = is_set("FASTAPI_ASYNC_SAFE_REQUIRE_EXTENSIONS")
    return "compiled" if required or compiled_core_is_installed() else "python"


class Init(Protocol):
    """Initialises an application as the variant under test has it; stock not at all."""

    def __call__(self, root: Root, **options: Any) -> Root: ...


class Serve(Protocol):
    """Initialises an application likewise, and gives a client of it."""

    def __call__(self, app: FastAPI, *, backend: str = "asyncio", **options: Any) -> TestClient: ...


@dataclass(frozen=True)
class Answer:
    """All that a server gets to see of one request."""

    sent: list[Message]
    error: BaseException | None

    @property
    def status(self) -> int | None:
        """The status of the response, None if there was none."""
        return self.sent[0]["status"] if self.sent else None

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The headers as they were sent."""
        return list(self.sent[0]["headers"])

    @property
    def body(self) -> bytes:
        """The body in one piece."""
        return b"".join(message.get("body", b"") for message in self.sent)

    def shown(self) -> tuple[list[Message], str, list[str]]:
        """Show it in a form that can be compared with another."""
        causes = []
        cause = self.error
        while cause is not None:
            causes.append(repr(cause))
            cause = cause.__cause__ or cause.__context__
        return self.sent, f"{type(self.error).__name__}: {self.error}", causes


@dataclass(frozen=True)
class Exchange:
    """One request as a server hands it to an application."""

    path: str = "/"
    query: bytes = b""
    headers: Iterable[tuple[bytes, bytes]] = ()
    method: str = "GET"
    body: bytes = b""
    more: dict[str, Any] = field(default_factory=dict)
    scope_type: type = dict

    def scope(self) -> Any:
        """Give the ASGI scope."""
        return self.scope_type(
            {
                "type": "http",
                "asgi": {"version": "3.0", "spec_version": "2.4"},
                "http_version": "1.1",
                "server": ("testserver", 80),
                "client": ("client", 50000),
                "scheme": "http",
                "method": self.method,
                "root_path": "",
                "path": self.path,
                "raw_path": self.path.encode(),
                "query_string": self.query,
                "headers": [(b"host", b"testserver"), *self.headers],
                "state": {},
                **self.more,
            }
        )

    async def run(self, app: AsgiApp) -> Answer:
        """Hand it to `app` in this event loop."""
        sent: list[Message] = []
        incoming = iter([{"type": "http.request", "body": self.body, "more_body": False}])

        async def receive() -> Message:
            for message in incoming:
                return message
            await anyio.sleep_forever()
            raise AssertionError

        async def send(message: Message) -> None:
            sent.append(message)

        try:
            await app(self.scope(), receive, send)
        except Exception as error:
            return Answer(sent, error)
        return Answer(sent, None)


class SameAsStock(Protocol):
    """Compares two makes of one application, and gives what the one that is not stock answered."""

    def __call__(self, make_app: Callable[[], FastAPI], *exchanges: Exchange) -> list[Answer]: ...


def exchange(app: AsgiApp, path: str = "/", *, backend: str = "asyncio", **options: Any) -> Answer:
    """Hand one request to `app` in an event loop of its own; `options` are those of `Exchange`."""
    return anyio.run(functools.partial(Exchange(path, **options).run, app), backend=backend)


def forget_endpoints() -> None:
    """Make FastAPI forget where endpoints stand: it keeps that by the identity of their functions,
    which may be that of one that is gone.
    """
    getattr(fastapi_routing, "_endpoint_context_cache", {}).clear()


def here() -> int:
    """Say which thread this is."""
    return threading.get_ident()
