"""On which thread a dependency runs: marked ones on the event loop's, others where FastAPI says."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, Security, WebSocket
from fastapi.security import SecurityScopes
from starlette.testclient import TestClient

from fastapi_async_safe import AsyncSafeMixin, async_safe, async_unsafe
from tests.support.kinds import (
    ASYNC,
    CLASSES,
    SYNC,
    Constructed,
    Kind,
    a_callable_instance,
    a_class,
    a_coroutine_function,
    a_function,
    a_partial,
    a_yield_function,
    app_with_dependency,
    app_with_endpoint,
    is_on_loop,
    on_loop,
)
from tests.support.serving import BACKENDS, Init, Serve, here


@pytest.mark.accelerated
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", SYNC)
def test_what_is_marked_runs_on_the_loop(kind: Kind, backend: str, serve: Serve) -> None:
    client = serve(app_with_dependency(async_safe(kind())), backend=backend)
    assert [client.get("/").json() for _ in range(3)] == [True] * 3


@pytest.mark.parametrize("kind", SYNC)
def test_what_is_marked_runs_in_the_pool_on_stock(kind: Kind) -> None:
    assert TestClient(app_with_dependency(async_safe(kind()))).get("/").json() is False


@pytest.mark.parametrize("kind", SYNC)
def test_what_is_not_marked_runs_in_the_pool(kind: Kind, serve: Serve) -> None:
    client = serve(app_with_dependency(kind()))
    assert [client.get("/").json() for _ in range(3)] == [False] * 3


@pytest.mark.parametrize("kind", SYNC)
def test_what_is_marked_unsafe_runs_in_the_pool_whatever_else_is_said(
    kind: Kind, serve: Serve
) -> None:
    options: dict[str, Any] = {"all_classes_safe": True, "predicates": [lambda call: True]}
    client = serve(app_with_dependency(async_unsafe(kind())), **options)
    assert client.get("/").json() is False


@pytest.mark.parametrize("kind", ASYNC)
@pytest.mark.parametrize("mark", [async_safe, async_unsafe, None])
def test_what_is_async_is_awaited_on_the_loop_whatever_its_mark(
    kind: Kind, mark: Any, serve: Serve
) -> None:
    dependency = kind() if mark is None else mark(kind())
    assert serve(app_with_dependency(dependency)).get("/").json() is True


@pytest.mark.accelerated
def test_a_bound_method_has_the_mark_of_its_function(serve: Serve) -> None:
    class Service:
        @async_safe
        def marked(self) -> bool:
            return is_on_loop()

        def unmarked(self) -> bool:
            return is_on_loop()

    assert serve(app_with_dependency(Service().marked)).get("/").json() is True
    assert serve(app_with_dependency(Service().unmarked)).get("/").json() is False


@pytest.mark.accelerated
def test_a_class_method_can_be_marked_above_and_below_its_decorator(serve: Serve) -> None:
    class Service:
        @async_safe
        @classmethod
        def above(cls) -> bool:
            return is_on_loop()

        @classmethod
        @async_safe
        def below(cls) -> bool:
            return is_on_loop()

    assert serve(app_with_dependency(Service.above)).get("/").json() is True
    assert serve(app_with_dependency(Service.below)).get("/").json() is True


@pytest.mark.accelerated
def test_subclasses_of_the_mixin_run_on_the_loop(serve: Serve) -> None:
    class Dependency(Constructed, AsyncSafeMixin):
        pass

    class Excepted(Dependency):
        pass

    assert serve(app_with_dependency(Dependency)).get("/").json() is True
    assert serve(app_with_dependency(async_unsafe(Excepted))).get("/").json() is False


@pytest.mark.accelerated
@pytest.mark.parametrize("kind", CLASSES)
def test_all_classes_safe_runs_classes_on_the_loop(kind: Kind, serve: Serve) -> None:
    assert serve(app_with_dependency(kind()), all_classes_safe=True).get("/").json() is True


@pytest.mark.parametrize("kind", [a_function, a_partial, a_callable_instance, a_yield_function])
def test_all_classes_safe_says_nothing_of_other_callables(kind: Kind, serve: Serve) -> None:
    assert serve(app_with_dependency(kind()), all_classes_safe=True).get("/").json() is False


@pytest.mark.accelerated
@pytest.mark.parametrize("kind", SYNC)
def test_a_predicate_runs_what_it_is_true_of_on_the_loop(kind: Kind, serve: Serve) -> None:
    chosen = kind()
    client = serve(app_with_dependency(chosen), predicates=[lambda call: call is chosen])
    assert client.get("/").json() is True


@pytest.mark.accelerated
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_marked_context_enters_and_exits_on_the_loop(backend: str, serve: Serve) -> None:
    threads = []

    @async_safe
    def context() -> Iterator[None]:
        threads.append(here())
        yield
        threads.append(here())

    app = FastAPI()

    @app.get("/", dependencies=[Depends(context)])
    async def endpoint() -> None:
        threads.append(here())

    assert serve(app, backend=backend).get("/").status_code == 200
    assert len(threads) == 3
    assert len(set(threads)) == 1


def test_an_unmarked_context_enters_and_exits_in_the_pool(serve: Serve) -> None:
    threads = []

    def context() -> Iterator[None]:
        threads.append(threading.current_thread().name)
        yield
        threads.append(threading.current_thread().name)

    app = FastAPI()

    @app.get("/", dependencies=[Depends(context)])
    async def endpoint() -> str:
        return threading.current_thread().name

    loop = serve(app).get("/").json()
    assert len(threads) == 2
    assert loop not in threads


@pytest.mark.accelerated
def test_marked_and_unmarked_dependencies_mix(serve: Serve) -> None:
    @async_safe
    def marked() -> int:
        return here()

    def unmarked(above: Annotated[int, Depends(marked)]) -> tuple[int, int]:
        return above, here()

    @async_safe
    def top(below: Annotated[tuple[int, int], Depends(unmarked)]) -> list[int]:
        return [*below, here()]

    app = FastAPI()

    @app.get("/")
    async def endpoint(threads: Annotated[list[int], Depends(top)]) -> list[bool]:
        return [thread == here() for thread in threads]

    assert serve(app).get("/").json() == [True, False, True]


@pytest.mark.accelerated
def test_the_mark_of_an_override_decides(serve: Serve) -> None:
    marked, unmarked = async_safe(a_function()), a_function()
    app = app_with_dependency(marked)
    client = serve(app)
    app.dependency_overrides[marked] = unmarked
    assert client.get("/").json() is False
    app = app_with_dependency(unmarked)
    client = serve(app)
    app.dependency_overrides[unmarked] = marked
    assert client.get("/").json() is True


@pytest.mark.accelerated
def test_a_marked_class_may_use_the_running_loop(serve: Serve) -> None:
    @async_safe
    class Connection:
        def __init__(self) -> None:
            self.loop = asyncio.get_running_loop()

    app = FastAPI()

    @app.get("/")
    async def endpoint(connection: Annotated[Connection, Depends()]) -> bool:
        return connection.loop is asyncio.get_running_loop()

    assert serve(app).get("/").json() is True


@pytest.mark.accelerated
def test_a_marked_security_scheme_runs_on_the_loop(serve: Serve) -> None:
    @async_safe
    def scheme(scopes: SecurityScopes) -> tuple[str, int]:
        return scopes.scope_str, here()

    app = FastAPI()

    @app.get("/")
    async def endpoint(
        found: Annotated[tuple[str, int], Security(scheme, scopes=["read"])],
    ) -> tuple[str, bool]:
        return found[0], found[1] == here()

    assert serve(app).get("/").json() == ["read", True]


@pytest.mark.accelerated
def test_what_a_websocket_depends_on_runs_on_the_loop(serve: Serve) -> None:
    app = FastAPI(dependencies=[Depends(on_loop)])

    @app.websocket("/")
    async def endpoint(
        websocket: WebSocket,
        marked: Annotated[bool, Depends(async_safe(a_function()))],
        unmarked: Annotated[bool, Depends(a_function())],
    ) -> None:
        await websocket.accept()
        await websocket.send_json([marked, unmarked])
        await websocket.close()

    with serve(app).websocket_connect("/") as session:
        assert session.receive_json() == [True, False]


@pytest.mark.accelerated
def test_a_mark_on_one_app_policy_does_not_leak_into_another(init: Init) -> None:
    shared = a_class()
    first, second = app_with_dependency(shared), app_with_dependency(shared)
    init(first, all_classes_safe=True)
    init(second)
    for _ in range(2):
        assert TestClient(first).get("/").json() is True
        assert TestClient(second).get("/").json() is False


def test_an_unmarked_endpoint_stays_in_the_pool(serve: Serve) -> None:
    def endpoint(on_the_loop: Annotated[bool, Depends(a_coroutine_function())]) -> list[bool]:
        return [on_the_loop, is_on_loop()]

    assert serve(app_with_endpoint(endpoint)).get("/").json() == [True, False]
