"""The hook behind `solve_dependencies`: nobody can tell, and it can be taken out again."""

import functools
import inspect
from collections.abc import Iterator
from contextlib import AsyncExitStack
from types import SimpleNamespace
from typing import Annotated, Any, NamedTuple
from unittest.mock import Mock

import anyio
import fastapi.dependencies.utils
import fastapi.routing
import pytest
from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, Request, Response, WebSocket
from fastapi.dependencies.utils import SolvedDependency, get_dependant, solve_dependencies
from starlette._exception_handler import wrap_app_handling_exceptions
from starlette.background import BackgroundTask
from starlette.concurrency import iterate_in_threadpool
from starlette.requests import HTTPConnection
from starlette.testclient import TestClient

from fastapi_async_safe import _hooks, _registry, async_safe, init_app
from fastapi_async_safe._core_py import serving
from tests.hooks.conftest import Run, names_beside
from tests.support.serving import Exchange, Init, exchange, here, shown

pytestmark = pytest.mark.accelerated


@pytest.fixture
def without_hook() -> Iterator[None]:
    """Take the hook out, and afterwards too."""
    _hooks.remove()
    yield
    _hooks.remove()


@async_safe
def marked(number: int) -> tuple[int, int]:
    """A dependency that runs inline where the hook is in."""
    return number, here()


def make_app() -> FastAPI:
    """Make an application that says whether its dependency ran inline."""
    app = FastAPI()

    @app.get("/")
    async def endpoint(value: Annotated[tuple[int, int], Depends(marked)]) -> bool:
        return value[1] == here()

    return app


def is_inline(app: FastAPI) -> bool:
    answer: bool = TestClient(app).get("/?number=1").json()
    return answer


def looks(function: Any) -> dict[str, Any]:
    """Give all that people look at in a function."""
    return {
        "identity": id(function),
        "type": type(function),
        "isfunction": inspect.isfunction(function),
        "iscoroutinefunction": inspect.iscoroutinefunction(function),
        "isasyncgenfunction": inspect.isasyncgenfunction(function),
        "signature": inspect.signature(function),
        "annotations": function.__annotations__,
        "name": (function.__module__, function.__qualname__, function.__name__),
        "doc": function.__doc__,
        "defaults": (function.__defaults__, function.__kwdefaults__),
        "attributes": dict(vars(function)),
        "closure": function.__closure__,
    }


HOOKED_FOR_ENDPOINTS: list[Any] = [
    fastapi.routing.run_endpoint_function,
    fastapi.routing.serialize_response,
    iterate_in_threadpool,
    wrap_app_handling_exceptions,
]
HOOKED: list[Any] = [solve_dependencies, BackgroundTask.__call__, *HOOKED_FOR_ENDPOINTS]


@pytest.mark.parametrize("function", HOOKED)
def test_each_function_looks_as_before(function: Any, without_hook: None) -> None:
    before, code = looks(function), function.__code__
    init_app(FastAPI())
    _hooks.install_for_endpoints()
    assert function.__code__ is not code
    assert looks(function) == before
    assert before["isfunction"] is True


@pytest.mark.parametrize("function", HOOKED)
def test_removing_it_leaves_each_function_as_it_was(function: Any, without_hook: None) -> None:
    code, names = function.__code__, names_beside(function)
    init_app(FastAPI())
    _hooks.install_for_endpoints()
    _hooks.remove()
    assert function.__code__ is code
    assert names_beside(function) == names


def test_those_for_endpoints_come_with_the_first_marked_one(
    init: Init, without_hook: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving.marked_endpoints, "enabled", False)
    monkeypatch.setattr(serving.joined_endpoints, "enabled", False)
    codes = [function.__code__ for function in HOOKED_FOR_ENDPOINTS]
    app = init(make_app())
    app.add_api_route("/marked", async_safe(here), response_model=int)
    assert is_inline(app)
    assert [function.__code__ for function in HOOKED_FOR_ENDPOINTS] == codes
    assert exchange(app, "/marked").body == str(here()).encode()
    assert all(function.__code__ not in codes for function in HOOKED_FOR_ENDPOINTS)


def test_every_name_of_the_function_is_still_the_same(without_hook: None) -> None:
    init_app(FastAPI())
    assert fastapi.routing.solve_dependencies is solve_dependencies
    assert fastapi.dependencies.utils.solve_dependencies is solve_dependencies


def test_removing_it_lets_apps_run_as_on_stock(without_hook: None) -> None:
    app = init_app(make_app())
    assert is_inline(app)
    _hooks.remove()
    assert not is_inline(app)


def test_removing_it_twice_or_when_it_was_never_in_does_nothing(without_hook: None) -> None:
    code = solve_dependencies.__code__
    _hooks.remove()
    init_app(FastAPI())
    _hooks.remove()
    _hooks.remove()
    assert solve_dependencies.__code__ is code


def test_installing_it_twice_is_the_same_as_once(without_hook: None) -> None:
    code = solve_dependencies.__code__
    assert _hooks.install()
    hooked = solve_dependencies.__code__
    assert _hooks.install()
    assert solve_dependencies.__code__ is hooked
    _hooks.remove()
    assert solve_dependencies.__code__ is code


def test_after_removal_the_next_init_app_puts_it_in_again(without_hook: None) -> None:
    app = init_app(make_app())
    _hooks.remove()
    assert not is_inline(app)
    init_app(FastAPI())
    assert is_inline(app)


def test_taken_out_it_claims_no_route_from_other_copies(without_hook: None) -> None:
    router = APIRouter()

    @router.get("/")
    async def endpoint(request: Request) -> int | None:
        return _registry.depth_of_router(request.scope)

    app = FastAPI()
    app.include_router(init_app(router))
    assert exchange(app).body != b"null"
    _hooks.remove()
    assert exchange(app).body == b"null"


# ---- calls by others --------------------------------------------------------------------------


async def solved(
    app: FastAPI, call: Any, query: bytes = b"number=1", in_scope: Any = (), **more: Any
) -> Any:
    """Call `solve_dependencies` as other packages do, outside of any route."""
    scope = {**Exchange(query=query).scope(), "app": app, **dict(in_scope)}
    async with AsyncExitStack() as stack:
        scope["fastapi_inner_astack"] = scope["fastapi_function_astack"] = stack
        return await solve_dependencies(
            request=Request(scope),
            **{"dependant": get_dependant(path="/", call=call), **more},
            async_exit_stack=stack,
            embed_body_fields=False,
        )


def endpoint(value: Annotated[tuple[int, int], Depends(marked)], tasks: BackgroundTasks) -> None:
    """What others resolve the dependencies of."""


def test_calls_of_others_are_answered_as_on_stock(init: Init) -> None:
    async def calls() -> None:
        app = init(FastAPI())
        for _ in range(3):
            result = await solved(app, endpoint)
            assert type(result) is SolvedDependency
            assert result.values["value"][0] == 1
            assert result.values["tasks"] is result.background_tasks
            assert result.errors == []
            assert [key[0] for key in result.dependency_cache] == [marked]
            assert result.response.status_code is None
            result = await solved(app, endpoint, query=b"number=x")
            assert [error["loc"] for error in result.errors] == [("query", "number")]
            assert "value" not in result.values

    anyio.run(calls)


class RouteOfATool(NamedTuple):
    """What a tool puts where FastAPI has the route, and what cannot be referred to weakly."""

    path: str = "/"
    endpoint: Any = None


@pytest.mark.parametrize("route", [RouteOfATool(), SimpleNamespace(), "/", 1, None], ids=shown)
def test_calls_with_any_route_are_answered_as_on_stock(route: Any, init: Init) -> None:
    async def call() -> None:
        init(APIRouter()).add_api_route("/", here)
        for _ in range(2):
            result = await solved(init(FastAPI()), endpoint, in_scope={"route": route})
            assert result.values["value"][0] == 1

    anyio.run(call)


def test_calls_for_the_dependant_of_any_route_are_answered_as_on_stock(init: Init) -> None:
    async def call() -> None:
        app = init(FastAPI())
        dependant = get_dependant(path="/", call=endpoint)
        scope = {"route": SimpleNamespace(dependant=dependant)}
        for _ in range(2):
            result = await solved(app, endpoint, in_scope=scope, dependant=dependant)
            assert result.values["value"][0] == 1

    anyio.run(call)


@pytest.mark.parametrize("kept", [None, (), "text", {"effective_route_context": None}], ids=shown)
@pytest.mark.parametrize("name", ["fastapi", "router", "app"])
def test_calls_with_anything_in_the_scope_are_answered_as_on_stock(
    name: str, kept: Any, init: Init
) -> None:
    async def call() -> None:
        init(APIRouter()).add_api_route("/", here)
        scope = {"route": RouteOfATool(), name: kept}
        result = await solved(init(FastAPI()), endpoint, in_scope=scope)
        assert result.values["value"][0] == 1

    anyio.run(call)


def test_plans_of_dependants_made_for_one_call_do_not_pile_up(init: Init) -> None:
    async def calls() -> None:
        app = init(FastAPI())
        for number in range(600):
            result = await solved(app, endpoint, query=f"number={number}".encode())
            assert result.values["value"][0] == number
        resolver = _registry.resolver_of({"app": app})
        assert resolver is not None
        assert len(resolver._entries) < 300

    anyio.run(calls)


def test_one_dependant_may_be_resolved_for_requests_and_websockets(init: Init) -> None:
    @async_safe
    def dependency(
        connection: HTTPConnection,
        number: int,
        request: Request = None,  # type: ignore[assignment]
        websocket: WebSocket = None,  # type: ignore[assignment]
    ) -> str:
        assert connection in (request, websocket)
        return f"{type(request).__name__} {type(websocket).__name__} {number}"

    def endpoint(value: Annotated[str, Depends(dependency)]) -> None: ...

    async def calls() -> None:
        app, dependant = init(FastAPI()), get_dependant(path="/", call=endpoint)
        values = []
        async with AsyncExitStack() as stack:
            for connection in (Request, WebSocket) * 2:
                scope = {**Exchange(query=b"number=7").scope(), "app": app}
                scope["fastapi_inner_astack"] = scope["fastapi_function_astack"] = stack
                request: Request | WebSocket
                if connection is WebSocket:
                    scope["type"] = "websocket"
                    request = WebSocket(scope, receive=nothing, send=nothing)
                else:
                    request = Request(scope)
                result = await solve_dependencies(
                    request=request,
                    dependant=dependant,
                    async_exit_stack=stack,
                    embed_body_fields=False,
                )
                values.append(result.values["value"])
        assert values == ["Request NoneType 7", "NoneType WebSocket 7"] * 2

    async def nothing(*arguments: Any) -> Any: ...

    anyio.run(calls)


def test_an_application_may_be_a_mock(init: Init) -> None:
    async def call() -> None:
        init(FastAPI())
        result = await solved(Mock(), endpoint)
        assert result.values["value"][0] == 1

    anyio.run(call)


def test_calls_with_a_response_of_their_own_get_it_back(init: Init) -> None:
    def sets_a_header(response: Response) -> None:
        response.headers["x-header"] = "set"

    async def call() -> None:
        app, response = init(FastAPI()), Response()

        @async_safe
        def needs(nothing: Annotated[None, Depends(sets_a_header)]) -> None: ...

        result = await solved(app, needs, response=response)
        assert result.response is response
        assert response.headers["x-header"] == "set"

    anyio.run(call)


def test_calls_with_a_cache_of_their_own_find_it_used_and_filled(init: Init) -> None:
    async def call() -> None:
        app = init(FastAPI())
        cache: dict[Any, Any] = {}
        first = await solved(app, endpoint, dependency_cache=cache)
        assert [key[0] for key in cache] == [marked]
        second = await solved(app, endpoint, query=b"number=2", dependency_cache=cache)
        assert second.values["value"] is first.values["value"]

    anyio.run(call)


def test_what_others_cached_says_nothing_of_the_parameters_of_this_call(init: Init) -> None:
    @async_safe
    def needs(value: Annotated[tuple[int, int], Depends(marked)]) -> None: ...

    def both(
        a: Annotated[None, Depends(needs)],
        b: Annotated[tuple[int, int], Depends(marked)],
        c: Annotated[None, Depends(needs)],
    ) -> None: ...

    async def call() -> None:
        app = init(FastAPI())
        cache: dict[Any, Any] = {}
        await solved(app, both, dependency_cache=cache)
        result = await solved(app, both, query=b"number=x", dependency_cache=cache)
        assert [error["loc"] for error in result.errors] == [("query", "number")] * 3

    anyio.run(call)


def test_a_cache_may_be_filled_by_others_at_the_same_time(init: Init) -> None:
    def shared() -> str:
        raise AssertionError("it is in the cache when it is wanted")

    cache: dict[Any, Any] = {}

    @async_safe
    def first() -> None:
        cache.update(dict.fromkeys(keys[-1:], "of another"))

    def endpoint(a: Annotated[None, Depends(first)], b: Annotated[str, Depends(shared)]) -> None:
        """Want two dependencies."""

    def give() -> str:
        return "of another"

    async def call() -> None:
        app = init(FastAPI())
        shared.__code__, code = give.__code__, shared.__code__
        keys.extend((await solved(app, endpoint, dependency_cache={})).dependency_cache)
        shared.__code__ = code
        result = await solved(app, endpoint, dependency_cache=cache)
        assert result.values == {"a": None, "b": "of another"}

    keys: list[Any] = []
    anyio.run(call)


def test_calls_with_background_tasks_of_their_own_get_them_back(init: Init) -> None:
    async def call() -> None:
        tasks = BackgroundTasks()
        result = await solved(init(FastAPI()), endpoint, background_tasks=tasks)
        assert result.values["tasks"] is tasks
        assert result.background_tasks is tasks

    anyio.run(call)


def test_wrong_calls_are_the_type_errors_they_were(without_hook: None) -> None:
    def told(*arguments: Any, **keywords: Any) -> str:
        with pytest.raises(TypeError) as caught:
            _ = solve_dependencies(*arguments, **keywords)
        return str(caught.value)

    def all_told() -> list[str]:
        return [told(), told(1), told(unknown=1), told(request=1, dependant=2)]

    before = all_told()
    init_app(FastAPI())
    assert all_told() == before


# ---- wrappers of others -----------------------------------------------------------------------


@pytest.mark.parametrize("wrapped_first", [True, False])
def test_a_wrapper_around_it_sees_each_call_and_its_result(
    wrapped_first: bool, init: Init, monkeypatch: pytest.MonkeyPatch
) -> None:
    _hooks.remove()
    seen: list[Any] = []

    def wrap() -> None:
        original = fastapi.routing.solve_dependencies

        @functools.wraps(original)
        async def wrapper(**keywords: Any) -> Any:
            result = await original(**keywords)
            seen.append(result.values["value"][0])
            return result

        monkeypatch.setattr(fastapi.routing, "solve_dependencies", wrapper)

    app = make_app()
    if wrapped_first:
        wrap()
        init(app)
    else:
        init(app)
        wrap()
    client = TestClient(app)
    assert [client.get(f"/?number={number}").json() for number in range(3)] == [True] * 3
    assert seen == [0, 1, 2]


def test_a_wrapper_that_replaced_it_everywhere_is_looked_through(
    init: Init, monkeypatch: pytest.MonkeyPatch
) -> None:
    _hooks.remove()
    original = solve_dependencies

    @functools.wraps(original)
    async def wrapper(*arguments: Any, **keywords: Any) -> Any:
        return await original(*arguments, **keywords)

    monkeypatch.setattr(fastapi.dependencies.utils, "solve_dependencies", wrapper)
    monkeypatch.setattr(fastapi.routing, "solve_dependencies", wrapper)
    assert is_inline(init(make_app()))
    _hooks.remove()


HALF_IN = """
import anyio
from fastapi import Depends, FastAPI
from fastapi_async_safe import init_app
from fastapi_async_safe._hooks import installed
from tests.support.serving import exchange

def interrupt(find):
    raise KeyboardInterrupt

app, ran = FastAPI(), []

@app.get("/")
def endpoint(value: int = Depends(lambda: 1)) -> int:
    ran.append(value)
    return value

for name in ("finishing", "solving"):
    before = getattr(installed, name)
    setattr(installed, name, interrupt)
    try:
        init_app(app)
    except KeyboardInterrupt:
        print("interrupted")
    setattr(installed, name, before)
init_app(app)
print(exchange(app).body, ran)
"""


def test_an_installation_that_was_interrupted_is_gone_on_with(run: Run) -> None:
    finished = run(HALF_IN, FASTAPI_ASYNC_SAFE_NO_EXTENSIONS="1")
    assert finished.stdout.splitlines() == ["interrupted", "interrupted", "b'1' [1]"], (
        finished.stderr
    )


TAKEN_OUT_BELOW_A_TOOL = """
from fastapi import BackgroundTasks, Depends, FastAPI
from fastapi.dependencies.utils import solve_dependencies
from fastapi_async_safe import _hooks, async_safe, init_app
from tests.support.serving import exchange, here

ran = []

@async_safe
def task() -> None:
    ran.append(here())

def is_inline() -> bool:
    app = FastAPI()

    @app.get("/")
    @async_safe
    def endpoint(tasks: BackgroundTasks, place: int = Depends(async_safe(here))) -> bool:
        tasks.add_task(task)
        return here() == place

    ran.clear()
    init_app(app)
    return exchange(app).body == b"true" and ran == [here()]

async def tool(*, request, dependant, body=None, background_tasks=None, response=None,
               dependency_overrides_provider=None, dependency_cache=None, async_exit_stack,
               embed_body_fields):
    raise AssertionError

print(is_inline())
own, solve_dependencies.__code__ = solve_dependencies.__code__, tool.__code__
_hooks.remove()
init_app(FastAPI())
solve_dependencies.__code__ = own
print(is_inline())
"""


def test_hooks_that_were_taken_out_below_a_tool_are_put_in_again(run: Run) -> None:
    finished = run(TAKEN_OUT_BELOW_A_TOOL, FASTAPI_ASYNC_SAFE_NO_EXTENSIONS="1")
    assert finished.stdout.split() == ["True", "True"], finished.stderr
