"""`init_app`: its arguments, when it may be called, and what it leaves alone."""

import functools
import gc
import warnings
import weakref
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI
from starlette.applications import Starlette
from starlette.testclient import TestClient

import fastapi_async_safe
from fastapi_async_safe import _backend, _registry, async_safe, init_app, resolver_backend
from tests.support.serving import Init, here, needs_lazy_routers


@async_safe
def marked() -> int:
    """A dependency that runs inline where its app was initialised."""
    return here()


def unmarked() -> int:
    """A dependency that runs in the pool, unless a predicate says otherwise."""
    return here()


def add_route(root: FastAPI | APIRouter, path: str = "/", dependency: Any = marked) -> None:
    """Add a route that says whether its dependency ran inline."""

    @root.get(path)
    async def endpoint(thread: Annotated[int, Depends(dependency)]) -> bool:
        return thread == here()


# ---- arguments --------------------------------------------------------------------------------


@pytest.mark.parametrize("root", [FastAPI(), APIRouter()], ids=["app", "router"])
def test_it_returns_its_root(root: Any) -> None:
    assert init_app(root) is root


@pytest.mark.parametrize("root", [None, 1, "app", Starlette(), FastAPI, marked])
def test_anything_else_as_root_is_a_type_error(root: Any) -> None:
    with pytest.raises(TypeError, match="expects a FastAPI or an APIRouter, not "):
        init_app(root)


@pytest.mark.parametrize("predicates", [1, "text", b"text", marked, {marked}, iter([marked])])
def test_predicates_that_are_no_sequence_are_a_type_error(predicates: Any) -> None:
    with pytest.raises(TypeError, match="must be a sequence of callables"):
        init_app(FastAPI(), predicates=predicates)


@pytest.mark.parametrize("predicates", [[1], [marked, None], ("marked",)])
def test_predicates_that_are_not_callable_are_a_type_error(predicates: Any) -> None:
    with pytest.raises(TypeError, match="a sequence of callables, but it contains "):
        init_app(FastAPI(), predicates=predicates)


@pytest.mark.parametrize("value", [1, 0, "yes", [], object()])
@pytest.mark.parametrize("name", ["all_classes_safe", "accelerated"])
def test_a_switch_that_is_no_bool_is_a_type_error(name: str, value: Any) -> None:
    with pytest.raises(TypeError, match=f"{name} must be True or False, not "):
        init_app(FastAPI(), **{name: value})


async def coroutine(call: Any) -> bool:
    return True


def generator(call: Any) -> Any:
    yield True


class Asynchronous:
    """A predicate that is an instance with a coroutine function."""

    async def __call__(self, call: Any) -> bool:
        return True


@pytest.mark.parametrize(
    "predicate", [coroutine, generator, Asynchronous(), functools.partial(coroutine)]
)
def test_predicates_that_give_no_answer_are_a_type_error(predicate: Any) -> None:
    with pytest.raises(TypeError, match="has to be a plain `def`"):
        init_app(FastAPI(), predicates=[predicate])


def test_unknown_keywords_are_a_type_error() -> None:
    with pytest.raises(TypeError, match="all_classes_save"):
        init_app(FastAPI(), all_classes_save=True)  # type: ignore[call-arg]


def test_all_but_the_root_are_keywords() -> None:
    with pytest.raises(TypeError, match="positional"):
        init_app(FastAPI(), True)  # type: ignore[call-arg]


def test_wrong_arguments_leave_the_app_as_it_was() -> None:
    app = FastAPI()
    add_route(app)
    with pytest.raises(TypeError):
        init_app(app, predicates=1)  # type: ignore[arg-type]
    assert TestClient(app).get("/").json() is False


def test_none_for_predicates_or_classes_means_nothing_said() -> None:
    app = FastAPI()
    add_route(app, dependency=unmarked)
    init_app(app, all_classes_safe=None, predicates=None)  # type: ignore[arg-type]
    assert TestClient(app).get("/").json() is False


def test_an_empty_sequence_of_predicates_says_nothing() -> None:
    app = init_app(FastAPI(), predicates=())
    add_route(app, dependency=unmarked)
    assert TestClient(app).get("/").json() is False


def test_the_package_exports_what_it_documents() -> None:
    for name in fastapi_async_safe.__all__:
        assert getattr(fastapi_async_safe, name).__doc__


# ---- the core ---------------------------------------------------------------------------------


@pytest.mark.accelerated
def test_requests_are_resolved_by_the_core_asked_for(init: Init, variant: str) -> None:
    core: Any = _backend.compiled_core if variant == "compiled" else _backend.python_core
    app = init(FastAPI())
    add_route(app)
    assert TestClient(app).get("/").json() is True
    resolver = _registry.resolver_of({"app": app})
    assert resolver is not None
    assert type(resolver._solve.__self__) is core.Solver
    (entry,) = resolver._entries.values()
    assert type(entry.plan) is core.Plan


@pytest.mark.skipif(resolver_backend() == "python", reason="there is no compiled core to miss")
def test_accelerating_with_a_compiled_core_warns_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        init_app(FastAPI(), accelerated=True)


# ---- when it may be called --------------------------------------------------------------------


@pytest.mark.accelerated
def test_before_and_after_routes_are_added(init: Init) -> None:
    app = FastAPI()
    add_route(app, "/before")
    init(app)
    add_route(app, "/after")
    client = TestClient(app)
    assert [client.get(path).json() for path in ("/before", "/after")] == [True, True]


@pytest.mark.accelerated
def test_before_any_lifespan_and_without_one(init: Init) -> None:
    app = init(FastAPI())
    add_route(app)
    assert TestClient(app).get("/").json() is True
    with TestClient(app) as client:
        assert client.get("/").json() is True


@pytest.mark.accelerated
def test_after_the_first_requests(init: Init) -> None:
    app = FastAPI()
    add_route(app)
    with TestClient(app) as client:
        assert client.get("/").json() is False
        init(app)
        assert client.get("/").json() is True


@pytest.mark.accelerated
def test_routes_added_after_startup_are_reached(init: Init) -> None:
    app = init(FastAPI())
    with TestClient(app) as client:
        assert client.get("/").status_code == 404
        add_route(app)
        assert client.get("/").json() is True


@pytest.mark.accelerated
def test_routers_included_after_startup_are_reached(init: Init) -> None:
    app, router = init(FastAPI()), APIRouter()
    add_route(router)
    with TestClient(app) as client:
        assert client.get("/").status_code == 404
        app.include_router(router)
        assert client.get("/").json() is True


@needs_lazy_routers
@pytest.mark.accelerated
def test_routes_added_to_an_included_router_after_startup_are_reached(init: Init) -> None:
    app, router = init(FastAPI()), APIRouter()
    app.include_router(router)
    with TestClient(app) as client:
        add_route(router, "/first")
        assert client.get("/first").json() is True
        add_route(router, "/second")
        assert client.get("/first").json() is True
        assert client.get("/second").json() is True


@pytest.mark.accelerated
def test_the_last_call_wins(init: Init) -> None:
    app = FastAPI()
    add_route(app, dependency=unmarked)
    client = TestClient(app)
    init(app)
    assert client.get("/").json() is False
    init(app, predicates=[lambda call: call is unmarked])
    assert client.get("/").json() is True
    init(app)
    assert client.get("/").json() is False


# ---- several apps -----------------------------------------------------------------------------


@pytest.mark.accelerated
def test_apps_with_different_settings_do_not_disturb_each_other(init: Init) -> None:
    class Filter:
        def __init__(self) -> None:
            self.thread = here()

    def make(**options: Any) -> TestClient:
        app = init(FastAPI(), **options)

        @app.get("/")
        async def endpoint(
            a: Annotated[int, Depends(marked)],
            b: Annotated[int, Depends(unmarked)],
            c: Annotated[Filter, Depends()],
        ) -> list[bool]:
            return [a == here(), b == here(), c.thread == here()]

        return TestClient(app)

    plain = make()
    with_classes = make(all_classes_safe=True)
    with_predicate = make(predicates=[lambda call: call is unmarked])
    for _ in range(2):
        assert plain.get("/").json() == [True, False, False]
        assert with_classes.get("/").json() == [True, False, True]
        assert with_predicate.get("/").json() == [True, True, False]


@pytest.mark.accelerated
def test_an_app_that_was_not_initialised_is_as_on_stock(init: Init) -> None:
    first, second = init(FastAPI()), FastAPI()
    add_route(first)
    add_route(second)
    assert TestClient(first).get("/").json() is True
    assert TestClient(second).get("/").json() is False


@pytest.mark.accelerated
def test_one_router_in_two_apps_runs_as_each_of_them_says(init: Init) -> None:
    router = APIRouter()
    add_route(router)
    first, second = init(FastAPI()), FastAPI()
    first.include_router(router)
    second.include_router(router)
    for _ in range(2):
        assert TestClient(first).get("/").json() is True
        assert TestClient(second).get("/").json() is False


@pytest.mark.accelerated
def test_an_app_needs_no_hash(init: Init) -> None:
    class App(FastAPI):
        __hash__ = None  # type: ignore[assignment]

        def __eq__(self, other: object) -> bool:
            return isinstance(other, App)

    app, mounted, stranger = App(), App(), App()
    for each in (app, mounted, stranger):
        add_route(each)
    app.mount("/mounted", mounted)
    init(app)
    for _ in range(2):
        assert TestClient(app).get("/").json() is True
        assert TestClient(app).get("/mounted/").json() is True
        assert TestClient(stranger).get("/").json() is False


# ---- memory -----------------------------------------------------------------------------------


def plans_of(app: FastAPI) -> int:
    """Count the dependants for which plans are kept."""
    resolver = _registry.resolver_of({"app": app})
    assert resolver is not None
    return len(resolver._entries)


def test_an_app_and_its_plans_die_together(init: Init, variant: str) -> None:
    class Dependency:
        pass

    app = init(FastAPI(), all_classes_safe=True)
    add_route(app, dependency=marked)
    assert TestClient(app).get("/").status_code == 200
    witnesses: list[Any] = [weakref.ref(app), weakref.ref(app.router)]
    if variant != "stock":
        witnesses.append(weakref.ref(_registry.resolver_of({"app": app})))
    del app
    gc.collect()
    assert [witness() for witness in witnesses] == [None] * len(witnesses)


def test_an_initialised_router_dies_with_its_app(init: Init) -> None:
    router = init(APIRouter())
    add_route(router)
    app = FastAPI()
    app.include_router(router)
    assert TestClient(app).get("/").status_code == 200
    witnesses: list[Any] = [weakref.ref(app), weakref.ref(router)]
    del app, router
    gc.collect()
    assert [witness() for witness in witnesses] == [None, None]


def test_a_mounted_app_dies_with_the_app_it_is_mounted_in(init: Init) -> None:
    app, mounted = init(FastAPI()), FastAPI()
    add_route(mounted)
    app.mount("/mounted", mounted)
    assert TestClient(app).get("/mounted/").status_code == 200
    witnesses = [weakref.ref(app), weakref.ref(mounted)]
    del app, mounted
    gc.collect()
    assert [witness() for witness in witnesses] == [None, None]


def served_with_reference_to_itself(init: Init, kind: str) -> weakref.ref[Any]:
    """Serve an app whose endpoint refers to it, and give a weak reference to it."""
    app = FastAPI()
    routes: Any = app if kind == "mounted app" else APIRouter()

    @routes.get("/")
    async def endpoint(thread: Annotated[int, Depends(marked)]) -> bool:
        return app is not None and routes is not None

    if kind == "mounted app":
        root, path = init(FastAPI()), "/mounted/"
        root.mount("/mounted", app)
    else:
        root, path = app, "/"
        init(routes) if kind == "router" else init(app)
        root.include_router(routes)
    assert TestClient(root).get(path).json() is True
    return weakref.ref(app)


def survives(init: Init, kind: str) -> bool:
    """Say whether such an app survives its last reference from elsewhere."""
    witness = served_with_reference_to_itself(init, kind)
    gc.collect()
    return witness() is not None


@pytest.mark.accelerated
@pytest.mark.parametrize("kind", ["app", "router", "mounted app"])
def test_an_app_that_its_endpoint_refers_to_dies_if_it_does_on_stock(kind: str, init: Init) -> None:
    def stock(root: Any, **options: Any) -> Any:
        return root

    # Some releases of FastAPI keep endpoints in a cache of their own.
    if not survives(stock, kind):
        assert not survives(init, kind)


@needs_lazy_routers
@pytest.mark.accelerated
def test_plans_do_not_pile_up_when_included_routers_are_rebuilt(init: Init) -> None:
    app, router = init(FastAPI()), APIRouter()
    add_route(router, "/stays")
    app.include_router(router)
    with TestClient(app) as client:
        for number in range(20):
            add_route(router, f"/{number}")
            assert client.get("/stays").json() is True
        gc.collect()
        # One is of the routes as they are now, at most one more is on its way out.
        assert plans_of(app) <= 2


@pytest.mark.accelerated
def test_plans_do_not_pile_up_when_routes_come_and_go(init: Init) -> None:
    app = init(FastAPI())
    with TestClient(app) as client:
        for number in range(20):
            add_route(app, f"/{number}")
            assert client.get(f"/{number}").json() is True
            app.router.routes.pop()
        gc.collect()
        assert plans_of(app) <= 1


@pytest.mark.accelerated
def test_plans_do_not_pile_up_when_overrides_change(init: Init) -> None:
    app = init(FastAPI())

    @app.get("/")
    async def endpoint(value: Annotated[int, Depends(unmarked)]) -> int:
        return value

    with TestClient(app) as client:
        for number in range(20):
            app.dependency_overrides[unmarked] = lambda number=number: number
            assert client.get("/").json() == number
        resolver = _registry.resolver_of({"app": app})
        assert resolver is not None
        (entry,) = resolver._entries.values()
        assert len(entry.route._overridden) < 10
