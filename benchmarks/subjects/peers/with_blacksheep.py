"""BlackSheep: the nine parameters bound by the framework, the four objects made from them."""

from typing import Any

from blacksheep import Application, json
from blacksheep.messages import Response

from benchmarks.apps.query_classes import Order, Page, Price, Search, listing


def create_app() -> Application:
    app = Application()

    @app.router.get("/items")
    async def read_items(
        q: str | None = None,
        category: str | None = None,
        skip: int = 0,
        limit: int = 100,
        sort: str = "name",
        descending: bool = False,
        minimum: float = 0.0,
        maximum: float | None = None,
        currency: str = "EUR",
    ) -> Response:
        answer: dict[str, Any] = listing(
            Search(q, category),
            Page(skip, limit),
            Order(sort, descending),
            Price(minimum, maximum, currency),
        )
        response: Response = json(answer)
        return response

    return app
