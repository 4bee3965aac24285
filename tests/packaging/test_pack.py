"""A wheel that is packed anew is the same wheel in fewer bytes."""

import zipfile
from pathlib import Path

import pytest

from release.pack import pack

pytestmark = pytest.mark.build

ROOT = Path(__file__).parents[2]


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "a_wheel-1.0-py3-none-any.whl"
    executable = zipfile.ZipInfo("a_wheel/_core.so", (2026, 1, 2, 3, 4, 6))
    executable.external_attr = 0o100755 << 16
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("a_wheel")
        archive.writestr("a_wheel/__init__.py", (ROOT / "README.md").read_bytes())
        archive.writestr("a_wheel/py.typed", b"")
        archive.writestr(executable, bytes(range(256)) * 40, zipfile.ZIP_STORED)
        archive.writestr("a_wheel-1.0.dist-info/RECORD", b"a_wheel/__init__.py,,\n")
    return path


def members(wheel: Path) -> list[tuple[object, ...]]:
    with zipfile.ZipFile(wheel) as archive:
        return [
            (info.filename, info.date_time, info.external_attr, info.CRC, archive.read(info))
            for info in archive.infolist()
            if not info.is_dir()
        ]


def test_the_files_stay_as_they_are_and_the_wheel_gets_smaller(wheel: Path) -> None:
    before, size = members(wheel), wheel.stat().st_size
    pack(wheel)
    assert members(wheel) == before
    with zipfile.ZipFile(wheel) as archive:
        assert len(archive.infolist()) == len(before)  # without the folder
    assert wheel.stat().st_size < size - 10_000  # what was only stored is compressed too


def test_packing_once_more_changes_nothing(wheel: Path) -> None:
    pack(wheel)
    once = wheel.read_bytes()
    pack(wheel)
    assert wheel.read_bytes() == once
