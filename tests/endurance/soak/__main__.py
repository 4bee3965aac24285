"""Loads servers of stock FastAPI and of this package at the same time, and compares them.

Each has two workers under uvicorn. wrk asks the workloads; other clients look at each answer, or
leave in the middle of a request, an answer, a stream or a WebSocket; one of the workers is made to
go now and then, the other stays. Nothing may show that stock does not show, and memory stays flat.
"""

import argparse
import asyncio
import random
import signal
import sys
import time
from contextlib import ExitStack

from rich.console import Console
from rich.table import Table

from benchmarks.subjects.client import call
from benchmarks.subjects.workloads import WORKLOADS, Variant
from fastapi_async_safe import resolver_backend

from .clients import Expected
from .served import FAULTS, SERVED
from .server import SPARED, Server, started
from .verdict import LIMIT_MIB, Soaked, problems

#: Seconds between two looks, and between two restarts.
PAUSE = 0.5
BETWEEN_RESTARTS = (SPARED, 2 * SPARED)


def expected_answers() -> list[Expected]:
    """Make the requests of clients, with the answers of stock."""

    async def ask() -> list[Expected]:
        workloads = [WORKLOADS[name] for name in (*SERVED, "W13")]
        return [
            Expected(each.name, each.request, await call(each.app(Variant.STOCK), each.request))
            for each in workloads
            if each.request.kind == "http"
        ]

    return asyncio.run(ask())


def soak(variants: list[str], seconds: int, seed: int, fault: str | None) -> list[Soaked]:
    """Load a server of each variant for so many seconds, all at the same time.

    Parameters:
        fault: what is broken on purpose, but not on stock.
    """
    expected = expected_answers()
    chance = random.Random(seed)
    with ExitStack() as stack:
        processes = [
            stack.enter_context(started(name, None if name == "stock" else fault))
            for name in variants
        ]
        servers = [Server(each, expected, seconds, seed) for each in processes]
        now = time.monotonic()
        end, restart = now + seconds, now + SPARED
        while time.monotonic() < end:
            time.sleep(PAUSE)
            for server in servers:
                server.look()
            if restart < time.monotonic() < end - SPARED:
                by = chance.choice([signal.SIGTERM, signal.SIGKILL])
                for server in servers:
                    server.restart(by)
                restart = time.monotonic() + chance.uniform(*BETWEEN_RESTARTS)
        return [server.finish() for server in servers]


def show(soaked: list[Soaked], warm: float) -> None:
    """Print the figures."""
    table = Table()
    for column in ("", *(each.name for each in soaked)):
        table.add_column(column, justify="right" if column else "left")

    def row(title: str, *figures: object) -> None:
        table.add_row(title, *map(str, figures))

    row("right answers", *(f"{each.answers.total():,}" for each in soaked))
    for name in sorted({name for each in soaked for name in each.answers}):
        row(f"  {name}", *(f"{each.answers[name]:,}" for each in soaked))
    row("clients that left", *(f"{each.left.total():,}" for each in soaked))
    for name in sorted({name for each in soaked for name in each.left}):
        row(f"  {name}", *(f"{each.left[name]:,}" for each in soaked))
    row("workers made to go", *(each.restarts for each in soaked))
    row("connections that they broke", *(each.broken_by_restarts for each in soaked))
    row("errors", *(f"{each.errors.total():,}" for each in soaked))
    for name in sorted({name for each in soaked for name in each.errors}):
        row(f"  {name}", *(f"{each.errors[name]:,}" for each in soaked))
    row("contexts that were not left", *(each.open_contexts for each in soaked))
    row("exit code", *(each.exit_code for each in soaked))
    Console().print(table)
    for each in soaked:
        for worker in each.workers:
            growth = worker.growth(warm)
            if growth is not None:
                print(
                    f"{each.name}, worker {worker.number}, {worker.seconds:.0f} s: "
                    f"{growth.at_start:.1f} MiB at first, {growth.at_warm:.1f} after {warm:.0f} s, "
                    f"{growth.at_end:.1f} at the end"
                )


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.endurance.soak", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--seconds", type=int, default=600, help="%(default)s")
    parser.add_argument("--seed", type=int, default=1, help="%(default)s")
    parser.add_argument("--core", action="append", choices=["python", "compiled"])
    parser.add_argument("--fault", choices=list(FAULTS), help="break something on purpose")
    parser.add_argument("--logs", action="store_true", help="print what the servers wrote")
    given = parser.parse_args()
    # A minute to warm up; where there is less time, 40 percent of it.
    warm = min(60.0, 0.4 * given.seconds)
    cores = given.core or [resolver_backend()]
    stock, *others = soaked = soak(["stock", *cores], given.seconds, given.seed, given.fault)
    show(soaked, warm)
    if given.logs:
        for each in soaked:
            print(f"--- {each.name} wrote:\n{each.log}")
    found = [
        f"{each.name}: {problem}" for each in others for problem in problems(stock, each, warm=warm)
    ]
    good = f"at most {LIMIT_MIB:.0f} MiB more after {warm:.0f} seconds, no error that stock has not"
    print("\n".join(found) or f"{given.seconds} seconds, seed {given.seed}: {good}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
