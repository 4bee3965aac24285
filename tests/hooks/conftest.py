"""Gives what runs code in processes of their own, where it leaves what it likes."""

import os
import subprocess
import sys
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(pytestconfig: pytest.Config) -> Run:
    """Give what runs code in a process of its own, with the warnings that pytest was told of."""
    filters = ["error", *(pytestconfig.known_args_namespace.pythonwarnings or ())]
    warnings = [part for each in filters for part in ("-W", each)]

    def ran(code: str, **variables: str) -> subprocess.CompletedProcess[str]:
        own = {k: v for k, v in os.environ.items() if not k.startswith("FASTAPI_ASYNC_SAFE_")}
        return subprocess.run(
            [sys.executable, *warnings, "-c", code],
            cwd=ROOT,
            env=own | variables,
            capture_output=True,
            text=True,
            check=False,
        )

    return ran


def of_variant(variant: str) -> dict[str, str]:
    """Give the variables that leave a process no compiled core, unless the variant wants it."""
    return {} if variant == "compiled" else {"FASTAPI_ASYNC_SAFE_NO_EXTENSIONS": "1"}


def names_beside(function: Any) -> set[str]:
    """Give the names in the module of a function.

    CPython 3.13 without the GIL frees no function once there are threads: there a name that only
    waits for that is left out.
    """
    has_gil = getattr(sys, "_is_gil_enabled", lambda: True)()
    names = function.__globals__.items()
    return {name for name, value in names if has_gil or not isinstance(value, weakref.ProxyTypes)}
