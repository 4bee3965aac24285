"""The page about `profile` and `bench`: its commands print what it shows, but for the figures."""

import re
from pathlib import Path

import pytest

from tests.cli.running import run

PAGE = (Path(__file__).parents[2] / "docs/profile.md").read_text(encoding="utf-8")
(CODE,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = re.findall(
    r"^```shell-session\n\$ fastapi-async-safe (.*)\n((?:(?!```).*\n)*)```$", PAGE, re.MULTILINE
)


def without_figures(text: str) -> list[str]:
    """The words of an output in any order: figures, widths of columns, which depend on them, and
    the order, which is by what trips take, depend on the machine.
    """
    return sorted(re.sub(r"\b[\d,]+(\.\d+)?\b(?!:)", "0", text).split())


def test_the_page_shows_both_commands() -> None:
    assert [command.split()[0] for command, _ in COMMANDS] == ["profile", "bench"]


@pytest.mark.slow
@pytest.mark.parametrize(("command", "output"), COMMANDS)
def test_a_command_prints_what_the_page_shows(command: str, output: str, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(CODE, encoding="utf-8")
    arguments = [quoted or plain for quoted, plain in re.findall(r'"([^"]*)"|(\S+)', command)]

    finished = run(*arguments, cwd=tmp_path)

    assert finished.returncode == 0, finished.stderr
    assert without_figures(finished.stdout) == without_figures(output)
