"""What a release reads from the sources: its version, its tag, its part of the changelog."""

from pathlib import Path

import pytest

import fastapi_async_safe
from release.notes import NotReadyError, check_tag, section_of, version_of

ROOT = Path(__file__).parents[2]
CHANGELOG = """# Changelog

## [Unreleased]

- Not out yet.

## [1.10.0] - 2026-11-25

### Added

- The newest.

## 1.1.0

- An old one.

[1.10.0]: https://example.org
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    return tmp_path


def test_there_is_one_version() -> None:
    assert version_of(ROOT) == fastapi_async_safe.__version__


def test_the_changelog_has_a_section_of_what_is_not_released_or_of_this_version() -> None:
    try:
        assert section_of(ROOT, "Unreleased")
    except NotReadyError:
        assert section_of(ROOT, version_of(ROOT))


@pytest.mark.parametrize(
    ("version", "section"),
    [
        ("Unreleased", "- Not out yet."),
        ("1.10.0", "### Added\n\n- The newest."),
        ("1.1.0", "- An old one."),
    ],
)
def test_a_section_is_what_stands_below_the_heading(root: Path, version: str, section: str) -> None:
    assert section_of(root, version) == section


@pytest.mark.parametrize("version", ["1.1", "10.0", "1.10.00", "2.0.0"])
def test_a_version_without_a_section_is_an_error_that_says_what_to_write(
    root: Path, version: str
) -> None:
    with pytest.raises(NotReadyError, match="no heading"):
        section_of(root, version)


def test_a_section_without_text_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "CHANGELOG.md").write_text("## [1.0.0] - 2026-01-01\n\n## [0.9.0] - 2025-01-01\n")
    with pytest.raises(NotReadyError, match="says nothing"):
        section_of(tmp_path, "1.0.0")


def test_a_tag_is_the_version_with_a_v() -> None:
    check_tag("v1.0.0", "1.0.0")
    for tag in ("1.0.0", "v1.0", "v1.0.0rc1"):
        with pytest.raises(NotReadyError, match=r"v1\.0\.0"):
            check_tag(tag, "1.0.0")
