"""dishka: a provider that reads the request, injected into a FastAPI endpoint."""

from typing import Any

from dishka import Provider, Scope, make_async_container, provide
from dishka.integrations.fastapi import FastapiProvider, FromDishka, inject, setup_dishka
from fastapi import FastAPI, Request

from benchmarks.apps.query_classes import Order, Page, Price, Search, listing
from benchmarks.subjects.by_hand import TRUE


class QueryProvider(Provider):
    scope = Scope.REQUEST

    @provide
    def get_search(self, request: Request) -> Search:
        return Search(request.query_params.get("q"), request.query_params.get("category"))

    @provide
    def get_page(self, request: Request) -> Page:
        query = request.query_params
        return Page(int(query.get("skip", 0)), int(query.get("limit", 100)))

    @provide
    def get_order(self, request: Request) -> Order:
        query = request.query_params
        return Order(query.get("sort", "name"), query.get("descending", "false") in TRUE)

    @provide
    def get_price(self, request: Request) -> Price:
        query = request.query_params
        maximum = query.get("maximum")
        return Price(
            float(query.get("minimum", 0.0)),
            None if maximum is None else float(maximum),
            query.get("currency", "EUR"),
        )


def create_app() -> FastAPI:
    app = FastAPI()

    @app.get("/items")
    @inject
    async def read_items(
        search: FromDishka[Search],
        page: FromDishka[Page],
        order: FromDishka[Order],
        price: FromDishka[Price],
    ) -> dict[str, Any]:
        return listing(search, page, order, price)

    setup_dishka(make_async_container(QueryProvider(), FastapiProvider()), app)
    return app
