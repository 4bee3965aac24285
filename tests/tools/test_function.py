"""FastAPI's `solve_dependencies` stays the function it was, for tools that look at or wrap it."""

import functools
import inspect
import threading
from typing import Annotated, Any

import fastapi.dependencies.utils
import fastapi.routing
import pytest
from fastapi import Depends, FastAPI
from starlette.testclient import TestClient

from tests.tools.scene import Scene, check


def profiled(scene: Scene) -> Any:
    """Profile FastAPI's functions as tools do for the header Server-Timing: they want functions."""
    seen: list[Any] = []
    functions: list[Any] = []

    def install() -> None:
        for function in (
            fastapi.routing.solve_dependencies,
            fastapi.routing.run_endpoint_function,
            fastapi.routing.serialize_response,
        ):
            if not inspect.isfunction(function):
                raise TypeError(f"{function!r} is not a function")
            functions.append(function)
            seen.append([str(inspect.signature(function)), inspect.iscoroutinefunction(function)])

    app = _app(scene)
    scene.install(app, install)
    profiled: set[str] = set()

    def profile(frame: Any, event: str, _: Any) -> None:
        profiled.update(f.__qualname__ for f in functions if f.__code__ is frame.f_code)

    threading.setprofile(profile)
    try:
        client = TestClient(app)
        answers = [client.get(f"/?limit={limit}").text for limit in (1, 2, "x")]
    finally:
        threading.setprofile(None)
    return [seen, answers, sorted(profiled)]


def wrapped(scene: Scene) -> Any:
    """Replace the function where it is used by one that wraps it."""
    calls: list[str] = []

    def install() -> None:
        original = fastapi.dependencies.utils.solve_dependencies

        @functools.wraps(original)
        async def wrapper(**arguments: Any) -> Any:
            calls.append(arguments["dependant"].path)
            return await original(**arguments)

        fastapi.routing.solve_dependencies = wrapper

    app = _app(scene)
    scene.install(app, install)
    client = TestClient(app)
    return [[client.get(f"/?limit={limit}").text for limit in (1, 2, "x")], calls]


def wrapped_by_wrapt(scene: Scene) -> Any:
    """Replace it by a proxy of wrapt's."""
    import wrapt

    calls: list[str] = []

    def track(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        calls.append(type(kwargs["request"]).__name__)
        return wrapped(*args, **kwargs)

    app = _app(scene)
    scene.install(
        app, lambda: wrapt.wrap_function_wrapper(fastapi.routing, "solve_dependencies", track)
    )
    client = TestClient(app)
    return [[client.get(f"/?limit={limit}").text for limit in (1, 2, "x")], calls]


def wrapped_where_it_is_defined(scene: Scene) -> Any:
    """Replace it in the module that defines it too."""
    import wrapt

    def track(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        return wrapped(*args, **kwargs)

    def install() -> None:
        for module in (fastapi.dependencies.utils, fastapi.routing):
            wrapt.wrap_function_wrapper(module, "solve_dependencies", track)

    app = _app(scene)
    scene.install(app, install)
    client = TestClient(app)
    return [client.get(f"/?limit={limit}").text for limit in (1, 2, "x")]


def _app(scene: Scene) -> FastAPI:
    app = FastAPI()

    @scene.marked
    class Page:
        def __init__(self, limit: int = 10) -> None:
            scene.visit("marked Page")
            self.limit = limit

    def in_pool(page: Annotated[Page, Depends()]) -> int:
        scene.visit("in_pool")
        return page.limit

    @app.get("/")
    async def endpoint(limit: Annotated[int, Depends(in_pool)]) -> int:
        return limit

    return app


@pytest.mark.accelerated
@pytest.mark.parametrize(
    "played",
    [profiled, wrapped, wrapped_by_wrapt, wrapped_where_it_is_defined],
)
def test_a_wrapper_sees_the_same(played: Any, variant: str, order: str) -> None:
    check(played, variant, order)
