"""Dependants that are changed after their route was served: FastAPI looks at them each time."""

import functools
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_dependant
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from fastapi_async_safe import async_safe
from tests.support.serving import Serve, here

Calls = list[str]


@pytest.fixture
def calls() -> Calls:
    """Give what dependencies write their names to."""
    return []


def recorder(calls: Calls, name: str) -> Any:
    """Make a marked dependency that writes its name down."""

    @async_safe
    def dependency() -> str:
        calls.append(name)
        return name

    return dependency


def app_with_levels(calls: Calls) -> FastAPI:
    """Make an application whose endpoint needs "upper", which needs "lower"."""
    lower = recorder(calls, "lower")

    @async_safe
    def upper(below: Annotated[str, Depends(lower)]) -> str:
        calls.append("upper")
        return f"upper {below}"

    app = FastAPI()

    @app.get("/")
    async def endpoint(value: Annotated[str, Depends(upper)]) -> str:
        return value

    return app


def root_of(app: FastAPI) -> Dependant:
    """Give the dependant of the last route."""
    route = app.router.routes[-1]
    assert isinstance(route, APIRoute)
    return route.dependant


def level(app: FastAPI, depth: int) -> Dependant:
    """Give the last dependant of a level, 0 is the endpoint."""
    dependant = root_of(app)
    for _ in range(depth):
        dependant = dependant.dependencies[-1]
    return dependant


@pytest.mark.declines  # the mark that `wraps` copied
@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("served_before", [True, False])
def test_a_call_that_is_wrapped_late_is_called(
    served_before: bool, depth: int, calls: Calls, serve: Serve
) -> None:
    app = app_with_levels(calls)
    client = serve(app)
    if served_before:
        assert client.get("/").json() == "upper lower"
    dependant = level(app, depth)
    original = dependant.call
    assert original is not None

    @functools.wraps(original)
    def wrapper(*arguments: Any, **keywords: Any) -> Any:
        calls.append("wrapper")
        return original(*arguments, **keywords)

    dependant.call = wrapper
    calls.clear()
    assert client.get("/").json() == "upper lower"
    assert sorted(calls) == ["lower", "upper", "wrapper"]
    dependant.call = original
    calls.clear()
    assert client.get("/").json() == "upper lower"
    assert calls == ["lower", "upper"]


@pytest.mark.accelerated
def test_a_wrapper_runs_where_its_own_mark_says(calls: Calls, serve: Serve) -> None:
    threads: list[int] = []
    app = FastAPI()

    @app.get("/", dependencies=[Depends(async_safe(lambda: threads.append(here())))])
    async def endpoint() -> bool:
        return threads.pop() == here()

    client = serve(app)
    assert client.get("/").json() is True
    level(app, 1).call = lambda: threads.append(here())
    assert client.get("/").json() is False


def added(calls: Calls, name: str = "added") -> Dependant:
    """Make a dependant as other packages do, to add it to a route."""
    return get_dependant(path="/", call=recorder(calls, name))


@pytest.mark.parametrize("depth", [0, 1, 2])
@pytest.mark.parametrize("served_before", [True, False])
def test_a_dependency_that_is_appended_late_is_called(
    served_before: bool, depth: int, calls: Calls, serve: Serve
) -> None:
    app = app_with_levels(calls)
    client = serve(app)
    if served_before:
        assert client.get("/").json() == "upper lower"
    level(app, depth).dependencies.append(added(calls))
    calls.clear()
    assert client.get("/").json() == "upper lower"
    assert sorted(calls) == ["added", "lower", "upper"]
    level(app, depth).dependencies.pop()
    calls.clear()
    assert client.get("/").json() == "upper lower"
    assert calls == ["lower", "upper"]


@pytest.mark.parametrize("depth", [0, 1])
def test_dependencies_that_are_exchanged_late_are_called(
    depth: int, calls: Calls, serve: Serve
) -> None:
    app = app_with_levels(calls)
    client = serve(app)
    assert client.get("/").json() == "upper lower"
    dependant = level(app, depth)
    dependant.dependencies = [added(calls), *dependant.dependencies]
    calls.clear()
    assert client.get("/").json() == "upper lower"
    assert calls == ["added", "lower", "upper"]
    dependant.dependencies.reverse()
    calls.clear()
    assert client.get("/").json() == "upper lower"
    assert sorted(calls) == ["added", "lower", "upper"]


def test_a_dependency_inserted_below_one_that_was_added_late_is_called(
    calls: Calls, serve: Serve
) -> None:
    app = app_with_levels(calls)
    client = serve(app)
    late = added(calls)
    root_of(app).dependencies.append(late)
    assert client.get("/").json() == "upper lower"
    late.dependencies.append(added(calls, "below"))
    calls.clear()
    assert client.get("/").json() == "upper lower"
    assert calls == ["lower", "upper", "below", "added"]


@pytest.mark.parametrize("depth", [0, 1])
def test_under_overrides_too(depth: int, calls: Calls, serve: Serve) -> None:
    app = app_with_levels(calls)
    app.dependency_overrides[test_under_overrides_too] = recorder(calls, "never")
    client = serve(app)
    assert client.get("/").json() == "upper lower"
    if depth == 0:
        root_of(app).dependencies.append(added(calls))
    else:
        level(app, 1).call = recorder(calls, "changed")
    calls.clear()
    assert client.get("/").json() == ("upper lower" if depth == 0 else "changed")
    assert calls == (["lower", "upper", "added"] if depth == 0 else ["changed"])


def parameters() -> list[Any]:
    """Give FastAPI's fields of a query parameter."""

    def dependency(number: int) -> None: ...

    return get_dependant(path="/", call=dependency).query_params


def use_cache(dependant: Dependant) -> None:
    dependant.use_cache = False


def another_name(dependant: Dependant) -> None:
    dependant.name = "other"


def one_more_parameter(dependant: Dependant) -> None:
    dependant.query_params.extend(parameters())


def other_parameters(dependant: Dependant) -> None:
    dependant.query_params = parameters()


def injected_request(dependant: Dependant) -> None:
    dependant.request_param_name = "request"


CHANGES = [use_cache, another_name, one_more_parameter, other_parameters, injected_request]


def app_with_pairs(calls: Calls) -> FastAPI:
    """Make an application that takes what it gets: two "upper", each with two "lower"."""

    @async_safe
    def lower(**keywords: Any) -> list[str]:
        calls.append("lower")
        return sorted(keywords)

    @async_safe
    def upper(**keywords: Any) -> list[Any]:
        calls.append("upper")
        return [(name, keywords[name]) for name in sorted(keywords) if name != "request"]

    app = FastAPI()

    @app.get("/")
    async def endpoint(**values: Any) -> Any:
        return [(name, values[name]) for name in sorted(values) if name != "request"]

    root = root_of(app)
    root.query_params.clear()
    for name in ("a", "b"):
        above = Dependant(call=upper, name=name, path="/")
        root.dependencies.append(above)
        for name_below in ("c", "d"):
            above.dependencies.append(Dependant(call=lower, name=name_below, path="/"))
    return app


@pytest.mark.parametrize("depth", [0, 1, 2])
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("query", ["", "?number=1"])
def test_any_other_late_change_is_the_same_as_an_early_one(
    query: str, change: Callable[[Dependant], None], depth: int, calls: Calls, serve: Serve
) -> None:
    late, early = app_with_pairs(calls), app_with_pairs(calls)
    change(level(early, depth))
    expected = TestClient(early).get(f"/{query}").json(), calls.copy()
    client = serve(late)
    assert client.get("/").status_code == 200
    change(level(late, depth))
    calls.clear()
    assert (client.get(f"/{query}").json(), calls) == expected


@pytest.mark.parametrize("is_inherited", [False, True])
def test_a_class_that_gets_another_init_late_is_made_by_that(
    is_inherited: bool, serve: Serve
) -> None:
    class Base:
        def __init__(self, number: int) -> None:
            self.said = f"first {number}"

    @async_safe
    class Made(Base):
        pass

    first = Base.__init__

    def other_init(self: Made, number: int) -> None:
        self.said = f"other {number}"

    app = FastAPI()

    @app.get("/")
    async def endpoint(made: Annotated[Made, Depends()]) -> str:
        return made.said

    client = serve(app)
    assert client.get("/?number=1").json() == "first 1"
    owner: Any = Base if is_inherited else Made
    owner.__init__ = other_init
    assert Made.__init__ is other_init  # the interpreter remembers it from now on
    assert client.get("/?number=2").json() == "other 2"
    owner.__init__ = first
    assert Made.__init__ is first
    assert client.get("/?number=3").json() == "first 3"
