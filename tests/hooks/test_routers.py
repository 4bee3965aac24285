"""Routers, included and nested, and mounted applications: who says where a dependency runs."""

import gc
import weakref
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, WebSocket
from fastapi.routing import APIRoute
from starlette.applications import Starlette
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Host, Mount
from starlette.testclient import TestClient

from fastapi_async_safe import _registry, async_safe
from fastapi_async_safe._fastapi import COPIES_ROUTES
from tests.support.serving import Init, here, needs_lazy_routers


@async_safe
def marked() -> int:
    """A dependency that runs inline where it was said so."""
    return here()


class Filter:
    """A dependency that runs inline where all classes do."""

    def __init__(self) -> None:
        self.thread = here()


Threads = Annotated[int, Depends(marked)]
Filtered = Annotated[Filter, Depends()]


def router_with(path: str = "/", **options: Any) -> APIRouter:
    """Make a router with a route that says which of its dependencies ran inline."""
    router = APIRouter(**options)
    add_route(router, path)
    return router


def add_route(root: FastAPI | APIRouter, path: str = "/") -> None:
    @root.get(path)
    async def endpoint(thread: Threads, filtered: Filtered) -> list[bool]:
        return [thread == here(), filtered.thread == here()]


def app_with(*routers: APIRouter, prefix: str = "") -> FastAPI:
    app = FastAPI()
    for router in routers:
        app.include_router(router, prefix=prefix)
    return app


def twice(app: Any, path: str = "/") -> Any:
    """Get what an application says on the first and on the second request, which must agree."""
    client = TestClient(app)
    first, second = client.get(path).json(), client.get(path).json()
    assert first == second
    return first


INLINE, CLASSES_TOO, NOTHING = [True, False], [True, True], [False, False]

pytestmark = pytest.mark.accelerated


# ---- routers of an initialised app ------------------------------------------------------------


def test_an_included_router(init: Init) -> None:
    assert twice(init(app_with(router_with("/path"), prefix="/prefix")), "/prefix/path") == INLINE


def test_a_nested_router(init: Init) -> None:
    inner, middle, outer = router_with("/path"), APIRouter(prefix="/m"), APIRouter(prefix="/o")
    middle.include_router(inner, prefix="/i")
    outer.include_router(middle)
    assert twice(init(app_with(outer)), "/o/m/i/path") == INLINE


def test_a_router_included_twice(init: Init) -> None:
    router, app = router_with(), init(FastAPI())
    app.include_router(router, prefix="/one")
    app.include_router(router, prefix="/two")
    assert twice(app, "/one/") == INLINE
    assert twice(app, "/two/") == INLINE


def test_what_routers_and_apps_depend_on(init: Init) -> None:
    threads: list[int] = []

    def depends() -> Any:
        return Depends(async_safe(lambda: threads.append(here())))

    router = APIRouter(dependencies=[depends()])

    @router.get("/", dependencies=[depends()])
    async def endpoint() -> list[bool]:
        return [thread == here() for thread in threads]

    app = FastAPI(dependencies=[depends()])
    app.include_router(router, dependencies=[depends()])
    assert TestClient(init(app)).get("/").json() == [True] * 4


def test_a_websocket_of_an_included_router(init: Init) -> None:
    router = APIRouter()

    @router.websocket("/")
    async def endpoint(websocket: WebSocket, thread: Threads) -> None:
        await websocket.accept()
        await websocket.send_json(thread == here())
        await websocket.close()

    with TestClient(init(app_with(router))).websocket_connect("/") as session:
        assert session.receive_json() is True


# ---- initialised routers ----------------------------------------------------------------------


def test_a_router_of_an_app_that_was_not_initialised(init: Init) -> None:
    app = app_with(init(router_with("/in")), router_with("/beside"))
    add_route(app, "/own")
    assert twice(app, "/in") == INLINE
    assert twice(app, "/beside") == NOTHING
    assert twice(app, "/own") == NOTHING


def test_a_router_initialised_after_it_was_included_and_served(init: Init) -> None:
    router = router_with()
    app = app_with(router)
    assert twice(app) == NOTHING
    init(router)
    assert twice(app) == INLINE


def test_an_initialised_router_that_gets_routes_before_it_is_included(init: Init) -> None:
    router = init(APIRouter())
    add_route(router)
    assert twice(app_with(router)) == INLINE


@needs_lazy_routers
def test_an_initialised_router_that_gets_routes_after_it_was_included(init: Init) -> None:
    router = init(APIRouter())
    app = app_with(router)
    add_route(router, "/first")
    assert twice(app, "/first") == INLINE
    add_route(router, "/second")
    assert twice(app, "/second") == INLINE


def test_what_an_initialised_router_includes(init: Init) -> None:
    outer = init(APIRouter())
    outer.include_router(router_with("/inner"))
    add_route(outer, "/outer")
    app = app_with(outer)
    assert twice(app, "/inner") == INLINE
    assert twice(app, "/outer") == INLINE


@needs_lazy_routers
def test_what_an_initialised_router_includes_later(init: Init) -> None:
    outer = init(router_with("/outer"))
    app = app_with(outer)
    assert twice(app, "/outer") == INLINE
    outer.include_router(router_with("/inner"))
    assert twice(app, "/inner") == INLINE
    assert twice(app, "/outer") == INLINE


@needs_lazy_routers
def test_a_router_that_was_served_before_an_initialised_one_includes_it(init: Init) -> None:
    router, outer = router_with("/path"), init(APIRouter())
    app = app_with(router)
    app.include_router(outer, prefix="/outer")
    assert twice(app, "/path") == NOTHING
    outer.include_router(router)
    assert twice(app, "/outer/path") == INLINE
    assert twice(app, "/path") == NOTHING


def test_a_route_that_moves_to_another_initialised_router(init: Init) -> None:
    one, other = init(router_with()), init(APIRouter(), all_classes_safe=True)
    app = FastAPI()
    app.mount("/one", one)
    app.mount("/other", other)
    assert twice(app, "/one/") == INLINE
    other.routes.append(one.routes.pop())
    assert twice(app, "/other/") == CLASSES_TOO


def test_a_router_and_its_app_with_different_settings(init: Init) -> None:
    router = init(router_with("/router"), all_classes_safe=True)
    app = init(app_with(router))
    add_route(app, "/app")
    assert twice(app, "/router") == CLASSES_TOO
    assert twice(app, "/app") == INLINE


def test_an_app_with_more_settings_than_its_router(init: Init) -> None:
    router = init(router_with("/router"))
    app = init(app_with(router), all_classes_safe=True)
    add_route(app, "/app")
    assert twice(app, "/router") == INLINE
    assert twice(app, "/app") == CLASSES_TOO


@pytest.mark.parametrize("inner_first", [True, False])
def test_of_nested_routers_the_inner_one_counts(inner_first: bool, init: Init) -> None:
    inner, outer = router_with("/inner"), router_with("/outer")
    outer.include_router(inner)
    if inner_first:
        init(inner, all_classes_safe=True)
    init(outer)
    if not inner_first:
        init(inner, all_classes_safe=True)
    app = app_with(outer)
    assert twice(app, "/inner") == CLASSES_TOO
    assert twice(app, "/outer") == INLINE


def test_an_initialised_router_goes_on_where_its_app_is_initialised_again(init: Init) -> None:
    router = init(router_with(), all_classes_safe=True)
    app = init(app_with(router))
    assert twice(app) == CLASSES_TOO
    init(app)
    assert twice(app) == CLASSES_TOO
    init(router)
    assert twice(app) == INLINE


def test_an_initialised_router_in_two_apps(init: Init) -> None:
    router = init(router_with())
    assert twice(app_with(router)) == INLINE
    assert twice(init(app_with(router), all_classes_safe=True)) == INLINE


def test_the_router_of_an_app_is_a_router(init: Init) -> None:
    app = FastAPI()
    add_route(app)
    init(app.router)
    assert twice(app) == INLINE


def test_a_route_that_is_put_into_an_application_is_that_of_no_router(init: Init) -> None:
    """But where FastAPI copies routes: there it is that of the router with the least."""
    app, few, many = FastAPI(), router_with("/path"), router_with("/other")
    many.routes.extend(few.routes)
    app.router.routes.extend(many.routes)
    init(few)
    init(many, all_classes_safe=True)
    assert twice(app, "/path") == (INLINE if COPIES_ROUTES else NOTHING)
    assert twice(app, "/other") == (CLASSES_TOO if COPIES_ROUTES else NOTHING)


# ---- mounted apps -----------------------------------------------------------------------------


def test_a_mounted_app_runs_as_the_app_it_is_mounted_in(init: Init) -> None:
    app, mounted = FastAPI(), FastAPI()
    add_route(mounted)
    app.mount("/mounted", mounted)
    assert twice(init(app), "/mounted/") == INLINE


def test_an_app_mounted_after_startup(init: Init) -> None:
    app, mounted = init(FastAPI()), FastAPI()
    add_route(mounted)
    with TestClient(app) as client:
        assert client.get("/mounted/").status_code == 404
        app.mount("/mounted", mounted)
        assert client.get("/mounted/").json() == INLINE


def test_an_app_that_was_served_before_it_was_mounted(init: Init) -> None:
    app, mounted = init(FastAPI()), FastAPI()
    add_route(mounted)
    assert twice(mounted) == NOTHING
    app.mount("/mounted", mounted)
    assert twice(app, "/mounted/") == INLINE


def test_an_app_that_goes_while_a_mounted_one_is_searched(init: Init) -> None:
    class Searched(FastAPI):
        def __getattribute__(self, name: str) -> Any:
            if name == "router" and going:
                going.clear()
                gc.collect()
            return super().__getattribute__(name)

    going: list[FastAPI] = []
    before = init(Searched())
    going.append(init(FastAPI()))
    gone = weakref.ref(going[0])
    app, mounted = init(FastAPI()), FastAPI()
    add_route(mounted)
    app.mount("/mounted", mounted)
    app.mount("/before", before)
    assert twice(app, "/mounted/") == INLINE
    assert going == []
    gc.collect()
    assert gone() is None


def test_a_mount_that_moves_to_another_root(init: Init) -> None:
    app, other, mounted = FastAPI(), FastAPI(), FastAPI()
    add_route(mounted)
    app.mount("/other", other)
    app.mount("/mounted", mounted)
    init(app)
    init(other, all_classes_safe=True)
    assert twice(app, "/mounted/") == INLINE
    other.router.routes.append(app.router.routes.pop())
    assert twice(app, "/other/mounted/") == CLASSES_TOO


def test_a_mount_that_moves_below_roots(init: Init) -> None:
    mounted, one, other = FastAPI(), Starlette(), Starlette()
    add_route(mounted)
    one.mount("/mounted", mounted)
    app, second = init(FastAPI()), init(FastAPI(), all_classes_safe=True)
    app.mount("/one", one)
    app.mount("/second", second)
    second.mount("/other", other)
    assert twice(app, "/one/mounted/") == INLINE
    other.router.routes.append(one.router.routes.pop())
    assert twice(app, "/second/other/mounted/") == CLASSES_TOO


def test_a_mount_that_leads_to_another_root(init: Init) -> None:
    mounted, outermost = FastAPI(), Starlette()
    add_route(mounted)
    one, other = init(FastAPI()), init(FastAPI(), all_classes_safe=True)
    for root in (one, other):
        root.mount("/mounted", mounted)
    mount = Mount("/root", app=one)
    outermost.router.routes.append(mount)
    assert twice(outermost, "/root/mounted/") == INLINE
    mount.app = other
    assert twice(outermost, "/root/mounted/") == CLASSES_TOO


def test_a_root_mounted_beside_an_app_of_its_own_that_was_served(init: Init) -> None:
    root, mounted, outermost = init(FastAPI()), FastAPI(), Starlette()
    add_route(mounted)
    root.mount("/mounted", mounted)
    outermost.mount("/direct", mounted)
    assert twice(outermost, "/direct/") == NOTHING
    outermost.mount("/root", root)
    assert twice(outermost, "/root/mounted/") == INLINE


def test_an_app_that_is_initialised_while_one_below_it_is_searched(init: Init) -> None:
    class Searched(FastAPI):
        @property
        def routes(self) -> list[Any]:
            if waiting:
                init(waiting.pop(), all_classes_safe=True)
            return super().routes

    waiting: list[FastAPI] = []
    app, middle, mounted = init(FastAPI()), init(FastAPI()), Searched()
    _registry.forget(middle)
    add_route(mounted)
    app.mount("/middle", middle)
    middle.mount("/mounted", mounted)
    waiting.append(middle)
    client = TestClient(app)
    client.get("/middle/mounted/")
    assert waiting == []
    assert client.get("/middle/mounted/").json() == CLASSES_TOO


def test_an_app_below_three_roots(init: Init) -> None:
    mounted = FastAPI()
    add_route(mounted)
    outer, middle, inner = init(FastAPI()), init(FastAPI()), init(FastAPI(), all_classes_safe=True)
    inner.mount("/mounted", mounted)
    middle.mount("/inner", inner)
    outer.mount("/middle", middle)
    assert twice(outer, "/middle/inner/mounted/") == CLASSES_TOO


def test_a_mounted_app_with_settings_of_its_own(init: Init) -> None:
    app, mounted = FastAPI(), FastAPI()
    add_route(app)
    add_route(mounted)
    app.mount("/mounted", mounted)
    init(app)
    init(mounted, all_classes_safe=True)
    assert twice(app) == INLINE
    assert twice(app, "/mounted/") == CLASSES_TOO


def test_an_initialised_app_below_one_that_was_not(init: Init) -> None:
    app, mounted = FastAPI(), FastAPI()
    add_route(app)
    add_route(mounted)
    app.mount("/mounted", init(mounted))
    assert twice(app) == NOTHING
    assert twice(app, "/mounted/") == INLINE


def test_apps_mounted_in_mounted_apps(init: Init) -> None:
    app, middle, inner = FastAPI(), FastAPI(), FastAPI()
    add_route(inner)
    add_route(middle)
    middle.mount("/inner", inner)
    app.mount("/middle", middle)
    init(app)
    assert twice(app, "/middle/") == INLINE
    assert twice(app, "/middle/inner/") == INLINE
    init(middle, all_classes_safe=True)
    assert twice(app, "/middle/inner/") == CLASSES_TOO


def test_an_app_among_the_routes_of_an_app(init: Init) -> None:
    mounted = FastAPI()
    add_route(mounted)
    app = init(FastAPI())
    app.router.routes.append(Mount("/mounted", app=mounted))
    assert twice(app, "/mounted/") == INLINE


def test_an_app_mounted_with_middleware_around_it(init: Init) -> None:
    app, mounted = FastAPI(), FastAPI()
    add_route(mounted)
    app.mount("/mounted", GZipMiddleware(mounted))
    assert twice(init(app), "/mounted/") == INLINE


def test_an_app_below_a_starlette_app_that_is_mounted(init: Init) -> None:
    app, mounted = FastAPI(), FastAPI()
    add_route(mounted)
    app.mount("/starlette", Starlette(routes=[Mount("/mounted", app=mounted)]))
    assert twice(init(app), "/starlette/mounted/") == INLINE


def test_an_app_behind_a_host(init: Init) -> None:
    app, hosted = FastAPI(), FastAPI()
    add_route(hosted)
    app.router.routes.append(Host("testserver", app=hosted))
    assert twice(init(app)) == INLINE


def test_an_app_mounted_in_a_starlette_app(init: Init) -> None:
    mounted = FastAPI()
    add_route(mounted)
    app = Starlette(routes=[Mount("/mounted", app=mounted)])
    assert twice(app, "/mounted/") == NOTHING
    init(mounted)
    assert twice(app, "/mounted/") == INLINE


def test_one_app_mounted_in_two_runs_as_the_one_that_serves_it(init: Init) -> None:
    first, second, mounted = FastAPI(), FastAPI(), FastAPI()
    add_route(mounted)
    first.mount("/mounted", mounted)
    second.mount("/mounted", mounted)
    init(first)
    init(second, all_classes_safe=True)
    for _ in range(2):
        assert TestClient(first).get("/mounted/").json() == INLINE
        assert TestClient(second).get("/mounted/").json() == CLASSES_TOO


def test_one_app_mounted_in_an_initialised_one_and_in_another(init: Init) -> None:
    first, second, mounted = FastAPI(), FastAPI(), FastAPI()
    add_route(mounted)
    first.mount("/mounted", mounted)
    second.mount("/mounted", mounted)
    init(first)
    for _ in range(2):
        assert TestClient(first).get("/mounted/").json() == INLINE
        assert TestClient(second).get("/mounted/").json() == NOTHING


def test_an_app_that_was_served_beside_the_one_it_is_mounted_in_later(init: Init) -> None:
    app, late = init(FastAPI()), FastAPI()
    add_route(late)
    outermost = Starlette(routes=[Mount("/app", app=app), Mount("/late", app=late)])
    assert twice(outermost, "/late/") == NOTHING
    app.mount("/late", late)
    assert twice(outermost, "/app/late/") == INLINE


def test_an_initialised_router_of_a_mounted_app(init: Init) -> None:
    app, mounted = init(FastAPI()), app_with(init(router_with("/in"), all_classes_safe=True))
    add_route(mounted, "/own")
    app.mount("/mounted", mounted)
    assert twice(app, "/mounted/in") == CLASSES_TOO
    assert twice(app, "/mounted/own") == INLINE


def test_a_websocket_of_a_mounted_app(init: Init) -> None:
    app, mounted = init(FastAPI()), FastAPI()

    @mounted.websocket("/")
    async def endpoint(websocket: WebSocket, thread: Threads) -> None:
        await websocket.accept()
        await websocket.send_json(thread == here())
        await websocket.close()

    app.mount("/mounted", mounted)
    with TestClient(app).websocket_connect("/mounted/") as session:
        assert session.receive_json() is True


def test_an_app_mounted_on_a_router_that_is_included(init: Init) -> None:
    mounted = FastAPI()
    add_route(mounted)
    router = APIRouter()
    router.mount("/mounted", mounted)
    app = init(app_with(router))
    stock = app_with(router)
    if TestClient(stock).get("/mounted/").status_code == 404:
        pytest.skip("this FastAPI does not include what is mounted on a router")
    assert twice(app, "/mounted/") == INLINE


# ---- what tools put among the routes ----------------------------------------------------------


class Comparing(type):
    def __eq__(cls, other: object) -> bool:
        return cls is other

    __hash__ = None  # type: ignore[assignment]


class OddRoute(APIRoute, metaclass=Comparing):
    """A route whose class has no hash."""


class OddList(list[Any]):
    """A list that can only be gone through."""

    def __getitem__(self, position: Any) -> Any:
        raise KeyError(position)


class Lazy:
    """What stands for an application that is not there yet."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


class LazyWithRoutes(Lazy):
    """The same with routes of its own."""

    routes = ()


class WithoutRoutes:
    """An application whose routes are not there yet."""

    @property
    def routes(self) -> Any:
        raise ValueError


class LazyMount(Mount):
    """A mount of what is not there yet."""

    @property
    def app(self) -> Any:
        raise RuntimeError

    @app.setter
    def app(self, value: Any) -> None: ...


class StrictMount(Mount):
    """A mount that has nothing more to say."""

    def __getattr__(self, name: str) -> Any:
        raise KeyError(name)


class Around:
    """Middleware around itself."""

    def __init__(self) -> None:
        self.app = self

    async def __call__(self, *arguments: Any) -> None: ...


class Strict(FastAPI):
    """An application that fails for what it has not."""

    def __getattr__(self, name: str) -> Any:
        raise KeyError(name)


class StrictRouter(APIRouter):
    """A router that fails for what it has not."""

    def __getattr__(self, name: str) -> Any:
        raise KeyError(name)


def put_odd_route(app: FastAPI) -> None:
    app.router.add_api_route("/odd", lambda: 1, route_class_override=OddRoute)


def put_odd_list(app: FastAPI) -> None:
    app.router.routes = OddList(app.router.routes)


@pytest.mark.parametrize(
    "put",
    [
        put_odd_route,
        put_odd_list,
        lambda app: app.mount("/odd", Lazy()),
        lambda app: app.mount("/odd", LazyWithRoutes()),
        lambda app: app.mount("/odd", WithoutRoutes()),
        lambda app: app.mount("/odd", Around()),
        lambda app: app.mount("/odd", Strict()),
        lambda app: app.router.routes.append(LazyMount("/odd", FastAPI())),
        lambda app: app.router.routes.append(StrictMount("/odd", FastAPI())),
    ],
    ids=[
        "route",
        "list",
        "lazy",
        "lazy with routes",
        "without routes",
        "around itself",
        "strict",
        "lazy mount",
        "strict mount",
    ],
)
@pytest.mark.parametrize("initialised", ["app", "router"])
def test_odd_routes_and_mounts_fail_no_request(put: Any, initialised: str, init: Init) -> None:
    router, app, mounted = router_with("/path"), FastAPI(), FastAPI()
    add_route(mounted, "/path")
    if initialised == "app":
        init(app)
    else:
        init(router)
    if put is not put_odd_list:
        put(app)
    app.include_router(router, prefix="/included")
    app.mount("/mounted", mounted)
    if put is put_odd_list:
        put(app)
    client = TestClient(app)
    for _ in range(2):
        for path in ("/included/path", "/mounted/path"):
            assert client.get(path).status_code == 200
    assert client.get("/included/path").json() == INLINE


@pytest.mark.parametrize("is_mounted", [False, True])
def test_an_app_that_fails_for_what_it_has_not(is_mounted: bool, init: Init) -> None:
    strict, other = Strict(), FastAPI()
    add_route(strict, "/path")

    async def served(scope: Any, receive: Any, send: Any) -> None:
        await strict(scope, receive, send)  # a test client asks applications for more

    assert twice(served, "/path") == NOTHING
    init(other)
    init(StrictRouter())
    if is_mounted:
        other.mount("/mounted", strict)
        assert twice(other, "/mounted/path") == INLINE
    assert twice(served, "/path") == NOTHING


def test_a_router_that_fails_for_what_it_has_not(init: Init) -> None:
    router = StrictRouter()
    add_route(router, "/path")
    app = FastAPI()
    app.include_router(init(router), prefix="/included")
    mounted = FastAPI()
    add_route(mounted, "/path")
    app.mount("/mounted", mounted)
    assert twice(app, "/included/path") == INLINE
    assert twice(app, "/mounted/path") == NOTHING


@needs_lazy_routers
@pytest.mark.parametrize("outer", [None, True, False])
@pytest.mark.parametrize("inner", [None, True, False])
@pytest.mark.parametrize("kind", [FastAPI, APIRouter])
def test_what_an_included_router_mounts_is_served_as_it_was_said(
    kind: Any, outer: bool | None, inner: bool | None, init: Init
) -> None:
    app, router, mounted = FastAPI(), router_with("/path"), kind()
    add_route(mounted, "/path")
    router.mount("/mounted", mounted)
    app.include_router(router, prefix="/included")
    for root, classes in ((router, outer), (mounted, inner)):
        if classes is not None:
            init(root, all_classes_safe=classes)
    of = {None: NOTHING, True: CLASSES_TOO, False: INLINE}
    assert twice(app, "/included/path") == of[outer]
    assert twice(app, "/included/mounted/path") == of[outer if inner is None else inner]
