"""Tools in the place of what carries calls to threads see what they see on stock."""

import traceback
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from typing import Annotated, Any

import anyio.to_thread
import fastapi.dependencies.utils
import fastapi.routing
import pytest
from fastapi import Depends, FastAPI
from pydantic import BaseModel

from benchmarks.runs.thread_trips import counted_thread_trips
from tests.support.serving import CLEANUP_IS_SHIELDED, Init, exchange

PLACES = [
    (fastapi.dependencies.utils, "run_in_threadpool"),
    (fastapi.dependencies.utils, "contextmanager_in_threadpool"),
    (anyio.to_thread, "run_sync"),
    (fastapi.routing, "run_in_threadpool"),
    (fastapi.routing, "run_endpoint_function"),
    (fastapi.routing, "serialize_response"),
    (fastapi.routing, "solve_dependencies"),
]


class Item(BaseModel):
    """What the endpoint returns."""

    name: str


def make_app(log: list[str]) -> FastAPI:
    """Make an application all of which goes to the thread pool."""
    app = FastAPI()

    def session() -> Iterator[str]:
        log.append("enter")
        yield "session"
        log.append("exit")

    def user(session: Annotated[str, Depends(session)]) -> str:
        log.append("user")
        return session

    @app.get("/")
    def endpoint(user: Annotated[str, Depends(user)]) -> Item:
        log.append("endpoint")
        return Item(name=user)

    return app


def watch(place: tuple[Any, str], log: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a tool in a place, which tells of what it sees."""
    owner, name = place
    original: Callable[..., Any] = getattr(owner, name)

    def watching(*arguments: Any, **options: Any) -> Any:
        log.append(f"{name} is called")
        return original(*arguments, **options)

    monkeypatch.setattr(owner, name, watching)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place[0].__name__}.{place[1]}")
@pytest.mark.parametrize("when", ["before", "after the first request"])
def test_a_tool_sees_what_it_sees_on_stock(
    place: tuple[Any, str], when: str, init: Init, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected: list[str] = []
    seen: list[str] = []
    stock, ours = make_app(expected), init(make_app(seen))
    if when != "before":
        assert exchange(stock).body == exchange(ours).body
        expected.clear()
        seen.clear()
    with monkeypatch.context() as patched:
        watch(place, expected, patched)
        assert exchange(stock).status == 200
    with monkeypatch.context() as patched:
        watch(place, seen, patched)
        assert exchange(ours).status == 200
    assert seen == expected


@pytest.mark.parametrize("raised", [KeyError("a"), StopIteration(1)], ids=repr)
def test_a_traceback_says_that_it_was_the_endpoint(raised: Exception, init: Init) -> None:
    app = init(FastAPI())

    @app.get("/")
    def endpoint(value: Annotated[int, Depends(lambda: 1)]) -> None:
        raise raised

    error = exchange(app).error
    assert error is not None
    names = [frame.name for frame in traceback.extract_tb(error.__traceback__)]
    assert "run_endpoint_function" in names


@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place[0].__name__}.{place[1]}")
def test_a_tool_that_comes_while_the_plan_is_made_sees_the_next_request(
    place: tuple[Any, str], init: Init, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected: list[str] = []
    seen: list[str] = []
    stock = make_app(expected)
    with monkeypatch.context() as patched:
        watch(place, expected, patched)
        assert exchange(stock).status == 200
    is_there = False

    def predicate(_: Any) -> bool:
        nonlocal is_there
        if not is_there:
            is_there = True
            watch(place, seen, monkeypatch)
        return False

    ours = init(make_app(seen), predicates=[predicate])
    assert exchange(ours).status == 200
    predicate(None)  # whom nobody asks on stock
    seen.clear()
    assert exchange(ours).status == 200
    assert seen == expected


@pytest.mark.accelerated
@pytest.mark.skipif(not CLEANUP_IS_SHIELDED, reason="contexts have their own trips before 0.162")
def test_once_the_tool_is_gone_trips_are_shared_again(
    init: Init, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = init(make_app([]))

    def count() -> int:
        with counted_thread_trips() as trips:
            assert exchange(app).status == 200
        return trips.count

    assert count() == 2
    with monkeypatch.context() as patched:
        watch(PLACES[0], [], patched)
        assert count() == 5
    assert count() == 2


def test_a_handler_of_the_users_own_calls_the_endpoint_itself(init: Init) -> None:
    """One that solves the dependencies, and does not call the endpoint then."""
    called: list[str] = []

    class Route(fastapi.routing.APIRoute):
        def get_route_handler(self) -> Callable[..., Any]:
            async def handle(request: Any) -> Any:
                async with AsyncExitStack() as stack:
                    await fastapi.dependencies.utils.solve_dependencies(
                        request=request,
                        dependant=self.dependant,
                        async_exit_stack=stack,
                        embed_body_fields=False,
                    )
                return fastapi.Response("not called")

            return handle

    app = FastAPI()
    app.router.route_class = Route

    @app.get("/")
    def endpoint(value: Annotated[int, Depends(lambda: 1)]) -> int:
        called.append("endpoint")
        return value

    assert exchange(init(app)).body == b"not called"
    assert called == []
