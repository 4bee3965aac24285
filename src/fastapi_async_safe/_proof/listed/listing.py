"""The list: what is on it, and how it is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..analysis import Frame
from ..lookup import dict_of, mro_of
from ..values import Value, class_of, options_of

Rule: TypeAlias = Callable[[Frame, Any, list[Value], dict[str, Value]], Value | None]


@dataclass(frozen=True)
class Listed:
    """One function or method.

    Attributes:
        name: as a user writes it.
        asks: what its arguments have to be, in words.
        rule: gives the result for arguments that are so.
    """

    name: str
    asks: str
    rule: Rule


_by_identity: dict[int, tuple[Any, Listed]] = {}


def listed(function: Any) -> Listed | None:
    """Find a function, class or unbound method by what it is, not by its name."""
    found = _by_identity.get(id(function))
    return found[1] if found is not None and found[0] is function else None


def all_listed() -> list[Listed]:
    """Give everything that is listed, by name."""
    return sorted((each for _, each in _by_identity.values()), key=lambda each: each.name)


def put(function: Any, name: str, asks: str, rule: Rule) -> None:
    """Put a function or a class on the list."""
    _by_identity[id(function)] = (function, Listed(name, asks, rule))


def put_methods(cls: type, asks: str, rule: Rule, *names: str) -> None:
    """Put methods of a class on the list, as they are for its objects: others are refused."""

    def rule_of_class(
        frame: Frame, node: Any, args: list[Value], kwargs: dict[str, Value]
    ) -> Value | None:
        # NOTE: `dict.update(a_list, {})` does nothing, and may be caught.
        if not args or not all(_is_of(cls, option) for option in options_of(args[0])):
            return None
        return rule(frame, node, args, kwargs)

    for name in names:
        put(dict_of(cls)[name], f"{cls.__name__}.{name}", asks, rule_of_class)


def _is_of(cls: type, value: Value) -> bool:
    kind = class_of(value)
    return kind is not None and any(base is cls for base in mro_of(kind))
