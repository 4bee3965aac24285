"""What an application puts in the place of its dependencies."""

from __future__ import annotations

from typing import Any

from .nodes import NOTHING

# Of an object that has its overrides, and is true, without its class being asked.
_NOT_PLAIN = ("dependency_overrides", "__bool__", "__len__")


def overrides_of(provider: Any) -> Any:
    """Give the overrides of an application.

    Returns:
        A dict, or None, or NOTHING where somebody might notice that they are looked at: if it is
        not an attribute of a plain object, or another mapping, which may have a memory.
    """
    kind: Any = type(provider)
    if kind.__getattribute__ is not object.__getattribute__:
        return NOTHING
    if any(hasattr(kind, name) for name in _NOT_PLAIN) or not kind.__dictoffset__:
        return NOTHING
    overrides = object.__getattribute__(provider, "__dict__").get("dependency_overrides", NOTHING)
    return overrides if overrides is None or type(overrides) is dict else NOTHING
