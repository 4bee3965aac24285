"""W6: path, header and cookie parameters, each kind in a class of its own."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Cookie, Depends, FastAPI, Header, Path

from fastapi_async_safe import async_safe, init_app


@async_safe
@dataclass
class Target:
    shop: str
    item: Annotated[int, Path(ge=1)]


@async_safe
@dataclass
class Client:
    user_agent: Annotated[str, Header()]
    accept_language: Annotated[str, Header()] = "en"
    x_request_id: Annotated[str | None, Header()] = None


@async_safe
@dataclass
class Visitor:
    visit: Annotated[str, Cookie()]
    theme: Annotated[str, Cookie()] = "light"


def description(target: Target, client: Client, visitor: Visitor) -> dict[str, Any]:
    """What the endpoint answers: everything that it was given."""
    return {**vars(target), **vars(client), **vars(visitor)}


def create_app() -> FastAPI:
    app = FastAPI()

    @app.get("/shops/{shop}/items/{item}")
    async def read_item(
        target: Annotated[Target, Depends()],
        client: Annotated[Client, Depends()],
        visitor: Annotated[Visitor, Depends()],
    ) -> dict[str, Any]:
        return description(target, client, visitor)

    return app


app = init_app(create_app(), accelerated=True)
