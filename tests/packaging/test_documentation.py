"""The README and the pages in docs/: their examples run, their links lead somewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.serving import CLEANUP_IS_SHIELDED

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = [README, ROOT / "benchmarks/README.md", *sorted((ROOT / "docs").glob("*.md"))]
PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


# What needs other people's tools runs in tests/tools.
IN_TOOLS = [ROOT / "docs/metrics.md"]
WITH_EXAMPLES = [page for page in PAGES if PYTHON.search(read(page)) and page not in IN_TOOLS]


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    words = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in HEADING.findall(read(page)))
    return {heading.replace(" ", "-") for heading in words}


@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=name)
def test_the_examples_of_a_page_run_one_after_another(page: Path, tmp_path: Path) -> None:
    file = tmp_path / "examples.py"
    file.write_text("\n".join(PYTHON.findall(read(page))), encoding="utf-8")

    command = [sys.executable, "-W", "ignore", str(file)]
    ran = subprocess.run(command, check=False, capture_output=True, text=True)

    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    dead = []
    for link in LINK.findall(read(page)):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(link)

    assert dead == []


def test_each_page_can_be_reached_from_the_readme() -> None:
    linked = {(ROOT / link).resolve() for link in LINK.findall(read(README))}

    assert set(PAGES) - {README} <= linked


CONSOLE = re.compile(r"^```console\n\$ fastapi-async-safe (.*)\n((?:.*\n)*?)```$", re.MULTILINE)
CHART = re.compile(
    r"`fastapi-async-safe (report [^`]*)` prints:\n\n(^```mermaid\n.*?^```\n)",
    re.MULTILINE | re.DOTALL,
)
WITH_COMMANDS = [page for page in PAGES if CONSOLE.search(read(page)) or CHART.search(read(page))]


@pytest.mark.slow
@pytest.mark.skipif(not CLEANUP_IS_SHIELDED, reason="before FastAPI 0.162 there are more trips")
@pytest.mark.parametrize("page", WITH_COMMANDS, ids=name)
def test_the_commands_of_a_page_print_what_it_shows(page: Path, tmp_path: Path) -> None:
    text = read(page)
    (tmp_path / "shop.py").write_text("\n".join(PYTHON.findall(text)), encoding="utf-8")
    for arguments, expected in [*CONSOLE.findall(text), *CHART.findall(text)]:
        ran = subprocess.run(
            [sys.executable, "-m", "fastapi_async_safe", *arguments.split()],
            cwd=tmp_path,
            env={**os.environ, "COLUMNS": "80", "PYTHONIOENCODING": "utf-8"},
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )
        printed = "".join(f"{line.rstrip()}\n" for line in ran.stdout.splitlines())

        assert printed == expected
