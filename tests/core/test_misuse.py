"""Misuse of the parts of a core raises; it neither crashes nor leaves out a dependency."""

import gc
import sys
from types import ModuleType, SimpleNamespace
from typing import Annotated, Any

import pytest
from fastapi import Body, Depends, FastAPI
from starlette.requests import Request

from fastapi_async_safe import _core_py, async_safe
from fastapi_async_safe._planning.planner import Planner
from fastapi_async_safe.markers import SeenMarks
from fastapi_async_safe.policy import Policy
from tests.support.serving import expected_backend, shown

CORES = ["python"] if expected_backend() == "python" else ["python", "compiled"]
CLASSES = ["Param", "Group", "Node", "Seen", "Plan", "Entry", "Solver", "Run", "CurrentRequest"]
CLASSES += ["_Asking", "_QueryNames", "_StartedCoroutine"]


@pytest.fixture(params=CORES)
def core(request: pytest.FixtureRequest) -> ModuleType:
    """Give one core, then the other."""
    if request.param == "python":
        return _core_py
    from fastapi_async_safe import _core

    return _core


def plan_of(core: ModuleType, *dependencies: Any) -> Any:
    """Make the plan of a route with these dependencies."""
    app = FastAPI()

    @app.post("/", dependencies=[Depends(each) for each in dependencies])
    async def endpoint() -> None: ...

    return Planner(Policy(), core, Request).plan(app.routes[-1].dependant)  # type: ignore[attr-defined]


def parts_of(plan: Any) -> dict[str, Any]:
    """Give what a plan is made of, but for what it watches."""
    return {
        "connection_class": plan.connection_class,
        "raw": True,
        "new_response": plan.new_response,
        "new_solved": plan.new_solved,
        "order": plan.order,
        "after": plan.after,
        "nodes": plan.nodes,
        "keys": plan.keys,
        "needs_stacks": False,
        "watched": (),
        "dependants": (),
        "fields": ("call",),
        "lists": (),
        "marks": SeenMarks(),
        "chosen": None,
        "inline": False,
        "records_request": False,
        "joins_endpoint": False,
    }


def run_of(core: ModuleType, *dependencies: Any) -> Any:
    """Make a run for one request to it."""
    scope = {"type": "http", "query_string": b"", "headers": []}
    plan = plan_of(core, *dependencies)
    return core.Run(plan, Request(scope), None, None, None, None, None)


async def wait() -> str:
    """Be something that does not suspend, or that has to be awaited in the Python core."""
    return "waited"


def read_body(text: Annotated[str, Body(embed=True)]) -> str:
    return text


def sleep() -> str:
    return "slept"


@pytest.mark.skipif(CORES == ["python"], reason="this is the pure leg: there is one core only")
@pytest.mark.parametrize("name", CLASSES)
def test_an_object_without_its_parts_raises_whatever_is_asked_of_it(name: str) -> None:
    from fastapi_async_safe import _core

    kind = getattr(_core, name)
    try:
        made = kind.__new__(kind)
    except TypeError:
        return
    asked = 0
    values = [getattr(made, each) for each in dir(kind) if not each.startswith("__")]
    methods = [each for each in values if callable(each)]
    for method in methods:
        for count in range(10):
            try:
                method(*[None] * count)
            except (TypeError, RuntimeError, AttributeError):
                asked += 1
    assert asked or not methods


@pytest.mark.skipif(CORES == ["python"], reason="this is the pure leg: there is one core only")
def test_no_class_of_the_core_is_left_out_here() -> None:
    from fastapi_async_safe import _core

    classes = [each for each in vars(_core).values() if isinstance(each, type)]
    own = {each.__name__ for each in classes if each.__module__ == _core.__name__}
    assert own == set(CLASSES)


def test_a_run_is_begun_once(core: ModuleType) -> None:
    run = run_of(core)
    if core is not _core_py:
        with pytest.raises(RuntimeError):
            run.__init__(run.plan, run.request, None, None, None, None, None)
    assert run.advance().errors == []


def test_a_run_that_is_done_does_not_go_on(core: ModuleType) -> None:
    run = run_of(core)
    assert run.advance().values == {}
    for value in ([], [None]):
        with pytest.raises(RuntimeError, match="another way"):
            run.advance(*value)


def test_nothing_is_left_out_that_has_to_be_called_by_the_driver(core: ModuleType) -> None:
    run = run_of(core, sleep)
    assert run.advance() is None
    assert run.action == core.CALL
    with pytest.raises(RuntimeError, match="another way"):
        run.advance()
    with pytest.raises(RuntimeError, match="another way"):
        run.advance(core.NOTHING)
    assert list(run.advance("slept").dependency_cache.values()) == ["slept"]


def test_a_dependency_whose_body_was_not_read_is_not_passed_over(core: ModuleType) -> None:
    called: list[str] = []

    @async_safe
    def guard(token: Annotated[str, Body(embed=True)]) -> None:
        called.append(token)

    run = run_of(core, guard)
    assert run.advance() is None
    assert run.action == core.BODY
    for value in ([], [None], [object()]):
        with pytest.raises(RuntimeError, match="another way"):
            run.advance(*value)
    with pytest.raises(RuntimeError, match="another way"):
        run.take_solved(SimpleNamespace())
    run.take_body({"token": "right"}, [])
    with pytest.raises(RuntimeError, match="another way"):
        run.take_body({"token": "right"}, [])
    assert run.advance().errors == []
    assert called == ["right"]


def test_what_means_nothing_to_one_core_is_a_value_to_the_other(core: ModuleType) -> None:
    others = [object()] if len(CORES) == 1 else [_core_py.NOTHING, object()]
    for other in others:
        if other is not core.NOTHING:
            run = run_of(core, read_body)
            assert run.advance() is None
            with pytest.raises(RuntimeError, match="another way"):
                run.advance(other)


def test_what_failed_does_not_go_on(core: ModuleType) -> None:
    @async_safe
    def fail() -> None:
        raise KeyError("failed")

    run = run_of(core, fail)
    with pytest.raises(KeyError):
        run.advance()
    run.forget()
    if core is not _core_py:
        with pytest.raises(RuntimeError, match="another way"):
            run.advance()


def test_a_dependency_cannot_go_on_with_its_own_run(core: ModuleType) -> None:
    raised: list[str] = []
    runs: list[Any] = []

    @async_safe
    def meddle() -> None:
        for method, arguments in (("advance", ()), ("take_body", ({}, [])), ("shared_state", ())):
            try:
                getattr(runs[0], method)(*arguments)
            except RuntimeError:
                raised.append(method)

    runs.append(run_of(core, meddle))
    assert runs[0].advance().errors == []
    assert raised == ["advance", "take_body", "shared_state"]


@pytest.mark.skipif(CORES == ["python"], reason="this is the pure leg: there is one core only")
@pytest.mark.parametrize(
    "changed",
    [
        {"nodes": (None,)},
        {"nodes": (object(),)},
        {"nodes": ()},
        {"order": (0, 1)},
        {"order": (~0, ~0, 0)},
        {"order": (-5, 0)},
        {"after": (7, 7)},
        {"after": ()},
        {"order": None},
        {"keys": None},
    ],
    ids=shown,
)
def test_a_plan_of_parts_that_do_not_fit_is_refused(changed: dict[str, Any]) -> None:
    from fastapi_async_safe import _core

    parts = parts_of(plan_of(_core))
    assert _core.Plan(**parts).is_current()
    with pytest.raises((TypeError, ValueError)):
        _core.Plan(**{**parts, **changed})


def test_a_class_that_changes_while_a_plan_is_compared_is_noticed(core: ModuleType) -> None:
    class Compared:
        def read(self) -> None: ...

    def other(self: Compared) -> None: ...

    class Meta(type):
        @property
        def last(cls) -> bool:
            if is_changing:
                Compared.read = other  # type: ignore[method-assign]
                assert Compared.read is other  # the interpreter remembers it from now on
            return True

    class Hostile(metaclass=Meta): ...

    is_changing = False
    watched = ((Compared, "read", Compared.read), (Hostile, "last", True))
    plan = core.Plan(**{**parts_of(plan_of(core, sleep)), "watched": watched})
    for _ in range(3):
        assert plan.is_current()
    is_changing = True
    Hostile.unrelated = True  # type: ignore[attr-defined]  # so that all of it is looked up
    assert Hostile.unrelated  # type: ignore[attr-defined]
    plan.is_current()
    assert not plan.is_current()
    Compared.read = watched[0][2]  # type: ignore[method-assign]
    is_changing = False
    for _ in range(3):
        assert plan.is_current()


def test_the_garbage_collector_may_run_while_a_method_is_called(core: ModuleType) -> None:
    """A debug build of CPython checks that what is visited is owned."""
    seen: list[Any] = []

    class Service:
        def __init__(self) -> None:
            gc.collect()
            seen.append(sys.getrefcount(self))

        @async_safe
        def ask(self) -> str:
            gc.collect()
            return "asked"

    service = Service()
    run = run_of(core, async_safe(Service), service.ask)
    assert list(map(type, run.advance().dependency_cache.values())) == [Service, str]
    assert len(seen) == 2
