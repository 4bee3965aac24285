"""sqlite3 as it comes: a connection is for the thread that made it, and no other."""

import sqlite3
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from fastapi import BackgroundTasks, Depends, FastAPI

from fastapi_async_safe import async_safe
from tests.support.serving import BACKENDS, Init, exchange

Connection = sqlite3.Connection


def make_app(marked: str, closed: list[str]) -> FastAPI:
    """Make an application with a session; `marked` names what of it is marked."""

    def session() -> Iterator[Connection]:
        connection = sqlite3.connect(":memory:")
        try:
            connection.execute("create table item (name text)")
            yield connection
            connection.commit()
        finally:
            try:
                connection.close()
            except sqlite3.ProgrammingError as error:
                closed.append(type(error).__name__)
                raise
            closed.append("closed")

    class Items:
        def __init__(self, session: Annotated[Connection, Depends(session)]) -> None:
            self.session = session

        def add(self, name: str) -> None:
            self.session.execute("insert into item values (?)", (name,))

        def names(self) -> list[str]:
            return [name for (name,) in self.session.execute("select name from item")]

    def endpoint(
        items: Annotated[Items, Depends()], session: Annotated[Any, Depends(session)]
    ) -> list[str]:
        items.add("one")
        session.execute("insert into item values ('two')")
        return items.names()

    async def awaited(items: Annotated[Items, Depends()]) -> list[str]:
        items.add("one")
        return items.names()

    for each in (session, Items, endpoint):
        if each.__name__ in marked.split():
            async_safe(each)
    app = FastAPI()
    app.add_api_route("/", endpoint, response_model=list[str])
    app.add_api_route("/awaited", awaited, response_model=list[str])
    return app


@pytest.mark.accelerated
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_marked_session_and_a_marked_endpoint_work(backend: str, init: Init) -> None:
    closed: list[str] = []
    app = init(make_app("session endpoint Items", closed))
    for _ in range(5):
        answer = exchange(app, backend=backend)
        assert (answer.error, answer.body) == (None, b'["one","two"]')
    assert closed == ["closed"] * 5


@pytest.mark.accelerated
def test_what_lies_between_them_may_stay_in_the_pool_if_it_does_not_use_it(init: Init) -> None:
    closed: list[str] = []
    answer = exchange(init(make_app("session endpoint", closed)))
    assert (answer.error, answer.body, closed) == (None, b'["one","two"]', ["closed"])


@pytest.mark.accelerated
def test_a_marked_session_works_in_an_async_endpoint(init: Init) -> None:
    closed: list[str] = []
    answer = exchange(init(make_app("session", closed)), "/awaited")
    assert (answer.error, answer.body, closed) == (None, b'["one"]', ["closed"])


@pytest.mark.accelerated
@pytest.mark.parametrize("marked", ["session Items", "endpoint Items"])
def test_with_one_of_them_in_the_pool_sqlite_says_so(marked: str, init: Init) -> None:
    error = exchange(init(make_app(marked, []))).error
    assert isinstance(error, sqlite3.ProgrammingError)
    assert "can only be used in that same thread" in str(error)


def test_an_unmarked_session_in_an_async_endpoint_fails_as_on_stock(init: Init) -> None:
    error = exchange(init(make_app("", [])), "/awaited").error
    assert isinstance(error, sqlite3.ProgrammingError)


@pytest.mark.parametrize("marked", ["", "session", "endpoint", "session endpoint"])
def test_a_session_open_to_all_threads_works_with_any_marks(marked: str, init: Init) -> None:
    def session() -> Iterator[Connection]:
        connection = sqlite3.connect(":memory:", check_same_thread=False)
        connection.execute("create table item (name text)")
        yield connection
        connection.close()

    def endpoint(
        session: Annotated[Any, Depends(session)], tasks: BackgroundTasks
    ) -> list[tuple[int]]:
        return session.execute("select count(*) from item").fetchall()

    for each in (session, endpoint):
        if each.__name__ in marked.split():
            async_safe(each)
    app = FastAPI()
    app.add_api_route("/", endpoint, response_model=list[tuple[int]])
    assert exchange(init(app)).body == b"[[0]]"


@pytest.mark.accelerated
def test_a_rollback_sees_the_exception_of_the_endpoint(init: Init) -> None:
    seen: list[str] = []

    @async_safe
    def session() -> Iterator[Connection]:
        connection = sqlite3.connect(":memory:")
        try:
            yield connection
        except sqlite3.OperationalError as error:
            connection.rollback()
            seen.append(str(error))
            raise
        finally:
            connection.close()

    @async_safe
    def endpoint(session: Annotated[Any, Depends(session)]) -> None:
        session.execute("select * from absent")

    app = init(FastAPI())
    app.add_api_route("/", endpoint)
    assert isinstance(exchange(app).error, sqlite3.OperationalError)
    assert seen == ["no such table: absent"]
