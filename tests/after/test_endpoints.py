"""`def` endpoints: marked ones run on the event loop, others where FastAPI says."""

import functools
from typing import Annotated, Any

import anyio
import anyio.lowlevel
import fastapi.routing
import pytest
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from fastapi_async_safe import async_safe, async_unsafe
from tests.support.kinds import FUNCTIONS, Kind, a_function, app_with_endpoint, is_on_loop, on_loop
from tests.support.serving import BACKENDS, Exchange, Init, Serve

# ---- where they run ---------------------------------------------------------------------------


@pytest.mark.accelerated
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", FUNCTIONS)
def test_what_is_marked_runs_on_the_loop(kind: Kind, backend: str, serve: Serve) -> None:
    client = serve(app_with_endpoint(async_safe(kind())), backend=backend)
    assert [client.get("/").json() for _ in range(3)] == [True] * 3


@pytest.mark.parametrize("kind", FUNCTIONS)
def test_what_is_marked_runs_in_the_pool_on_stock(kind: Kind) -> None:
    assert TestClient(app_with_endpoint(async_safe(kind()))).get("/").json() is False


@pytest.mark.parametrize("kind", FUNCTIONS)
@pytest.mark.parametrize("options", [{}, {"all_classes_safe": True}], ids=str)
def test_what_is_not_marked_runs_in_the_pool(
    options: dict[str, Any], kind: Kind, serve: Serve
) -> None:
    client = serve(app_with_endpoint(kind()), **options)
    assert [client.get("/").json() for _ in range(3)] == [False] * 3


@pytest.mark.parametrize("kind", FUNCTIONS)
def test_what_is_marked_unsafe_runs_in_the_pool_whatever_else_is_said(
    kind: Kind, serve: Serve
) -> None:
    client = serve(app_with_endpoint(async_unsafe(kind())), predicates=[lambda call: True])
    assert client.get("/").json() is False


@pytest.mark.accelerated
@pytest.mark.parametrize("kind", FUNCTIONS)
def test_a_predicate_runs_what_it_is_true_of_on_the_loop(kind: Kind, serve: Serve) -> None:
    chosen, other = kind(), kind()
    app = app_with_endpoint(chosen)
    app.add_api_route("/other", other)
    client = serve(app, predicates=[lambda call: call is chosen])
    assert [client.get(path).json() for path in ("/", "/other")] == [True, False]


@pytest.mark.parametrize("mark", [async_safe, async_unsafe])
def test_a_mark_on_an_async_endpoint_changes_nothing(mark: Any, serve: Serve) -> None:
    @mark
    async def endpoint() -> bool:
        return is_on_loop()

    assert serve(app_with_endpoint(endpoint)).get("/").json() is True


@pytest.mark.accelerated
def test_a_method_can_be_an_endpoint(serve: Serve) -> None:
    class Views:
        @async_safe
        def marked(self) -> bool:
            return is_on_loop()

        def unmarked(self) -> bool:
            return is_on_loop()

    views = Views()
    app = app_with_endpoint(views.marked)
    app.add_api_route("/unmarked", views.unmarked)
    client = serve(app)
    assert [client.get(path).json() for path in ("/", "/unmarked")] == [True, False]


@pytest.mark.accelerated
@pytest.mark.parametrize("marked", ["endpoint", "dependency"])
def test_a_mark_is_for_what_has_it_alone(marked: str, serve: Serve) -> None:
    def dependency() -> bool:
        return is_on_loop()

    def endpoint(below: Annotated[bool, Depends(dependency)]) -> list[bool]:
        return [below, is_on_loop()]

    async_safe(endpoint if marked == "endpoint" else dependency)
    expected = [marked == "dependency", marked == "endpoint"]
    assert serve(app_with_endpoint(endpoint)).get("/").json() == expected


@pytest.mark.accelerated
def test_under_overrides_too(serve: Serve) -> None:
    def declared() -> str: ...

    def endpoint(value: Annotated[str, Depends(declared)]) -> tuple[str, bool]:
        return value, is_on_loop()

    app = app_with_endpoint(async_safe(endpoint))
    client = serve(app)
    for name in ("one", "two"):
        app.dependency_overrides[declared] = async_safe(lambda name=name: name)
        assert client.get("/").json() == [name, True]
    app.dependency_overrides[declared] = lambda: "pooled"
    assert client.get("/").json() == ["pooled", True]


# ---- routes -----------------------------------------------------------------------------------


@pytest.mark.accelerated
def test_endpoints_of_routers_and_mounted_apps_run_on_the_loop(serve: Serve) -> None:
    endpoint = async_safe(a_function())
    inner, outer, mounted = APIRouter(), APIRouter(prefix="/outer"), app_with_endpoint(endpoint)
    inner.add_api_route("/", endpoint)
    outer.include_router(inner, prefix="/inner")
    app = app_with_endpoint(endpoint)
    app.include_router(inner, prefix="/inner")
    app.include_router(outer)
    app.mount("/mounted", mounted)
    client = serve(app)
    app.add_api_route("/late", endpoint)
    for path in ("/", "/inner/", "/outer/inner/", "/mounted/", "/late"):
        assert (path, client.get(path).json()) == (path, True)


@pytest.mark.accelerated
def test_custom_route_classes_may_wrap_the_handler(serve: Serve) -> None:
    class Timed(APIRoute):
        def get_route_handler(self) -> Any:
            handler = super().get_route_handler()

            async def timed(request: Request) -> Response:
                response = await handler(request)
                response.headers["x-timed"] = "1"
                return response

            return timed

    app = FastAPI(dependencies=[Depends(on_loop)])
    router = APIRouter(route_class=Timed)
    router.add_api_route("/", async_safe(a_function()))
    app.include_router(router)
    response = serve(app).get("/")
    assert (response.json(), response.headers["x-timed"]) == (True, "1")


@pytest.mark.accelerated
def test_an_app_that_was_not_initialised_runs_the_same_endpoint_in_the_pool(init: Init) -> None:
    endpoint = async_safe(a_function())
    first, second = app_with_endpoint(endpoint), app_with_endpoint(endpoint)
    init(first)
    for _ in range(2):
        assert TestClient(first).get("/").json() is True
        assert TestClient(second).get("/").json() is False


@pytest.mark.accelerated
def test_one_after_the_other_in_one_context_they_do_so_too(init: Init) -> None:
    endpoint = async_safe(a_function())
    first, second = init(app_with_endpoint(endpoint)), app_with_endpoint(endpoint)

    async def alternating() -> list[bytes]:
        return [(await Exchange().run(app)).body for app in (first, second) * 2]

    assert anyio.run(alternating) == [b"true", b"false"] * 2


@pytest.mark.accelerated
def test_the_last_init_app_counts(init: Init) -> None:
    app = app_with_endpoint(a_function())
    answers = []
    for predicate in (True, False, True):
        init(app, predicates=[lambda call, predicate=predicate: predicate])
        answers.append(TestClient(app).get("/").json())
    assert answers == [True, False, True]


@pytest.mark.accelerated
def test_a_wrapper_around_what_runs_endpoints_sees_them(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, seen = fastapi.routing.run_endpoint_function, []

    @functools.wraps(original)
    async def wrapper(**keywords: Any) -> Any:
        result = await original(**keywords)
        seen.append((keywords["values"], result))
        return result

    monkeypatch.setattr(fastapi.routing, "run_endpoint_function", wrapper)

    @async_safe
    def endpoint(number: int) -> bool:
        return is_on_loop()

    assert serve(app_with_endpoint(endpoint)).get("/?number=3").json() is True
    assert seen == [({"number": 3}, True)]
