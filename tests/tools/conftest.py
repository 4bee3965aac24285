"""Selects the group: wanted by name it has to run, else only where its tools are installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.groups import is_missing, is_named

pytest.register_assert_rewrite("tests.tools.scene")

HERE = Path(__file__).parent
MODULES = (
    "cadwyn",
    "dependency_injector",
    "fastapi_injectable",
    "fastapi_pagination",
    "logfire",
    "opentelemetry.instrumentation.fastapi",
    "opentelemetry.sdk",
    "prometheus_client",
    "sentry_sdk",
    "wireup",
    "wrapt",
)


MISSING = tuple(filter(is_missing, MODULES))
_HOW = "pip install 'fastapi-async-safe[tools]'"


def _is_wanted(config: pytest.Config) -> bool:
    return is_named(HERE, config) or config.getoption("markexpr") == "tools"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "tools: with other people's tools, of the extra `tools`")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    if not MISSING:
        return None
    if _is_wanted(config):
        raise pytest.UsageError(f"tests/tools lacks {', '.join(MISSING)}: {_HOW}")
    return True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.tools)
            item.add_marker(pytest.mark.slow)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if MISSING:
        terminalreporter.write_line(
            f"tests/tools was left out, it lacks {', '.join(MISSING)}: {_HOW}"
        )


@pytest.fixture(params=["tool first", "init_app first"])
def order(request: pytest.FixtureRequest) -> str:
    """Give what is installed first, the tool or this package."""
    return str(request.param)
