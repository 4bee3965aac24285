"""The shop under load, stock against accelerated: `python -m benchmarks.deployment.load --help`.

Everything is bounded in time, on the loopback, with a database of its own.
"""

import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import Annotated

import typer

from benchmarks.apps.production.security import new_token
from benchmarks.apps.production.settings import Settings
from benchmarks.deployment import share
from benchmarks.deployment.postgres import NoDatabaseError, empty_database
from benchmarks.deployment.servers import Running, ServerEndedError, serve, serve_rates
from benchmarks.deployment.wrk import (
    Load,
    MissingLoadToolError,
    allow_connections,
    find_wrk,
    load,
    result,
    start,
)
from fastapi_async_safe import resolver_backend

START, END = "<!-- load -->", "<!-- /load -->"
KEY = "k" * 32
PROBES = 4
BACKGROUND = 8

ROUTES = {
    "in memory, all marked": "/currencies?name=e&limit=5",
    "asyncpg": "/asyncpg/items?limit=5&order=price",
    "psycopg": "/psycopg/items?limit=5&order=price",
    "SQLAlchemy, current user": "/sqlalchemy/items?limit=5",
}
WAITS = {
    "nothing": None,
    "external I/O: three httpx calls, gather": "/reports/rates",
    "CPU: process pool": "/reports/primes",
    "mixed: asyncpg, then to_thread": "/reports/prices",
    "slow query, psycopg, in threads": "/psycopg/slow?seconds=0.1",
    "slow query, asyncpg": "/asyncpg/slow?seconds=0.1",
}
# Two workers stay below PostgreSQL's default limit of 100 connections.
POOLS = {
    "SHOP_SYNC_POOL_SIZE": "20",
    "SHOP_ASYNC_POOL_SIZE": "8",
    "SHOP_ORM_POOL_SIZE": "5",
    "SHOP_ORM_MAX_OVERFLOW": "10",
}


class Part(StrEnum):
    """What can be measured."""

    LOAD = "load"
    SHARE = "share"
    LOOP = "loop"
    DEADLOCK = "deadlock"


def variants() -> dict[str, dict[str, str]]:
    """The settings of each variant."""
    accelerated = {} if resolver_backend() == "compiled" else {"SHOP_ACCELERATED": "false"}
    return {
        "stock": {"SHOP_INLINE": "false"},
        "accelerated, a trip a call": {**accelerated, "SHOP_ONE_TRIP": "false"},
        "accelerated, one trip": accelerated,
    }


@contextmanager
def _served(workers: int, *settings: Mapping[str, str]) -> Iterator[Running]:
    """Serve the shop by uvicorn, and do not wait at the end for requests that are stuck."""
    merged = {name: value for each in settings for name, value in each.items()}
    with serve("uvicorn", workers, merged) as running:
        yield running
        running.kill()


def _headers(environment: Mapping[str, str]) -> dict[str, str]:
    settings = Settings.model_validate(
        {"database_url": environment["SHOP_DATABASE_URL"], "secret_key": KEY, "token_minutes": 600}
    )
    token = new_token(settings, "ada", ["items:read", "items:write"])
    return {"Authorization": f"Bearer {token}"}


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:,.1f}"


def measure_load(
    environment: Mapping[str, str],
    connections: Sequence[int],
    workers: Sequence[int],
    rounds: int,
    seconds: int,
    progress: Callable[[str], None],
) -> list[list[str]]:
    """Rows: route, variant, workers, connections, requests/s, p50, p95, p99, errors."""
    headers = _headers(environment)
    seen: dict[tuple[str, int, int, str], list[Load]] = {
        (route, count, clients, variant): []
        for route in ROUTES
        for count in workers
        for clients in connections
        for variant in variants()
    }
    for turn in range(rounds):
        for (route, count, clients, variant), loads in seen.items():
            progress(f"{route}, {variant}, {count}, {clients}, round {turn + 1} of {rounds}")
            with _served(count, environment, POOLS, variants()[variant]) as running:
                load(running.port, ROUTES[route], 8, 1, headers)
                loads.append(load(running.port, ROUTES[route], clients, seconds, headers))
    rows = []
    for (route, count, clients, variant), loads in seen.items():
        rate = median(each.requests_per_second for each in loads)
        stock = median(each.requests_per_second for each in seen[route, count, clients, "stock"])
        gain = f" ({rate / stock:.1f})" if variant != "stock" and stock else ""
        latencies = (
            _milliseconds(median(getattr(each, name) for each in loads))
            for name in ("p50", "p95", "p99")
        )
        errors = f"{sum(each.refused + each.unanswered for each in loads):,}"
        kind = [route, variant, str(count), f"{clients:,}"]
        rows.append([*kind, f"{rate:,.0f}{gain}", *latencies, errors])
    return rows


def measure_loop(
    environment: Mapping[str, str], seconds: int, progress: Callable[[str], None]
) -> list[list[str]]:
    """Rows: what goes on, variant, p99 of `/alive` meanwhile and as a ratio to idle."""
    rows = []
    for variant, settings in variants().items():
        idle = 0.0
        with _served(1, environment, POOLS, settings) as running:
            for what, path in WAITS.items():
                progress(f"{what}, {variant}")
                background = path and start(running.port, path, BACKGROUND, seconds + 1)
                time.sleep(0.5)
                probe = load(running.port, "/alive", PROBES, seconds)
                if background:
                    result(background)
                idle = idle or probe.p99
                rows.append([what, variant, _milliseconds(probe.p99), f"{probe.p99 / idle:.1f}"])
    return rows


def measure_deadlock(
    environment: Mapping[str, str], seconds: int, progress: Callable[[str], None]
) -> list[list[str]]:
    """Rows: variant, how the route with a session fares, and the marked one beside it."""
    rows = []
    headers = _headers(environment)
    session, marked = ROUTES["SQLAlchemy, current user"], ROUTES["in memory, all marked"]
    for variant, settings in variants().items():
        progress(f"deadlock, {variant}")
        with _served(1, environment, settings) as running:
            stuck = start(running.port, session, 64, seconds, headers)
            time.sleep(seconds / 4)
            beside = load(running.port, marked, PROBES, max(1, seconds // 2))
            seen = result(stuck)
            # The handlers' answers stand in the log, some of them after wrk has gone.
            limits = running.log.count("QueuePool limit of size 5 overflow 10 reached")
        stuck_figures = (f"{seen.requests_per_second:,.0f}", f"{seen.refused:,}", f"{limits:,}")
        beside_figures = (f"{beside.requests_per_second:,.0f}", _milliseconds(beside.p99))
        rows.append([variant, *stuck_figures, *beside_figures])
    return rows


def table(head: Sequence[str], rows: Sequence[Sequence[str]], texts: int) -> str:
    """A table in Markdown; the first columns, so many, are text."""
    marks = ["---"] * texts + ["---:"] * (len(head) - texts)
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, marks, *rows))


def place() -> str:
    """Machine, date and versions."""
    names = (
        "fastapi-async-safe",
        "fastapi",
        "uvicorn",
        "uvloop",
        "psycopg",
        "asyncpg",
        "sqlalchemy",
    )
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in names)
    machine = f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}"
    python = f"CPython {platform.python_version()}"
    busy = f"load {os.getloadavg()[0]:.1f} at the start"
    return f"{machine}, {busy}, {datetime.now(UTC):%Y-%m-%d}, {python}, {versions}"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def put_into(page: Path, text: str) -> None:
    """Put the tables between the two marks of a page.

    Raises:
        typer.BadParameter: it has no such marks.
    """
    content = page.read_text()
    before, start_mark, rest = content.partition(START)
    _, end_mark, after = rest.partition(END)
    if not (start_mark and end_mark):
        raise typer.BadParameter(f"{page} has no lines {START} and {END}")
    page.write_text(f"{before}{START}\n\n{text}\n\n{END}{after}")


def main(
    part: Annotated[list[Part] | None, typer.Option(help="Only these; may be repeated.")] = None,
    connections: Annotated[list[int], typer.Option(min=1, max=2000)] = [64, 1000],  # noqa: B006
    workers: Annotated[list[int], typer.Option(min=1, max=8)] = [1, 2],  # noqa: B006
    rounds: Annotated[int, typer.Option(min=1, help="Loads of each kind; the median counts.")] = 3,
    seconds: Annotated[int, typer.Option(min=1, max=60, help="How long a load lasts.")] = 5,
    deadlock_seconds: Annotated[
        int, typer.Option(min=2, max=120, help="More than the 30 that SQLAlchemy's pool waits.")
    ] = 45,
    page: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Put the tables there.")
    ] = None,
) -> None:
    """Print tables: load, share of dependencies, the event loop meanwhile, the pool deadlock."""
    chosen = part or list(Part)
    if chosen != [Part.SHARE]:
        find_wrk()
    allow_connections(max(connections))

    def progress(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    texts = [f"Measured on {place()}."]
    with ExitStack() as stack:
        environment = {
            "SHOP_DATABASE_URL": stack.enter_context(empty_database()),
            "SHOP_SECRET_KEY": KEY,
            "SHOP_RATES_URL": stack.enter_context(serve_rates()),
        }
        command = [sys.executable, "-m", "benchmarks.apps.production", "create-tables"]
        subprocess.run(
            command,
            env={**os.environ, **environment},
            check=True,
            stdout=subprocess.DEVNULL,
        )
        if Part.LOAD in chosen:
            rows = measure_load(environment, connections, workers, rounds, seconds, progress)
            head = ["route", "variant", "workers", "connections", "requests/s"]
            head += ["p50 ms", "p95 ms", "p99 ms", "errors"]
            texts += ["**Load**", table(head, rows, 2)]
        if Part.SHARE in chosen:
            rows = share.measure(environment, ROUTES, variants(), _headers(environment), progress)
            head = ["route", "variant", "request, µs", "dependencies, µs", "share"]
            texts += ["**Share of dependencies**", table(head, rows, 2)]
        if Part.LOOP in chosen:
            rows = measure_loop(environment, seconds, progress)
            head = ["meanwhile", "variant", "p99 of `/alive`, ms", "ratio to idle"]
            texts += ["**The event loop meanwhile**", table(head, rows, 2)]
        if Part.DEADLOCK in chosen:
            rows = measure_deadlock(environment, deadlock_seconds, progress)
            head = ["variant", "session route, requests/s", "its errors", "QueuePool limits"]
            head += ["marked route beside, requests/s", "its p99 ms"]
            texts += ["**The pool deadlock**", table(head, rows, 1)]
    text = "\n\n".join(texts)
    print(text)
    if page is not None:
        put_into(page, text)


if __name__ == "__main__":
    try:
        typer.run(main)
    except (NoDatabaseError, MissingLoadToolError, ServerEndedError) as error:
        raise SystemExit(f"{Path(__file__).stem}: {error}") from None
