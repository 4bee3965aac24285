"""Groups of tests that have requirements of their own, and so are run by their name."""

from importlib.util import find_spec
from pathlib import Path

import pytest


def is_named(folder: Path, config: pytest.Config) -> bool:
    """Say whether pytest was given a path in this folder."""
    named = (Path(argument.partition("::")[0]).absolute() for argument in config.args)
    return any(path == folder or folder in path.parents for path in named)


def is_missing(module: str) -> bool:
    """Say whether a module is not installed."""
    try:
        return find_spec(module) is None
    except ModuleNotFoundError:  # nor what it is in
        return True


def say_left_out(folder: Path, terminal: pytest.TerminalReporter) -> None:
    """Say after a run that a group was not wanted, and how to want it."""
    name = f"tests/{folder.name}"
    terminal.write_line(f"{name} was left out; it is run by its name: pytest {name}")
