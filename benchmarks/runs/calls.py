"""The calls that are timed, at two levels, with nothing but themselves on the clock."""

import gc
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from enum import StrEnum
from time import perf_counter
from typing import Any
from unittest.mock import patch

import fastapi.routing
from starlette.requests import HTTPConnection, Request
from starlette.websockets import WebSocket

from benchmarks.subjects.client import App, ClientRequest, Connection, Scope, call


class Level(StrEnum):
    """How much of a request is timed."""

    REQUEST = "request"
    """The whole ASGI call, middleware, routing and response included."""
    SOLVE = "solve"
    """FastAPI's `solve_dependencies` alone."""


async def _nothing_to_close(_made: Any) -> None:
    return None


@dataclass(frozen=True)
class Calls:
    """A kind of call that can be made any number of times, with only the calls on the clock.

    `make` gives what one call needs, `run` makes the calls, `close` tidies up after one.
    """

    make: Callable[[], Any]
    run: Callable[[Sequence[Any]], Awaitable[None]]
    close: Callable[[Any], Awaitable[None]] = _nothing_to_close

    async def seconds(self, count: int) -> float:
        """Make that many calls one after another; what one took."""
        made = [self.make() for _ in range(count)]
        gc.collect()
        gc.disable()
        try:
            start = perf_counter()
            await self.run(made)
            seconds = perf_counter() - start
        finally:
            gc.enable()
        for each in reversed(made):
            await self.close(each)
        return seconds / count

    async def count_for(self, seconds: float, most: int = 500) -> int:
        """How many calls take about `seconds`, at least 2; warms them up on the way."""
        count = 2
        while count < most:
            once = await self.seconds(count)
            if once * count > seconds / 2:
                return max(2, min(most, int(seconds / once)))
            count = min(most, count * 3)
        return count


def request_calls(app: App, request: ClientRequest) -> Calls:
    """Calls of the whole app; scopes and connections are made off the clock."""

    async def run(made: Sequence[tuple[Scope, Connection]]) -> None:
        for scope, connection in made:
            await app(scope, connection.receive, connection.send)

    return Calls(lambda: (request.scope(), request.connection()), run)


@dataclass(frozen=True)
class SolveCall:
    """The arguments with which FastAPI calls `solve_dependencies` for one request."""

    scope: Scope
    arguments: dict[str, Any]

    @classmethod
    async def recorded(cls, app: App, request: ClientRequest) -> "SolveCall":
        """Send one request and note what FastAPI passed, and the scope as it was by then."""
        solve = fastapi.routing.solve_dependencies
        recorded: list[SolveCall] = []

        async def record(**arguments: Any) -> Any:
            recorded.append(cls(dict(arguments["request"].scope), arguments))
            return await solve(**arguments)

        with patch.object(fastapi.routing, "solve_dependencies", record):
            await call(app, request)
        return recorded[0]

    def repeated(self, connection: Connection) -> dict[str, Any]:
        """The same arguments, with a request and exit stacks of their own."""
        scope = dict(self.scope)
        scope["fastapi_inner_astack"] = AsyncExitStack()
        scope["fastapi_function_astack"] = AsyncExitStack()
        request: HTTPConnection
        if scope["type"] == "websocket":
            request = WebSocket(scope, connection.receive, connection.send)
        else:
            request = Request(scope, connection.receive, connection.send)
        return {
            **self.arguments,
            "request": request,
            "async_exit_stack": scope["fastapi_inner_astack"],
        }


async def solve_calls(app: App, request: ClientRequest) -> Calls:
    """Calls of `solve_dependencies` as FastAPI makes them for that request.

    Requests and exit stacks are made off the clock, and what `yield` dependencies left on the
    stacks is closed off it, so that there is nothing to subtract.
    """
    solve_call = await SolveCall.recorded(app, request)
    solve = fastapi.routing.solve_dependencies

    async def run(made: Sequence[dict[str, Any]]) -> None:
        for arguments in made:
            await solve(**arguments)

    async def close(arguments: dict[str, Any]) -> None:
        scope = arguments["request"].scope
        await scope["fastapi_function_astack"].aclose()
        await scope["fastapi_inner_astack"].aclose()

    return Calls(lambda: solve_call.repeated(request.connection()), run, close)


async def extract_calls(
    app: App, request: ClientRequest, extract: Callable[[Any], object]
) -> Calls:
    """Calls of what a hand-written endpoint does to its request in place of dependencies."""
    solve_call = await SolveCall.recorded(app, request)

    async def run(made: Sequence[Request]) -> None:
        for each in made:
            extract(each)

    return Calls(lambda: Request(dict(solve_call.scope)), run)
