"""wireup: scoped factories that read the request, injected into a FastAPI endpoint."""

from typing import Any

import wireup
import wireup.integration.fastapi
from fastapi import FastAPI, Request
from wireup import Injected, injectable

from benchmarks.apps.query_classes import Order, Page, Price, Search, listing
from benchmarks.subjects.by_hand import TRUE


@injectable(lifetime="scoped")
def get_search(request: Request) -> Search:
    return Search(request.query_params.get("q"), request.query_params.get("category"))


@injectable(lifetime="scoped")
def get_page(request: Request) -> Page:
    query = request.query_params
    return Page(int(query.get("skip", 0)), int(query.get("limit", 100)))


@injectable(lifetime="scoped")
def get_order(request: Request) -> Order:
    query = request.query_params
    return Order(query.get("sort", "name"), query.get("descending", "false") in TRUE)


@injectable(lifetime="scoped")
def get_price(request: Request) -> Price:
    query = request.query_params
    maximum = query.get("maximum")
    return Price(
        float(query.get("minimum", 0.0)),
        None if maximum is None else float(maximum),
        query.get("currency", "EUR"),
    )


def create_app() -> FastAPI:
    app = FastAPI()
    app.router.route_class = wireup.integration.fastapi.WireupRoute

    @app.get("/items")
    async def read_items(
        search: Injected[Search],
        page: Injected[Page],
        order: Injected[Order],
        price: Injected[Price],
    ) -> dict[str, Any]:
        return listing(search, page, order, price)

    container = wireup.create_async_container(
        injectables=[wireup.integration.fastapi, get_search, get_page, get_order, get_price]
    )
    wireup.integration.fastapi.setup(container, app)
    return app
