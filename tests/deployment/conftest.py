"""Selects the group by its name, and gives a database and shops behind servers."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.groups import is_missing, is_named, say_left_out
from tests.support.serving import expected_backend

if TYPE_CHECKING:
    from tests.deployment.shop import Shop

HERE = Path(__file__).parent
HOW = "pip install 'fastapi-async-safe[deployment]'"
MODULES = (
    "asyncpg",
    "dockerfile_parse",
    "fastapi.sse",
    "fastapi_cli",
    "granian",
    "gunicorn",
    "hypercorn",
    "jwt",
    "locust",
    "psutil",
    "psycopg",
    "psycopg2",
    "psycopg_pool",
    "pwdlib",
    "pydantic_settings",
    "sqlalchemy",
    "sqlmodel",
    "uvicorn_worker",
    "uvloop",
)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    if not is_named(HERE, config):
        return True
    if missing := tuple(filter(is_missing, MODULES)):
        raise pytest.UsageError(f"tests/deployment lacks {', '.join(missing)}: {HOW}")
    return None


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if not is_named(HERE, config):
        say_left_out(HERE, terminalreporter)


@pytest.fixture(scope="session")
def database() -> Iterator[str]:
    """Give the URL of a database that has the shop's tables."""
    from benchmarks.deployment.postgres import NoDatabaseError, shop_database

    with ExitStack() as stack:
        try:
            url = stack.enter_context(shop_database())
        except NoDatabaseError as error:
            pytest.exit(f"tests/deployment: {error}", returncode=1)
        yield url


@pytest.fixture(scope="session")
def rates() -> Iterator[str]:
    """Give the URL of the service for rates."""
    from benchmarks.deployment.servers import serve_rates

    with serve_rates() as url:
        yield url


@pytest.fixture(scope="session")
def environment(database: str, rates: str) -> dict[str, str]:
    """Give the settings of a shop; its pools are small, for there are many workers."""
    from benchmarks.deployment.postgres import KEY

    return {
        "SHOP_DATABASE_URL": database,
        "SHOP_RATES_URL": rates,
        "SHOP_SECRET_KEY": KEY,
        "SHOP_SYNC_POOL_SIZE": "4",
        "SHOP_ASYNC_POOL_SIZE": "4",
        "SHOP_ORM_POOL_SIZE": "2",
        "SHOP_ORM_MAX_OVERFLOW": "1",
        "SHOP_QUERY_SECONDS": "1",
    }


def settings_of(variant: str) -> dict[str, str]:
    """Give what makes a shop run in a variant."""
    if variant == "stock":
        return {"SHOP_INLINE": "false"}
    if variant == "python":
        return {"SHOP_ACCELERATED": "false"}
    return {"FASTAPI_ASYNC_SAFE_REQUIRE_EXTENSIONS": "1"}


@pytest.fixture(scope="session")
def best() -> dict[str, str]:
    """Give the settings for the core that there is."""
    return settings_of(expected_backend())


Shops = Callable[[str], "Shop"]


@pytest.fixture(scope="session")
def shops(environment: dict[str, str]) -> Iterator[Shops]:
    """Give what starts a shop in a variant, once, behind one uvicorn."""
    from benchmarks.deployment.servers import serve
    from tests.deployment.shop import Shop

    with ExitStack() as stack:

        @cache
        def start(variant: str) -> Shop:
            settings = {**environment, **settings_of(variant)}
            running = stack.enter_context(serve("uvicorn", 1, settings))
            return stack.enter_context(Shop(running))

        yield start


@pytest.fixture
def shop(variant: str, shops: Shops) -> "Shop":
    """Give a shop in the variant under test."""
    return shops(variant)
