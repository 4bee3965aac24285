"""W1: one class as a dependency, three query parameters."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, FastAPI

from fastapi_async_safe import async_safe, init_app


@async_safe
@dataclass
class Search:
    q: str | None = None
    skip: int = 0
    limit: int = 100


def create_app() -> FastAPI:
    app = FastAPI()

    @app.get("/items")
    async def read_items(search: Annotated[Search, Depends()]) -> dict[str, Any]:
        return vars(search)

    return app


app = init_app(create_app(), accelerated=True)
