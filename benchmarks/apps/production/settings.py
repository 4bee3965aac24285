"""What the shop reads from its environment: `SHOP_DATABASE_URL` and the like."""

from typing import Annotated, Self

import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import (
    AfterValidator,
    Field,
    HttpUrl,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    ValidationError,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "SHOP_"
ASYNC_ORM_POOL_SIZE = 2


class StartUpError(Exception):
    """The shop cannot start; the message is one line that says what to do."""


def _checked_dsn(url: str) -> str:
    if not url.startswith(("postgresql://", "postgres://")):
        raise ValueError("expects postgresql://user:password@host:port/database")
    try:
        conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        raise ValueError(str(error).strip()) from None
    return url


Dsn = Annotated[str, AfterValidator(_checked_dsn)]


class Settings(BaseSettings):
    """All settings of one worker process."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    database_url: Dsn
    secret_key: SecretStr = Field(min_length=32)
    token_minutes: PositiveInt = 30
    rates_url: HttpUrl = HttpUrl("http://127.0.0.1:8001")

    sync_pool_size: PositiveInt = 10
    async_pool_size: PositiveInt = 10
    orm_pool_size: PositiveInt = 5
    orm_max_overflow: Annotated[int, Field(ge=0)] = 10
    orm_pool_timeout: PositiveFloat = 30
    connect_timeout: Annotated[int, Field(ge=2)] = 5
    query_seconds: PositiveFloat = 5
    cpu_processes: PositiveInt = 1
    largest_page: PositiveInt = 100

    asyncio_drivers: bool = True
    """False leaves out what needs asyncio itself, such as asyncpg: for hypercorn on trio."""
    inline: bool = True
    """False rolls back to FastAPI as it comes, without a deployment."""
    accelerated: bool = True
    one_trip: bool = True
    """False makes a trip to a thread for each unmarked call of a request, as FastAPI does."""

    @classmethod
    def from_environment(cls) -> Self:
        """Read the environment.

        Raises:
            StartUpError: a variable is missing or wrong.
        """
        try:
            return cls()  # type: ignore[call-arg]
        except ValidationError as error:
            wrong = (
                f"{PREFIX}{'.'.join(map(str, each['loc'])).upper()}: {each['msg']}"
                for each in error.errors(include_url=False, include_input=False)
            )
            raise StartUpError(f"wrong settings: {'; '.join(wrong)}") from None

    @property
    def connections_per_worker(self) -> int:
        """How many connections one worker opens at most, but for those of the psycopg2 route."""
        pools = self.sync_pool_size + self.orm_pool_size + self.orm_max_overflow
        if self.asyncio_drivers:
            pools += self.async_pool_size + ASYNC_ORM_POOL_SIZE
        return pools

    @property
    def server(self) -> str:
        """Where the database is, without a password."""
        parts = conninfo_to_dict(self.database_url)
        return f"{parts.get('host', 'localhost')}:{parts.get('port', 5432)}/{parts.get('dbname')}"
