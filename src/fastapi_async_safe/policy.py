"""Which callables run inline: marks, predicates, extensions, classes, proofs, in that order."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple, TypeAlias

from ._messages import Notices
from .markers import copied_mark, is_async_safe

DependencyCall: TypeAlias = Callable[..., Any]
Predicate: TypeAlias = Callable[[DependencyCall], bool]


#: What decides about a callable before anything is proven of it.
Rule: TypeAlias = Literal[
    "marked",
    "unsafe",
    "copied mark",
    "predicate",
    "failed predicate",
    "extension",
    "all_classes_safe",
    "unmarked",
]


class Ruling(NamedTuple):
    """Which rule decided about a callable, and how."""

    is_inline: bool
    rule: Rule
    predicate: Predicate | None = None  # that decided


_MARKED = Ruling(True, "marked")
_UNSAFE = Ruling(False, "unsafe")
_COPIED = Ruling(False, "copied mark")
_EXTENSION = Ruling(True, "extension")
_CLASS = Ruling(True, "all_classes_safe")
_UNMARKED = Ruling(False, "unmarked")


class Policy:
    """What one `init_app` said about which callables are inline.

    Parameters:
        all_classes_safe: classes without a mark are inline.
        predicates: callables that get a dependency and return True if it is inline.
        proven_safe: what is proven not to hold up the event loop is inline; plans ask for that,
            as a proof is watched by what rests on it.

    Raises:
        TypeError: an argument is of another type, or a predicate is asynchronous.
    """

    __slots__ = ("_notices", "all_classes_safe", "predicates", "proven_safe")

    def __init__(
        self,
        *,
        all_classes_safe: bool = False,
        predicates: Sequence[Predicate] | None = None,
        proven_safe: bool = False,
    ) -> None:
        if all_classes_safe is None:  # the predecessor's default
            all_classes_safe = False
        if not isinstance(all_classes_safe, bool):
            raise TypeError(f"all_classes_safe must be True or False, not {all_classes_safe!r}")
        if not isinstance(proven_safe, bool):
            raise TypeError(f"proven_safe must be True or False, not {proven_safe!r}")
        self.all_classes_safe = all_classes_safe
        self.proven_safe = proven_safe
        self.predicates = _checked(predicates)
        self._notices = Notices()

    def is_inline(self, call: DependencyCall, *, classes: bool = True) -> bool:
        """Say whether `call`, which is no coroutine function, runs on the event loop.

        With `classes=False`, which is for what is no dependency, `all_classes_safe` says nothing.
        A predicate that fails is logged, once, and leaves `call` in the thread pool.
        """
        return self.ruling(call, classes=classes).is_inline

    def ruling(self, call: DependencyCall, *, classes: bool = True) -> Ruling:
        """Say which rule decides whether `call` runs on the event loop, as `is_inline` asks."""
        mark, copied = is_async_safe(call), copied_mark(call)
        if mark is False or copied is False:  # what a wrapper calls was said to be unsafe
            return _UNSAFE
        if mark is True:
            return _MARKED
        ruling = self._ruling_of_application(call, classes)
        if copied and not ruling.is_inline:
            self._notices.say_once(
                "%s falls back to the thread pool: its mark is that of what it wraps, copied by "
                "functools.wraps; mark the outermost wrapper",
                call,
            )
            return _COPIED
        return ruling

    def _ruling_of_application(self, call: DependencyCall, classes: bool) -> Ruling:
        for predicate in self.predicates:
            try:
                if self._asked(predicate, call):
                    return Ruling(True, "predicate", predicate)
            except Exception as error:
                self._notices.say_once(
                    "the predicate %s failed on %s, which stays in the thread pool",
                    predicate,
                    call,
                    error=error,
                )
                return Ruling(False, "failed predicate", predicate)
        if _is_provided_by_extension(call):
            return _EXTENSION
        if classes and self.all_classes_safe and inspect.isclass(call):
            return _CLASS
        return _UNMARKED

    def asks_for_proof(self, call: DependencyCall) -> bool:
        """Say whether `call`, which `is_inline` does not name, is inline if it is proven."""
        return self.proven_safe and is_async_safe(call) is None

    @staticmethod
    def _asked(predicate: Predicate, call: DependencyCall) -> bool:
        answer: Any = predicate(call)
        if inspect.isawaitable(answer):
            if inspect.iscoroutine(answer):
                answer.close()
            raise TypeError(f"it returned {answer!r}, not True or False")
        return bool(answer)


def _checked(predicates: Sequence[Predicate] | None) -> tuple[Predicate, ...]:
    if predicates is None:
        return ()
    if not isinstance(predicates, Sequence) or isinstance(predicates, (str, bytes)):
        raise TypeError(
            "predicates must be a sequence of callables, such as [lambda call: ...], not "
            f"{predicates!r}"
        )
    for predicate in predicates:
        if not callable(predicate):
            raise TypeError(
                f"predicates must be a sequence of callables, but it contains {predicate!r}"
            )
        if any(is_other(call) for is_other in _NO_ANSWER for call in _called(predicate)):
            raise TypeError(
                f"predicates are asked without an event loop, so {predicate!r} has to be a plain "
                "`def` that returns True or False; what it gives now is true for everything"
            )
    return tuple(predicates)


# Calling these gives something else than an answer, and something that is true.
_NO_ANSWER = (
    inspect.iscoroutinefunction,
    inspect.isgeneratorfunction,
    inspect.isasyncgenfunction,
)


def _called(predicate: Predicate) -> tuple[Any, Any]:
    """Give what may be the function that runs when a predicate, maybe a partial, is called."""
    while isinstance(predicate, partial):
        predicate = predicate.func
    return predicate, inspect.getattr_static(type(predicate), "__call__")


def _is_provided_by_extension(call: DependencyCall) -> bool:
    # NOTE: a `Provide` marker can only exist once its package has been imported by someone.
    wiring = sys.modules.get("dependency_injector.wiring")
    return wiring is not None and isinstance(call, wiring.Provide)
