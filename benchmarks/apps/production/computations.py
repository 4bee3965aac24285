"""Work for the CPU, importable without the rest of the shop: a process pool loads only this."""

import os
import threading
from collections.abc import Sequence
from multiprocessing import parent_process
from statistics import fmean, median


def end_with_parent() -> None:
    """Make this process of a pool end when its worker is gone, however that ended.

    A worker that is killed cannot shut its pool down, and the processes of the pool, which hold
    both ends of their queue, would wait for the next task for ever.
    """
    parent = parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True, name="end_with_parent").start()


def primes_below(limit: int) -> int:
    """Count the primes below a limit."""
    sieve = bytearray([1]) * limit
    sieve[:2] = bytes(min(limit, 2))
    for number in range(2, int(limit**0.5) + 1):
        if sieve[number]:
            sieve[number * number :: number] = bytes(len(range(number * number, limit, number)))
    return sum(sieve)


def summary(prices: Sequence[int]) -> dict[str, float]:
    """Summarise prices: a sync transform, some milliseconds long."""
    if not prices:
        return {"count": 0, "mean": 0, "median": 0}
    return {"count": len(prices), "mean": fmean(prices), "median": median(prices)}
