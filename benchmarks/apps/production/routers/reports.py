"""Work that is neither a query nor a look-up: other services, the CPU, and both in phases."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query
from httpx import AsyncClient, HTTPError

from benchmarks.apps.production.computations import primes_below, summary
from benchmarks.apps.production.connections import AsyncConnection
from benchmarks.apps.production.resources import OnAsyncio, ResourcesHere

router = APIRouter(prefix="/reports", tags=["reports"])

CODES = ("CHF", "GBP", "USD")


async def _rate(client: AsyncClient, code: str) -> float:
    response = await client.get(f"/rates/{code}")
    response.raise_for_status()
    return float(response.json()["rate"])


@router.get("/rates")
async def read_rates(resources: ResourcesHere) -> dict[str, float]:
    """External I/O: three calls at once."""
    try:
        rates = await asyncio.gather(*(_rate(resources.rates, code) for code in CODES))
    except HTTPError as error:
        raise HTTPException(502, f"The rates service: {type(error).__name__}") from None
    return dict(zip(CODES, rates, strict=True))


@router.get("/primes")
async def count_primes(
    here: OnAsyncio, below: Annotated[int, Query(ge=0, le=20_000_000)] = 1_000_000
) -> dict[str, int]:
    """CPU: in a process of the pool."""
    loop = asyncio.get_running_loop()
    return {"count": await loop.run_in_executor(here.processes, primes_below, below)}


@router.get("/prices")
async def summarise_prices(connection: AsyncConnection) -> dict[str, float]:
    """Mixed: an async fetch, then a sync transform in a thread."""
    rows = await connection.fetch("select price_cents from item")
    return await asyncio.to_thread(summary, [row["price_cents"] for row in rows])
