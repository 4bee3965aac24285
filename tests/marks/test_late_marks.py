"""Marks count from the next request on, whenever they are set; none of them changes an answer."""

import functools
import threading
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import anyio
import pytest
from fastapi import APIRouter, BackgroundTasks, Depends, FastAPI, WebSocket
from starlette.testclient import TestClient

from fastapi_async_safe import AsyncSafeMixin, async_safe, async_unsafe
from fastapi_async_safe._core_py import INLINE, ROOT, THREAD
from fastapi_async_safe.markers import MARK, last_mark
from tests.support.kinds import (
    CLASSES,
    SYNC,
    Constructed,
    Kind,
    a_class,
    a_function,
    a_partial,
    a_yield_function,
    app_with_dependency,
    app_with_endpoint,
    is_on_loop,
    on_loop,
)
from tests.support.serving import BACKENDS, Exchange, Init, Serve, exchange, here
from tests.support.streams import Declare, app_with, each_kind, unmarked


@pytest.fixture
def runs_inline(variant: str) -> bool:
    """Say whether what is marked runs on the loop: on stock a mark says nothing."""
    return variant != "stock"


def answers(client: TestClient, *changes: Callable[[], Any], path: str = "/") -> list[Any]:
    """Give the answers before and after each of the changes."""
    found = [client.get(path).json()]
    for change in changes:
        change()
        found.append(client.get(path).json())
    return found


# ---- dependencies -----------------------------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", SYNC)
def test_a_dependency(kind: Kind, backend: str, serve: Serve, runs_inline: bool) -> None:
    call = kind()
    client = serve(app_with_dependency(call), backend=backend)
    changes = [lambda: async_safe(call), lambda: async_unsafe(call), lambda: async_safe(call)]
    assert answers(client, *changes) == [False, runs_inline, False, runs_inline]


@pytest.mark.parametrize("kind", SYNC)
def test_unsafe_counts_at_once_whatever_else_is_said(
    kind: Kind, serve: Serve, runs_inline: bool
) -> None:
    call = kind()
    client = serve(app_with_dependency(call), predicates=[lambda call: True])
    changes = [lambda: async_unsafe(call), lambda: async_safe(call)]
    assert answers(client, *changes) == [runs_inline, False, runs_inline]


@pytest.mark.parametrize("kind", CLASSES)
def test_a_class_that_was_safe_as_all_classes_are(
    kind: Kind, serve: Serve, runs_inline: bool
) -> None:
    call = kind()
    client = serve(app_with_dependency(call), all_classes_safe=True)
    assert answers(client, lambda: async_unsafe(call)) == [runs_inline, False]


def test_a_base_of_a_class(serve: Serve, runs_inline: bool) -> None:
    class Base: ...

    class Between(Base): ...

    class Dependency(Constructed, Between): ...

    client = serve(app_with_dependency(Dependency))
    changes = [lambda: async_safe(Base), lambda: async_unsafe(Between)]
    assert answers(client, *changes) == [False, runs_inline, False]


def test_a_class_with_the_mixin_among_its_bases(serve: Serve, runs_inline: bool) -> None:
    class Marked(AsyncSafeMixin): ...

    class Dependency(Constructed, Marked): ...

    client = serve(app_with_dependency(Dependency))
    changes = [
        lambda: async_unsafe(Marked),
        lambda: async_safe(Dependency),
        lambda: async_unsafe(Dependency),
    ]
    assert answers(client, *changes) == [runs_inline, False, runs_inline, False]


def test_the_class_of_a_callable_instance(serve: Serve, runs_inline: bool) -> None:
    class Checker:
        def __call__(self) -> bool:
            return is_on_loop()

    client = serve(app_with_dependency(Checker()))
    changes = [lambda: async_safe(Checker), lambda: async_unsafe(Checker)]
    assert answers(client, *changes) == [False, runs_inline, False]


def test_the_function_of_a_method(serve: Serve, runs_inline: bool) -> None:
    class Service:
        def method(self) -> bool:
            return is_on_loop()

    client = serve(app_with_dependency(Service().method))
    changes = [lambda: async_safe(Service.method), lambda: async_unsafe(Service.method)]
    assert answers(client, *changes) == [False, runs_inline, False]


def test_a_function_in_a_chain_of_partials(serve: Serve, runs_inline: bool) -> None:
    outer = a_partial()
    inner = outer.func
    client = serve(app_with_dependency(outer))
    changes = [
        lambda: async_safe(inner),
        lambda: async_unsafe(outer),
        lambda: async_safe(outer),
        lambda: async_unsafe(inner),
    ]
    assert answers(client, *changes) == [False, runs_inline, False, runs_inline, False]


def test_what_a_wrapper_wraps(serve: Serve, runs_inline: bool) -> None:
    inner = a_function()

    @async_safe
    @functools.wraps(inner)
    def outer() -> bool:
        return bool(inner())

    client = serve(app_with_dependency(outer))
    # The mark of the wrapper is one of its own.
    assert answers(client, lambda: async_unsafe(inner)) == [runs_inline] * 2


@pytest.mark.parametrize("kind", SYNC)
def test_what_stands_in_for_a_dependency(kind: Kind, serve: Serve, runs_inline: bool) -> None:
    app, other = app_with_dependency(a_function()), kind()
    route: Any = app.routes[-1]
    dependency = route.dependant.dependencies[-1].call
    app.dependency_overrides[dependency] = other
    client = serve(app)
    changes = [lambda: async_safe(other), lambda: async_unsafe(other)]
    assert answers(client, *changes) == [False, runs_inline, False]


def test_dependencies_below_dependencies(serve: Serve, runs_inline: bool) -> None:
    inner = a_function()

    def outer(value: Annotated[bool, Depends(inner)]) -> list[bool]:
        return [value, is_on_loop()]

    async def endpoint(values: Annotated[list[bool], Depends(outer)]) -> list[bool]:
        return values

    client = serve(app_with_endpoint(endpoint))
    changes = [lambda: async_safe(inner), lambda: async_safe(outer), lambda: async_unsafe(inner)]
    assert answers(client, *changes) == [
        [False, False],
        [runs_inline, False],
        [runs_inline, runs_inline],
        [False, runs_inline],
    ]


@pytest.mark.parametrize("is_router", [True, False])
def test_included_routers(is_router: bool, init: Init, serve: Serve, runs_inline: bool) -> None:
    call = a_function()
    router, app = APIRouter(), FastAPI(dependencies=[Depends(on_loop)])

    @router.get("/deep/")
    async def endpoint(value: Annotated[bool, Depends(call)]) -> bool:
        return value

    outer = APIRouter(prefix="/far")
    outer.include_router(router)
    app.include_router(outer)
    client = TestClient(app) if is_router else serve(app)
    if is_router:
        init(router)
    changes = [lambda: async_safe(call), lambda: async_unsafe(call)]
    assert answers(client, *changes, path="/far/deep/") == [False, runs_inline, False]


@pytest.mark.parametrize("is_initialised", [True, False])
def test_mounted_applications(
    is_initialised: bool, init: Init, serve: Serve, runs_inline: bool
) -> None:
    call = a_function()
    app, mounted = FastAPI(), app_with_dependency(call)
    app.mount("/below", mounted)
    client = TestClient(app) if is_initialised else serve(app)
    if is_initialised:
        init(mounted)
    changes = [lambda: async_safe(call), lambda: async_unsafe(call)]
    assert answers(client, *changes, path="/below/") == [False, runs_inline, False]


def test_websockets(serve: Serve, runs_inline: bool) -> None:
    call = a_function()
    app = FastAPI(dependencies=[Depends(on_loop)])

    @app.websocket("/")
    async def endpoint(websocket: WebSocket, value: Annotated[bool, Depends(call)]) -> None:
        await websocket.accept()
        await websocket.send_json(value)
        await websocket.close()

    client = serve(app)
    found = []
    for change in (unmarked, async_safe, async_unsafe):
        change(call)
        with client.websocket_connect("/") as session:
            found.append(session.receive_json())
    assert found == [False, runs_inline, False]


# ---- endpoints and what runs after them --------------------------------------------------------


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("one_trip", [True, False])
def test_an_endpoint(one_trip: bool, backend: str, serve: Serve, runs_inline: bool) -> None:
    def endpoint() -> bool:
        return is_on_loop()

    client = serve(app_with_endpoint(endpoint), backend=backend, one_trip=one_trip)
    changes = [
        lambda: async_safe(endpoint),
        lambda: async_unsafe(endpoint),
        lambda: async_safe(endpoint),
    ]
    assert answers(client, *changes) == [False, runs_inline, False, runs_inline]


@pytest.mark.parametrize("has_parameters", [True, False])
def test_an_endpoint_that_depends_on_nothing(
    has_parameters: bool, init: Init, runs_inline: bool
) -> None:
    def with_parameters(number: int = 1) -> bool:
        return here() == loop

    def without() -> bool:
        return here() == loop

    loop = here()
    endpoint = with_parameters if has_parameters else without
    app = init(FastAPI())
    app.add_api_route("/", endpoint)
    found = []
    for change in (unmarked, async_safe, async_unsafe, async_safe):
        change(endpoint)
        found.append(exchange(app).body == b"true")
    assert found == [False, runs_inline, False, runs_inline]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("is_async", [True, False])
def test_a_background_task(is_async: bool, backend: str, init: Init, runs_inline: bool) -> None:
    told: list[bool] = []

    def task() -> None:
        told.append(here() == loop)

    async def awaited(background: BackgroundTasks) -> None:
        background.add_task(task)

    def called(background: BackgroundTasks) -> None:
        background.add_task(task)

    loop = here()
    app = FastAPI()
    app.add_api_route("/", awaited if is_async else called)
    init(app)
    for change in (unmarked, async_safe, async_unsafe, async_safe):
        change(task)
        assert exchange(app, backend=backend).status == 200
    assert told == [False, runs_inline, False, runs_inline]


@pytest.mark.parametrize("backend", BACKENDS)
@each_kind
def test_a_stream(declare: Declare, backend: str, init: Init, runs_inline: bool) -> None:
    threads: set[int] = set()

    def make() -> Iterator[int]:
        for number in range(3):
            threads.add(here())
            yield number

    marked: list[Any] = []

    def keep(call: Any) -> Any:
        marked.append(call)
        return call

    app = init(app_with(declare, make, keep))
    for change in (unmarked, async_safe, async_unsafe, async_safe):
        change(marked[0])
        threads.clear()
        assert exchange(app, backend=backend).status == 200
        is_inline = runs_inline and change is async_safe
        assert (threads == {here()}) is is_inline
        assert (here() in threads) is is_inline


# ---- when they are set -------------------------------------------------------------------------


def test_a_mark_that_a_running_request_sets_is_for_the_next_one(
    serve: Serve, runs_inline: bool
) -> None:
    call = a_function()

    async def first() -> None:
        async_safe(call)

    async def endpoint(
        _: Annotated[None, Depends(first)], value: Annotated[bool, Depends(call)]
    ) -> bool:
        async_unsafe(call)
        return value

    client = serve(app_with_endpoint(endpoint))
    assert answers(client, lambda: async_safe(call)) == [False, runs_inline]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_request_that_waits_ends_with_the_plan_it_began_with(
    backend: str, init: Init, runs_inline: bool
) -> None:
    closed: list[bool] = []

    def session() -> Iterator[bool]:
        yield is_on_loop()
        closed.append(is_on_loop())

    later = a_yield_function()

    async def scenario() -> None:
        waiting, may_go = anyio.Event(), anyio.Event()

        async def wait() -> None:
            waiting.set()
            await may_go.wait()

        async def endpoint(
            first: Annotated[bool, Depends(session)],
            _: Annotated[None, Depends(wait)],
            second: Annotated[bool, Depends(later)],
        ) -> list[bool]:
            return [first, second]

        app = init(app_with_endpoint(endpoint))
        given: list[Any] = []

        async def ask() -> None:
            given.append((await Exchange().run(app)).body)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask)
            await waiting.wait()
            async_safe(session)
            async_safe(later)
            may_go.set()
        await ask()
        async_unsafe(session)
        await ask()
        shown = {True: b"true", False: b"false"}
        inline = shown[runs_inline]
        assert given == [b"[false,false]", b"[%b,%b]" % (inline, inline), b"[false,%b]" % inline]
        assert closed == [False, runs_inline, False]

    anyio.run(scenario, backend=backend)


def test_a_mark_set_in_another_thread(serve: Serve, runs_inline: bool) -> None:
    call = a_class()
    client = serve(app_with_dependency(call))
    setting = threading.Thread(target=async_safe, args=(call,))
    assert client.get("/").json() is False
    setting.start()
    setting.join()
    assert client.get("/").json() is runs_inline


def test_each_application_notices_it(init: Init, runs_inline: bool) -> None:
    call = a_function()
    apps = [init(app_with_dependency(call)) for _ in range(3)]
    clients = [TestClient(app) for app in apps]
    for change, expected in ((unmarked, False), (async_safe, runs_inline), (async_unsafe, False)):
        change(call)
        for client in clients:
            assert [client.get("/").json() for _ in range(2)] == [expected] * 2


def test_both_arguments_of_a_mark_count(serve: Serve, runs_inline: bool) -> None:
    call = a_function()
    client = serve(app_with_dependency(call))
    assert answers(client, lambda: async_safe(blocks=False)(call)) == [False, runs_inline]


# ---- what it costs -----------------------------------------------------------------------------


class Proxy:
    """Stands for something that is there for a while."""

    def __init__(self) -> None:
        self.is_bound = True

    def __call__(self) -> bool:
        return True

    def __getattr__(self, name: str) -> Any:
        if name == MARK and not self.is_bound:
            raise LookupError("it stands for nothing")
        raise AttributeError(name)


@pytest.mark.declines
def test_a_dependency_that_can_no_longer_be_asked(serve: Serve) -> None:
    proxy = Proxy()
    client = serve(app_with_dependency(proxy))
    first = client.get("/").json()
    proxy.is_bound = False
    async_safe(lambda: None)
    assert client.get("/").json() == first


@pytest.mark.accelerated
def test_a_mark_of_something_else_makes_no_plan_anew(
    init: Init, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An endpoint may mark the background task that it makes, on each request."""
    from fastapi_async_safe._planning.planner import Planner

    plans: list[Any] = []
    make = Planner.plan

    def counted(planner: Planner, root: Any) -> Any:
        plans.append(root)
        return make(planner, root)

    monkeypatch.setattr(Planner, "plan", counted)

    def endpoint(value: Annotated[bool, Depends(a_function())], tasks: BackgroundTasks) -> bool:
        @async_safe
        def task() -> None: ...

        tasks.add_task(task)
        return value

    client = TestClient(init(app_with_endpoint(endpoint)))
    before = last_mark[0]
    for _ in range(3):
        assert client.get("/").json() is False
        assert last_mark[0] is not before
        before = last_mark[0]
    assert len(plans) == 1


# ---- what is proven ----------------------------------------------------------------------------


def add(first: int, second: int) -> int:
    return first + second


class Pair:
    """What a proof follows."""

    def __init__(self, first: int, second: int) -> None:
        self.total = add(first, second)


@pytest.mark.accelerated
@pytest.mark.parametrize("inner", [add, Pair])
def test_what_a_proven_call_calls(inner: Any, serve: Serve, request: Any) -> None:
    def remove() -> None:
        for name in ("__is_async_safe__", "__async_safe_id__"):
            if name in vars(inner):
                delattr(inner, name)

    def proven(first: int = 1, second: int = 2) -> int:
        return Pair(first, second).total

    request.addfinalizer(remove)

    def endpoint(value: Annotated[int, Depends(proven)]) -> int:
        return value

    app = FastAPI()
    app.add_api_route("/", endpoint)
    client = serve(app, proven_safe=True)
    assert client.get("/").json() == 3
    entry = next(iter(app._fastapi_async_safe_resolver._entries.values()))  # type: ignore[attr-defined]
    assert [node.kind for node in entry.plan.nodes] == [INLINE, ROOT]
    async_unsafe(inner)
    assert client.get("/").json() == 3
    assert [node.kind for node in entry.plan.nodes] == [THREAD, ROOT]
