"""Nothing that hides something is proven, and what is changed after its proof is noticed."""

from __future__ import annotations

import http.client
import importlib
import sys
import types
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import HTTPException

from fastapi_async_safe._planning.proofs import rows_of
from fastapi_async_safe._proof import guard_of, prove, source
from tests.proof import (  # noqa: F401 - collect more cases
    hostile_bounded,
    hostile_expected,
    hostile_missing,
    hostile_python,
    hostile_requests,
    hostile_twists,
)
from tests.proof.hostile import CASES, ODD_VALUES


def test_there_are_many() -> None:
    assert len(CASES) >= 60


@pytest.mark.parametrize(
    "call", [call for _, call in CASES], ids=[name.replace(" ", "-") for name, _ in CASES]
)
def test_what_hides_something_is_not_proven(call: Callable[..., Any]) -> None:
    proof = prove(call)
    if proof.expects:  # of calls with harmless values
        guard = guard_of(proof.expects, ())
        assert guard is not None
        for value in ODD_VALUES:
            assert not guard(**{each.path[0]: value for each in proof.expects})
        return
    assert not proof.holds
    assert proof.reasons
    for reason in proof.reasons:
        assert "could not be followed" not in reason.text
        if reason.code.startswith(("@", "async def ", "class ", "def ")):
            assert reason.text.startswith(OF_ALL_OF_IT)


#: What is said of a callable as a whole, by its first line; all else has the line that it is about.
OF_ALL_OF_IT = ("`", "calls `tests.", "calls tests.", "decorates ", "makes ", "sets `lambda")


CHANGEABLE = """
import enum
import time
import functools
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from fastapi import Depends
from pydantic import BaseModel

T = TypeVar("T")

LIMIT = 10

def helper():
    return 1

def calls_helper():
    return helper()

def uses_builtin(a: str = ""):
    return len(a)

def uses_default():
    return with_default()

def with_default(a: int = 1, *, b: int = 2):
    return a == b

def with_another(*, b: int = 3):
    return b == 3

def uses_both():
    return with_default() or with_another()

class Base:
    def __init__(self, a: int = 0):
        self.a = a
        self.check()

    def check(self):
        return 1

class Derived(Base):
    pass

class Sub(Base):
    def __init__(self, a: int = 0):
        super().__init__(a)

@dataclass
class Data:
    a: int = 0
    b: list = field(default_factory=list)

class Shown:
    @property
    def x(self):
        return 1

    def __init__(self):
        self.y = self.x

def closed():
    inner = helper

    def call():
        return inner()

    return call

close = closed()

class Instance:
    def __init__(self):
        self.act = helper

    def __call__(self):
        return self.act()

instance = Instance()
part = functools.partial(with_default, b=3)

class Settings:
    debug = False

settings = Settings()

def reads_settings():
    return 1 if settings.debug else 2

CODES = {"a": 1}

def looks_up(a: str = ""):
    return CODES.get(a) if a in CODES else CODES["a"]

OBJECTS = (Settings(),)

def reads_within():
    return OBJECTS[0].debug is True

class Meta(type):
    def __getitem__(cls, key):
        return key

class WithMeta(metaclass=Meta):
    limit = 1

def reads_of_a_class():
    return WithMeta.limit

def names_a_class():
    return WithMeta.__name__

def looks_up_in_a_class():
    return WithMeta["anything"]

def asks_a_class():
    return 1 if WithMeta else 2

def asks_for_a_class(a: str = ""):
    return isinstance(a, WithMeta)

class Asked(Base):
    pass

def asks(a: Asked = Depends()):
    return isinstance(a, Settings)

class Member(enum.Enum):
    A = "a"

def looks_up_a_member(a: str = ""):
    return Member(a)

def looks_up_a_member_by_name(a: str = ""):
    return Member[a]

def reads_a_value(a: Member):
    return a.value + "x"

class Of(Generic[T]):
    pass

Alias = Of[int]

def makes_by_an_alias():
    return Alias()

class Model(BaseModel):
    a: int = 0

class Lazy:
    def __getattr__(self, name):
        return name

    def __getitem__(self, key):
        return key

lazy = Lazy()

def reads_lazily():
    return getattr(lazy, "anything")

def looks_up_lazily():
    return lazy["anything"]

def validated(a: int = 0):
    return a + 1
"""


def slow(*args: Any, **kwargs: Any) -> Any:
    return 1


class Slow:
    def __bool__(self) -> bool:
        return True

    def __get__(self, instance: object, owner: object) -> int:
        return 1


class SlowMeta(type):
    @property
    def limit(cls) -> int:
        return 1

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return slow()


def setter(path: str, name: str, value: Any) -> Callable[[types.ModuleType], None]:
    def change(module: types.ModuleType) -> None:
        target: Any = module
        for part in path.split(".") if path else ():
            target = getattr(target, part)
        setattr(target, name, value)

    return change


def close_over(module: types.ModuleType) -> None:
    module.close.__closure__[0].cell_contents = slow


CHANGES: list[tuple[str, str, Callable[[types.ModuleType], None]]] = [
    ("calls_helper", "another function of that name", setter("", "helper", slow)),
    ("calls_helper", "other code of a function", setter("helper", "__code__", slow.__code__)),
    ("calls_helper", "other code of its own", setter("calls_helper", "__code__", slow.__code__)),
    ("uses_builtin", "a global of a builtin's name", setter("", "len", slow)),
    ("uses_default", "other defaults", setter("with_default", "__defaults__", (Slow(),))),
    (
        "uses_default",
        "other defaults by name",
        setter("with_default", "__kwdefaults__", {"b": Slow()}),
    ),
    (
        "uses_default",
        "a default by name changed in place",
        lambda module: module.with_default.__kwdefaults__.update(b=Slow()),
    ),
    (
        "uses_both",
        "a default of the same name changed in place",
        lambda module: module.with_another.__kwdefaults__.update(b=Slow()),
    ),
    ("Base", "another method", setter("Base", "check", slow)),
    ("Base", "a method's other code", setter("Base.check", "__code__", slow.__code__)),
    ("Base", "a __setattr__", setter("Base", "__setattr__", slow)),
    ("Base", "a __getattribute__", setter("Base", "__getattribute__", slow)),
    ("Base", "a __del__", setter("Base", "__del__", slow)),
    (
        "Base",
        "a descriptor for an attribute",
        setter("Base", "a", property(slow, slow)),
    ),
    ("Base", "a __new__", setter("Base", "__new__", slow)),
    ("Base", "another __init__", setter("Base", "__init__", slow)),
    ("Derived", "a method below", setter("Derived", "check", slow)),
    ("Derived", "a method above", setter("Base", "check", slow)),
    (
        "Derived",
        "other bases",
        lambda module: setattr(
            module.Derived, "__bases__", (type("Other", (module.Base,), {"check": slow}),)
        ),
    ),
    ("Base", "what makes it abstract", setter("Base", "__abstractmethods__", (Slow(),))),
    ("Sub", "another __init__ above", setter("Base", "__init__", slow)),
    (
        "Data",
        "a __post_init__ is not called, a __setattr__ is",
        setter("Data", "__setattr__", slow),
    ),
    ("Data", "another __init__", setter("Data", "__init__", slow)),
    (
        "Data",
        "another default factory",
        lambda module: setattr(module.Data.__init__.__closure__[-1], "cell_contents", slow),
    ),
    ("Shown", "another property", setter("Shown", "x", property(slow))),
    ("close", "another variable of a closure", close_over),
    ("instance", "an attribute of an instance", setter("instance", "act", slow)),
    ("instance", "another class", lambda module: setattr(module.instance, "__class__", module.Sub)),
    (
        "instance",
        "other attributes",
        lambda module: setattr(module.instance, "__dict__", {"act": slow}),
    ),
    ("instance", "another __call__", setter("Instance", "__call__", slow)),
    ("part", "a keyword of a partial", lambda module: module.part.keywords.update(b=Slow())),
    ("part", "what a partial calls", lambda module: module.part.__setstate__((slow, (), {}, {}))),
    ("reads_settings", "a setting", setter("settings", "debug", Slow())),
    ("reads_settings", "a setting of a class", setter("Settings", "debug", Slow())),
    ("reads_settings", "other settings", setter("", "settings", Slow())),
    ("looks_up", "a key more", lambda module: module.CODES.update({Slow(): 1})),
    ("looks_up", "another value", lambda module: module.CODES.update(a=Slow())),
    (
        "reads_within",
        "another class of what is in a tuple",
        lambda module: setattr(module.OBJECTS[0], "__class__", module.Sub),
    ),
    ("reads_of_a_class", "another metaclass", setter("WithMeta", "__class__", SlowMeta)),
    ("reads_of_a_class", "a property above it", setter("Meta", "limit", property(slow, slow))),
    ("reads_of_a_class", "a reading above it", setter("Meta", "__getattribute__", slow)),
    ("names_a_class", "another metaclass", setter("WithMeta", "__class__", SlowMeta)),
    ("names_a_class", "a reading above it", setter("Meta", "__getattribute__", slow)),
    ("looks_up_in_a_class", "another metaclass", setter("WithMeta", "__class__", SlowMeta)),
    ("asks_a_class", "another metaclass", setter("WithMeta", "__class__", SlowMeta)),
    ("asks_for_a_class", "another metaclass", setter("WithMeta", "__class__", SlowMeta)),
    ("WithMeta", "another metaclass", setter("WithMeta", "__class__", SlowMeta)),
    (
        "asks",
        "other bases",
        lambda module: setattr(
            module.Asked, "__bases__", (type("Both", (module.Base, module.Settings), {}),)
        ),
    ),
    ("reads_a_value", "the value of a member", setter("Member.A", "_value_", Slow())),
    (
        "looks_up_a_member",
        "a member more",
        lambda module: module.Member._value2member_map_.update(b=module.Member.A),
    ),
    (
        "looks_up_a_member_by_name",
        "a member more",
        lambda module: module.Member._member_map_.update(B=module.Member.A),
    ),
    ("makes_by_an_alias", "another origin", setter("Alias", "__origin__", Slow)),
    ("Model", "another validator", setter("Model", "__pydantic_validator__", Slow())),
    (
        "Model",
        "a descriptor where pydantic notes fields",
        lambda module: type.__setattr__(
            module.Model, "__pydantic_fields_set__", property(slow, slow)
        ),
    ),
    ("reads_lazily", "another __getattr__", setter("Lazy", "__getattr__", slow)),
    ("reads_lazily", "an attribute of its own", setter("lazy", "anything", Slow())),
    ("reads_lazily", "an attribute of the class", setter("Lazy", "anything", property(slow))),
    ("reads_lazily", "a global of that name", setter("", "getattr", slow)),
    ("looks_up_lazily", "another __getitem__", setter("Lazy", "__getitem__", slow)),
    ("validated", "another annotation", setter("validated", "__annotations__", {"a": Slow})),
    (
        "validated",
        "an annotation changed in place",
        lambda module: module.validated.__annotations__.update(a=Slow),
    ),
]


@pytest.mark.parametrize(
    ("name", "change"),
    [(name, change) for name, _, change in CHANGES],
    ids=[f"{name}-{what}".replace(" ", "-") for name, what, _ in CHANGES],
)
def test_a_change_is_noticed(
    name: str,
    change: Callable[[types.ModuleType], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "changeable.py").write_text(CHANGEABLE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "changeable", raising=False)
    module = importlib.import_module("changeable")
    proof = prove(getattr(module, name))
    assert proof.holds, proof.reasons
    assert proof.is_current()
    change(module)
    assert not proof.is_current()
    monkeypatch.delitem(sys.modules, "changeable", raising=False)


def test_another_status_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    proof = prove(refuses)
    assert proof.holds, proof.reasons
    monkeypatch.setitem(http.client.responses, Slow(), "")  # type: ignore[misc]
    changed = proof.is_current()
    assert not prove(refuses).holds
    monkeypatch.undo()
    assert not changed


def refuses(a: str = "") -> None:
    raise HTTPException(404)


def test_another_builtin_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    import builtins

    proof = prove(measures)
    assert proof.holds
    monkeypatch.setattr(builtins, "len", slow)
    changed = proof.is_current()
    monkeypatch.undo()
    assert not changed


def measures(a: str = "") -> int:
    return len(a)


shown: list[str] = []  # what code ran for


class ShowsOther(type):
    """Shows order and abstract methods as code says, which making an instance does not ask."""

    @property
    def __mro__(cls) -> Any:
        return shown.append("__mro__")

    @property
    def __abstractmethods__(cls) -> Any:
        return shown.append("__abstractmethods__")


class OfShowsOther(metaclass=ShowsOther):
    limit = 1

    def __init__(self, a: int = 1) -> None:
        self.a = a


class BelowShowsOther(OfShowsOther):
    def __init__(self, a: int = 1) -> None:
        super().__init__(a)
        self.b = self.a + self.limit


def makes_of_shows_other(a: int = 1) -> int:
    return BelowShowsOther(a).b


def test_what_a_metaclass_shows_is_not_asked_for() -> None:
    proof = prove(makes_of_shows_other)
    assert proof.holds, proof.reasons
    assert proof.is_current()
    nothing = object()
    rows = rows_of(proof, nothing)
    assert [row for row in rows if getattr(row[0], row[1], nothing) is not row[2]] == []
    assert not shown


WARNED_OF = """
def finds(text: str = ""):
    return text == "\\\\d" or text == "\\\\w"

def compares(text: str = ""):
    return text is "x"
"""


@pytest.mark.parametrize("name", ["finds", "compares"])
def test_a_source_that_deserves_warnings_is_read_without_one(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And without filters that all threads have meanwhile, where those are of the process."""
    (tmp_path / "warned_of.py").write_text(WARNED_OF)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "warned_of", raising=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        call = getattr(importlib.import_module("warned_of"), name)
    before = [warnings.filters, *warnings.filters]
    if not getattr(sys.flags, "context_aware_warnings", False):
        monkeypatch.setattr(warnings, "catch_warnings", None)
    for _ in range(2):
        source._files.clear()
        source._codes.clear()
        proof = prove(call)
        for reason in proof.reasons:
            assert "source" not in reason.text
            assert "could not be followed" not in reason.text
    assert warnings.filters is before[0]
    assert [each for each in warnings.filters if each != source._IGNORED] == [
        each for each in before[1:] if each != source._IGNORED
    ]
    assert warnings.filters.count(source._IGNORED) <= 1
    warnings.simplefilter("error")  # one that comes later counts before
    source._files.clear()
    source._codes.clear()
    assert not any("source" in reason.text for reason in prove(call).reasons)
