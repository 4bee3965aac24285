"""Selects the group by its name, and gives a page in a headless Chromium."""

import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HERE = Path(__file__).parent
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
HOW = "apt-get install chromium, and pip install 'fastapi-async-safe[browser]'"


def _is_wanted(config: pytest.Config) -> bool:
    named = (Path(argument.partition("::")[0]).absolute() for argument in config.args)
    return any(path == HERE or HERE in path.parents for path in named)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    if not _is_wanted(config):
        return True
    if find_spec("playwright") is None or CHROMIUM is None:
        raise pytest.UsageError(f"tests/browser lacks playwright or a Chromium: {HOW}")
    return None


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if not _is_wanted(config):
        terminalreporter.write_line(
            "tests/browser was left out; it is run by its name: pytest tests/browser"
        )


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """Give a headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Root may run Chromium without its sandbox only; what it opens is ours.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()
