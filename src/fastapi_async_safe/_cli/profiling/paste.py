"""Lines to paste, which put into effect what `profile` recommends."""

from __future__ import annotations

import linecache
from types import FunctionType
from typing import Any

from .advice import Advice, Verdict
from .definitions import marked_thing

_IMMUTABLE = 1 << 8  # Py_TPFLAGS_IMMUTABLETYPE

#: Where a callable of the project is marked, on a line of its own above it.
DECORATOR = "@async_safe"


def lines_to_paste(advice: list[Advice]) -> list[str]:
    """Write what marks everything that is recommended; nothing if nothing is."""
    found = [each for each in advice if each.verdict is Verdict.MARK]
    if not found:
        return []
    lines = ["from fastapi_async_safe import async_safe"]
    for each in found:
        definition = each.measured.definition
        if definition.is_of_project:
            code = linecache.getline(definition.file, definition.line).rstrip()
            indent = code[: len(code) - len(code.lstrip())]
            lines += ["", f"# {definition.place}", f"{indent}{DECORATOR}", code]
    installed = [each for each in found if not each.measured.definition.is_of_project]
    return lines + _lines_for_installed(installed)


def line_to_paste(advice: Advice) -> str | None:
    """Write the one line that marks a callable; None if there is no such line."""
    if advice.verdict is not Verdict.MARK:
        return None
    if advice.measured.definition.is_of_project:
        return DECORATOR
    module, name = _imported_as(advice)
    return f"async_safe({module}.{name})" if name else None


def _lines_for_installed(advice: list[Advice]) -> list[str]:
    marks: dict[str, list[str]] = {}
    others = []
    for each in advice:
        module, name = _imported_as(each)
        if name:
            marks.setdefault(module, []).append(f"async_safe({module}.{name})")
        else:
            others.append(each.measured.definition.name)
    lines = ["", "# what is imported from elsewhere"] if marks else []
    lines += [line for module, calls in marks.items() for line in (f"import {module}", *calls)]
    if others:
        lines += [
            "",
            "# What cannot be marked where it stands: name it in `predicates` of init_app.",
        ]
        lines += [f"#   {name}" for name in others]
    return lines


def _imported_as(advice: Advice) -> tuple[str, str]:
    """Give module and name by which a callable is found; no name where it cannot be marked so."""
    thing: Any = marked_thing(advice.measured.call)
    name = getattr(thing, "__qualname__", "<nothing>")
    takes_marks = isinstance(thing, FunctionType) or (
        isinstance(thing, type) and not thing.__flags__ & _IMMUTABLE
    )
    return getattr(thing, "__module__", ""), name if takes_marks and "<" not in name else ""
