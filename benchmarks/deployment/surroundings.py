"""What a shop that is measured has around it, and where that was."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version

from benchmarks.deployment.postgres import KEY, shop_database
from benchmarks.deployment.servers import serve_rates
from benchmarks.figures.results import machine

PACKAGES = (
    "fastapi-async-safe",
    "fastapi",
    "uvicorn",
    "gunicorn",
    "uvloop",
    "psycopg",
    "asyncpg",
    "sqlalchemy",
)


@contextmanager
def surroundings() -> Iterator[dict[str, str]]:
    """Give the settings of a shop with a database of its own and the service for rates.

    Raises:
        NoDatabaseError: there is no PostgreSQL.
        ServerEndedError: the service does not start.
    """
    with shop_database() as database, serve_rates() as rates:
        yield {"SHOP_DATABASE_URL": database, "SHOP_SECRET_KEY": KEY, "SHOP_RATES_URL": rates}


def place() -> str:
    """Machine, date and versions, in one line."""
    found = machine()
    software = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{found['processor']}, {os.cpu_count()} cores, {found['system']}, load {found['load']} "
        f"at the start, {datetime.now(UTC):%Y-%m-%d}, {found['python']}, {software}"
    )
