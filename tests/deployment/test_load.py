"""The scripts that load the shop: they run, are bounded, and say in one line what they lack."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.deployment.bounds import Bounds, OverTimeError
from benchmarks.deployment.servers import PATIENCE, ROOT
from tests.deployment.conftest import settings_of

needs_wrk = pytest.mark.skipif(
    shutil.which("wrk") is None, reason="wrk comes from no package index"
)


def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        env={**os.environ, **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=5 * PATIENCE,
        check=False,
    )


def test_a_missing_wrk_is_said_in_one_line() -> None:
    done = run("benchmarks.deployment.load", PATH="/nowhere")
    assert done.returncode == 1
    (said,) = done.stderr.splitlines()
    assert said.startswith("load: wrk is not installed")


def test_a_missing_database_is_said_in_one_line() -> None:
    done = run(
        "benchmarks.deployment.load", "--part", "share", DATABASE_URL="postgresql://127.0.0.1:1/x"
    )
    assert done.returncode == 1
    (said,) = done.stderr.splitlines()
    assert said.startswith("load: DATABASE_URL leads to no PostgreSQL")


def test_settings_that_are_missing_are_said_in_one_line() -> None:
    done = run("benchmarks.deployment.share", "/currencies", "", SHOP_DATABASE_URL="mysql://x")
    assert done.returncode == 1
    (said,) = done.stderr.splitlines()
    assert said.startswith("share: wrong settings: SHOP_DATABASE_URL: ")


def test_dependencies_take_a_share_of_the_time(variant: str, environment: dict[str, str]) -> None:
    settings = {**environment, **settings_of(variant)}
    done = run(
        "benchmarks.deployment.share", "/psycopg/items?limit=5", "", "--requests", "20", **settings
    )
    assert done.returncode == 0, done.stderr
    whole, part = json.loads(done.stdout)
    assert 0 < part < whole


@needs_wrk
def test_the_tables_are_put_into_a_page(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- load -->\nold\n<!-- /load -->\nafter\n")
    options = ["--part", "deadlock", "--deadlock-seconds", "2", "--page", str(page)]
    done = run("benchmarks.deployment.load", *options)
    assert done.returncode == 0, done.stderr
    text = page.read_text()
    assert text.startswith("before\n<!-- load -->\n\nMeasured on ")
    assert text.endswith("<!-- /load -->\nafter\n")
    assert "| stock | " in text
    assert "old" not in text


def test_time_that_is_over_is_said_in_one_line() -> None:
    with pytest.raises(OverTimeError, match="not done in 0 minutes, before the next step: give"):
        Bounds(0).note("the next step")


@pytest.mark.parametrize(("minutes", "rounds"), [(0, 1), (60, 3)])
def test_there_are_rounds_as_long_as_there_is_time_but_one_at_least(
    minutes: float, rounds: int
) -> None:
    assert len(list(Bounds(minutes).rounds(3))) == rounds


def test_customers_of_locust_meet_no_failure(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- customers -->\n<!-- /customers -->\n")
    options = ["--users", "4", "--seconds", "8", "--page", str(page)]
    done = run("benchmarks.deployment.customers", *options)
    assert done.returncode == 0, done.stderr
    text = page.read_text()
    assert "4 customers for 8 seconds, 2 workers of gunicorn, on " in text
    for request in ("POST `/token`", "GET `/currencies`", "all"):
        (row,) = (line for line in text.splitlines() if line.startswith(f"| {request} |"))
        assert re.match(r"\| [\d,]+ \| 0 \|", row.removeprefix(f"| {request} ")), row


def test_customers_who_find_no_shop_say_so_in_one_line() -> None:
    locustfile = "benchmarks/deployment/locustfile.py"
    options = f"-f {locustfile} --headless -u 1 -t 5s --host http://127.0.0.1:1"
    done = run("locust", *options.split())
    assert done.returncode == 1
    (said,) = (line for line in done.stderr.splitlines() if "/INFO/" not in line)
    assert said.startswith("locust: no shop at --host http://127.0.0.1:1: ")
