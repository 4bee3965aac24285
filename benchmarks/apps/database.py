"""W17: the work of `account` over SQLAlchemy, with a pool of connections that is a real one.

A connection is taken by the first query, in the current user, and given back when the session is
closed, after the response. With more clients than connections, FastAPI's threads wait for a
connection while those who have one wait for a thread.
"""

from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Annotated
from weakref import finalize

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from fastapi.responses import JSONResponse
from sqlalchemy import Engine, ForeignKey, create_engine, func, select
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from benchmarks.apps.account import Account
from benchmarks.apps.account import User as UserOfAnswer
from fastapi_async_safe import init_app


class Table(DeclarativeBase):
    """What SQLAlchemy knows the tables from."""


class User(Table):
    __tablename__ = "users"
    number: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    token: Mapped[str] = mapped_column(unique=True)


class Order(Table):
    __tablename__ = "orders"
    number: Mapped[int] = mapped_column(primary_key=True)
    user: Mapped[int] = mapped_column(ForeignKey("users.number"), index=True)
    title: Mapped[str]


class Invoice(Table):
    __tablename__ = "invoices"
    number: Mapped[int] = mapped_column(primary_key=True)
    user: Mapped[int] = mapped_column(ForeignKey("users.number"), index=True)
    amount: Mapped[float]


def get_session(request: Request) -> Iterator[Session]:
    with Session(request.app.state.engine) as session:
        yield session


Opened = Annotated[Session, Depends(get_session)]


def get_current_user(session: Opened, authorization: Annotated[str, Header()]) -> User:
    token = authorization.removeprefix("Bearer ")
    user = session.scalar(select(User).where(User.token == token))
    if user is None:
        raise HTTPException(401)
    return user


CurrentUser = Annotated[User, Depends(get_current_user)]


class Orders:
    def __init__(self, session: Opened, user: CurrentUser) -> None:
        self.session = session
        self.user = user

    def titles(self) -> list[str]:
        wanted = select(Order.title).where(Order.user == self.user.number).order_by(Order.number)
        return list(self.session.scalars(wanted))


class Invoices:
    def __init__(self, session: Opened, user: CurrentUser) -> None:
        self.session = session
        self.user = user

    def owed(self) -> float:
        wanted = select(func.sum(Invoice.amount)).where(Invoice.user == self.user.number)
        return self.session.scalar(wanted) or 0.0


async def refuse(_request: Request, _error: Exception) -> JSONResponse:
    """Answer in place of a request that got no connection, so that a load can count these."""
    return JSONResponse({"detail": "no connection"}, 503)


def create_app(pool_size: int = 5, max_overflow: int = 10) -> FastAPI:
    """The app with a database in a file of its own; SQLAlchemy's default is 5 and 10."""
    app = FastAPI(exception_handlers={PoolTimeoutError: refuse})
    folder = Path(mkdtemp())
    app.state.engine = create_engine(
        f"sqlite:///{folder / 'shop.sqlite'}",
        pool_size=pool_size,
        max_overflow=max_overflow,
        connect_args={"check_same_thread": False},
    )
    _fill(app.state.engine)
    finalize(app, _remove, app.state.engine, folder)

    @app.get("/account")
    def read_account(
        user: CurrentUser,
        orders: Annotated[Orders, Depends()],
        invoices: Annotated[Invoices, Depends()],
    ) -> Account:
        of_answer = UserOfAnswer(name=user.name, number=user.number)
        return Account(user=of_answer, orders=orders.titles(), owed=invoices.owed())

    return app


def _fill(engine: Engine) -> None:
    Table.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(User(number=7, name="ada", token="token-of-ada"))
        session.add_all(Order(user=7, title=title) for title in ("pen", "paper", "ink"))
        session.add_all(Invoice(user=7, amount=amount) for amount in (12.5, 30.0))
        session.commit()


def _remove(engine: Engine, folder: Path) -> None:
    engine.dispose()
    rmtree(folder, ignore_errors=True)


app = init_app(create_app(), accelerated=True)
