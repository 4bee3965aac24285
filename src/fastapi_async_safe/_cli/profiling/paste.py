"""Lines to paste, which put into effect what `profile` recommends."""

from __future__ import annotations

import linecache
from types import FunctionType
from typing import Any

from .advice import Advice, Verdict
from .definitions import marked_thing

_IMMUTABLE = 1 << 8  # Py_TPFLAGS_IMMUTABLETYPE


def lines_to_paste(advice: list[Advice]) -> list[str]:
    """Write what marks everything that is recommended; nothing if nothing is."""
    found = [each for each in advice if each.verdict is Verdict.MARK]
    lines = [line for each in found for line in ["", *_lines_for(each)]]
    return ["from fastapi_async_safe import async_safe", *lines] if found else []


def line_to_paste(advice: Advice) -> str:
    """Write the one line that marks a callable."""
    return next(line for line in _lines_for(advice) if not line.startswith(("#", "import ")))


def _lines_for(advice: Advice) -> list[str]:
    definition = advice.measured.definition
    if definition.is_of_project:
        code = linecache.getline(definition.file, definition.line).rstrip()
        indent = code[: len(code) - len(code.lstrip())]
        return [f"# {definition.place}", f"{indent}@async_safe", code]
    thing = marked_thing(advice.measured.call)
    module, _, name = definition.name.partition(getattr(thing, "__module__", "") + ".")
    module = getattr(thing, "__module__", module)
    if _takes_a_mark(thing) and "<" not in name:
        return ["# where it is imported", f"import {module}", f"async_safe({module}.{name})"]
    qualified = getattr(thing, "__qualname__", name)
    predicate = f'lambda call: getattr(call, "__qualname__", "") == "{qualified}"'
    return [
        f"# {definition.name} cannot be marked where it stands",
        f"init_app(app, predicates=[{predicate}])",
    ]


def _takes_a_mark(thing: Any) -> bool:
    if isinstance(thing, type):
        return not thing.__flags__ & _IMMUTABLE
    return isinstance(thing, FunctionType)
