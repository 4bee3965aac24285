"""W4: a store in memory, opened and closed by a plain generator, two classes on it, a service.

Nothing in it waits, so all of it is marked. A database store does wait: see `database`.
"""

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import Depends, FastAPI

from fastapi_async_safe import async_safe, init_app


class Store:
    """Holds everything in memory: no call of it waits for anything."""

    def __init__(self) -> None:
        self.closed = False

    def get(self, table: str, key: int) -> dict[str, Any]:
        return {"table": table, "key": key, "closed": self.closed}

    def close(self) -> None:
        self.closed = True


@async_safe
def get_store() -> Iterator[Store]:
    store = Store()
    try:
        yield store
    finally:
        store.close()


@async_safe
class Books:
    def __init__(self, store: Annotated[Store, Depends(get_store)]) -> None:
        self.store = store


@async_safe
class Authors:
    def __init__(self, store: Annotated[Store, Depends(get_store)]) -> None:
        self.store = store


@async_safe
class Library:
    def __init__(
        self, books: Annotated[Books, Depends()], authors: Annotated[Authors, Depends()]
    ) -> None:
        self.books = books
        self.authors = authors

    def book(self, key: int) -> dict[str, Any]:
        return {
            "book": self.books.store.get("books", key),
            "author": self.authors.store.get("authors", key),
        }


def create_app() -> FastAPI:
    app = FastAPI()

    @app.get("/books/{key}")
    async def read_book(key: int, library: Annotated[Library, Depends()]) -> dict[str, Any]:
        return library.book(key)

    return app


app = init_app(create_app(), accelerated=True)
