"""A copy of the sources in which a mutant is tried that shows where the package is imported."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = Path("src", "fastapi_async_safe")
# What is about the sources, or has processes of its own.
_LEFT_OUT = ("benchmarks", "endurance", "packaging", "strict", "typing")
#: The fast tests.
TESTS = (
    "tests",
    *(f"--ignore=tests/{each}" for each in _LEFT_OUT),
    "-m",
    "not build and not slow",
)

_COPIED = ("benchmarks", "docs", "src", "tests", "README.md", "pyproject.toml", "setup.cfg")
# An editable installation finds the package before any path does, in every process.
_NO_EDITABLE = """
import sys
sys.meta_path[:] = [each for each in sys.meta_path if not hasattr(each, "known_source_files")]
"""


def copy_sources(directory: Path) -> None:
    """Make a copy of the sources, without compiled core."""
    directory.mkdir()
    for name in _COPIED:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.so", "*.pyd")
            shutil.copytree(ROOT / name, directory / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, directory / name)
    (directory / "sitecustomize.py").write_text(_NO_EDITABLE, encoding="utf-8")


def tests_fail(
    directory: Path, module: str, code: str, first: Sequence[str], limit: int
) -> str | None:
    """Say which test fails in a copy, with this in the place of a module, None if none does.

    Parameters:
        first: folders whose tests, slow ones too, are tried before all others.
        limit: how long one test may take, in seconds; all together 60 times that.
    """
    path = directory / PACKAGE / module
    before = path.read_text(encoding="utf-8")
    _write(path, code)
    folders = [f"tests/{each}" for each in first]
    others = [*TESTS, *(f"--ignore={each}" for each in folders)]
    try:
        failed = _tests_fail(directory, [*folders, "-m", "not build"], limit) if folders else None
        return failed or _tests_fail(directory, others, limit)
    finally:
        _write(path, before)


def _tests_fail(directory: Path, chosen: Sequence[str], limit: int) -> str | None:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    paths = os.pathsep.join(map(str, (directory, directory / "src")))
    process = subprocess.Popen(
        [*command, *chosen, f"--timeout={limit}"],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": paths, "FASTAPI_ASYNC_SAFE_NO_EXTENSIONS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        said = process.communicate(timeout=60 * limit)[0]
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return "Timeout"
    if process.returncode == 0:
        return None
    failed = re.search(r"^(?:FAILED|ERROR) (.*?)(?: - .*)?$", said, re.MULTILINE)
    return failed[1] if failed else said.strip().rpartition("\n")[2]


def _write(path: Path, code: str) -> None:
    path.write_text(code, encoding="utf-8")
    # The time and size that a compiled file goes by may be those of another mutant.
    for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
        compiled.unlink()
