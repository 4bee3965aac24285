"""The example that people know from fastapi-async-safe-dependencies; nothing but its mark is new.

`init_app(app)` stands before the routes, as it does there.
"""

from typing import Any

from fastapi import Depends, FastAPI

from fastapi_async_safe import async_safe, init_app

app = init_app(FastAPI())

ITEMS = [{"item_name": "Foo"}, {"item_name": "Bar"}, {"item_name": "Baz"}]


@async_safe
class CommonQueryParams:
    def __init__(self, q: str | None = None, skip: int = 0, limit: int = 100) -> None:
        self.q = q
        self.skip = skip
        self.limit = limit


@app.get("/items/")
async def read_items(commons: CommonQueryParams = Depends()):  # type: ignore[no-untyped-def]  # noqa: B008
    response: dict[str, Any] = {}
    if commons.q:
        response["q"] = commons.q
    response["items"] = ITEMS[commons.skip : commons.skip + commons.limit]
    return response
