"""The pytest plugin of fastapi-async-safe: its options. What they do is imported when one is used.

NOTE: a package of its own, as pytest imports it in every project that has this one installed, and
`fastapi_async_safe` imports FastAPI.
"""

from __future__ import annotations

import math
from importlib.util import find_spec

import pytest

_BUDGET = "5"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("fastapi-async-safe")
    group.addoption(
        "--async-safe-strict",
        action="store_true",
        help="fail tests in which an inline call blocks, or takes longer than async_safe_budget",
    )
    group.addoption(
        "--async-safe-report",
        action="store_true",
        help="say which inline calls the tests have made, and which they have not",
    )
    parser.addini("async_safe_strict", "as --async-safe-strict", type="bool", default=False)
    parser.addini(
        "async_safe_budget",
        f"milliseconds that an inline call may take in a strict run, {_BUDGET} by default",
        default=_BUDGET,
    )


def pytest_configure(config: pytest.Config) -> None:
    is_strict = bool(config.getoption("async_safe_strict") or config.getini("async_safe_strict"))
    wants_report = bool(config.getoption("async_safe_report"))
    if not (is_strict or wants_report):
        return
    budget = _budget(config)
    if is_strict and find_spec("blockbuster") is None:
        _refuse(
            "--async-safe-strict finds blocking calls by blockbuster, which is not installed: "
            "pip install 'fastapi-async-safe[debug]'"
        )
    from fastapi_async_safe._strict.plugin import StrictPlugin

    plugin = StrictPlugin(budget if is_strict else None, wants_report=wants_report)
    config.pluginmanager.register(plugin, "fastapi_async_safe_strict")
    config.add_cleanup(plugin.close)


def _budget(config: pytest.Config) -> float:
    """Give the budget in seconds."""
    text = config.getini("async_safe_budget")
    try:
        budget = float(text)
    except ValueError:
        budget = math.nan
    if not (math.isfinite(budget) and budget > 0):
        _refuse(
            "async_safe_budget must be a positive number of milliseconds, such as "
            f"{_BUDGET}, not {text!r}"
        )
    return budget / 1000


def _refuse(text: str) -> None:
    pytest.exit(text, returncode=2)
