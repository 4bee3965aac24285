"""An application with one dependency that is safe to mark, among five that are not."""

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from fastapi import Depends, FastAPI

app = FastAPI()


def get_connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    try:
        yield connection
    finally:
        connection.close()


def count_rows(connection: Annotated[sqlite3.Connection, Depends(get_connection)]) -> int:
    (count,) = connection.execute("select 42").fetchone()
    return int(count)


def throttle() -> None:
    time.sleep(0.001)


def compute() -> int:
    end, total = time.thread_time() + 0.02, 0
    while time.thread_time() < end:
        total += 1
    return total


class Page:
    def __init__(self, skip: int = 0, limit: int = 100) -> None:
        self.skip = skip
        self.limit = limit


class Banner:
    def __init__(self) -> None:
        self.text = Path(__file__).read_text(encoding="utf-8")[:10]


@app.get("/items")
async def read_items(
    page: Annotated[Page, Depends()],
    count: Annotated[int, Depends(count_rows)],
    banner: Annotated[Banner, Depends()],
    _throttle: Annotated[None, Depends(throttle)],
    _computed: Annotated[int, Depends(compute)],
) -> dict[str, int]:
    return {"skip": page.skip, "count": count, "banner": len(banner.text)}
