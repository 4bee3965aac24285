"""Models of parameters, read by FastAPI's own function."""

from typing import Annotated, Any

import pytest
from fastapi import Cookie, Depends, FastAPI, Header, Query
from pydantic import BaseModel

from fastapi_async_safe import async_safe
from tests.support.parameters import shown_by
from tests.support.serving import Exchange, SameAsStock, Serve


class Filter(BaseModel):
    model_config = {"extra": "forbid"}

    limit: int = 10
    tags: list[str] = []


@pytest.mark.parametrize("as_marked", [True, False])
def test_a_query_model_is_read(as_marked: bool, serve: Serve) -> None:
    def read(found: Annotated[Filter, Query()]) -> Filter:
        return found

    app = FastAPI()

    @app.get("/")
    async def endpoint(
        found: Annotated[Filter, Depends(async_safe(read) if as_marked else read)],
    ) -> Filter:
        return found

    client = serve(app)
    assert client.get("/?limit=5&tags=a&tags=b").json() == {"limit": 5, "tags": ["a", "b"]}
    assert client.get("/").json() == {"limit": 10, "tags": []}
    assert client.get("/?other=1").json()["detail"][0]["type"] == "extra_forbidden"


@pytest.mark.accelerated
@pytest.mark.parametrize("source", [Query, Header, Cookie])
def test_a_model_is_read_from_each_source_as_on_stock(
    source: Any, same_as_stock: SameAsStock
) -> None:
    class Model(BaseModel):
        some_name: int
        other: str | None = None

    @async_safe
    def read(model: Annotated[Model, source()]) -> Any:
        return model.model_dump(), sorted(model.model_fields_set)

    same_as_stock(
        lambda: shown_by(read),
        Exchange(),
        Exchange(query=b"some_name=1"),
        Exchange(query=b"some_name=x&other=a&third=b"),
        Exchange(headers=[(b"some-name", b"1"), (b"other", b"a")]),
        Exchange(headers=[(b"some_name", b"x")]),
        Exchange(headers=[(b"cookie", b"some_name=1; other=a; third=b")]),
    )
