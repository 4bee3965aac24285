"""W7: a JSON body beside two classes as dependencies."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header
from pydantic import BaseModel

from fastapi_async_safe import async_safe, init_app


class Item(BaseModel):
    name: str
    price: float
    tags: list[str] = []


@async_safe
@dataclass
class Options:
    notify: bool = False
    currency: str = "EUR"


@async_safe
@dataclass
class Client:
    user_agent: Annotated[str, Header()]
    x_request_id: Annotated[str | None, Header()] = None


def receipt(item: Item, options: Options, client: Client) -> dict[str, Any]:
    """What the endpoint answers: everything that it was given."""
    return {**item.model_dump(), **vars(options), **vars(client)}


def create_app() -> FastAPI:
    app = FastAPI()

    @app.post("/items")
    async def create_item(
        item: Item,
        options: Annotated[Options, Depends()],
        client: Annotated[Client, Depends()],
    ) -> dict[str, Any]:
        return receipt(item, options, client)

    return app


app = init_app(create_app(), accelerated=True)
