"""Counts trips through a thread pool, whoever makes them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from anyio._backends._asyncio import AsyncIOBackend


class ThreadTrips:
    """A running count of the calls handed to a worker thread."""

    def __init__(self) -> None:
        self.count = 0


@contextmanager
def counted_thread_trips() -> Iterator[ThreadTrips]:
    """Count each call that anyio's asyncio backend or a `ThreadPoolExecutor` gives to a thread.

    The backend is where `anyio.to_thread.run_sync` ends under whatever name it was imported, and
    `ThreadPoolExecutor.submit` where `asyncio.to_thread` and `loop.run_in_executor` do.
    """
    trips = ThreadTrips()
    run_sync = AsyncIOBackend.run_sync_in_worker_thread
    submit = ThreadPoolExecutor.submit

    async def counting_run_sync(*args: Any, **kwargs: Any) -> Any:
        trips.count += 1
        return await run_sync(*args, **kwargs)

    def counting_submit(*args: Any, **kwargs: Any) -> Any:
        trips.count += 1
        return submit(*args, **kwargs)

    with (
        patch.object(AsyncIOBackend, "run_sync_in_worker_thread", counting_run_sync),
        patch.object(ThreadPoolExecutor, "submit", counting_submit),
    ):
        yield trips
