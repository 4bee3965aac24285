"""What one worker process opens once and shares between its requests."""

import multiprocessing
from collections.abc import AsyncIterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

import asyncpg
import httpx
import sniffio
from anyio import to_thread
from fastapi import Depends
from psycopg_pool import ConnectionPool
from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from starlette.requests import HTTPConnection

from benchmarks.apps.production.computations import end_with_parent
from benchmarks.apps.production.database import check_database
from benchmarks.apps.production.settings import (
    ASYNC_ORM_POOL_SIZE,
    PREFIX,
    Settings,
    StartUpError,
)
from fastapi_async_safe import async_safe


@dataclass(frozen=True)
class AsyncioResources:
    """What works on asyncio only."""

    pool: asyncpg.Pool
    engine: AsyncEngine
    processes: ProcessPoolExecutor


@dataclass(frozen=True)
class Resources:
    """Everything; `on_asyncio` is None where the settings leave it out."""

    settings: Settings
    pool: ConnectionPool
    engine: Engine
    rates: httpx.AsyncClient
    on_asyncio: AsyncioResources | None


@asynccontextmanager
async def open_resources(settings: Settings) -> AsyncIterator[Resources]:
    """Open them in the worker, never at import: with `--preload` that is before the fork.

    Raises:
        StartUpError: the database cannot be used, or the event loop is not asyncio's.
    """
    on_asyncio = settings.asyncio_drivers
    if on_asyncio and sniffio.current_async_library() != "asyncio":
        raise StartUpError(f"asyncpg runs on asyncio only: set {PREFIX}ASYNCIO_DRIVERS=false")
    await to_thread.run_sync(check_database, settings)
    async with AsyncExitStack() as stack:
        pool = ConnectionPool(
            settings.database_url, min_size=1, max_size=settings.sync_pool_size, open=False
        )
        await to_thread.run_sync(pool.open)
        stack.push_async_callback(lambda: to_thread.run_sync(pool.close))
        engine = sync_engine(settings)
        stack.push_async_callback(lambda: to_thread.run_sync(engine.dispose))
        rates = await stack.enter_async_context(
            httpx.AsyncClient(base_url=str(settings.rates_url), timeout=5)
        )
        opened = await _open_on_asyncio(settings, stack) if on_asyncio else None
        yield Resources(settings, pool, engine, rates, opened)


def sync_engine(settings: Settings) -> Engine:
    """SQLAlchemy's engine for psycopg, with its usual pool."""
    return create_engine(
        make_url(settings.database_url).set(drivername="postgresql+psycopg"),
        pool_size=settings.orm_pool_size,
        max_overflow=settings.orm_max_overflow,
        pool_timeout=settings.orm_pool_timeout,
        connect_args={"connect_timeout": settings.connect_timeout},
    )


async def _open_on_asyncio(settings: Settings, stack: AsyncExitStack) -> AsyncioResources:
    pool = await stack.enter_async_context(
        asyncpg.create_pool(settings.database_url, min_size=1, max_size=settings.async_pool_size)
    )
    engine = create_async_engine(
        make_url(settings.database_url).set(drivername="postgresql+asyncpg"),
        pool_size=ASYNC_ORM_POOL_SIZE,
        max_overflow=0,
    )
    stack.push_async_callback(engine.dispose)
    # `spawn`: a fork would copy the threads' locks and the event loop of this worker.
    processes = stack.enter_context(
        ProcessPoolExecutor(
            settings.cpu_processes,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=end_with_parent,
        )
    )
    return AsyncioResources(pool, engine, processes)


@async_safe
def get_resources(connection: HTTPConnection) -> Resources:
    """The resources of this worker."""
    resources: Resources = connection.app.state.resources
    return resources


@async_safe
def get_settings(resources: Annotated[Resources, Depends(get_resources)]) -> Settings:
    """The settings of this worker."""
    return resources.settings


@async_safe
def get_on_asyncio(resources: Annotated[Resources, Depends(get_resources)]) -> AsyncioResources:
    """Those of asyncio; the routes that want them are only there where they are."""
    assert resources.on_asyncio is not None
    return resources.on_asyncio


ResourcesHere = Annotated[Resources, Depends(get_resources)]
SettingsHere = Annotated[Settings, Depends(get_settings)]
OnAsyncio = Annotated[AsyncioResources, Depends(get_on_asyncio)]
