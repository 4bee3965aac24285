"""W9: the work of `query_classes` with nothing marked, so that the thread pool stays."""

from typing import Annotated, Any

from fastapi import Depends, FastAPI

from benchmarks.apps.query_classes import Order, Page, Price, Search, listing
from fastapi_async_safe import init_app


def get_search(q: str | None = None, category: str | None = None) -> Search:
    return Search(q, category)


def get_page(skip: int = 0, limit: int = 100) -> Page:
    return Page(skip, limit)


def get_order(sort: str = "name", descending: bool = False) -> Order:
    return Order(sort, descending)


def get_price(minimum: float = 0.0, maximum: float | None = None, currency: str = "EUR") -> Price:
    return Price(minimum, maximum, currency)


def create_app() -> FastAPI:
    app = FastAPI()

    @app.get("/items")
    async def read_items(
        search: Annotated[Search, Depends(get_search)],
        page: Annotated[Page, Depends(get_page)],
        order: Annotated[Order, Depends(get_order)],
        price: Annotated[Price, Depends(get_price)],
    ) -> dict[str, Any]:
        return listing(search, page, order, price)

    return app


app = init_app(create_app(), accelerated=True)
