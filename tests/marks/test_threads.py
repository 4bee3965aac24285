"""On which thread a dependency runs: marked ones on the event loop's, others where FastAPI says."""

import asyncio
import dataclasses
import functools
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any, Self

import pytest
from fastapi import Depends, FastAPI, Security, WebSocket
from fastapi.security import SecurityScopes
from starlette.testclient import TestClient

from fastapi_async_safe import AsyncSafeMixin, async_safe, async_unsafe
from tests.support.serving import BACKENDS, Init, Serve, here, needs_unwrapping

# Each of these makes a new dependency of one kind, whose value tells the thread it was called on.
Kind = Callable[[], Any]


def a_function() -> Any:
    def dependency() -> int:
        return here()

    return dependency


def a_lambda() -> Any:
    return lambda: int(here())


class Constructed:
    """Tells the thread of its constructor."""

    def __init__(self) -> None:
        self.thread = here()


def a_class() -> Any:
    class Dependency(Constructed):
        pass

    return Dependency


def a_class_made_by_new() -> Any:
    class Dependency:
        def __new__(cls) -> Self:
            self = super().__new__(cls)
            self.thread = here()
            return self

        thread: int

    return Dependency


def a_dataclass() -> Any:
    @dataclasses.dataclass
    class Dependency:
        limit: int = 10
        thread: int = dataclasses.field(default_factory=here, init=False)

    return Dependency


def a_callable_instance() -> Any:
    class Checker:
        def __call__(self) -> int:
            return here()

    return Checker()


def a_static_method() -> Any:
    class Service:
        @staticmethod
        def method() -> int:
            return here()

    return Service.method


def a_partial() -> Any:
    return functools.partial(lambda offset: here() + offset, 0)


def a_partial_of_a_partial() -> Any:
    return functools.partial(functools.partial(lambda a, b: here() + a + b, 0), 0)


def a_wrapped_function() -> Any:
    def inner() -> int:
        return here()

    @functools.wraps(inner)
    def outer() -> int:
        return inner()

    return outer


def a_yield_function() -> Any:
    def dependency() -> Iterator[int]:
        yield here()

    return dependency


def a_yield_callable_instance() -> Any:
    class Context:
        def __call__(self) -> Iterator[int]:
            yield here()

    return Context()


def a_partial_of_a_yield_function() -> Any:
    def dependency(offset: int) -> Iterator[int]:
        yield here() + offset

    return functools.partial(dependency, 0)


def a_wrapped_yield_function() -> Any:
    inner = a_yield_function()

    @functools.wraps(inner)
    def outer() -> Iterator[int]:
        return inner()

    return outer


SYNC = [
    a_function,
    a_lambda,
    a_class,
    a_class_made_by_new,
    a_dataclass,
    a_callable_instance,
    a_static_method,
    a_partial,
    a_partial_of_a_partial,
    a_wrapped_function,
    a_yield_function,
    a_yield_callable_instance,
    a_partial_of_a_yield_function,
    pytest.param(a_wrapped_yield_function, marks=needs_unwrapping),
]


def a_coroutine_function() -> Any:
    async def dependency() -> int:
        return here()

    return dependency


def an_async_yield_function() -> Any:
    async def dependency() -> AsyncIterator[int]:
        yield here()

    return dependency


def an_async_callable_instance() -> Any:
    class Checker:
        async def __call__(self) -> int:
            return here()

    return Checker()


def a_partial_of_a_coroutine_function() -> Any:
    return functools.partial(a_coroutine_function())


ASYNC = [
    a_coroutine_function,
    an_async_yield_function,
    an_async_callable_instance,
    pytest.param(a_partial_of_a_coroutine_function, marks=needs_unwrapping),
]


def app_with(dependency: Any) -> FastAPI:
    """Make an application that says whether its dependency ran on the event loop's thread."""
    app = FastAPI()

    @app.get("/")
    async def endpoint(value: Annotated[Any, Depends(dependency)]) -> bool:
        return getattr(value, "thread", value) == here()

    return app


@pytest.mark.accelerated
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", SYNC)
def test_what_is_marked_runs_on_the_loop(kind: Kind, backend: str, serve: Serve) -> None:
    client = serve(app_with(async_safe(kind())), backend=backend)
    assert [client.get("/").json() for _ in range(3)] == [True] * 3


@pytest.mark.parametrize("kind", SYNC)
def test_what_is_marked_runs_in_the_pool_on_stock(kind: Kind) -> None:
    assert TestClient(app_with(async_safe(kind()))).get("/").json() is False


@pytest.mark.parametrize("kind", SYNC)
def test_what_is_not_marked_runs_in_the_pool(kind: Kind, serve: Serve) -> None:
    client = serve(app_with(kind()))
    assert [client.get("/").json() for _ in range(3)] == [False] * 3


@pytest.mark.parametrize("kind", SYNC)
def test_what_is_marked_unsafe_runs_in_the_pool_whatever_else_is_said(
    kind: Kind, serve: Serve
) -> None:
    options: dict[str, Any] = {"all_classes_safe": True, "predicates": [lambda call: True]}
    client = serve(app_with(async_unsafe(kind())), **options)
    assert client.get("/").json() is False


@pytest.mark.parametrize("kind", ASYNC)
@pytest.mark.parametrize("mark", [async_safe, async_unsafe, None])
def test_what_is_async_is_awaited_on_the_loop_whatever_its_mark(
    kind: Kind, mark: Any, serve: Serve
) -> None:
    dependency = kind() if mark is None else mark(kind())
    assert serve(app_with(dependency)).get("/").json() is True


@pytest.mark.accelerated
def test_a_bound_method_has_the_mark_of_its_function(serve: Serve) -> None:
    class Service:
        @async_safe
        def marked(self) -> int:
            return here()

        def unmarked(self) -> int:
            return here()

    assert serve(app_with(Service().marked)).get("/").json() is True
    assert serve(app_with(Service().unmarked)).get("/").json() is False


@pytest.mark.accelerated
def test_a_class_method_can_be_marked_above_and_below_its_decorator(serve: Serve) -> None:
    class Service:
        @async_safe
        @classmethod
        def above(cls) -> int:
            return here()

        @classmethod
        @async_safe
        def below(cls) -> int:
            return here()

    assert serve(app_with(Service.above)).get("/").json() is True
    assert serve(app_with(Service.below)).get("/").json() is True


@pytest.mark.accelerated
def test_subclasses_of_the_mixin_run_on_the_loop(serve: Serve) -> None:
    class Dependency(Constructed, AsyncSafeMixin):
        pass

    class Excepted(Dependency):
        pass

    assert serve(app_with(Dependency)).get("/").json() is True
    assert serve(app_with(async_unsafe(Excepted))).get("/").json() is False


@pytest.mark.accelerated
@pytest.mark.parametrize("kind", [a_class, a_class_made_by_new, a_dataclass])
def test_all_classes_safe_runs_classes_on_the_loop(kind: Kind, serve: Serve) -> None:
    assert serve(app_with(kind()), all_classes_safe=True).get("/").json() is True


@pytest.mark.parametrize("kind", [a_function, a_partial, a_callable_instance, a_yield_function])
def test_all_classes_safe_says_nothing_of_other_callables(kind: Kind, serve: Serve) -> None:
    assert serve(app_with(kind()), all_classes_safe=True).get("/").json() is False


@pytest.mark.accelerated
@pytest.mark.parametrize("kind", SYNC)
def test_a_predicate_runs_what_it_is_true_of_on_the_loop(kind: Kind, serve: Serve) -> None:
    chosen = kind()
    client = serve(app_with(chosen), predicates=[lambda call: call is chosen])
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
    app = app_with(marked)
    client = serve(app)
    app.dependency_overrides[marked] = unmarked
    assert client.get("/").json() is False
    app = app_with(unmarked)
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
    app = FastAPI()

    @app.websocket("/")
    async def endpoint(
        websocket: WebSocket,
        marked: Annotated[int, Depends(async_safe(a_function()))],
        unmarked: Annotated[int, Depends(a_function())],
    ) -> None:
        await websocket.accept()
        await websocket.send_json([marked == here(), unmarked == here()])
        await websocket.close()

    with serve(app).websocket_connect("/") as session:
        assert session.receive_json() == [True, False]


@pytest.mark.accelerated
def test_a_mark_on_one_app_policy_does_not_leak_into_another(init: Init) -> None:
    shared = a_class()
    first, second = app_with(shared), app_with(shared)
    init(first, all_classes_safe=True)
    init(second)
    for _ in range(2):
        assert TestClient(first).get("/").json() is True
        assert TestClient(second).get("/").json() is False


def test_an_unmarked_endpoint_stays_in_the_pool(serve: Serve) -> None:
    app = FastAPI()

    @app.get("/")
    def endpoint(value: Annotated[int, Depends(a_coroutine_function)]) -> bool:
        return value == here()

    assert serve(app).get("/").json() is False
