"""Where the code of a callable stands, so that it can be named, marked, and found again."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import partial
from types import CodeType, GeneratorType, MethodType
from typing import Any

from .waiting import is_of_project, short_path


@dataclass(frozen=True)
class Definition:
    """What a mark is put on: a function, or a class for what is an instance of it.

    Attributes:
        name: module and qualified name.
        file: its path, empty where there is no source.
        line: of its first decorator, or of itself; 0 where there is no source.
        is_class: a class.
        is_of_project: its file is neither of an installed package nor of Python itself.
    """

    name: str
    file: str
    line: int
    is_class: bool
    is_of_project: bool

    @property
    def place(self) -> str:
        """File, as seen from the working directory, and line."""
        return f"{short_path(self.file)}:{self.line}" if self.file else ""


def marked_thing(call: Any) -> Any:
    """Find what a mark for `call` is put on.

    Returns:
        A function or a class: that of a partial, a method, or a callable instance. The code of a
        generator, whose function nobody knows.
    """
    while isinstance(call, (partial, MethodType)):
        call = call.func if isinstance(call, partial) else call.__func__
    if isinstance(call, GeneratorType):
        return call.gi_code
    return call if hasattr(call, "__name__") else type(call)


def definition_of(call: Any) -> Definition:
    """Say where the code of a callable stands; the same in each process that imports it."""
    thing = marked_thing(call)
    if isinstance(thing, CodeType):
        file, line = thing.co_filename, thing.co_firstlineno
        return Definition(thing.co_qualname, file, line, False, is_of_project(file))
    name = f"{thing.__module__}.{getattr(thing, '__qualname__', thing.__name__)}"
    if isinstance(thing, type):
        try:
            file = inspect.getsourcefile(thing) or ""
            line = inspect.getsourcelines(thing)[1]
        except (OSError, TypeError):
            file, line = "", 0
        return Definition(name, file, line, True, bool(file) and is_of_project(file))
    # A mark goes above all decorators, so above the line where the innermost function begins.
    code = getattr(inspect.unwrap(thing), "__code__", None)
    if code is None:
        return Definition(name, "", 0, False, False)
    file, line = code.co_filename, code.co_firstlineno
    return Definition(name, file, line, False, is_of_project(file))
