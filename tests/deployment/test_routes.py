"""Every route of the shop answers the same on stock and accelerated, over HTTP."""

import uuid
from typing import Any

import httpx
import psycopg
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.deployment.conftest import Shops
from tests.deployment.shop import Shop, eventually

READS = [
    ("/currencies", 200),
    ("/currencies?name=e&limit=2&skip=1", 200),
    ("/currencies?limit=101", 422),
    ("/currencies?limit=0&skip=x", 422),
    ("/psycopg/items?name=7&order=price&at_least=100&at_most=2000", 200),
    ("/psycopg/items?order=colour", 422),
    ("/psycopg/items/3", 200),
    ("/psycopg/items/0", 404),
    ("/psycopg2/items/3", 200),
    ("/psycopg2/items/0", 404),
    ("/asyncpg/items?name=7&order=price&at_least=100&at_most=2000", 200),
    ("/asyncpg/items/3", 200),
    ("/asyncpg/items/0", 404),
    ("/asyncpg/slow?seconds=60", 504),
    ("/asyncpg/slow?seconds=0", 200),
    ("/sqlalchemy-async/items/3", 200),
    ("/sqlalchemy-async/items/0", 404),
    ("/reports/rates", 200),
    ("/reports/primes?below=100000", 200),
    ("/live/events?limit=3&pause=0", 200),
    ("/live/events?limit=x", 422),
    ("/openapi.json", 200),
]


def seen(response: httpx.Response) -> tuple[int, dict[str, str], bytes]:
    headers = {name: value for name, value in response.headers.items() if name != "date"}
    return response.status_code, headers, response.content


@pytest.mark.parametrize(("path", "status"), READS)
def test_reading_is_the_same_on_stock(path: str, status: int, shop: Shop, shops: Shops) -> None:
    answer = shop.client.get(path)
    assert answer.status_code == status, answer.text
    assert seen(answer) == seen(shops("stock").client.get(path))


@pytest.mark.parametrize(
    ("account", "scope", "status"),
    [("ada", "", 200), ("bob", "", 200), ("ada", "items:write", 403), (None, "", 401)],
)
@pytest.mark.parametrize("path", ["/me", "/sqlalchemy/items?limit=3"])
def test_reading_with_a_token_is_the_same_on_stock(
    path: str, account: str | None, scope: str, status: int, shop: Shop, shops: Shops
) -> None:
    headers = shop.headers(account, scope) if account else {}
    answer = shop.client.get(path, headers=headers)
    assert answer.status_code == status, answer.text
    assert seen(answer) == seen(shops("stock").client.get(path, headers=headers))


@pytest.mark.parametrize("token", ["x", "x.y.z"])
def test_a_token_of_another_is_none(token: str, shop: Shop, shops: Shops) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    answer = shop.client.get("/me", headers=headers)
    assert answer.status_code == 401
    assert seen(answer) == seen(shops("stock").client.get("/me", headers=headers))


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({"username": "ada", "password": "wrong"}, 401),
        ({"username": "nobody", "password": "a long password"}, 401),
        ({"username": "eve", "password": "a long password"}, 403),
        ({"username": "ada"}, 422),
    ],
)
def test_who_may_not_log_in_is_told_the_same(
    form: dict[str, str], status: int, shop: Shop, shops: Shops
) -> None:
    answer = shop.client.post("/token", data=form)
    assert answer.status_code == status
    assert seen(answer) == seen(shops("stock").client.post("/token", data=form))


def names_in(database: str, name: str) -> int:
    with psycopg.connect(database) as connection:
        row = connection.execute("select count(*) from item where name = %s", [name]).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
def test_what_was_answered_is_committed(driver: str, shop: Shop, database: str) -> None:
    item: dict[str, Any] = {"name": str(uuid.uuid4()), "price_cents": 5}
    answer = shop.client.post(f"/{driver}/items", json=item, headers=shop.headers())
    assert answer.status_code == 201
    assert answer.json() == {"id": answer.json()["id"], "owner": "ada", **item}
    assert names_in(database, item["name"]) == 1


@pytest.mark.parametrize("driver", ["psycopg", "asyncpg"])
@pytest.mark.parametrize(
    ("account", "item", "status"),
    [
        ("bob", {"name": "bob's", "price_cents": 5}, 403),
        ("ada", {"name": "cheap", "price_cents": -5}, 422),
        # PostgreSQL stores no NUL: the driver raises in the endpoint.
        ("ada", {"name": "no\0no", "price_cents": 5}, 500),
    ],
)
def test_what_was_refused_is_not_there(
    driver: str, account: str, item: dict[str, Any], status: int, shop: Shop, database: str
) -> None:
    # uvicorn closes the connection after an exception, whether a client wants to keep it or not.
    headers = {**shop.headers(account), "Connection": "close"}
    answer = shop.client.post(f"/{driver}/items", json=item, headers=headers)
    assert answer.status_code == status
    assert names_in(database, item["name"].partition("\0")[0]) == 0
    assert eventually(shop.is_idle)


def create(shop: Shop, price: int) -> int:
    item = {"name": "one of a pair", "price_cents": price}
    answer = shop.client.post("/asyncpg/items", json=item, headers=shop.headers())
    return int(answer.raise_for_status().json()["id"])


def test_update_and_delete_happen_both_or_not_at_all(shop: Shop) -> None:
    kept, other = create(shop, 10), create(shop, 7)
    path, headers = f"/asyncpg/items/{kept}", shop.headers()
    assert shop.client.post(f"{path}/absorb/{other}", headers=headers).json()["price_cents"] == 17
    assert shop.client.get(f"/asyncpg/items/{other}").status_code == 404
    # The update has been made when the deletion finds nothing.
    assert shop.client.post(f"{path}/absorb/{other}", headers=headers).status_code == 404
    assert shop.client.get(path).json()["price_cents"] == 17
    assert shop.client.post(f"{path}/absorb/{kept}", headers=headers).status_code == 404
    assert shop.client.get(path).json()["price_cents"] == 17


def test_prices_are_fetched_and_then_summarised(shop: Shop, database: str) -> None:
    answer = shop.client.get("/reports/prices")
    assert (answer.status_code, set(answer.json())) == (200, {"count", "mean", "median"})


def websocket(shop: Shop, query: str) -> str:
    return f"ws://127.0.0.1:{shop.running.port}/live/items?{query}"


def test_a_websocket_has_the_same_dependencies(shop: Shop) -> None:
    with connect(websocket(shop, f"token={shop.token()}&limit=2&order=price")) as socket:
        assert socket.recv() == '{"account":"ada"}'
        socket.send("item 04")
        assert socket.recv() == '["item 040","item 041"]'


@pytest.mark.parametrize("query", ["token=x", "", "limit=0", "limit=x"])
def test_a_websocket_that_is_refused_is_refused_the_same_way(query: str, shop: Shop) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        connect(websocket(shop, query)).close()
