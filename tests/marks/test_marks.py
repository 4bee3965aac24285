"""`async_safe`, `async_unsafe`, `AsyncSafeMixin` and `is_async_safe`."""

import copy
import dataclasses
import functools
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel

from fastapi_async_safe import AsyncSafeMixin, async_safe, async_unsafe, is_async_safe

MARKS = [(async_safe, True), (async_unsafe, False)]
each_mark = pytest.mark.parametrize(("mark", "safe"), MARKS)


def function() -> Callable[[], None]:
    """Make a function without a mark."""

    def dependency() -> None: ...

    return dependency


class Checker:
    """A callable instance of this has a mark of its own."""

    def __call__(self) -> None: ...


@each_mark
@pytest.mark.parametrize(
    "make",
    [
        function,
        lambda: type("Dependency", (), {}),
        lambda: dataclasses.make_dataclass("Dependency", ["field"]),
        lambda: dataclasses.make_dataclass("Dependency", ["field"], slots=True, frozen=True),
        lambda: type("Dependency", (BaseModel,), {}),
        Checker,
        lambda: functools.partial(print),
        lambda: lambda: None,
    ],
)
def test_a_mark_is_found_again(make: Callable[[], Any], mark: Any, safe: bool) -> None:
    dependency = make()
    assert is_async_safe(dependency) is None
    assert mark(dependency) is dependency
    assert is_async_safe(dependency) is safe


@each_mark
def test_the_last_mark_counts(mark: Any, safe: bool) -> None:
    assert is_async_safe(mark(async_safe(function()))) is safe
    assert is_async_safe(mark(async_unsafe(function()))) is safe


def test_a_class_has_the_mark_of_its_base() -> None:
    @async_safe
    class Base: ...

    class Derived(Base): ...

    @async_unsafe
    class Excepted(Derived): ...

    class BelowExcepted(Excepted): ...

    assert [is_async_safe(each) for each in (Base, Derived)] == [True, True]
    assert [is_async_safe(each) for each in (Excepted, BelowExcepted)] == [False, False]


def test_subclasses_of_the_mixin_are_marked() -> None:
    class Dependency(AsyncSafeMixin): ...

    @dataclasses.dataclass
    class Parameters(Dependency):
        limit: int = 10

    assert is_async_safe(Dependency) is True
    assert is_async_safe(Parameters) is True
    assert Parameters(5).limit == 5


@each_mark
def test_a_decorator_may_be_below_dataclass(mark: Any, safe: bool) -> None:
    @dataclasses.dataclass
    @mark
    class Parameters:
        limit: int = 10

    assert is_async_safe(Parameters) is safe
    assert [field.name for field in dataclasses.fields(Parameters)] == ["limit"]


@each_mark
def test_a_partial_has_the_mark_of_its_function(mark: Any, safe: bool) -> None:
    marked = mark(function())
    assert is_async_safe(functools.partial(marked)) is safe
    assert is_async_safe(functools.partial(functools.partial(marked))) is safe


def test_a_partial_with_a_mark_of_its_own_keeps_it_to_itself() -> None:
    marked = async_safe(function())
    partial = async_unsafe(functools.partial(marked))
    assert is_async_safe(partial) is False
    assert is_async_safe(functools.partial(partial)) is False
    assert is_async_safe(marked) is True


def test_unsafe_anywhere_in_a_chain_of_partials_beats_every_other_mark() -> None:
    unsafe = async_unsafe(function())
    assert is_async_safe(async_safe(functools.partial(unsafe))) is False
    middle = async_unsafe(functools.partial(async_safe(function())))
    assert is_async_safe(async_safe(functools.partial(middle))) is False


def wrapper_of(call: Any) -> Any:
    @functools.wraps(call)
    def wrapper(*args: Any, **kwargs: Any) -> Any: ...

    return wrapper


class Wrapper:
    """A decorator that is a class, as there are many."""

    def __init__(self, call: Any) -> None:
        functools.update_wrapper(self, call)

    def __call__(self) -> None: ...


@each_mark
@pytest.mark.parametrize("wrap", [wrapper_of, Wrapper])
@pytest.mark.parametrize(
    "make", [function, lambda: functools.partial(print), Checker, lambda: Wrapper(print)]
)
def test_a_wrapper_does_not_have_the_mark_of_what_it_wraps(
    make: Any, wrap: Any, mark: Any, safe: bool
) -> None:
    marked = mark(make())
    assert is_async_safe(wrap(marked)) is None
    assert is_async_safe(wrap(wrap(marked))) is None
    assert is_async_safe(functools.partial(wrap(marked))) is None
    assert is_async_safe(marked) is safe


@each_mark
@pytest.mark.parametrize("wrap", [wrapper_of, Wrapper])
def test_a_wrapper_may_be_marked_itself(wrap: Any, mark: Any, safe: bool) -> None:
    for inner in (async_safe, async_unsafe):
        marked = inner(function())
        assert is_async_safe(mark(wrap(marked))) is safe
        assert is_async_safe(marked) is (inner is async_safe)


def test_a_mark_set_by_hand_is_not_carried_to_a_wrapper_either() -> None:
    marked: Any = function()
    marked.__is_async_safe__ = True
    assert is_async_safe(marked) is True
    assert is_async_safe(wrapper_of(marked)) is None


@each_mark
@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_of_what_was_marked_has_its_mark(copied: Any, mark: Any, safe: bool) -> None:
    for made in (Checker(), functools.partial(print), Wrapper(print), function()):
        assert is_async_safe(copied(mark(made))) is safe
    assert is_async_safe(pickle.loads(pickle.dumps(mark(Checker())))) is safe


@each_mark
def test_a_class_made_anew_has_the_mark_of_the_first(mark: Any, safe: bool) -> None:
    @dataclasses.dataclass(slots=True)
    @mark
    class Parameters:
        limit: int = 10

    assert is_async_safe(Parameters) is safe


@pytest.mark.parametrize("mark", [async_safe, async_unsafe])
def test_empty_parentheses_are_an_error_that_says_to_drop_them(mark: Any) -> None:
    with pytest.raises(TypeError, match="drop the empty parentheses"):
        mark()


@each_mark
def test_methods_of_each_kind_can_be_marked(mark: Any, safe: bool) -> None:
    class Service:
        @mark
        def plain(self) -> None: ...

        @mark
        @staticmethod
        def static_above() -> None: ...

        @staticmethod
        @mark
        def static_below() -> None: ...

        @mark
        @classmethod
        def class_above(cls) -> None: ...

        @classmethod
        @mark
        def class_below(cls) -> None: ...

    service = Service()
    for owner in (Service, service):
        for name in ("plain", "static_above", "static_below", "class_above", "class_below"):
            assert is_async_safe(getattr(owner, name)) is safe


@each_mark
def test_an_instance_has_the_mark_of_its_class_until_it_has_its_own(mark: Any, safe: bool) -> None:
    marked = mark(type("Checker", (Checker,), {}))
    assert is_async_safe(marked()) is safe
    assert is_async_safe(async_unsafe(marked())) is False
    assert is_async_safe(marked) is safe


@each_mark
def test_marking_an_instance_does_not_mark_its_class(mark: Any, safe: bool) -> None:
    mark(Checker())
    assert is_async_safe(Checker) is None
    assert is_async_safe(Checker()) is None


@each_mark
def test_async_functions_may_be_marked(mark: Any, safe: bool) -> None:
    @mark
    async def dependency() -> None: ...

    assert is_async_safe(dependency) is safe


class Slotted:
    """A callable instance that takes no attributes."""

    __slots__ = ()

    def __call__(self) -> None: ...

    def method(self) -> None: ...


@each_mark
@pytest.mark.parametrize(
    "dependency",
    [len, int, str, "".join, Slotted(), Slotted().method],
    ids=["len", "int", "str", "str.join", "slotted instance", "its method"],
)
def test_what_cannot_carry_a_mark_is_a_type_error_that_names_the_way_out(
    dependency: Any, mark: Any, safe: bool
) -> None:
    with pytest.raises(TypeError, match="predicates"):
        mark(dependency)
    assert is_async_safe(dependency) is None


@each_mark
@pytest.mark.parametrize("value", [None, 1, "text", [], property(lambda self: 1), object()])
def test_what_is_not_callable_is_a_type_error_that_names_the_way_out(
    value: Any, mark: Any, safe: bool
) -> None:
    with pytest.raises(TypeError, match=r"is not callable.*predicates"):
        mark(value)


@pytest.mark.parametrize("value", [None, 1, "text", object(), len, print, functools.partial(len)])
def test_anything_may_be_asked_for_its_mark(value: Any) -> None:
    assert is_async_safe(value) is None


@pytest.mark.parametrize("value", [1, "yes", None, [], object()])
def test_only_true_and_false_are_marks(value: Any) -> None:
    dependency: Any = function()
    dependency.__is_async_safe__ = value
    assert is_async_safe(dependency) is None


def test_what_only_observes_has_the_mark_of_what_it_wraps() -> None:
    """sentry-sdk puts such a wrapper around each `def` endpoint, where nobody could mark it."""
    code = (
        "from functools import wraps\n"
        "def watch(function):\n"
        "    @wraps(function)\n"
        "    def wrapper(*arguments, **keywords):\n"
        "        return function(*arguments, **keywords)\n"
        "    return wrapper\n"
    )
    sentry: dict[str, Any] = {"__name__": "sentry_sdk.integrations.fastapi"}
    other: dict[str, Any] = {"__name__": "sentry_sdk_of_mine"}
    exec(code, sentry)
    exec(code, other)
    safe, unsafe = async_safe(lambda: 1), async_unsafe(lambda: 1)
    assert is_async_safe(sentry["watch"](safe)) is True
    assert is_async_safe(sentry["watch"](unsafe)) is False
    assert is_async_safe(sentry["watch"](lambda: 1)) is None
    assert is_async_safe(sentry["watch"](other["watch"](safe))) is None
    assert is_async_safe(other["watch"](safe)) is None


class Unreferable:
    """Can be marked, and not be referred to weakly."""

    __slots__ = ("__dict__",)

    def __call__(self) -> None: ...


def test_what_cannot_be_referred_to_weakly_can_be_marked() -> None:
    unreferable = async_safe(Unreferable())
    assert is_async_safe(unreferable) is True
