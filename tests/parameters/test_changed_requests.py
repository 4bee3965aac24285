"""Requests that a dependency changes: later ones see what they see on stock."""

from collections import OrderedDict
from collections.abc import Callable
from types import MappingProxyType
from typing import Annotated, Any

import anyio.lowlevel
import pytest
from fastapi import Cookie, Depends, FastAPI, Header, Request
from starlette.datastructures import QueryParams

from fastapi_async_safe import async_safe
from tests.support.parameters import shown
from tests.support.serving import Exchange, SameAsStock, Serve


def append_a_header(request: Request) -> None:
    request.scope["headers"].append((b"x-agent", b"added"))


def replace_headers(request: Request) -> None:
    request.scope["headers"] = [(b"x-agent", b"replaced")]


def replace_path_params(request: Request) -> None:
    request.scope["path_params"] = {"item": "replaced"}


def change_path_params(request: Request) -> None:
    request.path_params["item"] = "changed"


def replace_the_query_string(request: Request) -> None:
    request.scope["query_string"] = b"number=99"


def replace_query_params(request: Request) -> None:
    request._query_params = QueryParams("number=99")


def change_cookies(request: Request) -> None:
    request.cookies["a"] = "changed"


CHANGES = [
    append_a_header,
    replace_headers,
    replace_path_params,
    change_path_params,
    replace_the_query_string,
    replace_query_params,
    change_cookies,
]


@pytest.mark.accelerated
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("as_marked", [True, False])
def test_what_a_dependency_changes_in_the_request_later_ones_see_as_on_stock(
    as_marked: bool, change: Callable[[Request], None], same_as_stock: SameAsStock
) -> None:
    @async_safe
    def read(
        item: str,
        number: int | None = None,
        x_agent: str | None = Header(None),
        a: str | None = Cookie(None),
    ) -> list[Any]:
        return [item, number, x_agent, a]

    def make_app() -> FastAPI:
        app = FastAPI()
        changing = async_safe(change) if as_marked else change

        @app.get("/{item}", dependencies=[Depends(changing)])
        async def endpoint(value: Annotated[Any, Depends(read)]) -> str:
            return shown(value)

        return app

    cookie = (b"cookie", b"a=1")
    same_as_stock(make_app, Exchange("/thing", query=b"number=1", headers=[cookie]))


@pytest.mark.accelerated
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("waits", [True, False])
def test_what_was_read_before_a_change_is_read_again_as_on_stock(
    waits: bool, change: Callable[[Request], None], same_as_stock: SameAsStock
) -> None:
    @async_safe
    def read(
        item: str,
        number: int | None = None,
        x_agent: str | None = Header(None),
        x_all: Annotated[list[str] | None, Header(alias="x-agent")] = None,
        a: str | None = Cookie(None),
    ) -> list[Any]:
        return [item, number, x_agent, x_all, a]

    @async_safe
    def read_again(
        item: str,
        number: int | None = None,
        x_agent: str | None = Header(None),
        x_all: Annotated[list[str] | None, Header(alias="x-agent")] = None,
        a: str | None = Cookie(None),
    ) -> list[Any]:
        return [item, number, x_agent, x_all, a]

    async def waiting(request: Request) -> None:
        await anyio.lowlevel.checkpoint()
        change(request)

    def make_app() -> FastAPI:
        app = FastAPI()

        @app.get("/{item}")
        async def endpoint(
            before: Annotated[Any, Depends(read)],
            changed: Annotated[None, Depends(waiting if waits else async_safe(change))],
            after: Annotated[Any, Depends(read_again)],
            x_agent: str | None = Header(None),
        ) -> str:
            return shown([before, after, x_agent])

        return app

    cookie = (b"cookie", b"a=1")
    same_as_stock(make_app, Exchange("/thing", query=b"number=1", headers=[cookie]))


@pytest.mark.parametrize("kind", [dict, OrderedDict, MappingProxyType])
def test_path_parameters_may_be_any_mapping(kind: Callable[..., Any], serve: Serve) -> None:
    async def change(request: Request) -> None:
        request.scope["path_params"] = kind(request.scope["path_params"])

    @async_safe
    def read(number: int) -> int:
        return number

    app = FastAPI()

    @app.get("/{number}", dependencies=[Depends(change)])
    async def endpoint(value: Annotated[int, Depends(read)]) -> int:
        return value

    assert serve(app).get("/3").json() == 3
