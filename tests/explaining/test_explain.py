"""What `explain` tells of routes and callables."""

import functools
import logging
import sys
import time
import types
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Query, WebSocket
from starlette.middleware.gzip import GZipMiddleware
from starlette.testclient import TestClient

from fastapi_async_safe import (
    AsyncSafeMixin,
    CallExplanation,
    RouteExplanation,
    async_safe,
    async_unsafe,
    explain,
    init_app,
)
from tests.support.serving import contexts_share, needs_dependency_scopes


def only_route(app: FastAPI) -> RouteExplanation:
    """Explain the one route of an application."""
    (route,) = explain(app).routes
    return route


def told_of(app: FastAPI, call: Callable[..., Any]) -> CallExplanation:
    """Explain one dependency of the one route of an application."""
    (told,) = (each for each in only_route(app).calls if each.call is call)
    return told


def app_with(*dependencies: Any, **options: Any) -> FastAPI:
    """Make an initialised application with one endpoint."""
    app = FastAPI(dependencies=[Depends(each) for each in dependencies])

    @app.get("/")
    async def endpoint() -> None: ...

    return init_app(app, **options)


@async_safe
def marked() -> int:
    """A marked function."""
    return 1


class Parameters(AsyncSafeMixin):
    """A class that inherits its mark."""

    def __init__(self, q: str = "") -> None:
        self.q = q


@async_unsafe
class Refused:
    """A class that is marked unsafe."""


class Plain:
    """A class without a mark."""


def unmarked() -> int:
    """A function without a mark."""
    return 1


def sleeping() -> None:
    """A function that waits."""
    time.sleep(0)


async def awaited() -> None:
    """An async function."""


def session() -> Iterator[int]:
    """A sync `yield` dependency."""
    yield 1


async def async_session() -> AsyncIterator[int]:
    """An async `yield` dependency."""
    yield 1


def is_small(call: Any) -> bool:
    """A predicate."""
    return call is unmarked


def is_broken(call: Any) -> bool:
    """A predicate that fails."""
    raise ValueError("no")


class TestReasons:
    """Why a callable runs where it does."""

    @pytest.mark.parametrize(
        ("call", "options", "place", "rule", "why"),
        [
            (marked, {}, "inline", "marked", "marked async_safe"),
            (
                Parameters,
                {},
                "inline",
                "marked",
                "marked async_safe, inherited from fastapi_async_safe.markers.AsyncSafeMixin",
            ),
            (
                functools.partial(marked),
                {},
                "inline",
                "marked",
                "marked async_safe",
            ),
            (Refused, {"all_classes_safe": True}, "thread pool", "unsafe", "marked async_unsafe"),
            (Plain, {}, "thread pool", "unmarked", "unmarked"),
            (
                Plain,
                {"all_classes_safe": True},
                "inline",
                "all_classes_safe",
                "a class, with all_classes_safe=True",
            ),
            (
                unmarked,
                {"predicates": [is_small]},
                "inline",
                "predicate",
                f"the predicate {__name__}.is_small says so",
            ),
            (
                unmarked,
                {"predicates": [is_broken]},
                "thread pool",
                "failed predicate",
                f"the predicate {__name__}.is_broken failed on it",
            ),
            (
                unmarked,
                {"proven_safe": True},
                "inline",
                "proven",
                "proven not to hold up the event loop",
            ),
            (awaited, {}, "event loop", "async def", "async def"),
            (async_session, {}, "event loop", "async def", "async def"),
            (session, {}, "thread pool", "unmarked", "unmarked"),
        ],
    )
    def test_each_rule(
        self, call: Any, options: dict[str, Any], place: str, rule: str, why: str
    ) -> None:
        told = told_of(app_with(call, **options), call)

        assert (told.place, told.rule, told.why) == (place, rule, why)
        assert (told.proof is None) == (place == "event loop")

    def test_what_is_not_proven_has_the_line(self) -> None:
        told = told_of(app_with(sleeping, proven_safe=True), sleeping)

        assert told.rule == "not proven"
        assert told.place == "thread pool"
        assert told.proof is not None
        assert told.proof.verdict == "blocks"
        assert told.why == f"not proven: {told.proof.reasons[0]}"
        assert "time.sleep" in told.why

    def test_what_is_proven_goes_along_with_its_neighbours(self) -> None:
        told = told_of(app_with(sleeping, unmarked, proven_safe=True), unmarked)

        assert (told.rule, told.place, told.trip) == ("proven", "thread pool", 1)

    def test_what_an_extension_provides(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Provide:
            def __call__(self) -> int:
                return 1

        wiring = types.ModuleType("dependency_injector.wiring")
        wiring.Provide = Provide  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "dependency_injector.wiring", wiring)
        provided = Provide()

        told = told_of(app_with(provided), provided)

        assert (told.place, told.rule) == ("inline", "extension")
        assert told.why == "Provide of dependency_injector"

    def test_a_copied_mark_does_not_count(self) -> None:
        @functools.wraps(marked)
        def wrapper() -> int:
            return marked()

        told = told_of(app_with(wrapper), wrapper)

        assert (told.place, told.rule) == ("thread pool", "copied mark")
        assert told.why.startswith("its mark was copied by functools.wraps from what it wraps, ")
        assert "mark the outermost wrapper" in told.why

    def test_without_init_app_a_mark_waits_for_it(self) -> None:
        app = FastAPI(dependencies=[Depends(marked), Depends(unmarked)])
        app.get("/")(lambda: None)

        route = only_route(app)

        assert not route.is_initialised
        assert route.core is None
        assert route.declined is None
        assert [each.why for each in route.calls] == [
            "marked async_safe; no init_app",
            "no init_app",
            "no init_app",
        ]
        assert (route.trips, route.stock_trips, route.trips_if_proven_safe) == (3, 3, 0)

    def test_a_mark_on_an_async_def_changes_nothing(self) -> None:
        @async_safe
        async def dependency() -> None: ...

        told = told_of(app_with(dependency), dependency)

        assert told.why == "async def; its mark changes nothing"


class TestRoutes:
    """Which routes are told, and in what order their calls are."""

    @contexts_share
    def test_calls_are_in_the_order_of_resolution_and_know_what_depends_on_them(self) -> None:
        def inner(db: Annotated[int, Depends(session)]) -> int:
            return db

        app = init_app(FastAPI())

        @app.get("/items")
        def endpoint(
            one: Annotated[int, Depends(inner)],
            again: Annotated[int, Depends(session)],
            other: Annotated[int, Depends(inner, use_cache=False)],
        ) -> int:
            return one

        route = only_route(app)

        assert [
            (each.call, each.parameter, each.depth, each.parent, each.is_cached)
            for each in route.calls
        ] == [
            (session, "db", 2, 1, False),
            (inner, "one", 1, 5, False),
            (session, "again", 1, 5, True),
            (session, "db", 2, 4, True),
            (inner, "other", 1, 5, False),
            (endpoint, None, 0, None, False),
        ]
        assert [each.trip for each in route.calls] == [1, 1, None, None, 1, 1]
        assert [each.role for each in route.calls][-2:] == ["dependency", "endpoint"]
        assert route.calls[0].yields
        assert route.calls[0].source == f"{__file__}:{session.__code__.co_firstlineno}"

    def test_what_is_below_a_cached_one_is_not_told_again(self) -> None:
        def user(db: Annotated[int, Depends(session)]) -> int:
            return db

        for app in (FastAPI(), init_app(FastAPI())):

            @app.get("/")
            async def endpoint(
                one: Annotated[int, Depends(user)], two: Annotated[int, Depends(user)]
            ) -> None: ...

            route = only_route(app)

            assert [(each.call, each.is_cached) for each in route.calls[:-1]] == [
                (session, False),
                (user, False),
                (user, True),
            ]

    def test_included_routers_mounts_and_websockets_are_told_with_their_prefixes(self) -> None:
        app, mounted, other = init_app(FastAPI()), FastAPI(), FastAPI()
        router, inner = APIRouter(prefix="/shop"), APIRouter(dependencies=[Depends(marked)])

        @inner.get("/items/{key}")
        def read(key: int) -> int:
            return key

        @inner.websocket("/news")
        async def news(socket: WebSocket) -> None: ...

        mounted.get("/inside")(unmarked)
        init_app(other, accelerated=True, one_trip=False).post("/outside")(unmarked)
        router.include_router(inner, prefix="/all")
        app.include_router(router)
        app.mount("/sub", mounted)
        app.mount("/other", GZipMiddleware(other))

        routes = explain(app).routes

        assert [(each.path, each.methods, each.kind) for each in routes] == [
            ("/shop/all/items/{key}", ("GET",), "route"),
            ("/shop/all/news", (), "websocket"),
            ("/sub/inside", ("GET",), "route"),
            ("/other/outside", ("POST",), "route"),
        ]
        assert all(each.is_initialised for each in routes)
        assert [each.trips for each in routes] == [1, 0, 1, 2]
        assert routes[1].calls[-1].place == "event loop"

    def test_what_is_mounted_and_cannot_be_asked_is_passed_over(self) -> None:
        class Lazy:
            def __getattr__(self, name: str) -> Any:
                raise RuntimeError(name)

        app = app_with(marked)
        app.mount("/lazy", Lazy())  # type: ignore[arg-type]

        assert [each.path for each in explain(app).routes] == ["/"]

    def test_a_router_that_was_initialised_itself_goes_by_its_own_rules(self) -> None:
        app, router = init_app(FastAPI()), APIRouter()
        init_app(router, all_classes_safe=True)
        for each in (router, app):
            each.get(f"/{type(each).__name__}", dependencies=[Depends(Plain)])(awaited)
        app.include_router(router)

        places = {each.path: each.calls[0].place for each in explain(app).routes}

        assert places == {"/FastAPI": "thread pool", "/APIRouter": "inline"}

    def test_overrides_are_told_instead_of_what_they_override(self) -> None:
        app = app_with(sleeping)
        app.dependency_overrides[sleeping] = marked

        route = only_route(app)

        assert [each.call for each in route.calls[:-1]] == [marked]
        assert (route.trips, route.stock_trips) == (0, 1)

    def test_a_declined_route_has_the_reason(self) -> None:
        class Overrides(dict[Any, Any]):
            """A mapping that may notice that it is asked."""

        app = app_with(marked)
        app.dependency_overrides = Overrides()

        route = only_route(app)

        assert route.declined is not None
        assert "no dict" in route.declined
        assert route.core is None
        assert route.calls[0].rule == "declined"
        assert route.calls[0].why == "marked async_safe; FastAPI's own code runs this route"
        assert route.trips == route.stock_trips == route.trips_if_proven_safe == 1

    @pytest.mark.parametrize("is_initialised", [True, False])
    def test_a_route_that_always_fails_hides_no_other(self, is_initialised: bool) -> None:
        class Unhashable:
            """An object that FastAPI cannot look up in its dependency cache."""

            __hash__ = None  # type: ignore[assignment]

            def __call__(self) -> int:
                return 1

        app = app_with() if is_initialised else FastAPI()

        @app.get("/good")
        async def good_route() -> None: ...

        @app.get("/unhashable", dependencies=[Depends(Unhashable())])
        def unhashable() -> None: ...

        @app.get("/overridden", dependencies=[Depends(marked)])
        def overridden() -> None: ...

        app.dependency_overrides[marked] = 3  # type: ignore[assignment]
        *good, unhashable_told, overridden_told = explain(app).routes

        client = TestClient(app)
        for route in good:
            assert route.declined is None
            assert client.get(route.path).status_code == 200
        for route in (unhashable_told, overridden_told):
            with pytest.raises(TypeError) as raised:
                client.get(route.path)
            assert route.declined == f"a request fails with TypeError: {raised.value}"
            assert [each.role for each in route.calls] == ["endpoint"]
            assert (route.core, route.trips, route.trips_if_proven_safe) == (None, 0, 0)

    @needs_dependency_scopes
    def test_contexts_of_each_scope_are_left_together(self) -> None:
        app = init_app(FastAPI())

        def request_session() -> Iterator[int]:
            yield 1

        @app.get("/")
        async def endpoint(
            one: Annotated[int, Depends(session, scope="function")],
            two: Annotated[int, Depends(request_session, scope="request")],
        ) -> None: ...

        assert only_route(app).stock_trips == 4

    def test_only_applications_are_explained(self) -> None:
        with pytest.raises(TypeError, match="explain expects a FastAPI, not 1"):
            explain(1)  # type: ignore[arg-type]


class TestNothingHappens:
    """`explain` calls nothing, logs nothing and changes nothing."""

    def test_nothing_is_called_and_nothing_is_logged(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        called: list[str] = []

        @async_safe
        def waits(
            q: Annotated[str, Query(default_factory=lambda: called.append("q") or "")],
        ) -> None:
            called.append("dependency")
            time.sleep(0)

        app = app_with(waits, unmarked, predicates=[is_broken])
        with caplog.at_level(logging.DEBUG, "fastapi_async_safe"):
            told = told_of(app, waits)
            assert caplog.records == []
            assert called == []

            TestClient(app).get("/")

        assert told.proof is not None
        assert told.proof.verdict == "blocks"
        assert called.count("dependency") == 1
        # What explain found out is still said when the first request comes.
        texts = [record.getMessage() for record in caplog.records]
        assert (
            sum("is marked async_safe, and holds up the event loop" in each for each in texts) == 1
        )
        assert sum("the predicate" in each for each in texts) == 1

    def test_predicates_are_asked_once_for_each_callable(self) -> None:
        asked: list[Any] = []
        app = app_with(unmarked, predicates=[asked.append])

        explain(app)

        assert asked.count(unmarked) == 1

    def test_routes_added_later_are_served_and_told(self) -> None:
        app, router = init_app(FastAPI()), APIRouter()
        app.include_router(router)
        assert explain(app).routes == ()

        router.get("/later")(unmarked)
        app.include_router(router, prefix="/again")

        assert "/again/later" in [each.path for each in explain(app).routes]
        assert TestClient(app).get("/again/later").json() == 1


class TestIdleMarks:
    """Marks that change nothing."""

    def reasons(self, app: FastAPI, call: Any) -> list[str]:
        return [each.why for each in explain(app).idle_marks if each.call is call]

    def test_a_mark_that_a_route_uses_is_not_idle(self) -> None:
        app = app_with(marked, Parameters, Refused, functools.partial(marked))

        for call in (marked, Parameters, Refused, AsyncSafeMixin):
            assert self.reasons(app, call) == []

    def test_a_base_class_is_used_through_its_subclasses(self) -> None:
        @async_safe
        class Base: ...

        class Derived(Base): ...

        assert self.reasons(app_with(Derived), Base) == []

    def test_a_class_is_used_through_its_instances(self) -> None:
        @async_safe
        class Called:
            def __call__(self) -> None: ...

        assert self.reasons(app_with(Called()), Called) == []

    def test_a_marked_proxy_that_stands_for_nothing_now(self) -> None:
        class Proxy:
            is_bound = True

            def __call__(self) -> None: ...

            def __getattr__(self, name: str) -> Any:
                raise AttributeError(name) if self.is_bound else LookupError(name)

        proxy = async_safe(Proxy())
        Proxy.is_bound = False
        assert self.reasons(app_with(unmarked), proxy) == [
            "no route calls it; a background task may"
        ]

    def test_what_no_route_calls(self) -> None:
        @async_safe
        def forgotten() -> None: ...

        assert self.reasons(app_with(unmarked), forgotten) == [
            "no route calls it; a background task may"
        ]

    def test_an_async_def(self) -> None:
        @async_safe
        async def dependency() -> None: ...

        why = "an async def is awaited on the event loop, marked or not"
        assert self.reasons(app_with(dependency), dependency) == [why]
        assert self.reasons(app_with(), dependency) == [f"no route calls it, and {why}"]

    def test_a_wrapper_without_a_mark(self) -> None:
        @async_safe
        def inside() -> int:
            return 1

        def decorated(function: Any) -> Any:
            def wrapper() -> Any:
                return function()

            return wrapper

        wrapper = decorated(inside)

        (why,) = self.reasons(app_with(wrapper), inside)

        assert "which wraps it and has no mark: mark the outermost wrapper" in why

    def test_what_is_gone_is_not_kept(self) -> None:
        def make() -> str:
            @async_safe
            def temporary_function() -> None: ...

            return temporary_function.__qualname__

        name = make()

        assert not any(each.name.endswith(name) for each in explain(app_with()).idle_marks)


def test_a_class_without_source_has_no_place() -> None:
    made_up = type("MadeUp", (), {"__module__": __name__})

    assert told_of(app_with(made_up), made_up).source == ""
