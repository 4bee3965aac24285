"""Serves a request with the installed package: `python release/smoke.py BACKEND VERSION`.

Run by an interpreter that has the package and what it requires, and nothing else.
"""

import asyncio
import sys
from collections.abc import Iterator
from importlib import metadata
from typing import Annotated, Any

from fastapi import Depends, FastAPI

import fastapi_async_safe
from fastapi_async_safe import async_safe, init_app, resolver_backend


@async_safe
class Page:
    """Parameters of a page."""

    def __init__(self, limit: int = 10) -> None:
        self.limit = limit


@async_safe
def session() -> Iterator[str]:
    """Open and close something."""
    yield "open"


async def request(app: FastAPI, query: bytes) -> tuple[int, bytes]:
    """Send one request, and give status and body of the response."""
    sent: list[Any] = []
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "method": "GET",
        "root_path": "",
        "path": "/",
        "raw_path": b"/",
        "query_string": query,
        "headers": [],
    }

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent[0]["status"], b"".join(each.get("body", b"") for each in sent[1:])


def main(backend: str, version: str) -> None:
    """Check core, version and two answers."""
    assert resolver_backend() == backend, resolver_backend()
    assert fastapi_async_safe.__version__ == version, fastapi_async_safe.__version__
    assert metadata.version("fastapi-async-safe") == version
    app = FastAPI()

    @app.get("/")
    async def endpoint(
        page: Annotated[Page, Depends()], opened: Annotated[str, Depends(session)]
    ) -> str:
        return f"{opened}, {page.limit}"

    init_app(app, accelerated=backend == "compiled")
    assert asyncio.run(request(app, b"limit=3")) == (200, b'"open, 3"')
    assert asyncio.run(request(app, b"limit=many"))[0] == 422
    print(f"{fastapi_async_safe.__version__}, {resolver_backend()} core: answers")


if __name__ == "__main__":
    main(*sys.argv[1:])
