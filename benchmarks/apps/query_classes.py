"""W2: four classes as dependencies, nine query parameters between them."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, FastAPI

from fastapi_async_safe import async_safe, init_app


@async_safe
@dataclass
class Search:
    q: str | None = None
    category: str | None = None


@async_safe
@dataclass
class Page:
    skip: int = 0
    limit: int = 100


@async_safe
@dataclass
class Order:
    sort: str = "name"
    descending: bool = False


@async_safe
@dataclass
class Price:
    minimum: float = 0.0
    maximum: float | None = None
    currency: str = "EUR"


def listing(search: Search, page: Page, order: Order, price: Price) -> dict[str, Any]:
    """What the endpoint answers: everything that it was given."""
    return {**vars(search), **vars(page), **vars(order), **vars(price)}


def create_app() -> FastAPI:
    app = FastAPI()

    @app.get("/items")
    async def read_items(
        search: Annotated[Search, Depends()],
        page: Annotated[Page, Depends()],
        order: Annotated[Order, Depends()],
        price: Annotated[Price, Depends()],
    ) -> dict[str, Any]:
        return listing(search, page, order, price)

    return app


app = init_app(create_app(), accelerated=True)
