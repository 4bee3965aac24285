"""What was written for fastapi-async-safe-dependencies goes on working, and works better."""

from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_dependant
from starlette.testclient import TestClient

from fastapi_async_safe import AsyncSafeMixin, async_safe, async_unsafe, init_app
from fastapi_async_safe.dependencies import wrap_dependant, wrap_dependencies
from tests.support.serving import Serve, here

ITEMS = [{"item_name": "Foo"}, {"item_name": "Bar"}, {"item_name": "Baz"}]


@async_safe
class CommonParameters:
    """The dependency of the predecessor's README."""

    def __init__(self, q: str | None = None, skip: int = 0, limit: int = 100) -> None:
        self.q = q
        self.skip = skip
        self.limit = limit
        self.thread = here()


def example() -> FastAPI:
    """Make the application of the predecessor's README."""
    app = FastAPI()
    init_app(app)

    @app.get("/items/")
    async def read_items(commons: CommonParameters = Depends()) -> dict[str, Any]:  # noqa: B008
        response: dict[str, Any] = {"inline": commons.thread == here()}
        if commons.q:
            response.update({"q": commons.q})
        response.update({"items": ITEMS[commons.skip : commons.skip + commons.limit]})
        return response

    return app


def check_example(client: TestClient) -> None:
    assert client.get("/items/").json() == {"inline": True, "items": ITEMS}
    assert client.get("/items/?q=x&skip=1&limit=1").json() == {
        "inline": True,
        "q": "x",
        "items": ITEMS[1:2],
    }
    assert client.get("/items/?skip=x").status_code == 422


def test_its_example_runs_inline_without_a_lifespan() -> None:
    check_example(TestClient(example()))


def test_its_example_runs_inline_with_a_lifespan() -> None:
    with TestClient(example()) as client:
        check_example(client)


# ---- wrap_dependant ---------------------------------------------------------------------------


def dependant_of(call: Any) -> Dependant:
    """Give FastAPI's dependant of a callable."""
    return get_dependant(path="/", call=call)


def class_() -> Any:
    """Make a class without a mark."""

    class Dependency: ...

    return Dependency


def function() -> Any:
    """Make a function without a mark."""

    def dependency() -> None: ...

    return dependency


def test_a_marked_dependant_is_wrapped_once() -> None:
    dependant = dependant_of(async_safe(function()))
    assert wrap_dependant(dependant) is True
    wrapped = dependant.call
    assert wrap_dependant(dependant) is False
    assert dependant.call is wrapped


@pytest.mark.parametrize(
    ("call", "options", "wrapped"),
    [
        (function(), {}, False),
        (class_(), {}, False),
        (class_(), {"all_classes_safe": True}, True),
        (class_(), {"all_classes_safe": None}, False),
        (function(), {"all_classes_safe": True}, False),
        (async_unsafe(class_()), {"all_classes_safe": True}, False),
        (function(), {"predicates": [lambda call: True]}, True),
        (function(), {"predicates": [lambda call: False]}, False),
        (type("Dependency", (AsyncSafeMixin,), {}), {}, True),
    ],
)
def test_it_wraps_what_is_to_be_inline(call: Any, options: Any, wrapped: bool) -> None:
    dependant = dependant_of(call)
    assert wrap_dependant(dependant, **options) is wrapped
    assert (dependant.call is not call) is wrapped


def test_it_leaves_what_is_async() -> None:
    @async_safe
    async def coroutine() -> None: ...

    @async_safe
    async def context() -> Any:
        yield

    for call in (coroutine, context):
        dependant = dependant_of(call)
        assert wrap_dependant(dependant) is False
        assert dependant.call is call


def test_a_dependant_without_a_call_is_left() -> None:
    assert wrap_dependant(Dependant()) is False


@pytest.mark.parametrize("predicates", [1, "text", [None]])
def test_wrong_predicates_are_a_type_error(predicates: Any) -> None:
    with pytest.raises(TypeError, match="a sequence of callables"):
        wrap_dependant(dependant_of(async_safe(function())), predicates=predicates)


# ---- wrap_dependencies ------------------------------------------------------------------------


@async_safe
def marked() -> int:
    """A dependency that runs inline once it was wrapped."""
    return here()


@async_safe
def above(below: Annotated[int, Depends(marked)], number: int = 0) -> list[int]:
    """A dependency with a dependency."""
    return [below, here()]


def unmarked() -> int:
    """A dependency that runs in the pool."""
    return here()


def make_app() -> FastAPI:
    """Make an application with a route of its own and one of a router."""
    app, router = FastAPI(), APIRouter()

    async def endpoint(
        marked: Annotated[int, Depends(marked)],
        above: Annotated[list[int], Depends(above)],
        unmarked: Annotated[int, Depends(unmarked)],
    ) -> list[bool]:
        return [thread == here() for thread in (marked, *above, unmarked)]

    app.add_api_route("/own", endpoint)
    router.add_api_route("/included", endpoint)
    app.include_router(router)
    return app


@pytest.mark.parametrize("path", ["/own", "/included"])
def test_wrapped_dependencies_run_inline_without_init_app(path: str) -> None:
    app = make_app()
    client = TestClient(app)
    assert client.get(path).json() == [False, False, False, False]
    wrap_dependencies(app)
    for _ in range(2):
        assert client.get(path).json() == [True, True, True, False]
    wrap_dependencies(app)
    assert client.get(path).json() == [True, True, True, False]


def test_parameters_of_wrapped_dependencies_are_still_validated() -> None:
    app = make_app()
    wrap_dependencies(app)
    assert TestClient(app).get("/own?number=x").status_code == 422


@pytest.mark.accelerated
@pytest.mark.parametrize("path", ["/own", "/included"])
def test_wrapping_and_init_app_go_together(path: str, serve: Serve) -> None:
    app = make_app()
    wrap_dependencies(app)
    client = serve(app)
    for _ in range(2):
        assert client.get(path).json() == [True, True, True, False]


@pytest.mark.parametrize("path", ["/own", "/included"])
def test_wrapped_dependencies_can_be_overridden(path: str, serve: Serve) -> None:
    app = make_app()
    wrap_dependencies(app)
    client = serve(app)
    app.dependency_overrides[marked] = unmarked
    assert client.get(path).json() == [False, False, True, False]
    app.dependency_overrides.clear()
    assert client.get(path).json() == [True, True, True, False]


def test_a_wrapped_dependency_shares_its_value_with_one_that_is_not(serve: Serve) -> None:
    calls: list[str] = []

    @async_safe
    def shared() -> str:
        calls.append("shared")
        return "shared"

    app = FastAPI()

    @app.get("/")
    async def endpoint(
        a: Annotated[str, Depends(shared)], b: Annotated[str, Depends(shared)]
    ) -> None: ...

    wrap_dependant(app.router.routes[-1].dependant.dependencies[0])  # type: ignore[attr-defined]
    assert serve(app).get("/").status_code == 200
    assert calls == ["shared"]


def test_a_wrapped_context_enters_and_exits_inline() -> None:
    threads: list[int] = []

    @async_safe
    def context() -> Iterator[str]:
        threads.append(here())
        yield "value"
        threads.append(here())

    app = FastAPI()

    @app.get("/")
    async def endpoint(value: Annotated[str, Depends(context)]) -> str:
        threads.append(here())
        return value

    wrap_dependencies(app)
    assert TestClient(app).get("/").json() == "value"
    assert len(threads) == 3
    assert len(set(threads)) == 1


def test_the_dependencies_of_a_router_can_be_wrapped() -> None:
    router = APIRouter()

    @router.get("/")
    async def endpoint(thread: Annotated[int, Depends(marked)]) -> None: ...

    (dependant,) = router.routes[-1].dependant.dependencies  # type: ignore[attr-defined]
    assert dependant.call is marked
    wrap_dependencies(router)
    assert dependant.call is not marked
    assert dependant.call == marked


@pytest.mark.parametrize("holder", [None, 1, object(), marked])
def test_wrapping_something_else_is_a_type_error(holder: Any) -> None:
    with pytest.raises(TypeError, match="expects a FastAPI or an APIRouter"):
        wrap_dependencies(holder)


def test_what_is_wrapped_tells_of_itself_what_it_told() -> None:
    @async_safe
    def told(number: int) -> int:
        """Give it back."""
        return number

    dependant = dependant_of(told)
    assert wrap_dependant(dependant)
    wrapped: Any = dependant.call
    assert (wrapped.__name__, wrapped.__doc__) == ("told", "Give it back.")


def test_dependencies_of_dependencies_are_wrapped_too() -> None:
    @async_safe
    def lowest() -> int:
        return here()

    @async_safe
    def lower(thread: Annotated[int, Depends(lowest)]) -> int:
        return thread

    async def upper(thread: Annotated[int, Depends(lower)]) -> int:
        return thread

    app = FastAPI()

    @app.get("/")
    async def endpoint(thread: Annotated[int, Depends(upper)]) -> bool:
        return thread == here()

    wrap_dependencies(app)
    assert TestClient(app).get("/").json() is True
