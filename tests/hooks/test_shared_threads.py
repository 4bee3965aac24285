"""One application served by several threads at once, each with an event loop of its own."""

import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import anyio
import anyio.lowlevel
import pytest
from fastapi import APIRouter, Depends, FastAPI
from starlette.testclient import TestClient

from fastapi_async_safe import _locks, async_safe
from tests.support.serving import Exchange, Init, here

# FastAPI silences this one where it makes fields, in a way that several threads get into each
# other's way with.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:The '.*' attribute with value:UserWarning"),
]

THREADS = 6
REQUESTS = 15


@pytest.fixture(autouse=True)
def frequent_switches() -> Iterator[None]:
    """Let the threads interrupt each other as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def make_app() -> FastAPI:
    """Make an application with dependencies of several kinds over a shared one."""

    @async_safe
    class Filter:
        def __init__(self, number: int, tags: str = "") -> None:
            self.number, self.tags, self.thread = number, tags, here()

    @async_safe
    def session(found: Annotated[Filter, Depends()]) -> Iterator[int]:
        yield found.number

    async def waiting(number: Annotated[int, Depends(session)]) -> int:
        await anyio.lowlevel.checkpoint()
        return number

    def pooled(number: Annotated[int, Depends(session)]) -> int:
        return number

    router = APIRouter()

    @router.get("/")
    async def endpoint(
        a: Annotated[Filter, Depends()],
        b: Annotated[int, Depends(waiting)],
        c: Annotated[int, Depends(pooled)],
        d: Annotated[int, Depends(session)],
    ) -> list[Any]:
        return [a.number, b, c, d, a.tags]

    app = FastAPI()
    app.include_router(router)
    return app


def serve_from_many_threads(app: FastAPI) -> list[bytes]:
    """Send requests from all threads, each numbered, and give the bodies by number."""
    together = threading.Barrier(THREADS)

    async def requests(first: int) -> list[bytes]:
        together.wait()
        bodies: dict[int, bytes] = {}

        async def request(number: int) -> None:
            answer = await Exchange(query=f"number={number}&tags=t{number}".encode()).run(app)
            bodies[number] = answer.body

        async with anyio.create_task_group() as tasks:
            for number in range(first, first + REQUESTS):
                tasks.start_soon(request, number)
        return [bodies[number] for number in sorted(bodies)]

    with ThreadPoolExecutor(THREADS) as pool:
        firsts = [thread * REQUESTS for thread in range(THREADS)]
        return [
            body
            for bodies in pool.map(lambda first: anyio.run(requests, first), firsts)
            for body in bodies
        ]


def expected(number: int) -> bytes:
    return f'[{number},{number},{number},{number},"t{number}"]'.encode()


def test_each_request_gets_its_own_values(init: Init) -> None:
    app = init(make_app())
    for _ in range(2):
        bodies = serve_from_many_threads(app)
        assert bodies == [expected(number) for number in range(THREADS * REQUESTS)]


def test_under_overrides_too(init: Init) -> None:
    app = init(make_app())
    app.dependency_overrides[test_under_overrides_too] = make_app
    bodies = serve_from_many_threads(app)
    assert bodies == [expected(number) for number in range(THREADS * REQUESTS)]


@pytest.mark.accelerated
def test_apps_may_be_initialised_while_others_are_served(init: Init) -> None:
    app = init(make_app())
    done = threading.Event()

    def initialise_others() -> int:
        count = 0
        while not done.is_set():
            init(make_app())
            count += 1
        return count

    with ThreadPoolExecutor(1) as pool:
        others = pool.submit(initialise_others)
        try:
            bodies = serve_from_many_threads(app)
        finally:
            done.set()
        assert others.result() > 0
    assert bodies == [expected(number) for number in range(THREADS * REQUESTS)]


@pytest.mark.declines
@pytest.mark.parametrize("is_overridden", [False, True])
def test_plans_are_not_waited_for_by_what_their_maker_waits_for(
    is_overridden: bool, init: Init, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Code of the user's runs while a plan is made: here a hash that waits for another thread."""
    monkeypatch.setattr(_locks, "PATIENCE", 0.2)
    container, is_asked = threading.Lock(), threading.Event()

    class Resolved:
        is_ready = True

        def __call__(self) -> int:
            return 1

        def __hash__(self) -> int:
            if not self.is_ready:
                is_asked.set()
                with container:
                    self.is_ready = True
            return 1

    resolved = Resolved()
    outer, inner = FastAPI(), FastAPI()

    @outer.get("/")
    async def outer_endpoint(value: Annotated[int, Depends(resolved)]) -> int:
        return value

    @inner.get("/")
    async def inner_endpoint(value: Annotated[int, Depends(lambda: 2)]) -> int:
        return value

    if is_overridden:
        inner.dependency_overrides[here] = here
    first, second = TestClient(init(outer)), TestClient(init(inner))
    resolved.is_ready = False

    def build() -> int:
        with container:
            is_asked.wait()
            answer: int = second.get("/").json()
            return answer

    with ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(build), pool.submit(lambda: first.get("/").json())]
        assert [each.result(timeout=60) for each in answers] == [2, 1]
    assert (first.get("/").json(), second.get("/").json()) == (1, 2)
