"""`--async-safe-report`: which inline calls the tests have made, and which they have not."""

import re

import pytest

from tests.support.strict import Run

pytestmark = pytest.mark.slow


def rows(result: pytest.RunResult) -> dict[str, tuple[str, int]]:
    """Give what was called, by name and place."""
    found = {}
    for line in result.outlines:
        if match := re.fullmatch(r"(shop\S+) +(\d+) +[\d.]+  (.+)", line):
            found[f"{match[1]}: {match[3]}"] = match[1], int(match[2])
    return found


@pytest.mark.parametrize("options", [(), ("-n", "2"), ("--async-safe-strict",)], ids=str)
def test_it_has_what_was_called_and_what_never_was(run: Run, options: tuple[str, ...]) -> None:
    result = run("--async-safe-report", *options)
    counts = {place: count for place, (_, count) in rows(result).items()}
    assert counts == {
        "shop.get_connection: enter, /connection": 1,
        "shop.get_connection: exit, /connection": 1,
        "shop.sleep: dependency, /sleep": 1,
        "shop.compute: dependency, /compute": 1,
        "shop.Template: dependency, /template": 1,
        "shop.Page: dependency, /page": 1,
        "shop.read_endpoint: endpoint, /endpoint": 1,
        "shop.task: background task, /endpoint": 1,
        "shop.read_stream: endpoint, /stream": 1,
        "shop.read_stream: stream item, /stream": 3,
    }
    never = sorted(line for line in result.outlines if line.startswith("never called"))
    assert never == [
        "never called on this route: shop.Page (dependency, /other-page)",
        "never called on this route: shop.Template (dependency, /talk)",
    ]


def test_the_slowest_is_first(run: Run) -> None:
    assert next(iter(rows(run("--async-safe-report")))).startswith("shop.compute")


def test_applications_of_fixtures_and_mounted_ones_are_known(run: Run) -> None:
    tests = """
from typing import Annotated
import pytest
from fastapi import Depends, FastAPI
from fastapi_async_safe import async_safe, init_app
from starlette.testclient import TestClient

@async_safe
def first() -> int:
    return 1

@async_safe
def second() -> int:
    return 2

@pytest.fixture
def app() -> FastAPI:
    inner, app = FastAPI(), FastAPI()

    @inner.get("/first")
    async def read_first(value: Annotated[int, Depends(first)]) -> int:
        return value

    @inner.get("/second")
    async def read_second(value: Annotated[int, Depends(second)]) -> int:
        return value

    app.mount("/inner", inner)
    return init_app(app, accelerated=True)

def test_first(app: FastAPI) -> None:
    assert TestClient(app).get("/inner/first").json() == 1
"""
    result = run("--async-safe-report", tests=tests)
    result.assert_outcomes(passed=1)
    never = [line for line in result.outlines if line.startswith("never called")]
    assert never == ["never called: test_shop.second (dependency, /inner/second)"]


def test_a_run_without_anything_inline_says_so(run: Run) -> None:
    result = run("--async-safe-report", tests="def test() -> None: ...", shop="")
    result.stdout.fnmatch_lines(
        [
            "*= async-safe: inline calls =*",
            "No application of these tests has anything that runs inline.",
        ]
    )
