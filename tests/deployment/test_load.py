"""The scripts that load the shop: they run, are bounded, and say in one line what they lack."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.deployment.servers import ROOT
from tests.deployment.conftest import Shops, settings_of
from tests.deployment.shop import PATIENCE

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


def test_customers_of_locust_meet_no_failure(shops: Shops) -> None:
    shop = shops("stock")
    done = run(
        "locust",
        "-f",
        "benchmarks/deployment/locustfile.py",
        "--headless",
        "-u",
        "4",
        "-r",
        "4",
        "-t",
        "8s",
        "--host",
        f"http://127.0.0.1:{shop.running.port}",
        "--only-summary",
    )
    assert done.returncode == 0, done.stderr
    assert "POST     /token" in done.stderr + done.stdout
