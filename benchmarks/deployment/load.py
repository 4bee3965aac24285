"""The shop under load, stock against accelerated: `python -m benchmarks.deployment.load --help`.

Everything is bounded in time, on the loopback, with a database of its own.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from statistics import median
from typing import Annotated

import typer

from benchmarks.apps.production.security import new_token
from benchmarks.apps.production.settings import Settings
from benchmarks.deployment import share
from benchmarks.deployment.bounds import Bounds, OverTimeError
from benchmarks.deployment.postgres import KEY, NoDatabaseError
from benchmarks.deployment.servers import Running, ServerEndedError, serve
from benchmarks.deployment.surroundings import place, surroundings
from benchmarks.deployment.wrk import Load, LoadToolError, load, result, start
from benchmarks.figures.report import put_into, table
from benchmarks.runs.http_load import MissingLoadToolError, allow_many_connections, find_wrk
from fastapi_async_safe import resolver_backend

WARM_UP_CONNECTIONS, WARM_UP_SECONDS = 8, 1
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


STOCK, TRIP_A_CALL, ONE_TRIP = "stock", "accelerated, a trip a call", "accelerated, one trip"


def variants(*wanted: str) -> dict[str, dict[str, str]]:
    """The settings of these variants, or of all."""
    accelerated = {} if resolver_backend() == "compiled" else {"SHOP_ACCELERATED": "false"}
    settings = {
        STOCK: {"SHOP_INLINE": "false"},
        TRIP_A_CALL: {**accelerated, "SHOP_ONE_TRIP": "false"},
        ONE_TRIP: accelerated,
    }
    return {name: settings[name] for name in wanted or settings}


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


@dataclass(frozen=True)
class Kind:
    """What one row of the load table is about."""

    route: str
    variant: str
    workers: int
    connections: int


def measure_load(
    environment: Mapping[str, str],
    connections: Sequence[int],
    workers: Sequence[int],
    rounds: int,
    seconds: int,
    bounds: Bounds,
) -> tuple[list[list[str]], int]:
    """Rows: route, variant, workers, connections, requests/s, p50, p95, p99, errors.

    Returns:
        The rows, and for how many rounds there was time.
    """
    headers = _headers(environment)
    settings = variants(STOCK, ONE_TRIP)
    seen: dict[Kind, list[Load]] = {
        Kind(route, variant, count, clients): []
        for route in ROUTES
        for count in workers
        for clients in connections
        for variant in settings
    }
    done = 0
    for _ in bounds.rounds(rounds):
        done += 1
        for kind, loads in seen.items():
            bounds.note(
                f"load, round {done}: {kind.route}, {kind.variant}, {kind.workers} workers, "
                f"{kind.connections} connections"
            )
            path = ROUTES[kind.route]
            with _served(kind.workers, environment, POOLS, settings[kind.variant]) as running:
                load(running.port, path, WARM_UP_CONNECTIONS, WARM_UP_SECONDS, headers)
                loads.append(load(running.port, path, kind.connections, seconds, headers))
    return [_load_row(kind, seen) for kind in seen], done


def _load_row(kind: Kind, seen: Mapping[Kind, Sequence[Load]]) -> list[str]:
    def median_of(figure: str, variant: str = kind.variant) -> float:
        like = Kind(kind.route, variant, kind.workers, kind.connections)
        return median(float(getattr(each, figure)) for each in seen[like])

    rate, stock = median_of("requests_per_second"), median_of("requests_per_second", STOCK)
    gain = f" ({rate / stock:.1f})" if kind.variant != STOCK and stock else ""
    latencies = (_milliseconds(median_of(figure)) for figure in ("p50", "p95", "p99"))
    errors = sum(each.refused + each.unanswered for each in seen[kind])
    names = [kind.route, kind.variant, str(kind.workers), f"{kind.connections:,}"]
    return [*names, f"{rate:,.0f}{gain}", *latencies, f"{errors:,}"]


def measure_loop(environment: Mapping[str, str], seconds: int, bounds: Bounds) -> list[list[str]]:
    """Rows: what goes on, variant, p99 of `/alive` meanwhile and as a ratio to idle."""
    rows = []
    for variant, settings in variants(STOCK, ONE_TRIP).items():
        idle = 0.0
        with _served(1, environment, POOLS, settings) as running:
            for what, path in WAITS.items():
                bounds.note(f"loop: {what}, {variant}")
                background = path and start(running.port, path, BACKGROUND, seconds + 1)
                time.sleep(0.5)
                probe = load(running.port, "/alive", PROBES, seconds)
                if background:
                    result(background)
                idle = idle or probe.p99
                rows.append([what, variant, _milliseconds(probe.p99), f"{probe.p99 / idle:.1f}"])
    return rows


def measure_deadlock(
    environment: Mapping[str, str], seconds: int, bounds: Bounds
) -> list[list[str]]:
    """Rows: variant, how the route with a session fares, and the marked one beside it."""
    rows = []
    headers = _headers(environment)
    session, marked = ROUTES["SQLAlchemy, current user"], ROUTES["in memory, all marked"]
    for variant, settings in variants().items():
        bounds.note(f"deadlock: {variant}")
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


def main(
    part: Annotated[list[Part] | None, typer.Option(help="Only these; may be repeated.")] = None,
    connections: Annotated[list[int], typer.Option(min=1, max=2000)] = [64, 1000],  # noqa: B006
    workers: Annotated[list[int], typer.Option(min=1, max=8)] = [1, 2],  # noqa: B006
    rounds: Annotated[
        int, typer.Option(min=1, help="Loads of each kind, if there is time; the median counts.")
    ] = 3,
    seconds: Annotated[int, typer.Option(min=1, max=60, help="How long a load lasts.")] = 3,
    deadlock_seconds: Annotated[
        int, typer.Option(min=2, max=120, help="More than the 30 that SQLAlchemy's pool waits.")
    ] = 36,
    minutes: Annotated[float, typer.Option(min=1, help="How long all of it may take.")] = 12,
    page: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Put the tables there.")
    ] = None,
) -> None:
    """Print tables: load, share of dependencies, the event loop meanwhile, the pool deadlock."""
    chosen = part or list(Part)
    if chosen != [Part.SHARE]:
        find_wrk()
    allow_many_connections(max(connections))
    bounds = Bounds(minutes)
    tables: dict[Part, tuple[str, str]] = {}
    where = place()
    with surroundings() as environment:
        # The load comes last: it takes what time the others leave.
        if Part.SHARE in chosen:
            rows = share.measure(
                environment, ROUTES, variants(), _headers(environment), bounds.note
            )
            head = ["route", "variant", "request, µs", "dependencies, µs", "share"]
            tables[Part.SHARE] = "**Share of dependencies**", table(head, rows, 2)
        if Part.LOOP in chosen:
            rows = measure_loop(environment, seconds, bounds)
            head = ["meanwhile", "variant", "p99 of `/alive`, ms", "ratio to idle"]
            tables[Part.LOOP] = "**The event loop meanwhile**", table(head, rows, 2)
        if Part.DEADLOCK in chosen:
            rows = measure_deadlock(environment, deadlock_seconds, bounds)
            head = ["variant", "session route, requests/s", "its errors", "QueuePool limits"]
            head += ["marked route beside, requests/s", "its p99 ms"]
            title = f"**The pool deadlock**, {deadlock_seconds} seconds"
            tables[Part.DEADLOCK] = title, table(head, rows)
        if Part.LOAD in chosen:
            rows, done = measure_load(environment, connections, workers, rounds, seconds, bounds)
            head = ["route", "variant", "workers", "connections", "requests/s"]
            head += ["p50 ms", "p95 ms", "p99 ms", "errors"]
            title = f"**Load**, {seconds} seconds each, rounds: {done}"
            tables[Part.LOAD] = title, table(head, rows, 2)
    texts = (text for each in Part if each in tables for text in tables[each])
    text = "\n\n".join((f"Measured on {where}.", *texts))
    print(text)
    if page is not None:
        put_into(page, "load", f"{text}\n")


if __name__ == "__main__":
    try:
        typer.run(main)
    except (
        LoadToolError,
        MissingLoadToolError,
        NoDatabaseError,
        OverTimeError,
        ServerEndedError,
        share.ShareError,
        ValueError,
    ) as error:
        raise SystemExit(f"{Path(__file__).stem}: {error}") from None
