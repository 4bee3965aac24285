"""What a request looks like to those who read it, or change it, while and after it is solved.

FastAPI asks the request for query, headers and cookies before it calls the first dependency. The
request keeps what it made of its scope then; whoever looks at it later finds that.
"""

import copy
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from fastapi import Cookie, Depends, FastAPI, Header, HTTPException, Path, Query, Request, WebSocket
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import AfterValidator
from starlette.datastructures import Headers, MutableHeaders, QueryParams

from fastapi_async_safe import async_safe
from tests.support.serving import Exchange, Init, SameAsStock, Serve, exchange, shown

Change = Callable[[Request], None]

SENT = [(b"x-text", b"sent"), (b"cookie", b"a=1; b=2"), (b"x-text", b"again")]


def kept_by(request: Any, sent: Any = None) -> str:
    """Show everything that a request and its scope hold of what was sent."""
    scope = request.scope
    shown: list[Any] = [list(vars(request))]
    for name in ("_query_params", "_headers", "_cookies"):
        container = vars(request).get(name)
        shown += [name, type(container).__name__, repr(container)]
        if isinstance(container, (QueryParams, Headers)):
            shown.append({key: repr(value) for key, value in vars(container).items()})
    shown += [repr(scope.get("query_string")), repr(scope.get("headers"))]
    headers = vars(request).get("_headers")
    shown.append(getattr(headers, "_list", None) is scope.get("headers"))
    shown.append(scope.get("headers") is sent)
    return repr(shown)


# ---- who looks --------------------------------------------------------------------------------


@pytest.mark.parametrize("query", [b"", b"a=1&a=2&b&=&c=%20+", b"&&"])
@pytest.mark.parametrize("headers", [[], SENT, [(b"cookie", b'a="\\073"; b')]])
@pytest.mark.parametrize("reads", [True, False])
def test_the_endpoint_finds_in_its_request_what_it_finds_on_stock(
    reads: bool, headers: list[Any], query: bytes, same_as_stock: SameAsStock
) -> None:
    def make_app() -> FastAPI:
        app = FastAPI()

        @async_safe
        def read(a: str = "none", x_text: Annotated[str, Header()] = "none") -> str:
            return a + x_text

        @app.get("/", dependencies=[Depends(read)] if reads else [])
        async def endpoint(request: Request) -> str:
            return kept_by(request)

        return app

    (answer,) = same_as_stock(make_app, Exchange(query=query, headers=headers))
    assert answer.status == 200
    assert b"_query_params" in answer.body


@pytest.mark.parametrize("error", [HTTPException(418), KeyError("text"), None])
@pytest.mark.parametrize("raises", ["dependency", "endpoint"])
def test_an_exception_handler_finds_what_it_finds_on_stock(
    raises: str, error: Exception | None, same_as_stock: SameAsStock
) -> None:
    """Without an error of its own, a parameter is missing."""

    def make_app() -> FastAPI:
        app = FastAPI()

        @async_safe
        def fail(number: int | None = None) -> None:
            if error is not None and raises == "dependency":
                raise error

        @app.get("/")
        async def endpoint(
            value: Annotated[None, Depends(fail)], a: Annotated[str, Query()]
        ) -> None:
            if error is not None:
                raise error

        async def handle(request: Request, _: Exception) -> JSONResponse:
            return JSONResponse(kept_by(request))

        for kind in (HTTPException, KeyError, RequestValidationError):
            app.add_exception_handler(kind, handle)
        return app

    query = b"number=3" if error is None else b"a=1&number=3"
    (answer,) = same_as_stock(make_app, Exchange(query=query, headers=SENT))
    assert b"_cookies" in answer.body


def test_middleware_finds_in_the_scope_what_it_finds_on_stock(init: Init) -> None:
    def looking(app: Any, seen: list[Any]) -> Any:
        async def middleware(scope: Any, receive: Any, send: Any) -> None:
            sent = scope["headers"]
            own = Request(scope)
            text = own.headers["x-text"]
            made = scope["headers"]
            await app(scope, receive, send)
            own.headers._list.append((b"x-late", b"1"))
            seen.append((text, made is sent, scope["headers"] is made, len(scope["headers"])))
            seen.append(kept_by(own, sent))

        return middleware

    def make_app() -> FastAPI:
        app = FastAPI()

        @app.get("/")
        async def endpoint() -> None: ...

        return app

    seen: tuple[list[Any], list[Any]] = [], []
    for app, each in zip((make_app(), init(make_app())), seen, strict=True):
        assert exchange(looking(app, each), headers=SENT).status == 200
    assert seen[1] == seen[0]
    assert seen[0][0] == ("sent", False, False, 4)


def test_a_route_class_finds_what_it_finds_on_stock(same_as_stock: SameAsStock) -> None:
    class Looking(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Any]:
            handle = super().get_route_handler()

            async def looking(request: Request) -> JSONResponse:
                before = kept_by(request)
                await handle(request)
                return JSONResponse([before, kept_by(request)])

            return looking

    def make_app() -> FastAPI:
        app = FastAPI()
        app.router.route_class = Looking

        @app.get("/")
        async def endpoint(a: str) -> None: ...

        return app

    (answer,) = same_as_stock(make_app, Exchange(query=b"a=1&b=2", headers=SENT))
    assert answer.status == 200


def test_a_web_socket_finds_what_it_finds_on_stock(serve: Serve) -> None:
    app = FastAPI()

    @async_safe
    def read(a: int) -> int:
        return a

    @app.websocket("/")
    async def endpoint(websocket: WebSocket, a: Annotated[int, Depends(read)]) -> None:
        kept = vars(websocket)
        await websocket.accept()
        query, headers = kept["_query_params"], kept["_headers"]
        await websocket.send_json([a, vars(query), headers._list is websocket.scope["headers"]])
        await websocket.close()

    with serve(app).websocket_connect("/?a=1&a=2") as socket:
        items, pairs = {"a": "2"}, [["a", "1"], ["a", "2"]]
        assert socket.receive_json() == [2, {"_dict": items, "_list": pairs}, True]


# ---- who changes ------------------------------------------------------------------------------


def nothing(request: Request) -> None: ...


def clear_headers_in_place(request: Request) -> None:
    request.scope["headers"].clear()


def append_to_headers(request: Request) -> None:
    request.scope["headers"] += [(b"x-text", b"late"), (b"cookie", b"a=late")]


def insert_into_headers(request: Request) -> None:
    request.scope["headers"].insert(0, (b"x-text", b"early"))


def replace_a_header_in_place(request: Request) -> None:
    request.scope["headers"][1] = (b"x-text", b"new")


def make_a_header_invalid(request: Request) -> None:
    request.scope["headers"][:] = [(b"x-number", b"none")]


def put_lists_among_headers(request: Request) -> None:
    request.scope["headers"][:] = [[b"x-text", b"as list"], [bytearray(b"x-number"), b"7"]]


def replace_the_headers_of_the_scope(request: Request) -> None:
    request.scope["headers"] = [(b"x-text", b"replaced"), (b"cookie", b"a=replaced")]


def set_headers(request: Request) -> None:
    request._headers = Headers({"x-text": "set", "cookie": "a=set", "x-number": "9"})


def set_mutable_headers(request: Request) -> None:
    request._headers = MutableHeaders({"x-text": "mutable"})


def set_headers_to_a_dict(request: Request) -> None:
    request._headers = {"x-text": "of a dict"}  # type: ignore[assignment]


def set_headers_on_a_tuple(request: Request) -> None:
    request._headers = Headers(raw=((b"x-text", b"of a tuple"),))  # type: ignore[arg-type]


def forget_headers(request: Request) -> None:
    del request._headers
    request.scope["headers"] = ((b"x-text", b"anew"), (b"cookie", b"a=anew"))


def forget_cookies(request: Request) -> None:
    del request._cookies
    request.scope["headers"][:] = [(b"cookie", b"a=anew")]


def forget_all(request: Request) -> None:
    for name in ("_query_params", "_headers", "_cookies"):
        delattr(request, name)
    request.scope["headers"] = [(b"x-text", b"anew"), (b"cookie", b"a=anew")]
    request.scope["query_string"] = b"text=anew&many=anew"


def replace_the_query_string(request: Request) -> None:
    request.scope["query_string"] = b"text=replaced"


def set_query_params(request: Request) -> None:
    request._query_params = QueryParams("text=set&many=x&many=y")


def set_query_params_to_a_dict(request: Request) -> None:
    request._query_params = {"text": "of a dict", "many": ["z"]}  # type: ignore[assignment]


def change_query_params_in_place(request: Request) -> None:
    request.query_params._dict["text"] = "changed"
    request.query_params._list.append(("many", "appended"))


def put_other_things_into_query_params(request: Request) -> None:
    request.query_params._dict["text"] = 5  # type: ignore[assignment]
    request.query_params._list[:] = [["many", "of a list"]]  # type: ignore[list-item]


def change_cookies(request: Request) -> None:
    request.cookies["a"] = "changed"


def set_cookies(request: Request) -> None:
    request._cookies = {"a": "set"}


def remove_a_cookie(request: Request) -> None:
    request.cookies.pop("a")


def remove_the_path_parameter(request: Request) -> None:
    request.scope["path_params"].pop("item")


def replace_path_params(request: Request) -> None:
    request.scope["path_params"] = {"item": "replaced"}


def replace_the_scope(request: Request) -> None:
    request.scope = {**request.scope, "path_params": {"item": "of another scope"}, "headers": []}


CHANGES = [
    each
    for each in list(globals().values())
    if getattr(each, "__annotations__", {}) == {"request": Request, "return": None}
]


def reading(
    item: Annotated[str, Path()],
    text: str = "none",
    many: Annotated[list[str], Query()] = [],  # noqa: B006
    x_text: Annotated[str, Header()] = "none",
    x_texts: Annotated[list[str], Header(alias="x-text")] = [],  # noqa: B006
    x_number: Annotated[int, Header()] = 0,
    a: Annotated[str, Cookie()] = "none",
) -> list[Any]:
    """Read something from everywhere."""
    return [item, text, many, x_text, x_texts, x_number, a]


def app_that_changes(change: Change, mark: Callable[[Any], Any]) -> FastAPI:
    """Make an application that reads everything before and after a dependency changes things."""
    app = FastAPI()
    first, again = mark(lambda found: found), mark(lambda found: found)

    def use_first(found: Annotated[list[Any], Depends(mark(reading))]) -> Any:
        return first(found)

    def use_again(found: Annotated[list[Any], Depends(mark(reading))]) -> Any:
        return again(found)

    def read_anew(found: Annotated[list[Any], Depends(mark(reading), use_cache=False)]) -> Any:
        return found

    def changing(request: Request) -> None:
        change(request)

    @app.get("/{item}")
    async def endpoint(
        request: Request,
        before: Annotated[Any, Depends(mark(use_first))],
        changed: Annotated[None, Depends(mark(changing))],
        after: Annotated[Any, Depends(mark(use_again))],
        anew: Annotated[Any, Depends(mark(read_anew))],
        x_text: Annotated[str, Header()] = "none",
    ) -> list[Any]:
        names = ("query_params", "headers", "cookies", "path_params")
        properties = [repr(getattr(request, name)) for name in names]
        return [before, after, anew, x_text, kept_by(request), properties]

    async def handle(request: Request, error: Any) -> JSONResponse:
        return JSONResponse([error.errors(), kept_by(request), request.cookies], 422)

    app.add_exception_handler(RequestValidationError, handle)
    return app


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
@pytest.mark.parametrize("mark", [async_safe, lambda call: call], ids=["marked", "unmarked"])
def test_a_change_between_dependencies_is_seen_as_on_stock(
    mark: Callable[[Any], Any], change: Change, same_as_stock: SameAsStock
) -> None:
    same_as_stock(
        lambda: app_that_changes(change, mark),
        Exchange("/thing", query=b"text=sent&many=1&many=2", headers=SENT),
        Exchange("/thing"),
    )


def test_a_parameter_that_is_gone_fails_for_the_second_use_of_what_is_cached(serve: Serve) -> None:
    client = serve(app_that_changes(remove_the_path_parameter, async_safe))
    assert client.get("/thing").status_code == 422


def test_a_change_by_somebody_who_was_not_given_the_request_is_seen(
    same_as_stock: SameAsStock,
) -> None:
    def make_app() -> Any:
        app = FastAPI()
        scopes: list[Any] = []

        @async_safe
        def change(x_text: Annotated[str, Header()]) -> str:
            headers = scopes[-1]["headers"]
            headers[:] = [(b"x-text", x_text.encode() + b" and changed")]
            return x_text

        @async_safe
        def read(x_text: Annotated[str, Header()], a: Annotated[str, Cookie()]) -> str:
            return x_text + a

        @app.get("/")
        async def endpoint(
            first: Annotated[str, Depends(change)], second: Annotated[str, Depends(read)]
        ) -> list[str]:
            return [first, second]

        class Remembering:
            def __init__(self, app: Any) -> None:
                self.app = app

            async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
                scopes.append(scope)
                await self.app(scope, receive, send)

        app.add_middleware(Remembering)
        return app

    (answer,) = same_as_stock(make_app, Exchange(headers=SENT))
    assert answer.body == b'["sent","sent and changed1"]'


def test_a_validator_may_change_what_the_next_parameter_is_read_from(
    same_as_stock: SameAsStock,
) -> None:
    def make_app() -> FastAPI:
        app = FastAPI()
        scopes: list[Any] = []

        def change(value: str) -> str:
            scopes[-1]["query_string"] = b"text=changed"
            scopes[-1]["headers"] = [*scopes[-1]["headers"], (b"cookie", b"a=changed")]
            return value

        @async_safe
        def read(
            item: Annotated[str, Path(), AfterValidator(change)],
            text: str,
            x_text: Annotated[str, Header(), AfterValidator(change)],
            a: Annotated[str, Cookie()],
        ) -> list[str]:
            return [item, text, x_text, a]

        class Remembering(APIRoute):
            def get_route_handler(self) -> Callable[[Request], Any]:
                handle = super().get_route_handler()

                async def remember(request: Request) -> Any:
                    scopes.append(request.scope)
                    return await handle(request)

                return remember

        app.router.route_class = Remembering

        @app.get("/{item}")
        async def endpoint(found: Annotated[list[str], Depends(read)]) -> list[str]:
            return found

        return app

    headers = [(b"x-text", b"sent")]
    (answer,) = same_as_stock(make_app, Exchange("/thing", query=b"text=sent", headers=headers))
    assert answer.body == b'["thing","changed","sent","changed"]'


# ---- scopes that are not as ASGI has them -----------------------------------------------------


class OddBytes(bytes):
    """What a server may take for the names of its headers."""


class NoDict(dict[str, Any]):
    """What a server may take for a scope."""


MISSING = object()


@pytest.mark.parametrize("mark", [async_safe, lambda call: call], ids=["marked", "unmarked"])
@pytest.mark.parametrize("reads", [True, False])
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("query_string", MISSING),
        ("query_string", None),
        ("query_string", 5),
        ("query_string", "text=as+text"),
        ("query_string", [("text", "as pairs")]),
        ("query_string", {"text": "of a dict"}),
        ("query_string", bytearray(b"text=sent")),
        ("headers", MISSING),
        ("headers", None),
        ("headers", 5),
        ("headers", {b"x-text": b"of a dict"}),
        ("headers", [(b"x-text", None)]),
        ("headers", [(b"x-text", b"sent"), (b"x-text", None)]),
        ("headers", [(b"x-text", b"sent"), None]),
        ("headers", [None, (b"x-text", b"sent")]),
        ("headers", [(b"x-text",)]),
        ("headers", [(b"x-text", b"sent", b"more")]),
        ("headers", [(b"cookie", None)]),
        ("headers", [(b"cookie", b"a=1"), (b"cookie", None)]),
        ("headers", [(OddBytes(b"x-text"), b"sent"), (OddBytes(b"cookie"), b"a=1")]),
        ("headers", [(b"x-text", OddBytes(b"sent")), (b"cookie", OddBytes(b"a=1"))]),
        ("headers", [(bytearray(b"x-text"), memoryview(b"sent"))]),
        ("headers", [(memoryview(b"x-text"), bytearray(b"sent"))]),
        ("headers", [("x-text", "sent")]),
        ("path_params", None),
        ("path_params", MISSING),
    ],
    ids=shown,
)
@pytest.mark.filterwarnings("ignore::BytesWarning")
def test_a_scope_outside_the_specification_fails_or_answers_as_on_stock(
    key: str, value: Any, reads: bool, mark: Callable[[Any], Any], same_as_stock: SameAsStock
) -> None:
    called: list[str] = []

    class Changing(APIRoute):
        def get_route_handler(self) -> Callable[[Request], Any]:
            handle = super().get_route_handler()

            async def changing(request: Request) -> Any:
                called.clear()
                request.scope.pop(key, None)
                if value is not MISSING:
                    request.scope[key] = copy.copy(value)
                return await handle(request)

            return changing

    def make_app() -> FastAPI:
        app = FastAPI()
        app.router.route_class = Changing

        def read(
            text: str = "none",
            x_text: Annotated[str, Header()] = "none",
            x_texts: Annotated[list[str], Header(alias="x-text")] = [],  # noqa: B006
            a: Annotated[str, Cookie()] = "none",
        ) -> list[Any]:
            called.append("read")
            return [text, x_text, x_texts, a]

        def read_nothing() -> None:
            called.append("nothing")

        async def handle(request: Request, error: Exception) -> JSONResponse:
            return JSONResponse([repr(error), called, list(vars(request))])

        app.add_exception_handler(Exception, handle)
        chosen = mark(read if reads else read_nothing)

        @app.get("/", dependencies=[Depends(mark(read_nothing))])
        async def endpoint(value: Annotated[Any, Depends(chosen)]) -> list[Any]:
            return [value, called]

        return app

    same_as_stock(make_app, Exchange())


@pytest.mark.parametrize("kind", [dict, NoDict])
def test_a_scope_of_another_type_keeps_what_it_keeps_on_stock(
    kind: type, same_as_stock: SameAsStock
) -> None:
    def make_app() -> FastAPI:
        app = FastAPI()

        @app.get("/")
        async def endpoint(request: Request, text: str = "none") -> list[str]:
            return [text, kept_by(request)]

        return app

    same_as_stock(make_app, Exchange(query=b"text=1", headers=SENT, scope_type=kind))
