"""A StopIteration out of marked code becomes what it becomes on its way from a thread on stock."""

import functools
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import anyio.lowlevel
import pytest
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import AfterValidator

from fastapi_async_safe import async_safe
from fastapi_async_safe.dependencies import wrap_dependant
from tests.support.exceptions import told
from tests.support.kinds import app_with_dependency, app_with_endpoint
from tests.support.serving import (
    BACKENDS,
    AsgiApp,
    Init,
    exchange,
    needs_concurrency_limits,
)

MakeApp = Callable[[], FastAPI]


def stop() -> Any:
    """Raise it, as `next` does of an iterator that is used up."""
    raise StopIteration


def stop_in_a_handler() -> Any:
    try:
        raise LookupError("text")
    except LookupError:
        raise StopIteration(1)  # noqa: B904


def stop_from_another() -> Any:
    raise StopIteration(1) from LookupError("text")


class OwnStop(StopIteration):
    """One of the application's."""


def stop_in_an_own_way() -> Any:
    raise OwnStop(1)


def a_runtime_error_from_one() -> Any:
    try:
        raise StopIteration(1)
    except StopIteration as error:
        raise RuntimeError("coroutine raised StopIteration") from error


WAYS = [stop, stop_in_a_handler, stop_from_another, stop_in_an_own_way, a_runtime_error_from_one]


def of_a_function(way: Callable[[], Any]) -> FastAPI:
    return app_with_dependency(async_safe(way))


def of_a_class(way: Callable[[], Any]) -> FastAPI:
    @async_safe
    class Stopping:
        def __init__(self) -> None:
            way()

    return app_with_dependency(Stopping)


def of_a_partial(way: Callable[[], Any]) -> FastAPI:
    return app_with_dependency(async_safe(functools.partial(lambda way: way(), way)))


def below_what_sees_it(way: Callable[[], Any]) -> FastAPI:
    async def seeing() -> Any:
        try:
            yield
        except BaseException as error:
            raise HTTPException(418, repr(told(error))) from None

    @async_safe
    def stopping(_: Annotated[None, Depends(seeing)]) -> None:
        way()

    return app_with_dependency(stopping)


def after_an_await(way: Callable[[], Any]) -> FastAPI:
    async def waiting() -> None:
        await anyio.lowlevel.checkpoint()

    @async_safe
    def stopping(_: Annotated[None, Depends(waiting)]) -> None:
        way()

    return app_with_dependency(stopping)


def of_a_limited_one(way: Callable[[], Any]) -> FastAPI:
    async def endpoint(
        _: Annotated[Any, Depends(async_safe(way), max_concurrency=1)],
    ) -> None: ...

    return app_with_endpoint(endpoint)


def of_an_endpoint(way: Callable[[], Any]) -> FastAPI:
    return app_with_endpoint(async_safe(way))


def of_the_validation_of_a_response(way: Callable[[], Any]) -> FastAPI:
    def validate(value: int) -> int:
        return way()

    return app_with_endpoint(
        async_safe(lambda: 3), response_model=Annotated[int, AfterValidator(validate)]
    )


def of_what_is_entered(way: Callable[[], Any]) -> FastAPI:
    def context() -> Iterator[None]:
        way()
        yield

    return app_with_dependency(async_safe(context))


def of_what_is_left(way: Callable[[], Any]) -> FastAPI:
    def context() -> Iterator[None]:
        yield
        way()

    return app_with_dependency(async_safe(context))


def of_what_is_left_with_an_exception(way: Callable[[], Any]) -> FastAPI:
    @async_safe
    def context() -> Iterator[None]:
        try:
            yield
        finally:
            way()

    async def endpoint(_: Annotated[None, Depends(context)]) -> None:
        raise LookupError("of the endpoint")

    return app_with_endpoint(endpoint)


def of_a_stream(way: Callable[[], Any]) -> FastAPI:
    def items() -> Iterator[str]:
        yield "one"
        way()

    return app_with_endpoint(async_safe(lambda: StreamingResponse(items())), response_model=None)


def of_a_background_task(way: Callable[[], Any]) -> FastAPI:
    async def endpoint(tasks: BackgroundTasks) -> None:
        tasks.add_task(async_safe(way))

    return app_with_endpoint(endpoint)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "make_app",
    [
        of_a_function,
        of_a_class,
        of_a_partial,
        below_what_sees_it,
        after_an_await,
        pytest.param(of_a_limited_one, marks=needs_concurrency_limits),
        of_an_endpoint,
        of_the_validation_of_a_response,
        of_what_is_entered,
        of_what_is_left,
        of_what_is_left_with_an_exception,
        of_a_stream,
        of_a_background_task,
    ],
)
def test_it_is_what_it_is_on_stock(
    make_app: Callable[[Any], FastAPI], way: Any, backend: str, init: Init
) -> None:
    def answer(app: AsgiApp) -> Any:
        given = exchange(app, backend=backend)
        return given.sent, told(given.error)

    expected = answer(make_app(way))
    app = init(make_app(way))
    for _ in range(2):
        assert answer(app) == expected
    assert expected[1] is not None or expected[0][0]["status"] == 418


def test_a_handler_sees_it(init: Init) -> None:
    def make_app() -> FastAPI:
        app = of_an_endpoint(stop)

        @app.exception_handler(RuntimeError)
        async def handle(request: Request, error: Exception) -> Response:
            return JSONResponse(repr(told(error)), 418)

        return app

    expected = exchange(make_app())
    assert (expected.status, exchange(init(make_app())).body) == (418, expected.body)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_dependency_that_was_wrapped_on_stock(backend: str) -> None:
    app = of_a_function(stop)
    expected = told(exchange(app, backend=backend).error)
    dependant = app.routes[-1].dependant.dependencies[-1]  # type: ignore[attr-defined]
    assert wrap_dependant(dependant)
    assert told(exchange(app, backend=backend).error) == expected
