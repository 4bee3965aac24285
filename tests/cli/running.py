"""Runs the command line in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path


def run(*arguments: str, cwd: Path, columns: int = 80) -> subprocess.CompletedProcess[str]:
    """Run `python -m fastapi_async_safe`, as a terminal of that width would."""
    return subprocess.run(
        [sys.executable, "-m", "fastapi_async_safe", *arguments],
        cwd=cwd,
        env={**os.environ, "COLUMNS": str(columns), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=300,
    )
