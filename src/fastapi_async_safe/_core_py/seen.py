"""What a plan rests on, as it was when the plan was made."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from operator import attrgetter, is_
from types import CodeType, FunctionType
from typing import Any

from .. import _fastapi
from ..markers import SeenMarks, last_mark
from .nodes import NOTHING

# So many items are compared by code that is made for their number.
_SPELT_OUT = 32


class Seen:
    """What was seen.

    Parameters:
        watched: owner, attribute, what it was; NOTHING if there was none.
        dependants: whose fields and lists stay as they are.
        fields: the names of all fields.
        lists: all lists of the dependants.
        marks: of what may run inline.
    """

    __slots__ = (
        "_empty_lists",
        "_fields_seen",
        "_has_fields",
        "_is_as_seen",
        "_items_seen",
        "_marks",
        "_watched",
    )

    def __init__(
        self,
        watched: tuple[tuple[Any, str, Any], ...],
        dependants: tuple[_fastapi.Dependant, ...],
        fields: tuple[str, ...],
        lists: tuple[list[Any], ...],
        marks: SeenMarks,
    ) -> None:
        self._watched = watched
        self._marks = marks
        self._is_as_seen = _comparer_of(watched)
        self._has_fields = _field_comparer_of(fields)
        read = attrgetter(*fields)
        self._fields_seen = [(each, read(each)) for each in dependants]
        self._empty_lists = [items for items in lists if not items]
        self._items_seen = [
            (_item_comparer_of(len(items)), items, tuple(items)) for items in lists if items
        ]

    def is_current(self) -> bool:
        """Say whether everything is as it was."""
        if self._marks.last is not last_mark[0] and not self._marks.are_current():
            return False
        try:
            if not self._is_as_seen():
                return False
        except Exception:  # deleted, or not there when the plan was made either; or a class's own
            if any(_now(owner, name) is not seen for owner, name, seen in self._watched):
                return False
        # NOTE: all by identity, as what is equal to something need not do the same.
        for dependant, seen in self._fields_seen:
            if not self._has_fields(dependant, seen):
                return False
        for has_items, items, found in self._items_seen:
            if not has_items(items, found):
                return False
        return not any(self._empty_lists)


def _comparer_of(watched: tuple[tuple[Any, str, Any], ...]) -> Callable[[], bool]:
    owners, attributes, values = zip(*watched, strict=True) if watched else ((), (), ())
    # The owners and the values are defaults of parameters.
    code = _comparing_code(attributes)
    return FunctionType(code, {}, argdefs=(*owners, *values))


@lru_cache(maxsize=256)
def _comparing_code(attributes: tuple[str, ...]) -> CodeType:
    # PERF: instead of a loop with `getattr`, as the interpreter specialises each: 6.0 -> 1.3 us for
    # 50 (3.13).
    count = range(len(attributes))
    parameters = [*(f"owner_{number}" for number in count), *(f"seen_{number}" for number in count)]
    each = [f"owner_{number}.{name} is seen_{number}" for number, name in enumerate(attributes)]
    compare = eval(f"lambda {', '.join(parameters)}: {' and '.join(each) or True}")
    code: CodeType = compare.__code__
    return code


@cache
def _field_comparer_of(fields: tuple[str, ...]) -> Callable[[Any, tuple[Any, ...]], bool]:
    # PERF: as the interpreter specialises each, 20 fields take 0.6 us instead of the 1.7 of a loop
    # by `map` and `operator.is_` (3.13).
    each = [f"dependant.{name} is seen[{number}]" for number, name in enumerate(fields)]
    comparer: Callable[[Any, tuple[Any, ...]], bool] = eval(
        f"lambda dependant, seen: {' and '.join(each)}"
    )
    return comparer


@cache
def _item_comparer_of(length: int) -> Callable[[list[Any], tuple[Any, ...]], bool]:
    if length > _SPELT_OUT:
        return lambda items, seen: len(items) == length and all(map(is_, items, seen))
    # PERF: likewise, 13 items of five lists: 1.6 -> 0.6 us (3.13).
    each = [f"items[{number}] is seen[{number}]" for number in range(length)]
    comparer: Callable[[list[Any], tuple[Any, ...]], bool] = eval(
        f"lambda items, seen: len(items) == {length} and {' and '.join(each)}"
    )
    return comparer


def _now(owner: Any, name: str) -> Any:
    try:
        return getattr(owner, name, NOTHING)
    except Exception as error:  # of a class with a `__getattr__` of its own by now
        return error
