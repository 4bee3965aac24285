"""Deep and wide trees: no recursion, so no limit but memory."""

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI

from fastapi_async_safe import async_safe
from tests.support.serving import BACKENDS, Init, exchange

DEPTH = 1000


@contextmanager
def deep_recursion() -> Iterator[None]:
    """Let FastAPI build what it can only build by recursion."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit + 100 * DEPTH)
    try:
        yield
    finally:
        sys.setrecursionlimit(limit)


def link(below: Any, kind: str) -> Any:
    """Make a dependency of a kind that adds one to the value of the one below."""

    def function(value: Annotated[int, Depends(below)]) -> int:
        return value + 1

    def marked(value: Annotated[int, Depends(below)]) -> int:
        return value + 1

    async def coroutine(value: Annotated[int, Depends(below)]) -> int:
        return value + 1

    def context(value: Annotated[int, Depends(below)]) -> Iterator[int]:
        yield value + 1

    async def async_context(value: Annotated[int, Depends(below)]) -> AsyncIterator[int]:
        yield value + 1

    kinds = {
        "inline": async_safe(marked),
        "awaited": coroutine,
        "context": async_safe(context),
        "async context": async_context,
        "thread": function,
    }
    return kinds[kind]


def chain(kind: str) -> FastAPI:
    """Make an application with a chain of 1,000 dependencies."""

    def bottom(start: int = 0) -> int:
        return start

    dependency: Any = async_safe(bottom)
    for _ in range(DEPTH - 1):
        dependency = link(dependency, kind)
    app = FastAPI()
    with deep_recursion():

        @app.get("/")
        async def endpoint(value: Annotated[int, Depends(dependency)]) -> int:
            return value

    return app


@pytest.mark.accelerated
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", ["inline", "awaited", "context"])
def test_a_chain_of_a_thousand_is_resolved(kind: str, backend: str, init: Init) -> None:
    app = init(chain(kind))
    for _ in range(2):
        answer = exchange(app, query=b"start=1", backend=backend)
        assert answer.error is None
        assert answer.body == b"1000"
    assert exchange(app, query=b"start=x").status == 422


def test_a_chain_of_a_thousand_is_resolved_on_stock_with_more_recursion() -> None:
    app = chain("awaited")
    with deep_recursion():
        assert exchange(app).body == b"999"


def test_a_thousand_siblings_are_resolved(init: Init) -> None:
    calls: list[int] = []

    def sibling(number: int) -> Any:
        return async_safe(lambda: calls.append(number))

    app = FastAPI()

    @app.get("/", dependencies=[Depends(sibling(number)) for number in range(1000)])
    async def endpoint() -> int:
        return len(calls)

    assert exchange(init(app)).body == b"1000"
    assert calls == list(range(1000))


@pytest.mark.accelerated
def test_a_lattice_calls_each_dependency_once(init: Init) -> None:
    calls: list[int] = []

    def layer(number: int, below: Any) -> Any:
        def left(a: Annotated[int, Depends(below)]) -> int:
            calls.append(number)
            return a

        def right(a: Annotated[int, Depends(below)]) -> int:
            calls.append(number)
            return a

        left, right = async_safe(left), async_safe(right)

        def joined(a: Annotated[int, Depends(left)], b: Annotated[int, Depends(right)]) -> int:
            calls.append(number)
            return a + b

        return async_safe(joined)

    dependency: Any = async_safe(lambda: 1)
    for number in range(8):
        dependency = layer(number, dependency)
    app = FastAPI()

    @app.get("/")
    async def endpoint(value: Annotated[int, Depends(dependency)]) -> int:
        return value

    init(app)
    for _ in range(2):
        calls.clear()
        assert exchange(app).body == b"256"
        assert calls == [number for number in range(8) for _ in range(3)]
