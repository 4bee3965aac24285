"""Marks: what a person says about where a callable may run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from types import FunctionType, MethodType
from typing import Any, Never, TypeVar, overload

from ._marked import note_marked

T = TypeVar("T", bound="Callable[..., Any] | classmethod[Any, ..., Any]")

MARK = "__is_async_safe__"
MARKED = "__async_safe_id__"  # of whom, by identity: `functools.wraps` copies both
_BLOCKS = "__async_safe_blocks__"

# One item, and another one after each mark: plans compare it with the one they saw.
last_mark: list[object] = [object()]
_NOTHING: Any = object()

# Tools whose wrappers only observe what they wrap, and so have its mark: sentry-sdk puts one around
# each `def` endpoint, where nobody could mark it.
_OBSERVERS = ("sentry_sdk",)


@overload
def async_safe(dep: T) -> T: ...


@overload
def async_safe(*, blocks: bool) -> Callable[[T], T]: ...


def async_safe(dep: Any = _NOTHING, *, blocks: bool | None = None) -> Any:
    """Mark `dep` as safe to run on the event loop, without a thread.

    The mark is for `dep`, for the subclasses of a class, and for a `functools.partial` of it. What
    `functools.wraps` makes has none: mark the outermost wrapper. It counts from the next request
    on, in applications that serve already, too; the last mark of `dep` counts.

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
        if dep is _NOTHING:
            raise TypeError("drop the empty parentheses: write @async_safe, not @async_safe()")
        return _mark(dep, True)
    if dep is not _NOTHING or not isinstance(blocks, bool):
        raise TypeError("blocks is given alone, as True or False: @async_safe(blocks=False)")

    def mark(dep: T) -> T:
        _mark(dep, True)
        _mark(dep, blocks, _BLOCKS)
        return dep

    return mark


@overload
def async_unsafe(dep: T) -> T: ...


@overload
def async_unsafe() -> Never: ...


def async_unsafe(dep: Any = _NOTHING) -> Any:
    """Mark `dep` as not safe to run on the event loop; it beats every other rule.

    So does a mark anywhere in a chain of `functools.partial`. Parameters, return value, errors and
    when it counts are those of `async_safe`.
    """
    if dep is _NOTHING:
        raise TypeError("drop the empty parentheses: write @async_unsafe, not @async_unsafe()")
    return _mark(dep, False)


def is_async_safe(dep: object) -> bool | None:
    """Say how `dep` was marked.

    Parameters:
        dep: anything; a `functools.partial` without a mark of its own has that of its function,
            and is unsafe if anything in a chain of them is.

    Returns:
        True or False as marked, None without a mark.
    """
    marks = [mark for each in _chain(dep) if (mark := _own_mark(each)) is not None]
    return all(marks) if marks else None


def bearer_of_mark(dep: object) -> Any:
    """Give the class from which `dep`, a class or an instance, has its mark; else None."""
    for each in _chain(dep):
        if _own_mark(each) is None:
            continue
        classes = each.__mro__ if isinstance(each, type) else type(each).__mro__
        if not isinstance(each, type) and MARK in getattr(each, "__dict__", ()):
            return None
        return next((cls for cls in classes if MARK in vars(cls) and cls is not each), None)
    return None


def copied_mark(dep: object) -> bool | None:
    """Say how what `dep` wraps was marked, if `functools.wraps` copied that mark to `dep`.

    Returns:
        True or False as marked; None if nothing was copied, or the mark is one of `dep` itself.
    """
    copied = [_mark_at(each) for each in _chain(dep) if _is_copied(each)]
    return all(copied) if copied else None


class SeenMarks:
    """The marks of some callables, as they were seen; nothing of marks set since it was made."""

    __slots__ = ("_seen", "last")

    def __init__(self) -> None:
        self.last = last_mark[0]
        self._seen: list[tuple[object, bool | None, bool | None]] = []

    def see(self, dep: object) -> None:
        """See how `dep` is marked; before anything is made of that."""
        self._seen.append((dep, is_async_safe(dep), copied_mark(dep)))

    def are_current(self) -> bool:
        """Say whether all of them are marked as they were."""
        # NOTE: first, as another thread may set one meanwhile. A mark that is none of these has
        # to be cheap: an endpoint may mark the background task that it makes.
        last = last_mark[0]
        try:
            if any(
                is_async_safe(dep) is not mark or copied_mark(dep) is not copied
                for dep, mark, copied in self._seen
            ):
                return False
        except Exception:  # a proxy that stands for nothing now: the route falls back
            return False
        self.last = last
        return True


def _chain(dep: object) -> Iterator[Any]:
    yield dep
    while isinstance(dep, partial):
        dep = dep.func
        yield dep


def _mark_at(dep: object) -> bool | None:
    mark = getattr(dep, MARK, None)
    return mark if mark is True or mark is False else None


def _own_mark(dep: object) -> bool | None:
    mark = _mark_at(dep)
    return None if mark is None or _is_copied(dep) else mark


def _is_copied(dep: Any) -> bool:
    """Say whether a mark is there because `functools.wraps` copied the attributes of another."""
    if type(dep) is MethodType:
        dep = dep.__func__
    # NOTE: by the real type, as a proxy has the class of what it stands for. A class that was made
    # anew from another, as `dataclass(slots=True)` does, is the one that was marked.
    own = {} if issubclass(type(dep), type) else getattr(dep, "__dict__", {})
    if MARK not in own or own.get(MARKED) == id(dep):
        return False
    if type(dep) is FunctionType and _is_observer(dep):
        return _is_copied(vars(dep)["__wrapped__"])
    # A copy of a marked instance has its mark too, and is no wrapper.
    return (type(dep) is FunctionType and MARKED in own) or _wraps_marked(dep, own.get(MARKED))


def _is_observer(wrapper: FunctionType) -> bool:
    # NOTE: `functools.wraps` copies `__module__`, too.
    module = str(wrapper.__globals__.get("__name__"))
    return module.partition(".")[0] in _OBSERVERS and "__wrapped__" in vars(wrapper)


def _wraps_marked(dep: Any, marked: int | None) -> bool:
    seen: set[int] = set()
    inner = getattr(dep, "__wrapped__", None)
    while inner is not None and id(inner) not in seen:
        seen.add(id(inner))
        if id(inner) == marked or (marked is None and _mark_at(inner) is not None):
            return True
        inner = getattr(inner, "__wrapped__", None)
    return False


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
    target: Any = dep
    if isinstance(target, (staticmethod, classmethod)):
        target = target.__func__
    if not callable(target):
        raise TypeError(
            f"{dep!r} is not callable, so it cannot be marked; mark the function, class or "
            "callable instance that is used as the dependency, or name it in `predicates` of "
            "`init_app`"
        )
    try:
        setattr(target, name, safe)
        if name == MARK:
            note_marked(target)
            with suppress(AttributeError, TypeError):  # with a slot for the mark alone
                setattr(target, MARKED, id(target))
    except (AttributeError, TypeError, ValueError):
        raise TypeError(
            f"{dep!r} cannot carry a mark (it takes no attributes); say what you know about it "
            "with `init_app(app, predicates=[...])`, a predicate gets the callable and returns "
            "True if it is safe on the event loop"
        ) from None
    last_mark[0] = object()
    return dep


@async_safe
class AsyncSafeMixin:
    """A base class that marks the classes derived from it as `async_safe`."""
