"""W12: a plain `def` endpoint with a response model, marked, so that both run on the loop."""

from fastapi import FastAPI
from pydantic import BaseModel

from fastapi_async_safe import async_safe, init_app


class Item(BaseModel):
    name: str
    price: float
    tags: list[str]


def create_app() -> FastAPI:
    app = FastAPI()

    @app.get("/items/{name}")
    @async_safe
    def read_item(name: str) -> Item:
        return Item(name=name, price=12.5, tags=["new", "paper"])

    return app


app = init_app(create_app(), accelerated=True)
