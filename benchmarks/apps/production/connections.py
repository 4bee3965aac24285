"""One connection, session or transaction a request.

The sync ones wait for the database, so they are not marked and stay in threads; the async ones are
awaited on the event loop. All have the scope `function`: with FastAPI's default a request would be
answered before its transaction is committed, and a worker that is killed in between would lose what
the client was told is there.
"""

from collections.abc import AsyncIterator, Iterator
from typing import Annotated

import psycopg
import psycopg2
import psycopg2.extensions
from asyncpg.pool import PoolConnectionProxy
from fastapi import Depends
from psycopg.rows import DictRow, dict_row
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Session

from benchmarks.apps.production.resources import OnAsyncio, ResourcesHere, SettingsHere


def get_connection(resources: ResourcesHere) -> Iterator[psycopg.Connection[DictRow]]:
    """psycopg 3: a connection of the pool; commits at the end, rolls back on an exception."""
    with resources.pool.connection() as connection:
        connection.row_factory = dict_row  # type: ignore[assignment]
        yield connection  # type: ignore[misc]


def get_psycopg2(settings: SettingsHere) -> Iterator[psycopg2.extensions.connection]:
    """psycopg2: a connection of its own, which is what its programs mostly do."""
    connection = psycopg2.connect(settings.database_url, connect_timeout=settings.connect_timeout)
    try:
        with connection:
            yield connection
    finally:
        connection.close()


def get_session(resources: ResourcesHere) -> Iterator[Session]:
    """SQLAlchemy: a session that takes a connection at its first query and keeps it."""
    with Session(resources.engine) as session, session.begin():
        yield session


async def get_async_connection(here: OnAsyncio) -> AsyncIterator[PoolConnectionProxy]:
    """asyncpg: a connection of the pool; goes back to it on cancellation, too."""
    async with here.pool.acquire() as connection:
        yield connection


async def get_transaction(
    connection: Annotated[PoolConnectionProxy, Depends(get_async_connection, scope="function")],
) -> AsyncIterator[PoolConnectionProxy]:
    """asyncpg: the same connection in a transaction; an exception of the endpoint rolls it back."""
    async with connection.transaction():
        yield connection


async def get_async_session(here: OnAsyncio) -> AsyncIterator[AsyncSession]:
    """SQLAlchemy on asyncpg."""
    async with AsyncSession(here.engine, expire_on_commit=False) as session, session.begin():
        yield session


Connection = Annotated[psycopg.Connection[DictRow], Depends(get_connection, scope="function")]
Psycopg2 = Annotated[psycopg2.extensions.connection, Depends(get_psycopg2, scope="function")]
SyncSession = Annotated[Session, Depends(get_session, scope="function")]
AsyncConnection = Annotated[PoolConnectionProxy, Depends(get_async_connection, scope="function")]
Transaction = Annotated[PoolConnectionProxy, Depends(get_transaction, scope="function")]
AsyncOrm = Annotated[AsyncSession, Depends(get_async_session, scope="function")]
