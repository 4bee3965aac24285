"""Requests that are read in another way than Starlette's: subclasses, and patched getters."""

import gzip
import json
from collections.abc import Callable, Coroutine, Iterator
from typing import Annotated, Any

import pytest
import starlette.datastructures
import starlette.requests
from fastapi import APIRouter, Body, Cookie, Depends, FastAPI, Header, Query, Request, Response
from fastapi.routing import APIRoute
from starlette.datastructures import FormData, Headers, QueryParams
from starlette.testclient import TestClient

from tests.tools.scene import Scene, check


class OwnQuery(Request):
    """Has a query of its own, with an item that no request brings along."""

    @property
    def query_params(self) -> QueryParams:
        return QueryParams([*super().query_params.multi_items(), ("limit", "41"), ("tags", "own")])


class OwnHeaders(Request):
    """Has headers of its own."""

    @property
    def headers(self) -> Headers:
        return Headers(raw=[(b"x-user", b"own"), (b"x-tags", b"own"), *super().headers.raw])


class OwnCookies(Request):
    """Has cookies of its own."""

    @property
    def cookies(self) -> dict[str, str]:
        return {**super().cookies, "session": "own"}


class OwnPath(Request):
    """Has path parameters of its own."""

    @property
    def path_params(self) -> dict[str, Any]:
        return {name: f"4{value}" for name, value in super().path_params.items()}


class OwnBody(Request):
    """Decompresses bodies, and counts in a header how often it is asked."""

    async def body(self) -> bytes:
        if not hasattr(self, "_body"):
            found = await super().body()
            zipped = "gzip" in self.headers.getlist("content-encoding")
            self._body = gzip.decompress(found) if zipped else found
        return self._body


class OwnForm(Request):
    """Has a form of its own."""

    async def _get_form(self, **options: Any) -> FormData:
        found = await super()._get_form(**options)
        return FormData([*found.multi_items(), ("limit", "42")])


class Untouched(Request):
    """Is a class of its own, and nothing else."""


CLASSES = [OwnQuery, OwnHeaders, OwnCookies, OwnPath, OwnBody, OwnForm, Untouched]


def subclasses(scene: Scene) -> Any:
    """Serve routes whose classes hand over requests of a subclass."""
    return [_serve(scene, _route_class(request)) for request in CLASSES]


def parsed_before(scene: Scene) -> Any:
    """Serve routes whose class has asked for everything, or put something else in its place."""

    def ask(request: Request) -> Request:
        assert request.query_params is request.query_params
        assert request.headers is request.headers
        assert request.cookies is request.cookies
        return request

    def put(request: Request) -> Request:
        request._query_params = QueryParams("limit=43&tags=put&tags=put+too")
        request._headers = Headers({"x-user": "put", "x-tags": "put"})
        request._cookies = {"session": "put"}
        return request

    def change_scope(request: Request) -> Request:
        request.scope["query_string"] = b"limit=44&tags=changed"
        request.scope["headers"] = [*request.scope["headers"], (b"x-user", b"changed")]
        request.scope["path_params"] = {"item": "45"}
        return request

    class Upper(QueryParams):
        def get(self, key: Any, default: Any = None) -> Any:
            return "46" if key == "limit" else super().get(key, default)

        def getlist(self, key: Any) -> list[Any]:
            return [value.upper() for value in super().getlist(key)]

    class Loud(Headers):
        def get(self, key: str, default: Any = None) -> Any:
            return super().get(key, "") + "!"

        def getlist(self, key: str) -> list[str]:
            return [value + "!" for value in super().getlist(key)]

    def put_subclasses(request: Request) -> Request:
        request._query_params = Upper(request.scope["query_string"].decode())
        request._headers = Loud(scope=request.scope)
        return request

    return [
        _serve(scene, _route_class(change)) for change in (ask, put, change_scope, put_subclasses)
    ]


def _route_class(change: Callable[..., Request]) -> type[APIRoute]:
    class Route(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            handler = super().get_route_handler()

            async def changed(request: Request) -> Response:
                if isinstance(change, type):
                    request = change(request.scope, request.receive)
                else:
                    request = change(request)
                return await handler(request)

            return changed

    return Route


def _serve(scene: Scene, route_class: type[APIRoute], between: Callable[[], Any] = list) -> Any:
    app = _app(scene, route_class)
    scene.install(app)
    client = TestClient(app, raise_server_exceptions=False)
    client.cookies.set("session", "abc")
    answers = _answers(client)
    between()
    return answers + _answers(client)


def _app(scene: Scene, route_class: type[APIRoute]) -> FastAPI:
    @scene.marked
    class Page:
        def __init__(
            self,
            request: Request,
            limit: int = 10,
            tags: Annotated[list[str], Query()] = [],  # noqa: B006
        ) -> None:
            scene.visit("marked Page")
            self.found = [limit, tags, type(request).__name__]

    @scene.marked
    def from_headers(
        x_user: Annotated[str, Header()] = "nobody",
        x_tags: Annotated[list[str], Header()] = [],  # noqa: B006
        session: Annotated[str, Cookie()] = "none",
    ) -> Iterator[list[Any]]:
        scene.visit("marked from_headers")
        yield [x_user, x_tags, session]

    @scene.marked
    def from_path(item: int) -> int:
        scene.visit("marked from_path")
        return item

    @scene.marked
    def from_body(name: Annotated[str, Body()], count: Annotated[int, Body()] = 1) -> list[Any]:
        scene.visit("marked from_body")
        return [name, count]

    @scene.marked
    def from_form(limit: Annotated[str, Depends(_form_field())] = "") -> str:
        scene.visit("marked from_form")
        return limit

    router = APIRouter(route_class=route_class)

    @router.get("/items/{item}")
    async def items(
        item: Annotated[int, Depends(from_path)],
        page: Annotated[Page, Depends()],
        headers: Annotated[list[Any], Depends(from_headers)],
        request: Request,
        limit: int = 0,
    ) -> list[Any]:
        return [item, page.found, headers, limit, request.url.query]

    @router.post("/body")
    async def body(found: Annotated[list[Any], Depends(from_body)]) -> list[Any]:
        return found

    @router.post("/form")
    async def form(found: Annotated[str, Depends(from_form)]) -> str:
        return found

    app = FastAPI()
    app.include_router(router)
    return app


def _form_field() -> Any:
    from fastapi import Form

    def limit(limit: Annotated[str, Form()] = "none") -> str:
        return limit

    return limit


def _answers(client: TestClient) -> list[Any]:
    headers = [("x-user", "me"), ("x-tags", "a"), ("x-tags", "b")]
    zipped = gzip.compress(json.dumps({"name": "zipped", "count": 3}).encode())
    as_json = {"content-type": "application/json", "content-encoding": "gzip"}
    answers = [
        client.get("/items/1?limit=5&tags=x&tags=y", headers=headers),
        client.get("/items/2"),
        client.get("/items/three?limit=many"),
        client.post("/body", json={"name": "n"}),
        client.post("/body", content=zipped, headers=as_json),
        client.post("/form", data={"limit": "7"}),
    ]
    return [[answer.status_code, answer.text] for answer in answers]


def patched_before(scene: Scene) -> Any:
    """Patch the getters, as tools do that follow what users send, then serve."""
    tracked = _patch()
    return [_serve(scene, APIRoute), sorted(tracked)]


def patched_between_requests(scene: Scene) -> Any:
    """Patch the getters when plans are there already."""
    tracked: list[set[str]] = []
    answers = _serve(scene, APIRoute, between=lambda: tracked.append(_patch()))
    return [answers, sorted(tracked[0])]


def patched_properties(scene: Scene) -> Any:
    """Patch properties of requests, between requests and before others."""
    tracked: set[str] = set()

    def patch() -> None:
        for name in ("query_params", "headers", "cookies", "path_params"):
            _patch_property(starlette.requests.HTTPConnection, name, tracked)

    answers = [_serve(scene, APIRoute, between=patch), sorted(tracked)]
    tracked.clear()
    return [*answers, _serve(scene, APIRoute), sorted(tracked)]


_GETTERS = [
    (starlette.datastructures, "QueryParams.__getitem__"),
    (starlette.datastructures, "QueryParams.get"),
    (starlette.datastructures, "QueryParams.getlist"),
    (starlette.datastructures, "Headers.__getitem__"),
    (starlette.datastructures, "Headers.get"),
    (starlette.datastructures, "Headers.getlist"),
    (starlette.datastructures, "FormData.get"),
    (starlette.requests, "cookie_parser"),
]


def _patch() -> set[str]:
    """Patch them all, and give what they will have handed out."""
    import wrapt

    tracked: set[str] = set()

    def track(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        result = wrapped(*args, **kwargs)
        tracked.add(f"{wrapped.__qualname__}{args} {result}")
        # What is followed has to arrive, so it is made to be seen.
        return f"{result}!" if result == "me" else result

    for module, name in _GETTERS:
        wrapt.wrap_function_wrapper(module, name, track)
    return tracked


def _patch_property(owner: type, name: str, tracked: set[str]) -> None:
    getter = getattr(owner, name).fget

    def tracking(self: Any) -> Any:
        tracked.add(name)
        found = getter(self)
        return {**found, "item": "47"} if name == "path_params" and found else found

    setattr(owner, name, property(tracking))


def a_subclass_of_the_dependency_class(scene: Scene) -> Any:
    """Patch the class of requests itself, in the modules that make them."""
    import fastapi.routing
    import starlette.routing

    def patch() -> None:
        for module in (fastapi.routing, starlette.routing):
            module.Request = OwnQuery  # type: ignore[attr-defined]

    patch()
    return _serve(scene, APIRoute)


@pytest.mark.accelerated
@pytest.mark.parametrize(
    "played",
    [
        subclasses,
        parsed_before,
        patched_before,
        patched_between_requests,
        patched_properties,
        a_subclass_of_the_dependency_class,
    ],
)
def test_requests_are_read_as_they_say(played: Any, variant: str) -> None:
    check(played, variant, "init_app first")
