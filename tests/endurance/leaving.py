"""Applications whose requests end in every way, with every kind of dependency."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Security
from fastapi.security import SecurityScopes
from pydantic import BaseModel

from fastapi_async_safe import async_safe

#: How a request ends.
WAYS = (
    "value",
    "suspended",
    "invalid",
    "refused",
    "failed",
    "failed at exit",
    "cancelled",
    "disconnected",
    "gone before its answer",
    "abandoned",
)


class Value:
    """What a dependency gives; none may be left when its request is gone."""


class Page(BaseModel):
    """A body."""

    number: int = 0


def leave(way: str) -> Value:
    """Give a value, or raise."""
    if way == "refused":
        raise HTTPException(403)
    if way == "failed":
        raise RuntimeError("on purpose")
    return Value()


def leave_at_exit(way: str) -> None:
    """Raise, if that is how the request is to end."""
    if way == "failed at exit":
        raise RuntimeError("on purpose, at exit")


def a_function(way: str) -> Any:
    @async_safe
    def get(number: int = 0) -> Value:
        return leave(way)

    return get


def a_class(way: str) -> Any:
    @async_safe
    class Parameters(Value):
        def __init__(self, number: int = 0, names: str | None = None) -> None:
            leave(way)
            self.me = self  # a cycle

    return Parameters


def a_context(way: str) -> Any:
    @async_safe
    def get(number: int = 0) -> Iterator[Value]:
        yield leave(way)
        leave_at_exit(way)

    return get


def a_coroutine(way: str) -> Any:
    async def get(number: int = 0) -> Value:
        return leave(way)

    return get


def an_async_context(way: str) -> Any:
    async def get(number: int = 0) -> AsyncIterator[Value]:
        yield leave(way)
        leave_at_exit(way)

    return get


def a_thread(way: str) -> Any:
    def get(number: int = 0) -> Value:
        return leave(way)

    return get


def a_context_in_threads(way: str) -> Any:
    def get(number: int = 0) -> Iterator[Value]:
        yield leave(way)
        leave_at_exit(way)

    return get


def an_instance(way: str) -> Any:
    @async_safe
    class Get:
        def __call__(self, security_scopes: SecurityScopes, number: int = 0) -> Value:
            return leave(way)

    return Get()


def one_with_a_body(way: str) -> Any:
    @async_safe
    def get(page: Page, number: int = 0) -> Value:
        return leave(way)

    return get


#: Kinds of dependencies, each for a way.
KINDS: dict[str, Callable[[str], Any]] = {
    "function": a_function,
    "class": a_class,
    "yield": a_context,
    "async function": a_coroutine,
    "async yield": an_async_context,
    "function in a thread": a_thread,
    "yield in threads": a_context_in_threads,
    "body": one_with_a_body,
    "instance, for security": an_instance,
    "function without cache": a_function,
}
if "max_concurrency" in inspect.signature(Depends).parameters:
    KINDS["limited yield"] = a_context

#: How they are depended on, if not by `Depends` alone.
MARKERS: dict[str, Callable[[Any], Any]] = {
    "instance, for security": lambda call: Security(call, scopes=["a", "b"]),
    "function without cache": lambda call: Depends(call, use_cache=False),
    "limited yield": lambda call: Depends(call, max_concurrency=3),
}


async def pause() -> Value:
    """Be where a request is suspended."""
    await asyncio.sleep(0)
    return Value()


#: Has an item for each request that waits to be cancelled or abandoned.
waiting: list[None] = []


async def wait() -> None:
    """Be where a request is cancelled or abandoned."""
    waiting.append(None)
    await asyncio.sleep(3600)


def ways_of(kind: str) -> list[str]:
    """List the ways out that are tried with a kind of dependency."""
    # Of an event loop that was closed too early anyio keeps the threads, and FastAPI on stock the
    # contexts that are async generators, which cannot be left.
    has_more = "thread" in kind or kind in ("async yield", "limited yield")
    return [way for way in WAYS if way != "abandoned" or not has_more]


def application(kind: str) -> FastAPI:
    """Make an application with a route for each way out of one kind of dependency."""
    app = FastAPI()
    for way in ways_of(kind):
        marker = MARKERS.get(kind, Depends)
        before, after = KINDS[kind](way), a_function("value")
        between = {"suspended": pause, "cancelled": wait, "abandoned": wait}.get(way, after)

        @app.post(f"/{way.replace(' ', '-')}")
        async def endpoint(
            value: Annotated[Any, marker(before)],
            again: Annotated[Any, marker(before)],
            paused: Annotated[Any, Depends(between)],
            last: Annotated[Any, Depends(after)],
        ) -> int:
            return 1

    return app
