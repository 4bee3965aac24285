"""A small shop: something of each kind."""

import sqlite3
import time
from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, FastAPI, WebSocket
from pydantic import BaseModel

from fastapi_async_safe import async_safe, init_app


@async_safe
class Page:
    """Which part of a list is wanted."""

    def __init__(self, skip: int = 0, limit: int = 100) -> None:
        self.skip = skip
        self.limit = limit


class Search:
    """What is looked for: nobody marked it, and it could be."""

    def __init__(self, q: str = "") -> None:
        self.q = q


def session() -> Iterator[sqlite3.Connection]:
    """Open a database."""
    with sqlite3.connect(":memory:") as connection:
        yield connection


Session = Annotated[sqlite3.Connection, Depends(session)]


def user(connection: Session, token: str = "") -> str:
    """Find who asks, which takes its time."""
    time.sleep(0.001)
    return token


class Item(BaseModel):
    """What the shop sells."""

    name: str


async def read_items(
    page: Annotated[Page, Depends()], search: Annotated[Search, Depends()]
) -> list[str]:
    """List some items."""
    return [search.q][page.skip :]


def read_account(
    user: Annotated[str, Depends(user)], connection: Session, page: Annotated[Page, Depends()]
) -> Item:
    """Show who asks."""
    return Item(name=user)


async def news(socket: WebSocket, page: Annotated[Page, Depends()]) -> None:
    """Tell what is new."""


def create_app() -> FastAPI:
    """Make the application without this package."""
    app = FastAPI()
    app.get("/items")(read_items)
    app.get("/account")(read_account)
    app.websocket("/news")(news)
    return app


app = init_app(create_app())
strange = init_app(create_app())
strange.dependency_overrides = type("Overrides", (dict,), {})()
