"""Responses of marked endpoints: validated where the endpoint ran, and what they are on stock."""

import functools
from typing import Any

import pytest
from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, Response
from fastapi.exceptions import ResponseValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel, field_serializer, field_validator

from fastapi_async_safe import async_safe
from tests.support.endpoints import Item
from tests.support.kinds import app_with_endpoint, is_on_loop, on_loop
from tests.support.serving import BACKENDS, Exchange, Init, SameAsStock, Serve, exchange


def visited(visits: list[Any]) -> type[BaseModel]:
    """Make a model that keeps where it was validated and serialized."""

    class Visited(BaseModel):
        number: int

        @field_validator("number")
        @classmethod
        def validated(cls, number: int) -> int:
            visits.append(("validated", is_on_loop()))
            return number

        @field_serializer("number")
        def serialized(self, number: int) -> int:
            visits.append(("serialized", is_on_loop()))
            return number

    return Visited


@pytest.mark.accelerated
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("is_marked", [True, False])
def test_a_response_is_validated_where_its_endpoint_ran(
    is_marked: bool, backend: str, serve: Serve
) -> None:
    visits: list[Any] = []

    def endpoint() -> dict[str, int]:
        return {"number": 3}

    app = app_with_endpoint(
        async_safe(endpoint) if is_marked else endpoint, response_model=visited(visits)
    )
    client = serve(app, backend=backend)
    for _ in range(2):
        assert client.get("/").json() == {"number": 3}
    assert visits == [("validated", is_marked), ("serialized", True)] * 2


@pytest.mark.accelerated
def test_it_is_in_included_routers_too(serve: Serve) -> None:
    visits: list[Any] = []
    router = APIRouter()
    router.add_api_route("/", async_safe(lambda: {"number": 3}), response_model=visited(visits))
    app = FastAPI(dependencies=[Depends(on_loop)])
    app.include_router(router, prefix="/included")
    assert serve(app).get("/included/").json() == {"number": 3}
    assert visits == [("validated", True), ("serialized", True)]


def wrong() -> Any:
    """An endpoint whose response is not what was promised."""
    return {"number": "three"}


@pytest.mark.parametrize("endpoint", [async_safe(wrong), async_safe(functools.partial(wrong))])
def test_a_wrong_response_is_the_error_it_is_on_stock(
    endpoint: Any, same_as_stock: SameAsStock
) -> None:
    def make_app() -> FastAPI:
        app = app_with_endpoint(endpoint, response_model=Item)
        mounted = FastAPI()
        mounted.add_api_route("/wrong", endpoint, response_model=list[Item])
        app.mount("/mounted", mounted)
        return app

    first, second = same_as_stock(make_app, Exchange(), Exchange("/mounted/wrong"))
    assert isinstance(first.error, ResponseValidationError)
    assert isinstance(second.error, ResponseValidationError)
    assert first.error.body == {"number": "three"}
    assert str(first.error).startswith("1 validation error")


def test_every_form_of_response_is_that_of_stock(same_as_stock: SameAsStock) -> None:
    def response_by_hand(response: Response) -> Response:
        response.headers["x-lost"] = "1"
        return PlainTextResponse("text", 201, {"x-own": "1"})

    def injected(response: Response) -> dict[str, int]:
        response.status_code = 202
        response.headers["x-header"] = "1"
        response.set_cookie("cookie", "value")
        return {"number": 1}

    def not_serializable() -> object:
        return object()

    def generator_object() -> Any:
        return (number for number in range(3))

    def with_callback(tasks: BackgroundTasks) -> dict[str, Any]:
        tasks.add_task(lambda: None)
        return {"nan": float("inf"), "set": {1}}

    endpoints: list[tuple[Any, dict[str, Any]]] = [
        (response_by_hand, {}),
        (injected, {"response_model": Item}),
        (injected, {"response_model": Item, "response_model_exclude_unset": True}),
        (injected, {"response_model": Item, "response_model_include": {"name"}}),
        (lambda: None, {}),
        (lambda: None, {"status_code": 204}),
        (lambda: None, {"response_model": Item}),
        (lambda: Item(number=1), {"response_class": JSONResponse}),
        (lambda: "text", {"response_class": PlainTextResponse}),
        (lambda: b"bytes", {}),
        (not_serializable, {}),
        (generator_object, {}),
        (generator_object, {"response_model": list[int]}),
        (with_callback, {}),
        (lambda number=1: number, {}),
    ]

    def make_app() -> FastAPI:
        app = FastAPI()
        for number, (endpoint, options) in enumerate(endpoints):
            stated = {"response_model": None, **options}
            app.add_api_route(f"/{number}", async_safe(endpoint), **stated)
        return app

    paths = [Exchange(f"/{number}") for number in range(len(endpoints))]
    answers = same_as_stock(make_app, *paths, Exchange("/14", b"number=2"))
    assert [answer.status for answer in answers[:6]] == [201, 202, 202, 202, 200, 204]


@pytest.mark.accelerated
def test_a_coroutine_object_is_not_awaited(init: Init) -> None:
    given: list[Any] = []

    async def coroutine() -> int: ...

    @async_safe
    def endpoint() -> Any:
        given.append(coroutine())
        return given[0]

    error = exchange(init(app_with_endpoint(endpoint, response_model=None))).error
    assert error is not None
    assert given[0].cr_running is False
    assert given[0].cr_frame is not None
    given[0].close()
