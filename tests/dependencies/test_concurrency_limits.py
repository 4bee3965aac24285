"""`Depends(max_concurrency=N)`: how many requests may be in a dependency at the same time."""

from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import anyio
import anyio.lowlevel
import pytest
from fastapi import Depends, FastAPI

from fastapi_async_safe import async_safe
from tests.support.serving import BACKENDS, Exchange, Init, exchange, needs_concurrency_limits

pytestmark = needs_concurrency_limits

REQUESTS = 6


class Occupancy:
    """Counts who is in, and keeps the highest count."""

    def __init__(self) -> None:
        self.now = self.highest = self.total = 0

    async def wait_for(self, count: int) -> None:
        """Stay until that many were in at once, and give more of them a chance to come in."""
        with anyio.fail_after(10):
            while self.highest < count:
                await anyio.lowlevel.checkpoint()
        for _ in range(10):
            await anyio.lowlevel.checkpoint()

    def __enter__(self) -> None:
        self.now += 1
        self.total += 1
        self.highest = max(self.highest, self.now)

    def __exit__(self, *error: object) -> None:
        self.now -= 1


def context_of(kind: str, occupancy: Occupancy) -> Any:
    """Make a `yield` dependency of a kind."""

    def context() -> Iterator[str]:
        with occupancy:
            yield kind

    async def async_context() -> AsyncIterator[str]:
        with occupancy:
            yield kind

    return {"inline": async_safe(context), "pooled": context, "async": async_context}[kind]


KINDS = ["inline", "pooled", "async"]


async def all_at_once(app: FastAPI) -> list[int | None]:
    """Send all requests at once, and give their statuses."""
    statuses: list[int | None] = []

    async def request() -> None:
        statuses.append((await Exchange().run(app)).status)

    async with anyio.create_task_group() as tasks:
        for _ in range(REQUESTS):
            tasks.start_soon(request)
    return statuses


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("limit", [1, 3])
def test_a_context_is_limited_until_it_is_left(
    limit: int, kind: str, backend: str, init: Init
) -> None:
    occupancy = Occupancy()
    app = FastAPI()

    @app.get("/", dependencies=[Depends(context_of(kind, occupancy), max_concurrency=limit)])
    async def endpoint() -> None:
        await occupancy.wait_for(limit)

    init(app)
    for _ in range(2):
        assert anyio.run(all_at_once, app, backend=backend) == [200] * REQUESTS
    assert occupancy.highest == limit
    assert (occupancy.now, occupancy.total) == (0, 2 * REQUESTS)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_coroutine_is_limited_while_it_runs(backend: str, init: Init) -> None:
    occupancy = Occupancy()

    async def coroutine() -> None:
        with occupancy:
            await occupancy.wait_for(2)

    app = FastAPI()

    @app.get("/", dependencies=[Depends(coroutine, max_concurrency=2)])
    async def endpoint() -> None: ...

    assert anyio.run(all_at_once, init(app), backend=backend) == [200] * REQUESTS
    assert (occupancy.highest, occupancy.total) == (2, REQUESTS)


@pytest.mark.parametrize("as_marked", [True, False])
def test_a_function_is_limited_and_its_value_handed_on(as_marked: bool, init: Init) -> None:
    occupancy = Occupancy()

    def function() -> str:
        with occupancy:
            return "value"

    app = FastAPI()

    @app.get("/")
    async def endpoint(
        value: Annotated[
            str, Depends(async_safe(function) if as_marked else function, max_concurrency=1)
        ],
    ) -> str:
        return value

    init(app)
    assert exchange(app).body == b'"value"'
    assert anyio.run(all_at_once, app) == [200] * REQUESTS
    assert occupancy.highest == 1


@pytest.mark.parametrize("kind", KINDS)
def test_one_declaration_limits_all_routes_that_use_it(kind: str, init: Init) -> None:
    occupancy = Occupancy()
    limited = Depends(context_of(kind, occupancy), max_concurrency=1)
    app = FastAPI()

    @app.get("/one", dependencies=[limited])
    @app.get("/two", dependencies=[limited])
    async def endpoint() -> None:
        await occupancy.wait_for(1)

    init(app)

    async def both() -> None:
        async with anyio.create_task_group() as tasks:
            for path in ("/one", "/two") * 3:
                tasks.start_soon(Exchange(path).run, app)

    anyio.run(both)
    assert (occupancy.highest, occupancy.total) == (1, 6)


@pytest.mark.parametrize("kind", KINDS)
def test_a_limit_is_given_back_after_an_exception(kind: str, init: Init) -> None:
    occupancy = Occupancy()
    app = FastAPI()

    @app.get("/", dependencies=[Depends(context_of(kind, occupancy), max_concurrency=1)])
    async def endpoint() -> None:
        raise LookupError

    init(app)

    async def one_after_the_other() -> list[str]:
        return [repr((await Exchange().run(app)).error) for _ in range(3)]

    assert anyio.run(one_after_the_other) == ["LookupError()"] * 3
    assert (occupancy.highest, occupancy.now) == (1, 0)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", KINDS)
def test_who_is_cancelled_while_waiting_never_gets_in(kind: str, backend: str, init: Init) -> None:
    occupancy = Occupancy()
    inside: list[anyio.Event] = []
    app = FastAPI()

    @app.get("/", dependencies=[Depends(context_of(kind, occupancy), max_concurrency=1)])
    async def endpoint() -> None:
        inside[0].set()
        await inside[1].wait()

    init(app)

    async def one_in_and_one_waiting() -> None:
        inside[:] = [anyio.Event(), anyio.Event()]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(Exchange().run, app)
            await inside[0].wait()
            async with anyio.create_task_group() as waiting:
                waiting.start_soon(Exchange().run, app)
                for _ in range(20):
                    await anyio.lowlevel.checkpoint()
                waiting.cancel_scope.cancel()
            assert occupancy.total == 1
            inside[1].set()
        assert (await Exchange().run(app)).status == 200

    anyio.run(one_in_and_one_waiting, backend=backend)
    assert (occupancy.highest, occupancy.total, occupancy.now) == (1, 2, 0)


@pytest.mark.parametrize("as_marked", [True, False])
def test_an_override_is_limited_as_what_it_stands_in_for(as_marked: bool, init: Init) -> None:
    occupancy = Occupancy()
    declared = context_of("async", Occupancy())
    app = FastAPI()

    @app.get("/", dependencies=[Depends(declared, max_concurrency=2)])
    async def endpoint() -> None:
        await occupancy.wait_for(2)

    app.dependency_overrides[declared] = context_of("inline" if as_marked else "pooled", occupancy)
    assert anyio.run(all_at_once, init(app)) == [200] * REQUESTS
    assert (occupancy.highest, occupancy.total) == (2, REQUESTS)
