"""Selects the group by its name, and gives a page in a headless Chromium."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.groups import is_missing, is_named, say_left_out

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HERE = Path(__file__).parent
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
HOW = "apt-get install chromium, and pip install 'fastapi-async-safe[browser]'"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    if not is_named(HERE, config):
        return True
    if is_missing("playwright") or CHROMIUM is None:
        raise pytest.UsageError(f"tests/browser lacks playwright or a Chromium: {HOW}")
    return None


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if not is_named(HERE, config):
        say_left_out(HERE, terminalreporter)


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """Give a headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Root may run Chromium without its sandbox only; what it opens is ours.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()
