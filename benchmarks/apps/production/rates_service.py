"""The other service: a stand-in for what the shop asks over HTTP."""

import asyncio

from fastapi import FastAPI, HTTPException

RATES = {"CHF": 0.94, "GBP": 0.86, "USD": 1.08}
SECONDS = 0.02

app = FastAPI(title="Rates")


@app.get("/ready")
async def ready() -> None:
    """Answer at once."""


@app.get("/rates/{code}")
async def read_rate(code: str) -> dict[str, float]:
    """Answer as slowly as other services do."""
    await asyncio.sleep(SECONDS)
    if code not in RATES:
        raise HTTPException(404, "No such currency")
    return {"rate": RATES[code]}
