"""WebSockets and server-sent events, on the same dependencies."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, WebSocket
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.websockets import WebSocketDisconnect

from benchmarks.apps.production.parameters import Items, Page
from benchmarks.apps.production.resources import OnAsyncio
from benchmarks.apps.production.routers.items_by_asyncpg import LIST
from benchmarks.apps.production.security import claims_of_websocket

router = APIRouter(prefix="/live", tags=["live"])


@router.websocket("/items")
async def search_items(
    websocket: WebSocket,
    query: Items,
    here: OnAsyncio,
    claims: Annotated[dict[str, Any], Depends(claims_of_websocket)],
) -> None:
    """Answer each text with the items whose name has it."""
    await websocket.accept()
    await websocket.send_json({"account": claims["sub"]})
    try:
        async for text in websocket.iter_text():
            # A connection a message, not one for as long as the socket is open.
            values = {**query.values(), "name": f"%{text}%"}
            rows = await here.pool.fetch(LIST, *values.values())
            await websocket.send_json([row["name"] for row in rows])
    except WebSocketDisconnect:
        pass


@router.get("/events", response_class=EventSourceResponse)
async def count_items(
    page: Annotated[Page, Depends()],
    here: OnAsyncio,
    pause: Annotated[float, Query(ge=0, le=10)] = 1,
) -> AsyncIterator[ServerSentEvent]:
    """Send the number of items, again and again, `limit` times."""
    for number in range(page.skip, page.skip + page.limit):
        count = await here.pool.fetchval("select count(*) from item")
        yield ServerSentEvent(data={"items": count}, event="count", id=str(number))
        await asyncio.sleep(pause)
