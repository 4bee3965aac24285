"""Litestar: its own dependency injection, told not to use threads."""

from typing import Any

from litestar import Litestar, get
from litestar.di import Provide

from benchmarks.apps.query_classes import Order, Page, Price, Search, listing


def get_search(q: str | None = None, category: str | None = None) -> Search:
    return Search(q, category)


def get_page(skip: int = 0, limit: int = 100) -> Page:
    return Page(skip, limit)


def get_order(sort: str = "name", descending: bool = False) -> Order:
    return Order(sort, descending)


def get_price(minimum: float = 0.0, maximum: float | None = None, currency: str = "EUR") -> Price:
    return Price(minimum, maximum, currency)


@get(
    "/items",
    dependencies={
        "search": Provide(get_search, sync_to_thread=False),
        "page": Provide(get_page, sync_to_thread=False),
        "order": Provide(get_order, sync_to_thread=False),
        "price": Provide(get_price, sync_to_thread=False),
    },
)
async def read_items(search: Search, page: Page, order: Order, price: Price) -> dict[str, Any]:
    return listing(search, page, order, price)


def create_app() -> Litestar:
    return Litestar([read_items])
