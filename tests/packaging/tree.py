"""The tree in CONTRIBUTING, one line a file: `python -m tests.packaging.tree` writes it."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONTRIBUTING = ROOT / ".github" / "CONTRIBUTING.md"
FOLDERS = ["src/fastapi_async_safe", "src/fastapi_async_safe_pytest", "csrc", "benchmarks", "tests"]
# By suffix; and CMakeLists.txt.
SOURCES = {".py", ".pyi", ".pyx", ".pxi", ".pxd", ".c", ".h", ".mjs", ".lua", ".sql"}
BEGIN, END = "<!-- tree -->\n", "<!-- /tree -->\n"
DOCSTRING = re.compile(r'(?:#.*\n)*"""(.*?)"""', re.DOTALL)
# What a first comment begins with, where there is no docstring.
COMMENT = re.compile(r"(?:#|//|/\*|--)[ *]*(.+?)(?:\s*\*/)?\s*$", re.MULTILINE)


class UntoldError(Exception):
    """A file does not begin by saying what it is for."""


def first_line(path: Path) -> str:
    """Give the first line of what a file says about itself; of an empty file nothing.

    Raises:
        UntoldError: it does not say anything.
    """
    text = path.read_text()
    if not text.strip():
        return ""
    if path.suffix in {".py", ".pyi"}:
        told = ast.get_docstring(ast.parse(text)) or ""
    elif match := DOCSTRING.match(text) or COMMENT.match(text):
        told = match[1]
    else:
        told = ""
    if not told:
        raise UntoldError(f"{path.relative_to(ROOT)} does not begin with a line on what it is for")
    return told.splitlines()[0]


def tree_of(folder: Path, depth: int = 0) -> list[str]:
    """List a folder: what it is for, its files, then the folders in it."""
    start = folder / "__init__.py"
    told = first_line(start) if start.exists() else ""
    name = folder.relative_to(ROOT).as_posix() if depth == 0 else folder.name
    lines = [line(f"{name}/", told, depth)]
    children = sorted(folder.iterdir())
    lines += [
        line(child.name, first_line(child), depth + 1)
        for child in children
        if child.is_file() and is_source(child) and child != start
    ]
    for child in children:
        has_sources = child.is_dir() and any(
            is_source(each) for each in child.rglob("*") if "__pycache__" not in each.parts
        )
        if has_sources and child.name != "__pycache__" and child.name[0] != ".":
            lines += tree_of(child, depth + 1)
    return lines


def is_source(path: Path) -> bool:
    """Say whether the tree has it."""
    return path.suffix in SOURCES or path.name == "CMakeLists.txt"


def line(name: str, told: str, depth: int) -> str:
    """Give one line of it."""
    return f"{'  ' * depth}{name:<{36 - 2 * depth}} {told}".rstrip()


def tree() -> str:
    """Give all of it as it stands in CONTRIBUTING."""
    listed = "\n\n".join("\n".join(tree_of(ROOT / folder)) for folder in FOLDERS)
    return f"```text\n{listed}\n```\n"


def parts() -> tuple[str, str, str]:
    """Give what stands before the tree, the tree, and what stands after it."""
    before, rest = CONTRIBUTING.read_text().split(BEGIN)
    written, after = rest.split(END)
    return before, written, after


if __name__ == "__main__":
    before, _, after = parts()
    CONTRIBUTING.write_text(f"{before}{BEGIN}{tree()}{END}{after}")
