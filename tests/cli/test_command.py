"""The command itself: how it is started, and what it says without what it needs."""

import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import fastapi
import pytest

from fastapi_async_safe import __version__, resolver_backend
from fastapi_async_safe._cli import main
from tests.cli.running import run

# A process that cannot import some package.
WITHOUT = """
import sys
sys.modules[{name!r}] = None
from fastapi_async_safe._cli import main
main(["--version"])
"""


def test_the_console_script_and_the_module_are_the_same(tmp_path: Path) -> None:
    script = shutil.which("fastapi-async-safe", path=sysconfig.get_path("scripts"))
    assert script is not None, "the package was installed without its console script"
    command = [script, "--version"]
    by_script = subprocess.run(command, capture_output=True, text=True, check=True)

    finished = run("--version", cwd=tmp_path)

    assert finished.returncode == 0
    assert finished.stdout == by_script.stdout
    assert re.fullmatch(
        r"fastapi-async-safe \S+, (compiled|python) core, FastAPI \S+\n", finished.stdout
    )


@pytest.mark.parametrize("name", ["typer", "rich", "jinja2"])
def test_without_the_extra_one_line_says_how_to_install_it(name: str) -> None:
    command = [sys.executable, "-c", WITHOUT.format(name=name)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)

    assert finished.returncode == 2
    assert finished.stdout == ""
    assert finished.stderr == (
        f'fastapi-async-safe: {name} is not installed: pip install "fastapi-async-safe[cli]"\n'
    )


def test_an_unknown_command_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["look"])

    assert ended.value.code == 2
    assert "No such command 'look'" in capsys.readouterr().err


def test_the_versions_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])

    assert ended.value.code == 0
    assert capsys.readouterr().out == (
        f"fastapi-async-safe {__version__}, {resolver_backend()} core, "
        f"FastAPI {fastapi.__version__}\n"
    )
