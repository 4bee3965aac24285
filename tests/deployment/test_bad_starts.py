"""A start that cannot succeed says why in one line, and ends with a code that is not zero."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from benchmarks.deployment.servers import (
    PATIENCE,
    ROOT,
    SERVERS,
    Running,
    free_port,
    running,
    serve,
)
from tests.deployment.shop import Shop, eventually
from tests.deployment.test_servers import EACH_SERVER, missing
from tests.deployment.traffic import traffic

# They end, but as if nothing was wrong: so the check is to be run before them.
MAY_END_WITH_ZERO = ("uvicorn", "fastapi run", "hypercorn", "hypercorn on trio")
# What uvicorn may wait for a sign of life of a worker that is just ending.
GIVE_UP_SOONER = {"uvicorn": ["--timeout-worker-healthcheck", "5"]}
NOBODY = "postgresql://shop:secret@127.0.0.1:1/shop"


def command(
    arguments: Sequence[str], environment: dict[str, str]
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        env={**os.environ, **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


BAD = [
    pytest.param({"SHOP_DATABASE_URL": NOBODY}, "no database at 127.0.0.1:1/shop", id="nobody"),
    pytest.param({"SHOP_DATABASE_URL": "mysql://x"}, "SHOP_DATABASE_URL: ", id="other database"),
    pytest.param(
        {"SHOP_DATABASE_URL": "postgresql://x?y=z"}, "SHOP_DATABASE_URL: ", id="wrong URL"
    ),
    pytest.param({"SHOP_SECRET_KEY": "short"}, "SHOP_SECRET_KEY: ", id="short key"),
    pytest.param({"SHOP_SYNC_POOL_SIZE": "many"}, "SHOP_SYNC_POOL_SIZE: ", id="no number"),
    pytest.param({"SHOP_SYNC_POOL_SIZE": "1000"}, "fewer workers, smaller pools", id="many"),
]


@pytest.mark.parametrize(("wrong", "line"), BAD)
def test_the_check_says_what_is_wrong(
    wrong: dict[str, str], line: str, environment: dict[str, str]
) -> None:
    done = command(["benchmarks.apps.production", "check"], {**environment, **wrong})
    assert done.returncode == 1
    assert done.stdout == ""
    (said,) = done.stderr.splitlines()
    assert line in said
    assert "secret" not in said.replace("SECRET", "")


def test_the_check_names_a_database_that_is_missing(
    database: str, environment: dict[str, str]
) -> None:
    name = str(conninfo_to_dict(database)["dbname"])
    wrong = {"SHOP_DATABASE_URL": database.replace(f"/{name}", "/nowhere")}
    done = command(["benchmarks.apps.production", "check"], {**environment, **wrong})
    assert (done.returncode, done.stdout) == (1, "")
    (said,) = done.stderr.splitlines()
    assert "/nowhere, see SHOP_DATABASE_URL: " in said
    assert said.endswith('database "nowhere" does not exist')


def test_the_check_counts_the_connections_of_all_workers(environment: dict[str, str]) -> None:
    check = ["benchmarks.apps.production", "check"]
    done = command([*check, "--workers", "2"], environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 workers take at most 26 of " in done.stdout
    done = command([*check, "--workers", "1000"], environment)
    assert done.returncode == 1
    assert "1000 workers want up to 13000 connections" in done.stderr


def test_tables_that_are_missing_are_named(database: str, environment: dict[str, str]) -> None:
    # A schema of its own: the server has one database for all tests.
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("create schema if not exists bare")
    separator = "&" if "?" in database else "?"
    bare = f"{database}{separator}options=-csearch_path%3Dbare"
    done = command(
        ["benchmarks.apps.production", "check"], {**environment, "SHOP_DATABASE_URL": bare}
    )
    assert done.returncode == 1
    assert "run `python -m benchmarks.apps.production create-tables`" in done.stderr


# Found when a worker starts, and when it imports the application.
AT_START, AT_IMPORT = BAD[0], BAD[3]


@pytest.mark.parametrize(
    ("wrong", "line"),
    [AT_START, pytest.param(*AT_IMPORT.values, id="import", marks=pytest.mark.slow)],
)
@pytest.mark.parametrize("name", EACH_SERVER)
def test_a_server_gives_up_where_no_worker_can_start(
    name: str, wrong: dict[str, str], line: str, environment: dict[str, str]
) -> None:
    settings = {**environment, **wrong}
    if SERVERS[name].on_trio:
        settings["SHOP_ASYNCIO_DRIVERS"] = "false"
    port = free_port()
    arguments = [*SERVERS[name].command(port, 2), *GIVE_UP_SOONER.get(name, ())]
    with running(name, arguments, settings, port) as started:
        assert eventually(lambda: has_given_up(started)), started.log
        said = [each for each in started.log.splitlines() if "The shop does not start" in each]
        assert said, started.log
        assert all(line in each for each in said)


def has_given_up(started: Running) -> bool:
    """Say whether a server has ended, not with 0, or tries again where it does so for ever."""
    code = started.process.poll()
    if code is None:
        return not SERVERS[started.name].gives_up and "Respawning worker" in started.log
    assert code != 0 or started.name in MAY_END_WITH_ZERO, started.log
    return True


@contextmanager
def no_new_connections(database: str) -> Iterator[None]:
    """Let the server refuse new connections to the database, and go on with those there are."""
    others = database.replace(f"/{conninfo_to_dict(database)['dbname']}", "/postgres")
    name = sql.Identifier(str(conninfo_to_dict(database)["dbname"]))
    with psycopg.connect(others, autocommit=True) as connection:
        allow = sql.SQL("alter database {} with allow_connections {}")
        connection.execute(allow.format(name, sql.SQL("false")))
        try:
            yield
        finally:
            connection.execute(allow.format(name, sql.SQL("true")))


@pytest.mark.parametrize(
    "name", [each for each in EACH_SERVER if SERVERS[str(each.values[0])].replaces_workers]
)
def test_a_worker_that_dies_at_its_start_loses_no_row(
    name: str, environment: dict[str, str], best: dict[str, str], database: str
) -> None:
    options = GIVE_UP_SOONER.get(name, ())
    with serve(name, 2, {**environment, **best}, options) as started, Shop(started) as shop:
        with traffic(started.port, shop.token()) as seen:
            assert eventually(lambda: len(seen.created) >= 20), started.log
            with no_new_connections(database):
                os.kill(min(seen.workers), signal.SIGKILL)
                assert eventually(lambda: "The shop does not start" in started.log), started.log
                assert eventually(lambda: has_given_up(started)), started.log
        assert missing(database, seen.created) == set()


@pytest.mark.parametrize("name", EACH_SERVER)
def test_a_port_in_use_is_named(name: str, environment: dict[str, str]) -> None:
    settings = dict(environment)
    if SERVERS[name].on_trio:
        settings["SHOP_ASYNCIO_DRIVERS"] = "false"
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with running(name, SERVERS[name].command(port, 2), settings, port) as started:
            assert started.process.wait(PATIENCE) != 0
            assert "in use" in started.log


@pytest.mark.slow
def test_asyncpg_on_trio_is_refused(environment: dict[str, str]) -> None:
    port = free_port()
    on_trio = SERVERS["hypercorn on trio"].command(port, 1)
    with running("hypercorn on trio", on_trio, environment, port) as started:
        started.process.wait(PATIENCE)  # with 0, as ever where its only worker could not start
        assert "set SHOP_ASYNCIO_DRIVERS=false" in started.log
