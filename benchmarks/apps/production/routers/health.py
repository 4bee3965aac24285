"""What a load balancer and a dashboard ask."""

import os

from anyio.to_thread import current_default_thread_limiter
from fastapi import APIRouter
from pydantic import BaseModel

from benchmarks.apps.production.connections import Connection
from benchmarks.apps.production.resources import ResourcesHere

router = APIRouter(tags=["health"])


class InUse(BaseModel):
    """What of the pools of this worker is in use."""

    worker: int
    threads: int
    threads_limit: int
    connections: int
    async_connections: int
    orm_connections: int


@router.get("/alive")
async def alive() -> dict[str, int]:
    """Answer while the event loop of this worker turns."""
    return {"worker": os.getpid()}


@router.get("/ready")
def ready(connection: Connection) -> dict[str, int]:
    """Answer while a thread and a connection can be had within their time."""
    connection.execute("select 1")
    return {"worker": os.getpid()}


@router.get("/in-use")
async def in_use(resources: ResourcesHere) -> InUse:
    """Say how full the pools are; threads in use at their limit mean that requests wait."""
    limiter = current_default_thread_limiter()
    stats = resources.pool.get_stats()
    here = resources.on_asyncio
    return InUse(
        worker=os.getpid(),
        threads=limiter.borrowed_tokens,
        threads_limit=int(limiter.total_tokens),
        connections=stats.get("pool_size", 0) - stats.get("pool_available", 0),
        async_connections=here.pool.get_size() - here.pool.get_idle_size() if here else 0,
        orm_connections=resources.engine.pool.checkedout(),  # type: ignore[attr-defined]
    )
