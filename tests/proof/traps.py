"""What random programs must not get to: everything here counts as code of unknown origin."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

#: How often a trap was run.
sprung: list[str] = []


def trapped(*args: object, **kwargs: object) -> int:
    """Count as something that blocks."""
    sprung.append("trapped")
    return 1


class Trap:
    """Runs code of its own at every occasion."""

    def __hash__(self) -> int:
        return trapped()

    def __bool__(self) -> bool:
        return bool(trapped())

    def __getattr__(self, name: str) -> int:
        return trapped()

    def __str__(self) -> str:
        return str(trapped())

    def __format__(self, spec: str) -> str:
        return str(trapped())

    def __repr__(self) -> str:
        return str(trapped())

    def __deepcopy__(self, memo: object) -> Trap:
        return self


def _act(*args: object) -> Any:
    return trapped()


_OPERATORS = """
    eq ne lt le gt ge add radd sub rsub mul rmul floordiv rfloordiv mod rmod or ror neg abs len
    contains getitem setitem iter call index int float round
"""
for _name in _OPERATORS.split():
    setattr(Trap, f"__{_name}__", _act)

TRAP = Trap()


def give_trap() -> Any:
    """Give what looks like any other object."""
    return TRAP


def trapping(function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a function into one that does something else first."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        trapped()
        return function(*args, **kwargs)

    return wrapper
