"""W11: a WebSocket that takes the dependencies of `query_classes`, answers once and closes."""

from typing import Annotated

from fastapi import Depends, FastAPI, WebSocket

from benchmarks.apps.query_classes import Order, Page, Price, Search, listing
from fastapi_async_safe import init_app


def create_app() -> FastAPI:
    app = FastAPI()

    @app.websocket("/items")
    async def send_items(
        websocket: WebSocket,
        search: Annotated[Search, Depends()],
        page: Annotated[Page, Depends()],
        order: Annotated[Order, Depends()],
        price: Annotated[Price, Depends()],
    ) -> None:
        await websocket.accept()
        await websocket.send_json(listing(search, page, order, price))
        await websocket.close()

    return app


app = init_app(create_app(), accelerated=True)
