"""W15: a sync session, a current user on it, two services, a `def` endpoint with a response model.

Nothing is marked, as in an application whose session waits for a database; `database` has one that
does. Here nothing waits, so that what is timed is the way into the threads and back.
"""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel

from fastapi_async_safe import init_app

USERS = {"token-of-ada": ("ada", 7)}
ORDERS = {7: ["pen", "paper", "ink"]}
INVOICES = {7: [12.5, 30.0]}


class Session:
    """Has the same methods as one that waits."""

    def __init__(self) -> None:
        self.closed = False

    def user(self, token: str) -> tuple[str, int] | None:
        return USERS.get(token)

    def orders(self, number: int) -> list[str]:
        return ORDERS[number]

    def invoices(self, number: int) -> list[float]:
        return INVOICES[number]

    def close(self) -> None:
        self.closed = True


class User(BaseModel):
    name: str
    number: int


class Account(BaseModel):
    """What the endpoint answers."""

    user: User
    orders: list[str]
    owed: float


def get_session() -> Iterator[Session]:
    session = Session()
    try:
        yield session
    finally:
        session.close()


Opened = Annotated[Session, Depends(get_session)]


def get_current_user(session: Opened, authorization: Annotated[str, Header()]) -> User:
    found = session.user(authorization.removeprefix("Bearer "))
    if found is None:
        raise HTTPException(401)
    name, number = found
    return User(name=name, number=number)


CurrentUser = Annotated[User, Depends(get_current_user)]


class Orders:
    def __init__(self, session: Opened, user: CurrentUser) -> None:
        self.session = session
        self.user = user

    def titles(self) -> list[str]:
        return self.session.orders(self.user.number)


class Invoices:
    def __init__(self, session: Opened, user: CurrentUser) -> None:
        self.session = session
        self.user = user

    def owed(self) -> float:
        return sum(self.session.invoices(self.user.number))


def create_app() -> FastAPI:
    app = FastAPI()

    @app.get("/account")
    def read_account(
        user: CurrentUser,
        orders: Annotated[Orders, Depends()],
        invoices: Annotated[Invoices, Depends()],
    ) -> Account:
        return Account(user=user, orders=orders.titles(), owed=invoices.owed())

    return app


app = init_app(create_app(), accelerated=True)
