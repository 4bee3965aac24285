"""The README and the pages in docs/: their examples run, their links lead somewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = [README, ROOT / "benchmarks/README.md", *sorted((ROOT / "docs").glob("*.md"))]
PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


WITH_EXAMPLES = [page for page in PAGES if PYTHON.search(read(page))]


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
