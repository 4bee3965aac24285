"""A request that is cancelled while a call is under way: nothing is called after it."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import anyio
import anyio.from_thread
import pytest
from fastapi import Depends, FastAPI
from pydantic import AfterValidator, BaseModel

from tests.support.serving import CLEANUP_IS_SHIELDED, Exchange, Init

pytestmark = pytest.mark.skipif(
    not CLEANUP_IS_SHIELDED, reason="before FastAPI 0.162 cancelled contexts are not left"
)

POINTS = ["enter", "call", "enter again", "user", "endpoint", "validator", "exit again", "exit"]


class Scene:
    """An application whose calls are told of, one of which waits until it is let go."""

    def __init__(self, point: str, init: Callable[[FastAPI], FastAPI] = lambda app: app) -> None:
        self.log: list[str] = []
        self.point = point
        self.reached = threading.Event()
        self.let_go = threading.Event()
        self.all_ended = threading.Event()
        self.under_way = 0
        self.app = init(self.make_app())

    def at(self, point: str) -> None:
        """Tell that a call is under way, and wait if it is the one."""
        self.log.append(f"{point} begins")
        if point == self.point:
            self.reached.set()
            assert self.let_go.wait(30)
            try:
                anyio.from_thread.check_cancelled()
            except BaseException as error:
                self.log.append(f"{point} sees {type(error).__name__}")
        self.log.append(f"{point} ends")
        if point == self.point:
            self.all_ended.set()

    def context(self, enter: str, leave: str) -> Callable[[], Iterator[None]]:
        """Make a sync `yield` dependency."""

        def opened() -> Iterator[None]:
            self.at(enter)
            try:
                yield
            except BaseException as error:
                self.log.append(f"{leave} with {type(error).__name__}")
                self.at(leave)
                raise
            self.at(leave)

        return opened

    def make_app(self) -> FastAPI:
        """Make the application."""
        app = FastAPI()
        first = self.context("enter", "exit")
        second = self.context("enter again", "exit again")

        def call(first: Annotated[None, Depends(first)]) -> None:
            self.at("call")

        def user(
            call: Annotated[None, Depends(call)], second: Annotated[None, Depends(second)]
        ) -> None:
            self.at("user")

        class Checked(BaseModel):
            value: Annotated[int, AfterValidator(lambda value: self.at("validator") or value)]

        @app.get("/", response_model=Checked)
        def endpoint(user: Annotated[None, Depends(user)]) -> Any:
            self.at("endpoint")
            return {"value": 1}

        return app

    async def wait_until_reached(self) -> None:
        """Wait, and let the event loop go on meanwhile."""
        while not self.reached.is_set():  # noqa: ASYNC110 - set by a thread
            await anyio.sleep(0.001)

    async def cancelled_by_scope(self) -> list[str]:
        """Serve a request that anyio cancels while the call is under way."""
        async with anyio.create_task_group() as group:
            group.start_soon(Exchange().run, self.app)
            await self.wait_until_reached()
            group.cancel_scope.cancel()
            self.let_go.set()
        return self.log

    async def cancelled_by_asyncio(self) -> list[str]:
        """Serve a request whose task is cancelled while the call is under way."""
        task = asyncio.ensure_future(Exchange().run(self.app))
        await self.wait_until_reached()
        task.cancel()
        # The task ends, or goes on to leave its contexts, beside the call.
        await asyncio.wait([task], timeout=0.2)
        self.let_go.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        while not self.all_ended.is_set():  # noqa: ASYNC110 - set by a thread
            await anyio.sleep(0.001)
        await anyio.sleep(0.02)  # nothing may come of it any more
        return self.log


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("point", POINTS)
def test_a_scope_that_is_cancelled(point: str, backend: str, init: Init) -> None:
    stock = anyio.run(Scene(point).cancelled_by_scope, backend=backend)
    ours = anyio.run(Scene(point, init).cancelled_by_scope, backend=backend)
    assert ours == stock


@pytest.mark.parametrize("point", POINTS)
def test_a_task_that_is_cancelled(point: str, init: Init) -> None:
    stock = asyncio.run(Scene(point).cancelled_by_asyncio())
    ours = asyncio.run(Scene(point, init).cancelled_by_asyncio())
    assert ours == stock


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_deadline_that_passes(backend: str, init: Init) -> None:
    async def serve(scene: Scene) -> list[str]:
        async def let_go_later() -> None:
            await scene.wait_until_reached()
            await anyio.sleep(0.05)
            scene.let_go.set()

        async with anyio.create_task_group() as group:
            group.start_soon(let_go_later)
            with anyio.move_on_after(0.02):
                await Exchange().run(scene.app)
        return scene.log

    stock = anyio.run(serve, Scene("enter"), backend=backend)
    ours = anyio.run(serve, Scene("enter", init), backend=backend)
    assert ours == stock
