"""What requests leave behind, measured in a process of its own: `python -m tests.endurance.leaks`.

For each kind of dependency and each way in which a request ends, many requests are made after a few
that fill what is kept for good. Then nothing may have grown: the objects that the garbage collector
knows, the blocks of memory, the references to the classes involved.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from fastapi import FastAPI

from benchmarks.subjects.client import ClientRequest
from fastapi_async_safe import init_app, resolver_backend

from .leaving import KINDS, application, waiting, ways_of
from .measuring import Kept, classes_of, look, measured_apart, say

#: Requests before the first look: threads are started, caches filled, code is specialised.
WARM = 150


def request_of(kind: str, way: str) -> ClientRequest:
    """Make the request that ends in this way."""
    return ClientRequest(
        "/" + way.replace(" ", "-"),
        "number=x" if way == "invalid" else "number=5&names=a",
        method="POST",
        headers={"content-type": "application/json", "cookie": "a=b"},
        body=b'{"number": 5}' if kind == "body" else b"",
    )


async def one(app: FastAPI, request: ClientRequest, way: str) -> int | str:
    """Make one request, and end it; give the status, or the name of the exception."""
    connection = request.connection()
    receive: Any = connection.receive
    if way == "disconnected":

        async def receive() -> dict[str, str]:
            return {"type": "http.disconnect"}

    send: Any = connection.send
    if way == "gone before its answer":

        async def send(message: Any) -> None:
            raise OSError("nobody is there")

    task = asyncio.ensure_future(app(request.scope(), receive, send))
    if way == "cancelled":
        while not waiting:  # noqa: ASYNC110  # which loop it is, is not known before
            await asyncio.sleep(0)
        waiting.clear()
        task.cancel()
    try:
        await task
    except (RuntimeError, OSError, asyncio.CancelledError) as error:
        return type(error).__name__
    return int(connection.sent[0]["status"])


def abandon(app: FastAPI, request: ClientRequest) -> None:
    """Begin a request in an event loop that is closed before it ends."""
    loop = asyncio.new_event_loop()
    connection = request.connection()
    task = loop.create_task(app(request.scope(), connection.receive, connection.send))
    task._log_destroy_pending = False  # type: ignore[attr-defined]
    while not waiting:
        loop.run_until_complete(asyncio.sleep(0))
    waiting.clear()
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


def make(app: FastAPI, kind: str, way: str, requests: int) -> None:
    """Make requests, one after the other."""
    request = request_of(kind, way)
    if way == "abandoned":
        for _ in range(requests):
            abandon(app, request)
        return

    async def all_of_them() -> None:
        for _ in range(requests):
            await one(app, request, way)

    asyncio.run(all_of_them())


def measure(core: str, kind: str, requests: int) -> Iterator[tuple[str, Kept]]:
    """Say of each way out what the requests left behind."""
    app = init_app(application(kind), accelerated=core == "compiled")
    classes = classes_of(core)
    for way in ways_of(kind):
        make(app, kind, way, WARM)
        before = look(classes)
        make(app, kind, way, requests)
        yield way, look(classes) - before


def run(core: str, kind: str, requests: int) -> dict[str, Kept]:
    """Measure in a process of its own."""
    arguments = ["--core", core, "--kind", kind, "--requests", str(requests)]
    found = measured_apart(__spec__.name, *arguments, seconds=60 + requests)
    return {way: Kept(**kept) for way, kept in found.items()}


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--core", action="append", choices=["python", "compiled"])
    parser.add_argument("--kind", action="append", choices=list(KINDS))
    parser.add_argument("--requests", type=int, default=20_000, help="of each way (%(default)s)")
    parser.add_argument("--json", action="store_true", help="of one core and kind, in this process")
    given = parser.parse_args()
    cores = given.core or (
        ["python", "compiled"] if resolver_backend() == "compiled" else ["python"]
    )
    kinds = given.kind or list(KINDS)
    if given.json:
        logging.disable()
        found = dict(measure(cores[0], kinds[0], given.requests))
        print(json.dumps({way: asdict(kept) for way, kept in found.items()}))
        return 0
    leaks = 0
    for core in cores:
        for kind in kinds:
            for way, kept in run(core, kind, given.requests).items():
                leaks += say(f"{core}, {kind}, {way}", kept)
    print(f"{leaks} leaks; {given.requests} requests of each way")
    return 1 if leaks else 0


if __name__ == "__main__":
    sys.exit(main())
