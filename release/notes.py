"""The version, the tag that belongs to it, and the changelog's section of it."""

import re
from pathlib import Path


class NotReadyError(Exception):
    """Something that a release needs is missing or wrong; the text says what to do."""


def version_of(root: Path) -> str:
    """Read the version where the build reads it."""
    source = root / "src" / "fastapi_async_safe" / "__init__.py"
    match = re.search(r'^__version__ = "([^"]+)"', source.read_text(), re.MULTILINE)
    if match is None:
        raise NotReadyError(f"{source} has no line that begins with __version__")
    return match[1]


def check_tag(tag: str, version: str) -> None:
    """Make sure that a tag is the version's own.

    Raises:
        NotReadyError: it is another one's.
    """
    if tag != f"v{version}":
        raise NotReadyError(
            f"the tag is {tag}, the version {version}: tag v{version}, or change `__version__`"
        )


def section_of(root: Path, version: str) -> str:
    """Give what the changelog says about a version, without its heading.

    Raises:
        NotReadyError: it says nothing.
    """
    text = (root / "CHANGELOG.md").read_text()
    heading = re.compile(rf"^## \[?{re.escape(version)}\]?(?: - \d{{4}}-\d\d-\d\d)?$", re.MULTILINE)
    start = heading.search(text)
    if start is None:
        raise NotReadyError(
            f"CHANGELOG.md has no heading `## [{version}] - YYYY-MM-DD`; make it of Unreleased"
        )
    section = re.split(r"^## |^\[[^\]]+\]: ", text[start.end() :], maxsplit=1, flags=re.MULTILINE)[
        0
    ]
    if not section.strip():
        raise NotReadyError(f"CHANGELOG.md says nothing under {version}")
    return section.strip()
