"""W4: a session opened and closed by a plain generator, two repositories on it, one service."""

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import Depends, FastAPI

from fastapi_async_safe import async_safe, init_app


class Session:
    """Stands for a connection whose calls do not block, such as one to an in-memory store."""

    def __init__(self) -> None:
        self.closed = False

    def get(self, table: str, key: int) -> dict[str, Any]:
        return {"table": table, "key": key, "closed": self.closed}

    def close(self) -> None:
        self.closed = True


@async_safe
def get_session() -> Iterator[Session]:
    session = Session()
    try:
        yield session
    finally:
        session.close()


@async_safe
class Books:
    def __init__(self, session: Annotated[Session, Depends(get_session)]) -> None:
        self.session = session


@async_safe
class Authors:
    def __init__(self, session: Annotated[Session, Depends(get_session)]) -> None:
        self.session = session


@async_safe
class Library:
    def __init__(
        self, books: Annotated[Books, Depends()], authors: Annotated[Authors, Depends()]
    ) -> None:
        self.books = books
        self.authors = authors

    def book(self, key: int) -> dict[str, Any]:
        return {
            "book": self.books.session.get("books", key),
            "author": self.authors.session.get("authors", key),
        }


def create_app() -> FastAPI:
    app = FastAPI()

    @app.get("/books/{key}")
    async def read_book(key: int, library: Annotated[Library, Depends()]) -> dict[str, Any]:
        return library.book(key)

    return app


app = init_app(create_app(), accelerated=True)
