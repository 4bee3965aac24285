"""In which order dependencies are called, and which are not called at all."""

from collections.abc import Callable
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI
from pydantic_core import core_schema

from fastapi_async_safe import async_safe
from tests.support.serving import Serve

Calls = list[str]
Mark = Callable[[Any], Any]


def as_it_is(call: Any) -> Any:
    """Leave a dependency unmarked."""
    return call


def made_async(call: Any) -> Any:
    """Make a dependency without parameters an `async def`."""

    async def dependency() -> Any:
        return call()

    return dependency


MARKS = [async_safe, as_it_is, made_async]


@pytest.fixture
def calls() -> Calls:
    """Give what dependencies write their names to."""
    return []


def recorder(calls: Calls, name: str) -> Callable[[], str]:
    """Make a dependency that writes its name down."""

    def dependency() -> str:
        calls.append(name)
        return name

    return dependency


@pytest.mark.parametrize("mark", MARKS)
def test_siblings_are_called_as_declared(mark: Mark, calls: Calls, serve: Serve) -> None:
    a, b, c = (mark(recorder(calls, name)) for name in "abc")
    app = FastAPI()

    @app.get("/")
    async def endpoint(
        third: Annotated[str, Depends(c)],
        first: Annotated[str, Depends(a)],
        second: Annotated[str, Depends(b)],
    ) -> str:
        return third + first + second

    assert serve(app).get("/").json() == "cab"
    assert calls == ["c", "a", "b"]


def test_the_tree_is_walked_depth_first(calls: Calls, serve: Serve) -> None:
    a, b, c, d = (recorder(calls, name) for name in "abcd")

    @async_safe
    def left(one: Annotated[str, Depends(async_safe(a))], two: Annotated[str, Depends(b)]) -> str:
        calls.append("left")
        return one + two

    async def right(one: Annotated[str, Depends(c)]) -> str:
        calls.append("right")
        return one

    app = FastAPI()

    @app.get("/")
    async def endpoint(
        x: Annotated[str, Depends(left)],
        y: Annotated[str, Depends(right)],
        z: Annotated[str, Depends(async_safe(d))],
    ) -> str:
        calls.append("endpoint")
        return x + y + z

    client = serve(app)
    for _ in range(2):
        calls.clear()
        assert client.get("/").json() == "abcd"
        assert calls == ["a", "b", "left", "c", "right", "d", "endpoint"]


@pytest.mark.parametrize("mark", MARKS)
def test_app_comes_before_router_before_route_before_endpoint(
    mark: Mark, calls: Calls, serve: Serve
) -> None:
    def depends(name: str) -> Any:
        return Depends(mark(recorder(calls, name)))

    inner = APIRouter(dependencies=[depends("inner router")])
    outer = APIRouter(dependencies=[depends("outer router")])
    app = FastAPI(dependencies=[depends("app")])

    @inner.get("/", dependencies=[depends("route 1"), depends("route 2")])
    async def endpoint(value: str = depends("endpoint")) -> None: ...

    outer.include_router(inner, dependencies=[depends("inner inclusion")])
    app.include_router(outer, dependencies=[depends("outer inclusion")])
    assert serve(app).get("/").status_code == 200
    assert calls == [
        "app",
        "outer inclusion",
        "outer router",
        "inner inclusion",
        "inner router",
        "route 1",
        "route 2",
        "endpoint",
    ]


@pytest.mark.parametrize("mark", [async_safe, as_it_is])
def test_a_dependency_with_a_bad_parameter_is_not_called_and_its_siblings_are(
    mark: Mark, calls: Calls, serve: Serve
) -> None:
    @mark
    def before() -> None:
        calls.append("before")

    @mark
    def bad(number: int) -> None:
        calls.append("bad")

    @mark
    def after() -> None:
        calls.append("after")

    app = FastAPI()

    @app.get("/", dependencies=[Depends(before), Depends(bad), Depends(after)])
    async def endpoint() -> None:
        calls.append("endpoint")

    assert serve(app).get("/?number=x").status_code == 422
    assert calls == ["before", "after"]


@pytest.mark.parametrize("mark", [async_safe, as_it_is])
def test_what_needs_a_dependency_with_a_bad_parameter_is_not_called(
    mark: Mark, calls: Calls, serve: Serve
) -> None:
    @mark
    def leaf() -> str:
        calls.append("leaf")
        return "leaf"

    @mark
    def bad(number: int, leaf: Annotated[str, Depends(leaf)]) -> None:
        calls.append("bad")

    @mark
    def above(bad: Annotated[None, Depends(bad)], leaf: Annotated[str, Depends(leaf)]) -> None:
        calls.append("above")

    @mark
    def beside(leaf: Annotated[str, Depends(leaf)]) -> None:
        calls.append("beside")

    app = FastAPI()

    @app.get("/", dependencies=[Depends(above), Depends(beside)])
    async def endpoint() -> None:
        calls.append("endpoint")

    assert serve(app).get("/").status_code == 422
    assert calls == ["leaf", "beside"]


def test_dependencies_are_called_before_a_bad_parameter_of_the_endpoint_shows(
    calls: Calls, serve: Serve
) -> None:
    app = FastAPI()

    @app.get("/", dependencies=[Depends(async_safe(recorder(calls, "a")))])
    async def endpoint(number: int) -> None:
        calls.append("endpoint")

    assert serve(app).get("/?number=x").status_code == 422
    assert calls == ["a"]


@pytest.mark.parametrize("mark", MARKS)
def test_nothing_is_called_after_an_exception(mark: Mark, calls: Calls, serve: Serve) -> None:
    def failing() -> None:
        calls.append("failing")
        raise LookupError("nothing here")

    app = FastAPI()
    before, after = mark(recorder(calls, "before")), mark(recorder(calls, "after"))

    @app.get("/", dependencies=[Depends(before), Depends(mark(failing)), Depends(after)])
    async def endpoint() -> None:
        calls.append("endpoint")

    with pytest.raises(LookupError, match="nothing here"):
        serve(app).get("/")
    assert calls == ["before", "failing"]


def test_parameters_of_a_dependency_are_read_after_its_dependencies_ran(
    calls: Calls, serve: Serve
) -> None:
    class Number:
        @classmethod
        def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
            def validate(value: str) -> int:
                calls.append("validate")
                return int(value)

            return core_schema.no_info_plain_validator_function(validate)

    @async_safe
    def above(
        number: Annotated[Any, Number], below: str = Depends(async_safe(recorder(calls, "below")))
    ) -> None:
        calls.append("above")

    app = FastAPI()

    @app.get("/", dependencies=[Depends(above)])
    async def endpoint() -> None: ...

    assert serve(app).get("/?number=1").status_code == 200
    assert calls == ["below", "validate", "above"]
