"""A sync driver: `def` endpoints and unmarked dependencies, in threads, as FastAPI has it."""

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query

from benchmarks.apps.production.connections import Connection, Psycopg2
from benchmarks.apps.production.parameters import Items
from benchmarks.apps.production.security import CurrentWriter
from benchmarks.apps.production.tables import ItemIn, ItemOut

router = APIRouter(tags=["sync driver"])

LIST = """
    select id, name, price_cents, owner from item
    where (%(name)s::text is null or name ilike %(name)s)
    and (%(at_least)s::int is null or price_cents >= %(at_least)s)
    and (%(at_most)s::int is null or price_cents <= %(at_most)s)
    order by case when %(by_price)s then price_cents end, name, id
    limit %(limit)s offset %(skip)s
"""


@router.get("/psycopg/items", response_model=list[ItemOut])
def read_items(query: Items, connection: Connection) -> list[dict[str, Any]]:
    """List items."""
    return connection.execute(LIST, query.values()).fetchall()


@router.get("/psycopg/items/{key}", response_model=ItemOut)
def read_item(key: int, connection: Connection) -> dict[str, Any]:
    """Read one item."""
    row = connection.execute(
        "select id, name, price_cents, owner from item where id = %s", [key]
    ).fetchone()
    if row is None:
        raise HTTPException(404, "No such item")
    return row


@router.post("/psycopg/items", status_code=201, response_model=ItemOut)
def create_item(item: ItemIn, account: CurrentWriter, connection: Connection) -> dict[str, Any]:
    """Create an item; committed before the answer goes out."""
    row = connection.execute(
        "insert into item (name, price_cents, owner) values (%s, %s, %s)"
        " returning id, name, price_cents, owner",
        [item.name, item.price_cents, account.name],
    ).fetchone()
    assert row is not None
    return row


@router.get("/psycopg/slow")
def wait_in_the_database(
    connection: Connection, seconds: Annotated[float, Query(ge=0, le=10)] = 1
) -> dict[str, float]:
    """Hold a thread and a connection for some time."""
    connection.execute("select pg_sleep(%s)", [seconds])
    return {"seconds": seconds}


@router.get("/psycopg2/items/{key}", response_model=ItemOut)
def read_item_by_psycopg2(key: int, connection: Psycopg2) -> dict[str, Any]:
    """Read one item by the older driver."""
    with connection.cursor() as cursor:
        cursor.execute("select id, name, price_cents, owner from item where id = %s", [key])
        row = cursor.fetchone()
    if row is None:
        raise HTTPException(404, "No such item")
    return dict(zip(("id", "name", "price_cents", "owner"), row, strict=True))
