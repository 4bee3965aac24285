"""The virtual environment in which a FastAPI release's test suite runs."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

from packaging.specifiers import SpecifierSet

from .suite import Suite

_OF_THEIR_TIME = Path(__file__).with_name("environments.toml")
# What the runs need beside what FastAPI's tests ask for.
_TOOLS = ("pytest-reportlog", "pytest-timeout", "pytest-xdist")


@dataclass(frozen=True)
class Environment:
    """A virtual environment with FastAPI and what its tests need, and nothing of ours."""

    directory: Path
    options: tuple[str, ...]  # for pytest, beside those of the suite

    @property
    def bin(self) -> Path:
        """The directory of its programs."""
        return self.directory / ("Scripts" if sys.platform == "win32" else "bin")

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.bin / "python"

    def installed(self) -> str:
        """Name its interpreter and everything installed in it, exactly."""
        told = (self.python, "-VV"), (self.python, "-m", "pip", "freeze", "--all")
        return "".join(_output(*command) for command in told)


def prepare(suite: Suite, python: Path, cache: Path) -> Environment:
    """Make the environment of a suite, or find the one that was made before.

    Parameters:
        suite: whose tests shall run.
        python: the interpreter to make it with.
        cache: the directory that keeps environments.

    Raises:
        subprocess.CalledProcessError: something could not be installed.
    """
    pins, options = _of_its_time(suite.version)
    tag = _output(python, "-c", "import sys; print(sys.implementation.cache_tag)").strip()
    made_from = json.dumps([suite.version, _output(python, "-VV"), pins, _TOOLS])
    key = hashlib.sha256(made_from.encode()).hexdigest()[:12]
    environment = Environment(cache / f"{suite.version}-{tag}-{key}", tuple(options))
    complete = environment.directory / "complete"
    if complete.exists():
        return environment
    create = (python, "-m", "venv", "--clear", "--upgrade-deps", environment.directory)
    subprocess.run(create, check=True, stdout=subprocess.DEVNULL)
    with tempfile.TemporaryDirectory() as unpacked:
        suite.unpack(Path(unpacked))
        constraints = Path(unpacked, "constraints-of-its-time.txt")
        constraints.write_text("\n".join(pins), encoding="utf-8")
        _pip(
            environment,
            "install",
            *suite.requirements(Path(unpacked)),
            *_TOOLS,
            "--constraint",
            str(constraints),
        )
    complete.touch()
    return environment


def install_beside(environment: Environment, wheel: Path, directory: Path) -> None:
    """Install a wheel of ours where only the runs that name the directory see it."""
    _pip(environment, "install", "--no-deps", "--target", str(directory), str(wheel))


def build_wheel(checkout: Path, environment: Environment, directory: Path) -> Path:
    """Build the package of a checkout with the interpreter of an environment.

    Raises:
        subprocess.CalledProcessError: it does not build.
    """
    _pip(environment, "wheel", "--no-deps", "--wheel-dir", str(directory), str(checkout))
    (wheel,) = directory.glob("*.whl")
    return wheel


def _of_its_time(version: str) -> tuple[list[str], list[str]]:
    """Look up what a suite wants pinned, and which pytest options it wants."""
    pins: list[str] = []
    options: list[str] = []
    for entry in tomllib.loads(_OF_THEIR_TIME.read_text(encoding="utf-8"))["environment"]:
        if SpecifierSet(entry["fastapi"]).contains(version, prereleases=True):
            pins += entry.get("pins", [])
            options += entry.get("options", [])
    return pins, options


def _pip(environment: Environment, *arguments: str) -> None:
    pip = (environment.python, "-m", "pip", "-qq", "--disable-pip-version-check")
    subprocess.run((*pip, *arguments), check=True)


def _output(*command: Path | str) -> str:
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environ).stdout
