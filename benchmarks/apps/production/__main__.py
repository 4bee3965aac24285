"""Commands to run before the servers: `python -m benchmarks.apps.production --help`."""

from typing import Annotated

import typer

from benchmarks.apps.production.database import check_database, connect
from benchmarks.apps.production.resources import sync_engine
from benchmarks.apps.production.settings import Settings, StartUpError
from benchmarks.apps.production.tables import create_tables

cli = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@cli.command("check")
def check(
    workers: Annotated[int, typer.Option(min=1, help="Processes to be started.")] = 1,
) -> None:
    """Say whether settings, database and number of connections are right for that many workers."""
    typer.echo(check_database(Settings.from_environment(), workers))


@cli.command("create-tables")
def create() -> None:
    """Create the tables, two accounts and some items where they are missing."""
    settings = Settings.from_environment()
    connect(settings).close()
    engine = sync_engine(settings)
    create_tables(engine)
    engine.dispose()
    typer.echo(f"Tables are there at {settings.server}")


if __name__ == "__main__":
    try:
        cli()
    except StartUpError as error:
        raise SystemExit(f"The shop: {error}") from None
