"""All threads of the pool are busy: what is marked is served nevertheless, the rest waits."""

import functools
import threading
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest
from fastapi import BackgroundTasks, Depends, FastAPI
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from fastapi_async_safe import async_safe
from tests.support.serving import BACKENDS, Answer, Exchange, Init


class Item(BaseModel):
    """A response."""

    number: int


def make_app(mark: Callable[[Any], Any]) -> FastAPI:
    """Make an application whose routes use everything that may hop into the pool."""

    @mark
    def session() -> Iterator[int]:
        yield 1

    @mark
    class Service:
        def __init__(self, session: Annotated[int, Depends(session)]) -> None:
            self.number = session

    app = FastAPI()

    @app.get("/", response_model=Item)
    @mark
    def endpoint(service: Annotated[Service, Depends()], tasks: BackgroundTasks) -> Any:
        tasks.add_task(mark(lambda: None))
        return {"number": service.number}

    @app.get("/stream")
    @mark
    def stream(service: Annotated[Service, Depends()]) -> StreamingResponse:
        return StreamingResponse(iter(["one", "two"]))

    @app.get("/dependency")
    async def dependency(service: Annotated[Service, Depends()]) -> int:
        return service.number

    return app


BODIES = {"/": b'{"number":1}', "/stream": b"onetwo", "/dependency": b"1"}


async def saturated(during: Callable[[threading.Event], Any]) -> None:
    """Run something while all tokens of the pool are taken by threads that wait for an event."""
    limiter = anyio.to_thread.current_default_thread_limiter()
    release = threading.Event()
    async with anyio.create_task_group() as tasks:
        for _ in range(int(limiter.total_tokens)):
            tasks.start_soon(functools.partial(anyio.to_thread.run_sync, release.wait))
        while limiter.available_tokens:
            await anyio.lowlevel.checkpoint()
        try:
            await during(release)
        finally:
            release.set()


@pytest.mark.accelerated
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("path", BODIES)
def test_a_fully_marked_route_answers(path: str, backend: str, init: Init) -> None:
    app = init(make_app(async_safe))

    async def request(release: threading.Event) -> None:
        for _ in range(3):
            answer = await Exchange(path).run(app)
            assert (answer.error, answer.body) == (None, BODIES[path])
        assert not release.is_set()

    anyio.run(saturated, request, backend=backend)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("path", BODIES)
def test_others_answer_when_a_thread_is_free_again(path: str, backend: str, init: Init) -> None:
    app = init(make_app(lambda call: call))
    answers: list[Answer] = []

    async def request() -> None:
        answers.append(await Exchange(path).run(app))

    async def waiting(release: threading.Event) -> None:
        limiter = anyio.to_thread.current_default_thread_limiter()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(request)
            while not limiter.statistics().tasks_waiting:
                await anyio.lowlevel.checkpoint()
            assert answers == []
            release.set()

    anyio.run(saturated, waiting, backend=backend)
    assert [answer.body for answer in answers] == [BODIES[path]]


@pytest.mark.accelerated
def test_marked_and_other_routes_do_not_wait_for_each_other(init: Init) -> None:
    marked, others = init(make_app(async_safe)), init(make_app(lambda call: call))
    waited: list[Answer] = []

    async def request_other() -> None:
        waited.append(await Exchange().run(others))

    async def both(release: threading.Event) -> None:
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(request_other)
            for path in BODIES:
                assert (await Exchange(path).run(marked)).body == BODIES[path]
            assert waited == []
            release.set()

    anyio.run(saturated, both)
    assert [answer.body for answer in waited] == [BODIES["/"]] * 5


@pytest.mark.parametrize("path", BODIES)
def test_on_stock_a_mark_does_not_help(path: str) -> None:
    app = make_app(async_safe)

    async def waiting(release: threading.Event) -> None:
        limiter = anyio.to_thread.current_default_thread_limiter()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(Exchange(path).run, app)
            while not limiter.statistics().tasks_waiting:
                await anyio.lowlevel.checkpoint()
            release.set()

    anyio.run(saturated, waiting)
