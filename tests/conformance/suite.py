"""FastAPI's test suite, as its sdist on the package index carries it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

from unearth import PackageFinder


@dataclass(frozen=True)
class Suite:
    """The tests of one FastAPI release."""

    version: str
    archive: Path

    def unpack(self, directory: Path) -> None:
        """Unpack all of the sdist but the package itself, which the environment has installed."""
        with tarfile.open(self.archive) as archive:
            for member in archive.getmembers():
                path = member.name.partition("/")[2]
                if path and not path.startswith("fastapi/"):
                    archive.extract(member.replace(name=path), directory, filter="data")

    def requirements(self, directory: Path) -> list[str]:
        """Say what pip has to install for the tests.

        Parameters:
            directory: where the suite was unpacked.

        Returns:
            Arguments for `pip install`.

        Raises:
            LookupError: the sdist does not say what its tests need.
        """
        fastapi = f"fastapi[all]=={self.version}"
        project = directory / "pyproject.toml"
        if "[dependency-groups]" in project.read_text(encoding="utf-8"):
            return [fastapi, "--group", f"{project}:tests"]
        listed = directory / "requirements-tests.txt"
        if not listed.exists():
            raise LookupError(
                f"the sdist of FastAPI {self.version} does not say what its tests need"
            )
        lines = listed.read_text(encoding="utf-8")
        # The checkout that the file installs is not part of the sdist's use here.
        listed.write_text(re.sub(r"(?m)^-e \..*$", fastapi, lines), encoding="utf-8")
        return [fastapi, "--requirement", str(listed)]


def fetch(version: str, cache: Path) -> Suite:
    """Take the sdist of a FastAPI release from the package index that pip is configured for.

    Parameters:
        version: of FastAPI, exactly.
        cache: the directory that keeps sdists.

    Raises:
        LookupError: the index has no sdist of that version.
    """
    archive = cache / f"fastapi-{version}.tar.gz"
    if not archive.exists():
        finder = PackageFinder(
            index_urls=_pip_setting("index-url") or ["https://pypi.org/simple"],
            find_links=_pip_setting("find-links"),
            no_binary=["fastapi"],
            ignore_compatibility=True,
        )
        found = finder.find_best_match(f"fastapi=={version}", allow_prereleases=True).best
        if found is None:
            raise LookupError(f"the package index has no sdist of FastAPI {version}")
        cache.mkdir(parents=True, exist_ok=True)
        finder.download_and_unpack(found.link, cache / "unpacked", download_dir=cache)
    return Suite(version, archive)


def _pip_setting(name: str) -> list[str]:
    """Read a setting of pip, where the environment comes before the configuration files."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    settings = dict(line.split("=", 1) for line in printed.splitlines() if "=" in line)
    for scope in (":env:", "install", "global"):
        if value := settings.get(f"{scope}.{name}"):
            return str(ast.literal_eval(value)).split()
    return []
