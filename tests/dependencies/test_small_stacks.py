"""Threads with little stack: what is deep or nested needs hardly more of it than on stock."""

import asyncio
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any, TypeVar

import pytest
from fastapi import Depends, FastAPI

from tests.dependencies.test_depth import DEPTH, chain, deep_recursion
from tests.support.serving import Exchange, Init, exchange

STACK = 512 * 1024
# On CPython 3.11 each coroutine that awaits another takes a piece of the stack: there stock can
# have 63 requests within each other, the Python core 59, the compiled one 57.
REQUESTS = DEPTH if sys.version_info >= (3, 12) else 50

Result = TypeVar("Result")


@contextmanager
def small_stacks() -> Iterator[None]:
    """Give each thread that is started a small stack."""
    before = threading.stack_size(STACK)
    try:
        yield
    finally:
        threading.stack_size(before)


def on_a_small_stack(work: Callable[[], Result]) -> Result:
    """Run something in a thread of its own, where recursion is not what ends it."""
    found: list[Result] = []
    with small_stacks(), deep_recursion():
        thread = threading.Thread(target=lambda: found.append(work()))
        thread.start()
        thread.join()
    return found[0]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["inline", "awaited", "context", "async context", "thread"])
def test_a_chain_of_a_thousand_is_resolved(kind: str, init: Init) -> None:
    app = init(chain(kind))
    for _ in range(2):
        answer = on_a_small_stack(lambda: exchange(app, query=b"start=1"))
        assert (answer.error, answer.body) == (None, b"1000")


async def at_once() -> None:
    """Do not let others run."""


@pytest.mark.slow
@pytest.mark.parametrize("pause", [at_once, lambda: asyncio.sleep(0)], ids=["at once", "later"])
def test_many_requests_within_each_other_are_answered(pause: Callable[[], Any], init: Init) -> None:
    app = FastAPI()

    async def deeper(number: int) -> int:
        await pause()
        if number == 0:
            return 0
        answer = await Exchange(query=b"number=%d" % (number - 1)).run(app)
        return int(answer.body) + 1

    @app.get("/")
    async def endpoint(value: Annotated[int, Depends(deeper)]) -> int:
        return value

    init(app)
    answer = on_a_small_stack(lambda: exchange(app, query=b"number=%d" % REQUESTS))
    assert (answer.error, answer.body) == (None, b"%d" % REQUESTS)
    assert exchange(app, query=b"number=3").body == b"3"
