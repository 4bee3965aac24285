"""Random trees most of which goes to the thread pool, cancelled and failing anywhere.

`RANDOM_TRIPS_EXAMPLES=50000 python -m pytest tests/trips/test_random_trips.py` is the long form.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Annotated, Any

import anyio
import anyio.from_thread
import pytest
from fastapi import Depends, FastAPI, HTTPException
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel

from fastapi_async_safe import async_safe
from tests.support.serving import CLEANUP_IS_SHIELDED, Exchange, Init, forget_endpoints, here

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not CLEANUP_IS_SHIELDED, reason="before FastAPI 0.162 cancelled contexts are not left"
    ),
]
EXAMPLES = int(os.environ.get("RANDOM_TRIPS_EXAMPLES", "150"))


@dataclass(frozen=True)
class Node:
    """One dependency; `below` are numbers of earlier ones."""

    kind: str
    below: tuple[int, ...]
    use_cache: bool
    scope: str | None
    parameter: str | None


@dataclass(frozen=True)
class Tree:
    """An application with one endpoint, and what happens to a request of it."""

    nodes: tuple[Node, ...]
    endpoint: str
    response: str
    point: str  # where something happens
    event: str
    query: bytes


KINDS = ["sync", "sync", "sync", "gen", "gen", "async", "agen", "marked", "marked gen"]
EVENTS = ["nothing", "ValueError", "HTTPException", "StopIteration", "scope", "task", "swallow"]


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    """Draw a tree."""
    event = draw(st.sampled_from(EVENTS))
    # What is marked runs on the loop, where it is no place to be cancelled at.
    cancelled = event in ("scope", "task")
    kinds = [kind for kind in KINDS if not (cancelled and kind.startswith("marked"))]
    nodes: list[Node] = []
    for number in range(draw(st.integers(0, 6))):
        kind = draw(st.sampled_from(kinds))
        earlier = st.lists(st.integers(0, number - 1), max_size=3, unique=True)
        below = tuple(draw(earlier)) if number else ()
        # FastAPI refuses a longer scope on a shorter one.
        scope = None
        if "gen" in kind and all("gen" not in nodes[each].kind for each in below):
            scope = draw(st.sampled_from([None, "request"]))
        parameter = draw(st.sampled_from([None, None, "plain", "validated"]))
        nodes.append(Node(kind, below, draw(st.booleans()), scope, parameter))
    points = ["endpoint", "validator"]
    points += [f"{number}" for number in range(len(nodes))]
    points += [f"exit {number}" for number, node in enumerate(nodes) if "gen" in node.kind]
    return Tree(
        tuple(nodes),
        draw(st.sampled_from(["sync", "sync", "async"])),
        draw(st.sampled_from(["model", "none", "wrong"])),
        draw(st.sampled_from(points)),
        event,
        draw(st.sampled_from([b"", b"", b"value=3", b"value=x"])),
    )


class Scene:
    """The application of a tree, and what is told by its calls."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.log: list[Any] = []
        self.noted: ContextVar[str] = ContextVar("noted", default="nothing")
        self.reached = threading.Event()
        self.let_go = threading.Event()
        self.ended = threading.Event()

    def tell(self, name: str, marked: bool = False) -> None:
        if marked:  # it says nothing of the place and the context, which differ from stock
            self.log.append(name)
            return
        self.log.append((name, self.noted.get(), here() == self.loop_thread))
        self.noted.set(name)

    def happen(self, name: str) -> None:
        """Let happen what happens in this sync call, if it is the one."""
        if name != self.tree.point:
            return
        match self.tree.event:
            case "ValueError":
                raise ValueError(name)
            case "HTTPException":
                raise HTTPException(418, name)
            case "StopIteration":
                raise StopIteration(name)
            case "scope" | "task" if here() != self.loop_thread:
                self.reached.set()
                assert self.let_go.wait(30)
                self.ended.set()

    async def happen_on_loop(self, name: str) -> None:
        """The same for an async one."""
        if name == self.tree.point and self.tree.event in ("scope", "task"):
            self.reached.set()
            self.ended.set()
            await anyio.sleep(5)
        else:
            self.happen(name)

    def dependency(self, number: int, node: Node, made: list[Callable[..., Any]]) -> Any:
        """Make a dependency."""
        name, leaving = f"{number}", f"exit {number}"
        marked = node.kind.startswith("marked")
        swallows = self.tree.event == "swallow" and self.tree.point == leaving

        def sync(**values: Any) -> str:
            self.tell(name, marked)
            self.happen(name)
            return f"{name}({','.join(map(str, values.values()))})"

        async def asynchronous(**values: Any) -> str:
            self.tell(name)
            await self.happen_on_loop(name)
            return f"{name}({','.join(map(str, values.values()))})"

        def generator(**values: Any) -> Iterator[str]:
            self.tell(name, marked)
            self.happen(name)
            try:
                yield name
            except GeneratorExit:  # nobody leaves it, at some time the garbage collector does
                raise
            except BaseException as error:
                self.log.append((leaving, told(error), told(error.__cause__)))
                self.happen(leaving)
                if not swallows:
                    raise
            else:
                self.tell(leaving, marked)
                self.happen(leaving)

        async def async_generator(**values: Any) -> AsyncIterator[str]:
            self.tell(name)
            await self.happen_on_loop(name)
            try:
                yield name
            except BaseException as error:
                self.log.append((leaving, told(error), told(error.__cause__)))
                raise
            else:
                self.tell(leaving)

        call: Any = {
            "sync": sync,
            "marked": sync,
            "async": asynchronous,
            "gen": generator,
            "marked gen": generator,
            "agen": async_generator,
        }[node.kind]
        parameters = [self.depends(each, made) for each in node.below]
        if node.parameter is not None:
            annotation: Any = int
            if node.parameter == "validated":

                def check(value: int) -> int:
                    self.log.append((f"check {name}", here() == self.loop_thread))
                    return value

                annotation = Annotated[int, AfterValidator(check)]
            parameters.append(
                inspect.Parameter(
                    "value", inspect.Parameter.KEYWORD_ONLY, default=1, annotation=annotation
                )
            )
        call.__signature__ = inspect.Signature(parameters)
        return async_safe(call) if marked else call

    def depends(self, number: int, made: list[Callable[..., Any]]) -> inspect.Parameter:
        """Make the parameter that depends on the dependency of that number."""
        node = self.tree.nodes[number]
        options: dict[str, Any] = {} if node.scope is None else {"scope": node.scope}
        marker = Depends(made[number], use_cache=node.use_cache, **options)
        return inspect.Parameter(
            f"d{number}", inspect.Parameter.KEYWORD_ONLY, annotation=Annotated[str, marker]
        )

    def make_app(self) -> FastAPI:
        """Make the application."""
        app = FastAPI()
        made: list[Callable[..., Any]] = []
        for number, node in enumerate(self.tree.nodes):
            made.append(self.dependency(number, node, made))

        def validate(value: str) -> str:
            self.tell("validator")
            if self.tree.endpoint == "sync":
                self.happen("validator")
            return value

        class Checked(BaseModel):
            value: Annotated[str, AfterValidator(validate)]

        def sync(**values: Any) -> Any:
            self.tell("endpoint")
            self.happen("endpoint")
            return {"wrong": 1} if self.tree.response == "wrong" else {"value": str(values)}

        async def asynchronous(**values: Any) -> Any:
            self.tell("endpoint")
            await self.happen_on_loop("endpoint")
            return {"value": str(values)}

        endpoint: Any = sync if self.tree.endpoint == "sync" else asynchronous
        endpoint.__signature__ = inspect.Signature(
            [self.depends(number, made) for number in range(len(made))]
        )
        app.get("/", response_model=None if self.tree.response == "none" else Checked)(endpoint)
        return app

    async def serve(self, app: FastAPI) -> list[Any]:
        """Serve one request, and tell all that came of it."""
        self.loop_thread = here()
        request = Exchange(query=self.tree.query)
        if self.tree.event not in ("scope", "task"):
            answer = await request.run(app)
            return [self.log, answer.shown()]
        outcome: list[Any] = []

        async def run() -> None:
            try:
                outcome.append((await request.run(app)).shown())
            except BaseException as error:
                outcome.append(type(error).__name__)
                raise
            finally:
                self.reached.set()
                self.ended.set()

        if self.tree.event == "scope":
            async with anyio.create_task_group() as group:
                group.start_soon(run)
                await _is_set(self.reached)
                group.cancel_scope.cancel()
                self.let_go.set()
        else:
            task = asyncio.ensure_future(run())
            await _is_set(self.reached)
            task.cancel()
            await asyncio.wait([task], timeout=0.02)
            self.let_go.set()
            await asyncio.wait([task])
            await _is_set(self.ended)
            await anyio.sleep(0.002)
        return [self.log, outcome]


def told(error: BaseException | None) -> str:
    """Tell an exception, a cancellation without what differs from run to run."""
    return repr(error) if isinstance(error, Exception) else type(error).__name__


async def _is_set(event: threading.Event) -> None:
    while not event.is_set():  # noqa: ASYNC110 - set by a thread
        await anyio.sleep(0.0005)


@given(tree=trees())
@settings(max_examples=EXAMPLES)
def test_everything_is_as_on_stock_but_the_number_of_trips(tree: Tree, init: Init) -> None:
    stock, ours = Scene(tree), Scene(tree)
    forget_endpoints()
    expected = anyio.run(stock.serve, stock.make_app())
    forget_endpoints()
    assert anyio.run(ours.serve, init(ours.make_app())) == expected
