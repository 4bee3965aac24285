"""How contexts that were entered next to each other are left: with the exceptions of stock."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import anyio
import pytest
from fastapi import Depends, FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.serving import Exchange, Init, needs_dependency_scopes

pytestmark = [pytest.mark.slow, needs_dependency_scopes]


@dataclass(frozen=True)
class Context:
    """A `yield` dependency, and what it does when it is left."""

    kind: str  # sync or async
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
    kind=st.sampled_from(["sync", "sync", "sync", "async"]),
    scope=st.sampled_from(["request", "request", "function"]),
    with_error=st.sampled_from(WITH_ERROR),
    without_error=st.sampled_from(WITHOUT_ERROR),
)


def told(error: BaseException | None, depth: int = 0) -> Any:
    """Tell an exception with its contexts and causes."""
    if error is None or depth > 12:
        return None
    return (
        repr(error),
        told(error.__context__, depth + 1),
        told(error.__cause__, depth + 1),
        error.__suppress_context__,
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

    return asynchronous if context.kind == "async" else sync


def make_app(contexts: list[Context], fails: bool, log: list[Any]) -> FastAPI:
    """Make an application with one endpoint that has these contexts."""
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
    )(endpoint)
    return app


async def leave(app: FastAPI) -> Any:
    """Serve a request while an exception is being handled, and tell what came of it."""
    try:
        raise LookupError("being handled outside")
    except LookupError:
        answer = await Exchange().run(app)
    return answer.sent, told(answer.error)


@given(contexts=st.lists(contexts, max_size=5), fails=st.booleans())
@settings(max_examples=100)
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_each_context_sees_what_it_sees_on_stock(
    contexts: list[Context], fails: bool, backend: str, init: Init
) -> None:
    expected: list[Any] = []
    given: list[Any] = []
    stock = anyio.run(leave, make_app(contexts, fails, expected), backend=backend)
    ours = anyio.run(leave, init(make_app(contexts, fails, given)), backend=backend)
    assert given == expected
    assert ours == stock
