"""W3: repositories and services over one async connection, two async dependencies that use them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, FastAPI

from fastapi_async_safe import async_safe, init_app

ORDERS = [{"id": number, "user": "ada", "open": number % 2 == 0} for number in range(6)]


class Connection:
    def __init__(self) -> None:
        self.closed = False

    def close(self) -> None:
        self.closed = True


async def get_connection() -> AsyncIterator[Connection]:
    connection = Connection()
    try:
        yield connection
    finally:
        connection.close()


@async_safe
class UserRepository:
    def __init__(self, connection: Annotated[Connection, Depends(get_connection)]) -> None:
        self.connection = connection

    async def find(self, name: str) -> str | None:
        return None if self.connection.closed else name


@async_safe
class OrderRepository:
    def __init__(self, connection: Annotated[Connection, Depends(get_connection)]) -> None:
        self.connection = connection

    async def all_of(self, user: str) -> list[dict[str, Any]]:
        return [] if self.connection.closed else [o for o in ORDERS if o["user"] == user]


@async_safe
class UserService:
    def __init__(self, users: Annotated[UserRepository, Depends()]) -> None:
        self.users = users

    async def login(self, name: str) -> str:
        return await self.users.find(name) or "nobody"


@async_safe
class OrderService:
    def __init__(
        self,
        orders: Annotated[OrderRepository, Depends()],
        users: Annotated[UserRepository, Depends()],
    ) -> None:
        self.orders = orders
        self.users = users

    async def of(self, user: str) -> list[dict[str, Any]]:
        return await self.orders.all_of(user)


async def current_user(service: Annotated[UserService, Depends()]) -> str:
    return await service.login("ada")


async def current_orders(
    user: Annotated[str, Depends(current_user)],
    service: Annotated[OrderService, Depends()],
) -> list[dict[str, Any]]:
    return await service.of(user)


@async_safe
@dataclass
class Filter:
    only_open: bool = False
    skip: int = 0
    limit: int = 10


def selected(user: str, orders: list[dict[str, Any]], wanted: Filter) -> dict[str, Any]:
    """The orders of one page, as the endpoint answers them."""
    found = [order for order in orders if order["open"] or not wanted.only_open]
    return {"user": user, "orders": found[wanted.skip : wanted.skip + wanted.limit]}


def create_app() -> FastAPI:
    app = FastAPI()

    @app.get("/orders")
    async def read_orders(
        user: Annotated[str, Depends(current_user)],
        orders: Annotated[list[dict[str, Any]], Depends(current_orders)],
        wanted: Annotated[Filter, Depends()],
    ) -> dict[str, Any]:
        return selected(user, orders, wanted)

    return app


app = init_app(create_app(), accelerated=True)
