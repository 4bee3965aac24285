"""Marks: what a person says about where a callable may run."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar, overload

T = TypeVar("T", bound="Callable[..., Any] | classmethod[Any, ..., Any]")

MARK = "__is_async_safe__"
_BLOCKS = "__async_safe_blocks__"


@overload
def async_safe(dep: T) -> T: ...


@overload
def async_safe(*, blocks: bool) -> Callable[[T], T]: ...


def async_safe(dep: Any = None, *, blocks: bool | None = None) -> Any:
    """Mark `dep` as safe to run on the event loop, without a thread.

    A marked callable that is known to wait (`time.sleep`, files, sync database sessions ...) is
    warned of once, on the logger `fastapi_async_safe.proof`, when it is first planned.

    Parameters:
        dep: a function, a class (its subclasses inherit the mark), a callable instance or a
            `functools.partial`. Marking an `async def` is allowed and changes nothing.
        blocks: `@async_safe(blocks=False)` says that it does not block, whatever it calls, and
            silences that warning.

    Returns:
        `dep` itself; without `dep`, what marks it.

    Raises:
        TypeError: `dep` is not callable, or cannot carry a mark.
    """
    if blocks is None:
        return _mark(dep, True)
    if dep is not None or not isinstance(blocks, bool):
        raise TypeError("blocks is given alone, as True or False: @async_safe(blocks=False)")

    def mark(dep: T) -> T:
        _mark(dep, True)
        _mark(dep, blocks, _BLOCKS)
        return dep

    return mark


def async_unsafe(dep: T) -> T:
    """Mark `dep` as not safe to run on the event loop; it beats every other rule.

    Parameters, return value and errors are those of `async_safe`.
    """
    return _mark(dep, False)


def is_async_safe(dep: object) -> bool | None:
    """Say how `dep` was marked.

    Parameters:
        dep: anything; a `functools.partial` without a mark of its own has that of its function.

    Returns:
        True or False as marked, None without a mark.
    """
    while True:
        mark = getattr(dep, MARK, None)
        if mark is True or mark is False:
            return bool(mark)
        if not isinstance(dep, partial):
            return None
        dep = dep.func


def may_block(dep: object) -> bool:
    """Say whether nobody said of a marked callable that it does not block."""
    while True:
        if getattr(dep, _BLOCKS, None) is False:
            return False
        if not isinstance(dep, partial):
            return True
        dep = dep.func


def _mark(dep: T, safe: bool, name: str = MARK) -> T:
    # A static or class method hands out the function below it, so that is what is marked.
    target = dep.__func__ if isinstance(dep, (staticmethod, classmethod)) else dep
    if not callable(target):
        raise TypeError(
            f"{dep!r} is not callable, so it cannot be marked; mark the function, class or "
            "callable instance that is used as the dependency, or name it in `predicates` of "
            "`init_app`"
        )
    try:
        setattr(target, name, safe)
    except (AttributeError, TypeError):
        raise TypeError(
            f"{dep!r} cannot carry a mark (it takes no attributes); say what you know about it "
            "with `init_app(app, predicates=[...])`, a predicate gets the callable and returns "
            "True if it is safe on the event loop"
        ) from None
    return dep


@async_safe
class AsyncSafeMixin:
    """A base class that marks the classes derived from it as `async_safe`."""
