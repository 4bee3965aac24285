"""Drivers that wait in C, on a real PostgreSQL: found by the methods of their connections."""

import psycopg
import pytest

from tests.support.strict import findings, run_pytest

SHOP = """
import os
from collections.abc import Iterator
from typing import Annotated, Any

import {driver}
from fastapi import Depends, FastAPI

from fastapi_async_safe import async_safe, init_app

app = init_app(FastAPI(), accelerated=True)
connections = []


@async_safe(blocks=False)
def connect() -> Any:
    connections.append({driver}.connect(os.environ["SHOP_DATABASE"]))
    return connections[-1]


@async_safe(blocks=False)
def get_cursor() -> Iterator[Any]:
    with connections[-1].cursor() as cursor:
        yield cursor
    connections[-1].commit()


@async_safe(blocks=False)
def query() -> int:
    with connections[-1].cursor() as cursor:
        cursor.execute("select 42")
        return cursor.fetchone()[0]


def query_in_thread() -> int:
    return query()


@app.get("/connect")
async def read_connect(connection: Annotated[Any, Depends(connect)]) -> None: ...


@app.get("/query")
async def read_query(answer: Annotated[int, Depends(query)]) -> int:
    return answer


@app.get("/cursor")
async def read_cursor(cursor: Annotated[Any, Depends(get_cursor)]) -> None: ...


@app.get("/thread")
async def read_thread(answer: Annotated[int, Depends(query_in_thread)]) -> int:
    return answer
"""

TESTS = """
from shop import app
from starlette.testclient import TestClient

def ask(path: str) -> None:
    assert TestClient(app).get(path).status_code == 200

def test_connect() -> None:
    ask("/connect")

def test_query() -> None:
    ask("/query")

def test_cursor() -> None:
    ask("/query")
    ask("/cursor")

def test_thread() -> None:
    ask("/thread")
"""


@pytest.mark.parametrize(
    ("driver", "connecting", "waiting", "leaving"),
    [
        ("psycopg", "psycopg.waiting.wait_conn", "psycopg.Connection.wait", None),
        (
            "psycopg2",
            "psycopg2._connect",
            "psycopg2.extensions.cursor.execute",
            "psycopg2.extensions.connection.commit",
        ),
    ],
)
def test_a_driver_that_waits_in_c_is_found(
    pytester: pytest.Pytester,
    database: str,
    monkeypatch: pytest.MonkeyPatch,
    driver: str,
    connecting: str,
    waiting: str,
    leaving: str | None,
) -> None:
    monkeypatch.setenv("SHOP_DATABASE", database)
    assert psycopg.pq.__impl__ == "binary", "this is about the build that waits in C"

    result = run_pytest(
        pytester, "--async-safe-strict", tests=TESTS, shop=SHOP.format(driver=driver)
    )
    result.assert_outcomes(passed=1, failed=3)
    found = findings(result)

    def blocks(inline: str, call: str, text: str) -> bool:
        return any(
            line.startswith(f"shop.{inline}, ")
            and f"blocks: {call} at shop.py:" in line
            and text in line
            for line in found
        )

    assert blocks("connect", connecting, ".connect(os.environ"), found
    assert blocks("query", waiting, "select 42"), found
    assert blocks("get_cursor", leaving or waiting, ".commit()"), found
