"""What is kept of a resolution: not the arguments of what ran, not the values when one failed."""

import gc
import weakref
from collections.abc import Callable
from typing import Annotated, Any

import anyio.lowlevel
import pytest
from fastapi import Depends, FastAPI, Query
from pydantic import BaseModel

from fastapi_async_safe import async_safe
from tests.support.serving import Init, exchange


class Value:
    """What a dependency gives, and nothing else keeps."""


@async_safe
def fails_at_once() -> None:
    raise LookupError


async def fails_without_waiting() -> None:
    raise LookupError


async def fails_after_waiting() -> None:
    await anyio.lowlevel.checkpoint()
    raise LookupError


def fails_in_the_pool() -> None:
    raise LookupError


@pytest.mark.accelerated
@pytest.mark.parametrize("use_cache", [True, False])
@pytest.mark.parametrize(
    "failing", [fails_at_once, fails_without_waiting, fails_after_waiting, fails_in_the_pool]
)
def test_an_exception_that_is_kept_keeps_no_value(
    failing: Callable[[], Any], use_cache: bool, init: Init
) -> None:
    values: list[weakref.ref[Value]] = []

    @async_safe
    def make_value() -> Value:
        value = Value()
        values.append(weakref.ref(value))
        return value

    async def endpoint(
        value: Annotated[Value, Depends(make_value, use_cache=use_cache)],
        nothing: Annotated[None, Depends(failing)],
    ) -> None: ...

    app = init(FastAPI())
    app.add_api_route("/", endpoint)
    kept = exchange(app).error
    gc.collect()
    assert isinstance(kept, LookupError)
    assert kept.__traceback__ is not None
    assert [value() for value in values] == [None]


@pytest.mark.parametrize("waits", [True, False])
def test_arguments_are_let_go_when_the_next_ones_run(waits: bool, init: Init) -> None:
    read: list[weakref.ref[Any]] = []

    class Filter(BaseModel):
        q: str = ""

        def model_post_init(self, context: Any) -> None:
            read.append(weakref.ref(self))

    async def takes_a_filter(given: Annotated[Filter, Query()]) -> str:
        if waits:
            await anyio.lowlevel.checkpoint()
        return given.q

    async def between() -> None: ...

    async def counts() -> int:
        return sum(each() is not None for each in read)

    async def endpoint(
        q: Annotated[str, Depends(takes_a_filter)],
        nothing: Annotated[None, Depends(between)],
        left: Annotated[int, Depends(counts)],
    ) -> list[Any]:
        return [q, len(read), left]

    app = init(FastAPI())
    app.add_api_route("/", endpoint)
    assert exchange(app, query=b"q=a").body == b'["a",1,0]'
