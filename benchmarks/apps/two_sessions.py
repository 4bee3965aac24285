"""W16: the work of `account` with a second session, and marked parameter classes in between."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, FastAPI
from pydantic import BaseModel

from benchmarks.apps.account import CurrentUser, Orders, Session, User
from fastapi_async_safe import async_safe, init_app


class ArchiveSession(Session):
    """A session of another database."""


class Listing(BaseModel):
    """What the endpoint answers."""

    user: User
    orders: list[str]
    archived: list[float]
    limit: int


def get_archive_session() -> Iterator[ArchiveSession]:
    session = ArchiveSession()
    try:
        yield session
    finally:
        session.close()


@async_safe
class Page:
    def __init__(self, skip: int = 0, limit: int = 100) -> None:
        self.skip = skip
        self.limit = limit


@async_safe
class Search:
    def __init__(self, q: str = "", descending: bool = False) -> None:
        self.q = q
        self.descending = descending


class Archive:
    def __init__(
        self,
        session: Annotated[ArchiveSession, Depends(get_archive_session)],
        user: CurrentUser,
    ) -> None:
        self.session = session
        self.user = user

    def invoices(self) -> list[float]:
        return self.session.invoices(self.user.number)


def create_app() -> FastAPI:
    app = FastAPI()

    @app.get("/orders")
    def read_orders(
        user: CurrentUser,
        page: Annotated[Page, Depends()],
        search: Annotated[Search, Depends()],
        orders: Annotated[Orders, Depends()],
        archive: Annotated[Archive, Depends()],
    ) -> Listing:
        titles = sorted(
            (title for title in orders.titles() if search.q in title), reverse=search.descending
        )
        return Listing(
            user=user,
            orders=titles[page.skip : page.skip + page.limit],
            archived=archive.invoices(),
            limit=page.limit,
        )

    return app


app = init_app(create_app(), accelerated=True)
