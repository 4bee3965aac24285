"""SQLAlchemy and SQLModel, sync in threads and async on the event loop."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException
from sqlmodel import col, select

from benchmarks.apps.production.connections import AsyncOrm, SyncSession
from benchmarks.apps.production.parameters import Page
from benchmarks.apps.production.security import SessionReader
from benchmarks.apps.production.tables import Item, ItemOut

router = APIRouter(prefix="/sqlalchemy", tags=["ORM"])
async_router = APIRouter(prefix="/sqlalchemy-async", tags=["ORM"])


@router.get("/items", response_model=list[ItemOut])
def read_items(
    page: Annotated[Page, Depends()], account: SessionReader, session: SyncSession
) -> list[Item]:
    """List the items of the account: session, current user, `def` endpoint, response model."""
    query = select(Item).where(Item.owner == account.name).order_by(col(Item.name), col(Item.id))
    return list(session.exec(query.offset(page.skip).limit(page.limit)))


@async_router.get("/items/{key}", response_model=ItemOut)
async def read_item(key: int, session: AsyncOrm) -> Item:
    """Read one item."""
    item = await session.get(Item, key)
    if item is None:
        raise HTTPException(404, "No such item")
    return item
