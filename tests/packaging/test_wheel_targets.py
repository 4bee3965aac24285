"""For which Pythons and platforms cibuildwheel makes wheels here."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.build

ROOT = Path(__file__).parents[2]
PLATFORMS = {
    "linux": [
        "manylinux_x86_64",
        "manylinux_aarch64",
        "musllinux_x86_64",
        "musllinux_aarch64",
    ],
    "macos": ["macosx_x86_64", "macosx_arm64"],
    "windows": ["win_amd64", "win_arm64"],
}
PYTHONS = ["cp311", "cp312", "cp313", "cp314"]


@pytest.mark.parametrize("system", PLATFORMS)
def test_each_platform_gets_a_wheel_of_each_cpython(system: str) -> None:
    command = [sys.executable, "-m", "cibuildwheel", "--print-build-identifiers"]
    printed = subprocess.check_output([*command, "--platform", system, ROOT], text=True)
    expected = [f"{python}-{platform}" for platform in PLATFORMS[system] for python in PYTHONS]
    assert sorted(printed.split()) == sorted(expected)
