"""The wheel that is tested."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from zipfile import ZipFile

from packaging.metadata import Metadata
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import parse_wheel_filename
from uv import find_uv_bin

NO_EXTENSIONS = "FASTAPI_ASYNC_SAFE_NO_EXTENSIONS"
REQUIRE_EXTENSIONS = "FASTAPI_ASYNC_SAFE_REQUIRE_EXTENSIONS"


def build(checkout: Path, python: Path, directory: Path) -> Path:
    """Build a checkout once, with the compiled core unless the environment forbids that.

    Raises:
        subprocess.CalledProcessError: it does not build.
    """
    environ = dict(os.environ)
    if not environ.get(NO_EXTENSIONS):
        environ[REQUIRE_EXTENSIONS] = "1"
    command = [find_uv_bin(), "build", "--quiet", "--wheel", "--python", str(python)]
    subprocess.run([*command, "--out-dir", directory, checkout], check=True, env=environ)
    (wheel,) = directory.glob("*.whl")
    return wheel


def core_variable(wheel: Path) -> str:
    """Name the variable with which the tests insist on the core that the wheel has."""
    tags = parse_wheel_filename(wheel.name)[3]
    return NO_EXTENSIONS if any(tag.platform == "any" for tag in tags) else REQUIRE_EXTENSIONS


def supported_fastapi(wheel: Path) -> SpecifierSet:
    """Read which FastAPI releases the package says it runs with.

    Raises:
        LookupError: it does not require FastAPI.
    """
    for requirement in _requirements(wheel):
        if requirement.name == "fastapi":
            return requirement.specifier
    raise LookupError(f"{wheel.name} does not require FastAPI")


def _requirements(wheel: Path) -> list[Requirement]:
    name, version, _, _ = parse_wheel_filename(wheel.name)
    with ZipFile(wheel) as archive:
        file = f"{name.replace('-', '_')}-{version}.dist-info/METADATA"
        metadata = Metadata.from_email(archive.read(file))
    return metadata.requires_dist or []
