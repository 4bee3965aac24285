"""Each module of the package can be imported first, in a fresh interpreter."""

import pkgutil
import subprocess
import sys
from collections.abc import Iterator

import pytest

import fastapi_async_safe


def modules() -> Iterator[str]:
    """Give the names of all modules, the compiled one too where it was built."""
    for module in pkgutil.walk_packages(fastapi_async_safe.__path__, "fastapi_async_safe."):
        yield module.name


@pytest.mark.slow
@pytest.mark.parametrize("name", list(modules()))
def test_each_module_can_be_imported_first(name: str) -> None:
    command = [sys.executable, "-W", "error", "-c", f"import {name}"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (finished.returncode, finished.stderr) == (0, "")
