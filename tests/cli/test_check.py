"""`check`: what it prints, and how it ends."""

import json
import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.cli import shop
from tests.cli.conftest import Run
from tests.support.serving import contexts_share

SHOP = "tests.cli.shop:app"


@pytest.fixture
def check(run: Run) -> Run:
    """Give what runs the command: its exit code, output and errors."""
    return partial(run, "check")


@contexts_share
def test_the_table_has_a_line_for_each_route_and_its_callables_below(check: Any) -> None:
    code, output, errors = check(SHOP)

    assert (code, errors) == (0, "")
    lines = [line.rstrip() for line in output.splitlines()]
    assert lines[:4] == [
        "GET /items                                            1 trip, 2 on FastAPI alone",
        "  inline    Page                         marked async_safe",
        "  thread 1  Search                       unmarked; proven, so it can be marked",
        "  await     read_items                   async def",
    ]
    assert lines[4].startswith("GET /account")
    assert re.fullmatch(r"  thread 1  session \(yield\) +unmarked; blocks: it calls .*…", lines[5])
    assert lines[7].split() == ["cached", "session", "(yield)"]
    assert "3 routes: 3 by the Python core" in lines
    assert "7 callables: 2 event loop, 1 inline, 4 thread pool" in lines
    assert "trips, one request to each: 5 now, 9 on FastAPI alone, 4 with proven_safe=True" in lines
    assert max(map(len, lines[: lines.index("")])) <= 80


def test_a_file_gets_whole_lines_with_the_trips_at_80_columns(
    check: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, cropped, _ = check(SHOP)
    monkeypatch.delenv("COLUMNS")
    _, output, _ = check(SHOP)

    lines = output.splitlines()
    assert lines[0] == cropped.splitlines()[0]
    assert len(lines[0]) == 80
    assert "…" in cropped
    assert "…" not in output
    assert max(map(len, lines)) > 80


def test_the_trips_are_at_the_edge_of_a_wider_terminal(
    check: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    _, output, _ = check(SHOP)

    assert len(output.splitlines()[0]) == 100


@pytest.mark.parametrize(
    ("options", "routes", "names"),
    [
        (["--path", "/acc"], ["/account"], ["session", "user", "session", "Page", "read_account"]),
        (["--path", "/*count"], ["/account"], None),
        (["--only", "inline"], ["/items", "/account", "/news"], ["Page", "Page", "Page"]),
        (
            ["--only", "thread"],
            ["/items", "/account"],
            ["Search", "session", "user", "read_account"],
        ),
        (["--only", "declined"], [], []),
    ],
)
def test_routes_and_callables_can_be_chosen(
    check: Any, options: list[str], routes: list[str], names: list[str] | None
) -> None:
    code, output, _ = check(SHOP, *options)

    assert code == 0
    head = output.partition("\n\n")[0].splitlines() if routes else []
    assert [line.split()[1] for line in head if not line.startswith(" ")] == routes
    if names is not None:
        assert [
            re.sub(r"thread \d", "thread", line).split()[1] for line in head if line[0] == " "
        ] == names
    count = len(routes)
    assert f"{count} route{'' if count == 1 else 's'}: " in output


@contexts_share
def test_json_has_all_that_is_known(check: Any) -> None:
    code, output, _ = check(SHOP, "--json", "--path", "/account")

    told = json.loads(output)
    assert code == 0
    assert told["app"] == SHOP
    assert told["totals"]["trips"] == 4
    (route,) = told["routes"]
    assert (route["path"], route["methods"], route["core"]) == ("/account", ["GET"], "python")
    assert [call["place"] for call in route["calls"]] == [
        "thread pool",
        "thread pool",
        "thread pool",
        "inline",
        "thread pool",
    ]
    user = route["calls"][1]
    assert user["verdict"] == "blocks"
    assert user["reasons"][0]["line"] > 1
    assert user["source"] == f"{shop.__file__}:{shop.user.__code__.co_firstlineno}"


EXPECTING = """
from typing import Annotated

from fastapi import Depends, FastAPI

from fastapi_async_safe import async_safe


async def number() -> int:
    return 1


def add(number: Annotated[int, Depends(number)]) -> int:
    return number + 1


@async_safe
class Idle:
    pass


app = FastAPI(dependencies=[Depends(add)])


@app.get("/")
async def read() -> None: ...
"""


@pytest.fixture
def expecting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An application in a folder whose name has brackets; its name."""
    folder = tmp_path / "[shop]"
    folder.mkdir()
    name = f"expecting_{tmp_path.name}".replace("-", "_")
    (folder / f"{name}.py").write_text(EXPECTING, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(folder)
    return name


def test_json_has_what_a_proof_expects(check: Any, expecting: str) -> None:
    code, output, _ = check(f"{expecting}:app", "--json")

    assert code == 0
    (route,) = json.loads(output)["routes"]
    expected = {call["name"]: call["expects"] for call in route["calls"]}
    assert expected[f"{expecting}.add"] == ["`number` is int"]


def test_a_mark_that_changes_nothing_is_shown_with_its_file(check: Any, expecting: str) -> None:
    _, output, _ = check(f"{expecting}:app")

    assert "marks that change nothing here:" in output
    assert f"  Idle ([shop]/{expecting}.py:" in output.replace("\\", "/")


@contexts_share
@pytest.mark.parametrize(
    ("options", "code", "line"),
    [
        (["--max-trips", "4"], 0, ""),
        (["--max-trips", "3"], 1, "GET /account makes 4 trips, more than 3\n"),
        (["--max-trips", "3", "--path", "/items"], 0, ""),
        (["--fail-on-declined"], 0, ""),
    ],
)
def test_bounds_for_ci(check: Any, options: list[str], code: int, line: str) -> None:
    ended, _, errors = check(SHOP, *options)

    assert (ended, errors) == (code, line)


@pytest.mark.parametrize("options", [[], ["--json"], ["--max-trips", "0"]])
def test_a_path_that_no_route_has_is_no_success(check: Any, options: list[str]) -> None:
    code, output, errors = check(SHOP, "--path", "/none", *options)

    assert (code, output) == (2, "")
    assert errors == (
        "fastapi-async-safe: no route's path begins with '/none'; `check tests.cli.shop:app` "
        "lists them\n"
    )


def test_a_declined_route_is_told_and_can_fail(check: Any) -> None:
    code, output, errors = check(
        "tests.cli.shop:strange", "--fail-on-declined", "--only", "declined"
    )

    assert code == 1
    reason = "dependency_overrides are a Overrides, no dict"
    assert output.count(f"  FastAPI's own code runs it: {reason}") == 3
    assert errors.splitlines()[0] == f"GET /items is declined: {reason}"


@pytest.mark.parametrize("count", ["-1", "many"])
def test_a_bound_that_is_none_ends_with_2(check: Any, count: str) -> None:
    code, _, errors = check(SHOP, "--max-trips", count)

    assert code == 2
    assert "--max-trips" in errors


def test_an_app_that_is_not_there_is_one_line(check: Any) -> None:
    code, output, errors = check("tests.cli.shop:application")

    assert (code, output) == (2, "")
    assert errors == (
        "fastapi-async-safe: tests.cli.shop has no 'application'; write tests.cli.shop:app or "
        "tests.cli.shop:strange\n"
    )


def test_an_app_without_init_app_says_so(check: Any) -> None:
    code, output, _ = check("tests.cli.shop:create_app()")

    assert code == 0
    assert "3 routes: 3 without init_app" in output
    assert "marked async_safe; no init_app" in output
