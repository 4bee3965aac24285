"""What marked endpoints raise: who sees it, and what stays behind."""

from collections.abc import Iterator
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse

from fastapi_async_safe import async_safe
from tests.support.endpoints import OwnError
from tests.support.kinds import a_function, app_with_endpoint
from tests.support.serving import Exchange, Init, SameAsStock, exchange

EXCEPTIONS: list[Exception] = [
    OwnError("own"),
    HTTPException(418, "teapot", {"x-header": "1"}),
    StopIteration(3),
    StopAsyncIteration(3),
    ExceptionGroup("several", [OwnError("one"), ValueError("two")]),
    RecursionError("deep"),
    TimeoutError("late"),
]


@pytest.mark.parametrize("exception", EXCEPTIONS, ids=repr)
@pytest.mark.parametrize("is_handled", [False, True])
def test_each_exception_leaves_it_as_on_stock(
    is_handled: bool, exception: Exception, same_as_stock: SameAsStock
) -> None:
    @async_safe
    def endpoint() -> None:
        raise exception

    def make_app() -> FastAPI:
        app = app_with_endpoint(endpoint)
        if is_handled:

            @app.exception_handler(type(exception))
            async def handle(request: Request, error: Any) -> Response:
                return JSONResponse({"handled": repr(error)}, 418)

        return app

    exception.__traceback__ = exception.__context__ = exception.__cause__ = None
    same_as_stock(make_app, Exchange())


@pytest.mark.parametrize("is_marked", [True, False])
def test_contexts_see_what_it_raises(is_marked: bool, init: Init) -> None:
    seen: list[str] = []

    def context() -> Iterator[None]:
        try:
            yield
        except OwnError as error:
            seen.append(repr(error))
            raise

    def endpoint() -> None:
        raise OwnError("own")

    if is_marked:
        async_safe(context)
        async_safe(endpoint)
    app = init(FastAPI())
    app.add_api_route("/", endpoint, dependencies=[Depends(context)])
    assert repr(exchange(app).error) == "OwnError('own')"
    assert seen == ["OwnError('own')"]


@pytest.mark.accelerated
def test_after_an_exception_the_next_request_is_served_alike(init: Init) -> None:
    stock = app_with_endpoint(async_safe(a_function()))
    app = init(app_with_endpoint(async_safe(a_function())))

    @app.get("/raising")
    @async_safe
    def raising() -> None:
        raise OwnError

    async def alternating() -> list[bytes]:
        bodies = []
        for served, path in ((app, "/raising"), (stock, "/"), (app, "/raising"), (app, "/")):
            bodies.append((await Exchange(path).run(served)).body)
        return bodies

    error_body = exchange(app, "/raising").body
    assert anyio.run(alternating) == [error_body, b"false", error_body, b"true"]
