"""An async driver, awaited on the event loop; statements that belong together in a transaction."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query

from benchmarks.apps.production.connections import AsyncConnection, Transaction
from benchmarks.apps.production.parameters import Items
from benchmarks.apps.production.resources import SettingsHere
from benchmarks.apps.production.security import Writer
from benchmarks.apps.production.tables import ItemIn, ItemOut

router = APIRouter(prefix="/asyncpg", tags=["async driver"])

LIST = """
    select id, name, price_cents, owner from item
    where ($1::text is null or name ilike $1)
    and ($2::int is null or price_cents >= $2)
    and ($3::int is null or price_cents <= $3)
    order by case when $4 then price_cents end, name, id
    limit $5 offset $6
"""


@router.get("/items", response_model=list[ItemOut])
async def read_items(query: Items, connection: AsyncConnection) -> list[dict[str, Any]]:
    """List items."""
    return [dict(row) for row in await connection.fetch(LIST, *query.values().values())]


@router.get("/items/{key}", response_model=ItemOut)
async def read_item(key: int, connection: AsyncConnection) -> dict[str, Any]:
    """Read one item."""
    row = await connection.fetchrow(
        "select id, name, price_cents, owner from item where id = $1", key
    )
    if row is None:
        raise HTTPException(404, "No such item")
    return dict(row)


@router.post("/items", status_code=201, response_model=ItemOut)
async def create_item(item: ItemIn, claims: Writer, transaction: Transaction) -> dict[str, Any]:
    """Create an item; committed before the answer goes out."""
    row = await transaction.fetchrow(
        "insert into item (name, price_cents, owner) values ($1, $2, $3)"
        " returning id, name, price_cents, owner",
        item.name,
        item.price_cents,
        claims["sub"],
    )
    return dict(row)


@router.post("/items/{key}/absorb/{other}", response_model=ItemOut)
async def absorb(key: int, other: int, _: Writer, transaction: Transaction) -> dict[str, Any]:
    """Add the price of another item and delete that one: both or neither."""
    row = await transaction.fetchrow(
        "update item set price_cents = price_cents"
        " + coalesce((select price_cents from item where id = $2), 0)"
        " where id = $1 returning id, name, price_cents, owner",
        key,
        other,
    )
    deleted = await transaction.fetchval("delete from item where id = $1 returning id", other)
    if row is None or deleted is None or key == other:
        raise HTTPException(404, "No such pair of items")
    return dict(row)


@router.get("/slow")
async def wait_in_the_database(
    connection: AsyncConnection,
    settings: SettingsHere,
    seconds: Annotated[float, Query(ge=0, le=60)] = 1,
) -> dict[str, float]:
    """Hold a connection for some time, but no longer than the settings allow."""
    try:
        async with asyncio.timeout(settings.query_seconds):
            await connection.execute("select pg_sleep($1)", seconds)
    except TimeoutError:
        raise HTTPException(504, f"No result in {settings.query_seconds:g} s") from None
    return {"seconds": seconds}
