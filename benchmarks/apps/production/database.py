"""Whether the database can be used, asked before any pool is opened."""

import psycopg

from benchmarks.apps.production.settings import PREFIX, Settings, StartUpError

_FACTS = """
    select current_setting('server_version'), to_regclass('item') is not null,
        current_setting('max_connections')::int
        - current_setting('superuser_reserved_connections')::int
"""


def connect(settings: Settings) -> psycopg.Connection:
    """Open one connection; blocks.

    Raises:
        StartUpError: the server does not answer or does not let us in.
    """
    try:
        return psycopg.connect(settings.database_url, connect_timeout=settings.connect_timeout)
    except psycopg.Error as error:
        reason = " ".join(str(error).split())
        raise StartUpError(
            f"no database at {settings.server}, see {PREFIX}DATABASE_URL: {reason}"
        ) from None


def check_database(settings: Settings, workers: int = 1) -> str:
    """Say in one line what there is; blocks, so it is for a thread or a command.

    Raises:
        StartUpError: the server does not answer, lacks the tables, or has too few connections for
            that many workers.
    """
    with connect(settings) as connection:
        version, has_tables, limit = connection.execute(_FACTS).fetchone() or ("", False, 0)
    if not has_tables:
        raise StartUpError(
            f"no table `item` at {settings.server}: "
            "run `python -m benchmarks.apps.production create-tables`"
        )
    wanted = workers * settings.connections_per_worker
    if wanted > limit:
        raise StartUpError(
            f"{workers} workers want up to {wanted} connections and the server at "
            f"{settings.server} has {limit}: fewer workers, smaller pools, or a pooler before it"
        )
    return f"PostgreSQL {version}: {workers} workers take at most {wanted} of {limit} connections"
