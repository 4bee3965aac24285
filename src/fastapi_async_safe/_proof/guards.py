"""Guards: functions that say, for one call, whether it gets what a proof expects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol

from .expected import Expectation
from .kinds import Exactly, Names
from .places import Item

#: What reading an attribute may raise: a named tuple that is too short, a slot of another class,
#: a call too deep, no memory.
_ERRORS = (IndexError, MemoryError, RuntimeError, TypeError)


class Row(NamedTuple):
    """What is asked of one value, where that is no more than its class and its size."""

    keyword: str
    attribute: str | None  # of what is given by that keyword; None: that itself
    cls: type
    longest: int  # of a text


class Guard(Protocol):
    """Says for one call whether it gets what was expected."""

    rows: tuple[Row, ...] | None  # all that it asks; None: it asks more than rows can say

    def __call__(self, **values: Any) -> bool:
        """Take what the call takes."""
        ...


def guard_of(expectations: Sequence[Expectation], keywords: Iterable[str]) -> Guard | None:
    """Make what says, for one call, whether it gets what was expected.

    Nothing of anybody else's is run by it: it looks at classes, at attributes that the proof found
    to be plain, and at parts of built-in containers.

    Parameters:
        expectations: of a proof.
        keywords: of the call.

    Returns:
        A function that takes what the call takes, by keyword; None if nothing is expected.
    """
    if not expectations:
        return None
    parameters = list(dict.fromkeys([*keywords, *(each.path[0] for each in expectations)]))
    names = Names(parameters)
    nothing = names.of(object())
    taken = ", ".join(f"{each}={nothing}" for each in parameters)
    asked = " and ".join(_asked(each, nothing, names) for each in expectations)
    guard = names.new()
    text = (
        f"def {guard}(*, {taken}, **{names.new()}):\n"
        f" try:\n  return {asked}\n"
        f" except {names.of(_ERRORS)}:\n  return False\n"
    )
    exec(text, names.meanings)
    made: Guard = names.meanings[guard]
    made.rows = _rows_of(expectations)
    return made


def _rows_of(expectations: Sequence[Expectation]) -> tuple[Row, ...] | None:
    rows = []
    for each in expectations:
        name, *attributes = each.path
        if type(each.kind) is not Exactly or len(attributes) > 1:
            return None
        attribute = attributes[0] if attributes else None
        if any(owner is not None for owner in each.owners) or isinstance(attribute, Item):
            return None
        rows.append(Row(name, attribute, each.kind.cls, each.kind.longest))
    return tuple(rows)


def _asked(expectation: Expectation, nothing: str, names: Names) -> str:
    given, *steps = expectation.path
    last = steps.pop() if steps else None
    asked = []
    for index, owner in enumerate(expectation.owners):
        if index:
            given = _found(given, steps[index - 1], nothing, names)
        if owner is not None:  # of another class it is not asked
            asked.append(f"{names.of(type)}({given}) is not {names.of(owner)}")
    if last is None:
        assert expectation.kind is not None  # a parameter has a value
        asked.append(expectation.kind.source(given, names))
    elif expectation.kind is None:
        own = names.new()
        there = f"({own} := {names.of(getattr)}({given}, '__dict__', {nothing}))"
        asked.append(f"({names.of(type)}({there}) is {names.of(dict)} and {last!r} not in {own})")
    else:
        # NOTE: kept in a variable, so that all is asked of one object.
        value = names.new()
        there = f"({value} := {_found(given, last, nothing, names)}) is not {nothing}"
        asked.append(f"({there} and {expectation.kind.source(value, names)})")
    return f"({' or '.join(asked)})"


def _found(given: str, step: str | Item, nothing: str, names: Names) -> str:
    # NOTE: what an item is asked of was found to be a dict before, with texts for keys.
    if isinstance(step, Item):
        return f"{names.of(dict.get)}({given}, {step.key!r}, {nothing})"
    return f"{names.of(getattr)}({given}, {step!r}, {nothing})"
