"""`report`: what it writes, and where."""

import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.support.serving import contexts_share

SHOP = "tests.cli.shop:app"


@pytest.fixture
def report(run: Run) -> Run:
    """Give what runs the command: its exit code, output and errors."""
    return partial(run, "report")


@contexts_share
def test_the_page_is_written_where_it_is_wanted(report: Any, tmp_path: Path) -> None:
    file = tmp_path / "shop.html"

    code, output, errors = report(SHOP, "-o", str(file))

    assert (code, errors) == (0, "")
    assert output == f"3 routes written to {file}\n"
    page = file.read_text(encoding="utf-8")
    assert "<title>tests.cli.shop:app: where everything runs</title>" in page
    assert re.findall(r"<h3 id=.*>(.*)</h3>", page) == [
        "GET /account",
        "GET /items",
        "WebSocket /news",
    ]
    assert page.count("<svg ") == 3
    # Self-contained: it asks for nothing.
    assert not re.search(r"""(src|href)=|url\(|@import|https?:""", page)


def test_the_page_has_only_the_routes_that_are_asked_for(report: Any, tmp_path: Path) -> None:
    file = tmp_path / "shop.html"

    code, _, _ = report(SHOP, "--path", "/items", "-o", str(file))

    assert code == 0
    assert file.read_text(encoding="utf-8").count("<svg ") == 1


def test_a_mermaid_chart_is_printed_for_markdown(report: Any) -> None:
    code, output, errors = report(SHOP, "--format", "mermaid", "--path", "/items")

    assert (code, errors) == (0, "")
    assert output.splitlines()[:8] == [
        "```mermaid",
        "%% GET /items",
        "flowchart LR",
        '    n0["Page<br>inline"]:::inline',
        '    n1["Search<br>thread 1"]:::thread',
        '    n2["read_items<br>await"]:::await',
        "    n2 --> n0",
        "    n2 --> n1",
    ]
    assert output.endswith("```\n")


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (
            ["-o", "no/such/folder.html"],
            "no/such/folder.html cannot be written (No such file or directory); name another file",
        ),
        (
            ["--path", "/none"],
            "no route's path begins with '/none'; `check tests.cli.shop:app` lists them",
        ),
        (
            ["--format", "mermaid", "--path", "/none"],
            "no route's path begins with '/none'; `check tests.cli.shop:app` lists them",
        ),
    ],
)
def test_what_cannot_be_done_is_one_line(report: Any, options: list[str], line: str) -> None:
    code, _, errors = report(SHOP, *options)

    assert code == 2
    assert errors.startswith(f"fastapi-async-safe: {line}")
    assert errors.count("\n") == 1


def test_an_application_without_routes_has_no_chart(
    report: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "without_routes.py").write_text("from fastapi import FastAPI\napp = FastAPI()\n")
    monkeypatch.syspath_prepend(tmp_path)

    code, _, errors = report("without_routes:app", "--format", "mermaid")

    assert code == 2
    line = "without_routes:app has no route to draw; a page can be written of it"
    assert errors == f"fastapi-async-safe: {line}\n"
