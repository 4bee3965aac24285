"""Customers of the shop for a minute: `python -m benchmarks.deployment.customers --help`.

Starts a database, two gunicorn workers and locust, and prints what locust saw.
"""

import csv
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.deployment.postgres import NoDatabaseError
from benchmarks.deployment.servers import PATIENCE, ROOT, SERVERS, ServerEndedError, serve
from benchmarks.deployment.surroundings import place, surroundings
from benchmarks.figures.report import put_into, table

LOCUSTFILE = Path(__file__).with_name("locustfile.py")
# Those of two workers stay below PostgreSQL's default limit.
POOLS = {"SHOP_SYNC_POOL_SIZE": "20", "SHOP_ASYNC_POOL_SIZE": "8"}
COLUMNS = {
    "requests": "Request Count",
    "failures": "Failure Count",
    "requests/s": "Requests/s",
    "p50 ms": "50%",
    "p95 ms": "95%",
    "p99 ms": "99%",
    "max ms": "100%",
}


class CustomersError(Exception):
    """locust did not run, or met failures; the message is one line."""


def visit(port: int, users: int, seconds: int) -> list[dict[str, str]]:
    """Let customers visit a shop on the loopback, and give locust's figures by kind of request.

    Raises:
        CustomersError: locust did not run.
    """
    with tempfile.TemporaryDirectory(prefix="customers-") as directory:
        command = f"locust -f {LOCUSTFILE} --headless -u {users} -r {users} -t {seconds}s"
        command += f" --host http://127.0.0.1:{port} --csv {directory}/seen --only-summary"
        done = subprocess.run(
            [sys.executable, "-m", *command.split()],
            cwd=ROOT,
            env=os.environ,
            capture_output=True,
            text=True,
            timeout=seconds + PATIENCE,
            check=False,
        )
        written = Path(directory, "seen_stats.csv")
        if not written.exists():
            raise CustomersError(f"locust failed: {' '.join(done.stderr.split())}")
        with written.open(newline="") as lines:
            return list(csv.DictReader(lines))


def _row(seen: Mapping[str, str]) -> list[str]:
    name = f"{seen['Type']} `{seen['Name']}`" if seen["Type"] else "all"
    return [name, *(f"{float(seen[column]):,.0f}" for column in COLUMNS.values())]


def main(
    server: Annotated[str, typer.Option(help=f"One of {', '.join(SERVERS)}.")] = "gunicorn",
    workers: Annotated[int, typer.Option(min=1, max=8)] = 2,
    users: Annotated[int, typer.Option(min=1, max=500)] = 50,
    seconds: Annotated[int, typer.Option(min=5, max=600)] = 60,
    page: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Put the summary there.")
    ] = None,
) -> None:
    """Print what customers of the shop saw, and end with 1 if a request of theirs failed."""
    if server not in SERVERS:
        raise typer.BadParameter(f"one of {', '.join(SERVERS)}", param_hint="--server")
    where = place()
    with (
        surroundings() as environment,
        serve(server, workers, {**environment, **POOLS}) as running,
    ):
        seen = visit(running.port, users, seconds)
    kinds = f"{users} customers for {seconds} seconds, {workers} workers of {server}"
    summary = table(["request", *COLUMNS], [_row(each) for each in seen])
    text = f"{kinds}, on {where}.\n\n{summary}"
    print(text)
    if page is not None:
        put_into(page, "customers", f"{text}\n")
    if failures := int(seen[-1]["Failure Count"]):
        raise CustomersError(f"{failures} requests failed")


if __name__ == "__main__":
    try:
        typer.run(main)
    except (CustomersError, NoDatabaseError, ServerEndedError, ValueError) as error:
        raise SystemExit(f"{Path(__file__).stem}: {error}") from None
