"""Threads and connections go back, whatever ends a request, and a slow query holds up no other."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from fastapi import FastAPI

from benchmarks.apps.production.application import create_app
from benchmarks.apps.production.security import new_token
from benchmarks.apps.production.settings import Settings
from benchmarks.runs.thread_trips import counted_thread_trips
from benchmarks.subjects.client import ClientRequest, call
from tests.deployment.shop import Shop, eventually


@contextmanager
def items_locked(database: str) -> Iterator[Callable[[], int]]:
    """Let nobody write items; gives what counts those that wait to."""
    with (
        psycopg.connect(database) as holder,
        psycopg.connect(database, autocommit=True) as watcher,
    ):
        holder.execute("lock table item in exclusive mode")

        def waiting() -> int:
            row = watcher.execute(
                "select count(*) from pg_locks where not granted and relation = 'item'::regclass"
            ).fetchone()
            return int(row[0]) if row else 0

        yield waiting
        holder.rollback()


@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
def test_a_slow_query_does_not_delay_others(driver: str, shop: Shop, database: str) -> None:
    headers = shop.headers()
    item = {"name": "slow", "price_cents": 5}
    with ThreadPoolExecutor() as threads:
        with items_locked(database) as waiting:
            slow = threads.submit(shop.client.post, f"/{driver}/items", json=item, headers=headers)
            assert eventually(lambda: waiting() == 1)
            for path in (
                "/psycopg/items/3",
                "/psycopg2/items/3",
                "/asyncpg/items/3",
                "/currencies",
            ):
                assert shop.client.get(path).status_code == 200
            assert shop.client.get("/sqlalchemy/items", headers=headers).status_code == 200
            assert not slow.done()
        assert slow.result().status_code == 201


@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
def test_a_client_that_went_away_leaves_nothing_behind(
    driver: str, shop: Shop, database: str
) -> None:
    authorization = shop.headers()["Authorization"]
    body = b'{"name":"of one that left","price_cents":5}'
    head = (
        f"POST /{driver}/items HTTP/1.1\r\nHost: shop\r\nAuthorization: {authorization}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with (
        items_locked(database) as waiting,
        socket.create_connection(("127.0.0.1", shop.running.port)) as client,
    ):
        client.sendall(head.encode() + body)
        assert eventually(lambda: waiting() == 1)
    assert eventually(shop.is_idle)


def test_a_client_that_leaves_a_stream_ends_it(shop: Shop) -> None:
    with shop.client.stream("GET", "/live/events?limit=100&pause=0.01") as stream:
        assert next(stream.iter_lines()) == "event: count"
    assert eventually(shop.is_idle)


def test_a_query_that_takes_too_long_gives_its_connection_back(shop: Shop) -> None:
    assert shop.client.get("/asyncpg/slow?seconds=60").status_code == 504
    assert eventually(shop.is_idle)


@pytest.fixture
def in_process(
    variant: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> tuple[FastAPI, Settings]:
    """Give a shop in this process, in the variant under test."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SHOP_INLINE", str(variant != "stock"))
    monkeypatch.setenv("SHOP_ACCELERATED", str(variant == "compiled"))
    settings = Settings.from_environment()
    return create_app(settings), settings


def run(app: FastAPI, scene: Callable[[], Any]) -> None:
    async def with_lifespan() -> None:
        async with app.router.lifespan_context(app):
            await scene()

    asyncio.run(with_lifespan())


def test_a_cancelled_request_rolls_back_and_gives_its_connection_back(
    in_process: tuple[FastAPI, Settings], database: str
) -> None:
    app, settings = in_process
    token = new_token(settings, "ada", ["items:write"])
    request = ClientRequest(
        "/asyncpg/items/1/absorb/2",
        method="POST",
        headers={"authorization": f"Bearer {token}"},
    )

    async def scene() -> None:
        pool = app.state.resources.on_asyncio.pool
        with items_locked(database) as waiting:
            task = asyncio.create_task(call(app, request))
            assert await asyncio.to_thread(eventually, lambda: waiting() == 1)
            assert pool.get_idle_size() < pool.get_size()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert pool.get_idle_size() == pool.get_size()
        row = await pool.fetchrow("select count(*) as count from item where id = 2")
        assert row["count"] == 1

    run(app, scene)


TRIPS_ON_STOCK = {
    "/currencies": 6,
    "/psycopg/items": 10,
    "/psycopg2/items/3": 6,
    "/asyncpg/items": 7,
}


@pytest.mark.parametrize("path", TRIPS_ON_STOCK)
def test_only_what_waits_goes_to_threads(
    path: str, variant: str, in_process: tuple[FastAPI, Settings]
) -> None:
    app, _ = in_process

    async def scene() -> None:
        with counted_thread_trips() as trips:
            answer = await call(app, ClientRequest(path))
        assert answer.status == 200
        if variant == "stock":
            assert trips.count == TRIPS_ON_STOCK[path]
        elif "psycopg" in path:
            # Opening, endpoint, validation of the response, closing: at most one trip for each.
            assert 1 <= trips.count <= 4
        else:
            assert trips.count == 0

    run(app, scene)
