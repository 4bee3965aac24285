"""Which FastAPI releases there are, and which of them a run is about."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from packaging.specifiers import SpecifierSet
from packaging.version import Version

from .wheel import supported_fastapi

OLDEST, NEWEST = "oldest", "newest"


def minor(version: Version) -> str:
    """Name the minor release that a version belongs to."""
    return f"{version.major}.{version.minor}"


def published(python: Path) -> list[Version]:
    """List the final releases of FastAPI on the package index that pip is configured for.

    Parameters:
        python: the interpreter that has to be able to run them.

    Returns:
        Oldest first.

    Raises:
        subprocess.CalledProcessError: pip cannot tell.
    """
    told = _output(python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])").strip()
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "index", "versions")
    answer = json.loads(_output(*pip, "fastapi", "--json", "--python-version", told))
    return sorted(Version(version) for version in answer["versions"])


def last_patches(versions: Sequence[Version], supported: SpecifierSet) -> list[Version]:
    """Choose the last patch of each minor.

    Parameters:
        versions: oldest first.
        supported: what the package says it runs with.
    """
    matching = supported.filter(versions, prereleases=False)
    return [list(patches)[-1] for _, patches in groupby(matching, key=minor)]


def select(only: str | None, versions: Sequence[Version], wheel: Path) -> list[Version]:
    """Choose what to run.

    Parameters:
        only: minors, exact versions, `oldest` or `newest`, between commas; None for every minor.
        versions: what is published, oldest first.
        wheel: the package; its metadata say which FastAPI it supports.

    Raises:
        LookupError: there is no such release.
    """
    patches = last_patches(versions, supported_fastapi(wheel))
    if not patches:
        raise LookupError("the package index has no FastAPI that the package supports")
    if only is None:
        return patches
    known = {str(version): version for version in versions}
    known |= {minor(version): version for version in patches}
    known |= {OLDEST: patches[0], NEWEST: patches[-1]}
    asked = [name.strip() for name in only.split(",")]
    if missing := [name for name in asked if name not in known]:
        raise LookupError(f"there is no FastAPI {', '.join(missing)} to run")
    return sorted({known[name] for name in asked})


def _output(*command: Path | str) -> str:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
