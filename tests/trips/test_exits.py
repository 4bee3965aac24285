"""How contexts are left, in the pool and on the loop: with the exceptions of stock."""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import anyio
import pytest
from fastapi import Depends, FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st

from fastapi_async_safe import async_safe
from tests.support.exceptions import told
from tests.support.serving import Exchange, Init, needs_dependency_scopes

EXAMPLES = int(os.environ.get("RANDOM_EXITS_EXAMPLES", "100"))

pytestmark = [pytest.mark.slow, needs_dependency_scopes]


@dataclass(frozen=True)
class Context:
    """A `yield` dependency, and what it does when it is left."""

    kind: str  # sync, marked, which is sync, too, or async
    scope: str
    with_error: str
    without_error: str


WITH_ERROR = [
    "reraise",
    "swallow",
    "raise",
    "raise from",
    "raise in handler",
    "raise after",
    "stop",
]
WITHOUT_ERROR = ["return", "return", "raise", "raise in handler", "raise twice", "stop"]

contexts = st.builds(
    Context,
    kind=st.sampled_from(["sync", "sync", "marked", "marked", "async"]),
    scope=st.sampled_from(["request", "request", "function"]),
    with_error=st.sampled_from(WITH_ERROR),
    without_error=st.sampled_from(WITHOUT_ERROR),
)


def leave_with(name: str, how: str, error: BaseException) -> None:
    """Do what a context does that is left with an exception."""
    match how:
        case "reraise":
            raise error
        case "raise":
            raise KeyError(name)
        case "raise from":
            raise LookupError(name) from error
        case "raise in handler":
            try:
                raise IndexError(name)
            except IndexError:
                raise OSError(name)  # noqa: B904
        case "stop":
            raise StopAsyncIteration(name)


def leave_without(name: str, how: str) -> None:
    """Do what a context does that is left without one."""
    match how:
        case "raise":
            raise KeyError(name)
        case "raise in handler":
            try:
                raise IndexError(name)
            except IndexError:
                raise OSError(name)  # noqa: B904
        case "raise twice":
            try:
                raise IndexError(name)
            finally:
                raise OSError(name)
        case "stop":
            raise StopAsyncIteration(name)


def dependency(name: str, context: Context, log: list[Any]) -> Callable[..., Any]:
    """Make the `yield` dependency."""

    def sync() -> Iterator[str]:
        failed: BaseException | None = None
        try:
            yield name
        except BaseException as error:
            log.append((name, told(error)))
            if context.with_error != "raise after":
                leave_with(name, context.with_error, error)
            failed = error
        else:
            log.append(name)
            leave_without(name, context.without_error)
        if failed is not None and context.with_error == "raise after":
            raise ArithmeticError(name)

    async def asynchronous() -> AsyncIterator[str]:
        try:
            yield name
        except BaseException as error:
            log.append((name, told(error)))
            leave_with(name, context.with_error, error)
        else:
            log.append(name)
            leave_without(name, context.without_error)

    if context.kind == "marked":
        return async_safe(sync)
    return asynchronous if context.kind == "async" else sync


def make_app(contexts: list[Context], fails: bool, is_marked: bool, log: list[Any]) -> FastAPI:
    """Make an application with one endpoint, marked or not, that has these contexts."""
    app = FastAPI()

    def endpoint() -> int:
        if fails:
            raise ValueError("endpoint")
        return 1

    app.get(
        "/",
        dependencies=[
            Depends(dependency(f"{number}", context, log), scope=context.scope)  # type: ignore[arg-type]
            for number, context in enumerate(contexts)
        ],
    )(async_safe(endpoint) if is_marked else endpoint)
    return app


async def leave(app: FastAPI, is_marked: bool) -> Any:
    """Serve a request while an exception is being handled, and tell what came of it."""
    if is_marked:  # what is handled outside is out of sight in a thread, but not on the loop
        answer = await Exchange().run(app)
        return answer.sent, told(answer.error)
    try:
        raise LookupError("being handled outside")
    except LookupError:
        answer = await Exchange().run(app)
    return answer.sent, told(answer.error)


@given(contexts=st.lists(contexts, max_size=5), fails=st.booleans(), is_marked=st.booleans())
@settings(max_examples=EXAMPLES)
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_each_context_sees_what_it_sees_on_stock(
    contexts: list[Context], fails: bool, is_marked: bool, backend: str, init: Init
) -> None:
    expected: list[Any] = []
    given: list[Any] = []
    inline = is_marked or any(context.kind == "marked" for context in contexts)
    stock = anyio.run(
        leave, make_app(contexts, fails, is_marked, expected), inline, backend=backend
    )
    ours = anyio.run(
        leave, init(make_app(contexts, fails, is_marked, given)), inline, backend=backend
    )
    assert given == expected
    assert ours == stock
