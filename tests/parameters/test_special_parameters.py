"""Parameters that FastAPI fills with things of its own: requests, responses, tasks, scopes."""

import copy
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from fastapi import (
    APIRouter,
    BackgroundTasks,
    Depends,
    FastAPI,
    Header,
    Query,
    Request,
    Response,
    Security,
    WebSocket,
)
from fastapi.routing import APIRoute
from fastapi.security import OAuth2PasswordBearer, SecurityScopes
from starlette.background import BackgroundTasks as StarletteBackgroundTasks
from starlette.datastructures import QueryParams
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse

from fastapi_async_safe import async_safe
from tests.support.serving import FASTAPI, Exchange, SameAsStock, Serve

Mark = Callable[[Any], Any]


def as_it_is(call: Any) -> Any:
    """Leave a dependency unmarked."""
    return call


MARKS = [async_safe, as_it_is]
marked_and_not = pytest.mark.parametrize("mark", MARKS)


@marked_and_not
def test_the_request_is_that_of_the_endpoint(mark: Mark, serve: Serve) -> None:
    @mark
    def dependency(request: Request, connection: HTTPConnection) -> list[Any]:
        return [request, connection]

    app = FastAPI()

    @app.get("/")
    async def endpoint(
        request: Request, got: Annotated[list[Any], Depends(dependency)]
    ) -> list[bool]:
        return [each is request for each in got]

    assert serve(app).get("/").json() == [True, True]


@marked_and_not
def test_state_set_by_a_dependency_is_seen_by_the_next(mark: Mark, serve: Serve) -> None:
    @mark
    def first(request: Request) -> None:
        request.state.seen = "first"

    @mark
    def second(request: Request) -> str:
        return f"{request.state.seen}, second"

    app = FastAPI(dependencies=[Depends(first)])

    @app.get("/")
    async def endpoint(value: Annotated[str, Depends(second)]) -> str:
        return value

    assert serve(app).get("/").json() == "first, second"


@marked_and_not
def test_headers_cookies_and_status_set_on_the_response_are_sent(mark: Mark, serve: Serve) -> None:
    @mark
    def below(response: Response) -> None:
        response.headers["x-below"] = "below"
        response.set_cookie("a", "1")
        response.status_code = 201

    @mark
    def above(response: Response, below: Annotated[None, Depends(below)]) -> None:
        response.headers["x-above"] = response.headers["x-below"] + " above"
        response.headers.append("x-many", "1")
        response.headers.append("x-many", "2")
        response.set_cookie("b", "2")

    app = FastAPI()

    @app.get("/", dependencies=[Depends(above)])
    async def endpoint(response: Response) -> list[Any]:
        response.headers["x-endpoint"] = "endpoint"
        return [response.status_code, "content-length" in response.headers]

    answer = serve(app).get("/")
    assert answer.status_code == 201
    assert answer.json() == [201, False]
    assert answer.headers["x-above"] == "below above"
    assert answer.headers["x-endpoint"] == "endpoint"
    assert answer.headers["x-many"] == "1, 2"
    assert dict(answer.cookies) == {"a": "1", "b": "2"}


@marked_and_not
def test_a_response_of_the_endpoint_takes_nothing_of_the_injected_one(
    mark: Mark, serve: Serve
) -> None:
    @mark
    def dependency(response: Response) -> None:
        response.headers["x-header"] = "lost"
        response.status_code = 201

    app = FastAPI()

    @app.get("/", dependencies=[Depends(dependency)])
    async def endpoint() -> PlainTextResponse:
        return PlainTextResponse("own")

    answer = serve(app).get("/")
    assert (answer.status_code, "x-header" in answer.headers) == (200, False)


@marked_and_not
def test_the_injected_response_is_new_for_each_request(mark: Mark, serve: Serve) -> None:
    @mark
    def dependency(response: Response, name: str) -> None:
        response.headers[f"x-{name}"] = "1"

    app = FastAPI()

    @app.get("/", dependencies=[Depends(dependency)])
    async def endpoint() -> None: ...

    client = serve(app)
    assert client.get("/?name=first").headers["x-first"] == "1"
    assert "x-first" not in client.get("/?name=second").headers


@marked_and_not
def test_background_tasks_of_all_run_in_order_after_the_response(mark: Mark, serve: Serve) -> None:
    events: list[str] = []

    @mark
    def below(tasks: BackgroundTasks) -> BackgroundTasks:
        tasks.add_task(events.append, "below")
        return tasks

    @mark
    def above(
        tasks: StarletteBackgroundTasks, same: Annotated[Any, Depends(below)]
    ) -> StarletteBackgroundTasks:
        tasks.add_task(events.append, "above")
        assert tasks is same
        return same

    app = FastAPI()

    @app.get("/")
    async def endpoint(tasks: BackgroundTasks, same: Annotated[Any, Depends(above)]) -> bool:
        tasks.add_task(events.append, "endpoint")
        events.append("response")
        return tasks is same

    client = serve(app)
    for _ in range(2):
        events.clear()
        assert client.get("/").json() is True
        assert events == ["response", "below", "above", "endpoint"]


def test_background_tasks_of_a_dependency_run_without_any_of_the_endpoint(serve: Serve) -> None:
    events: list[str] = []

    @async_safe
    def dependency(tasks: BackgroundTasks) -> None:
        tasks.add_task(events.append, "task")

    app = FastAPI(dependencies=[Depends(dependency)])

    @app.get("/value")
    async def value() -> None: ...

    @app.get("/response")
    async def response() -> PlainTextResponse:
        return PlainTextResponse("own")

    client = serve(app)
    for path in ("/value", "/response"):
        events.clear()
        assert client.get(path).status_code == 200
        assert events == ["task"]


@pytest.mark.skipif(FASTAPI < (0, 123), reason="scopes go all the way down from FastAPI 0.123 on")
@marked_and_not
def test_security_scopes_are_those_of_the_way_down(mark: Mark, serve: Serve) -> None:
    @mark
    def token(scopes: SecurityScopes) -> str:
        return scopes.scope_str

    @mark
    def user(scopes: SecurityScopes, token: Annotated[str, Security(token, scopes=["t"])]) -> Any:
        return [scopes.scopes, token]

    router = APIRouter(dependencies=[Security(token, scopes=["router"])])

    @router.get("/")
    async def endpoint(
        one: Annotated[Any, Security(user, scopes=["a", "b"])],
        two: Annotated[Any, Security(user, scopes=["b"])],
        three: Annotated[Any, Depends(user)],
    ) -> list[Any]:
        return [one, two, three]

    app = FastAPI()
    app.include_router(router)
    assert serve(app).get("/").json() == [
        [["a", "b"], "a b t"],
        [["b"], "b t"],
        [[], "t"],
    ]


@pytest.mark.accelerated  # on stock the next request saw it, from FastAPI 0.123 to 0.139
def test_security_scopes_may_be_changed_without_harm(serve: Serve) -> None:
    @async_safe
    def user(scopes: SecurityScopes) -> list[str]:
        scopes.scopes.append("changed")
        return scopes.scopes

    app = FastAPI()

    @app.get("/")
    async def endpoint(found: Annotated[list[str], Security(user, scopes=["a"])]) -> list[str]:
        return found

    client = serve(app)
    assert [client.get("/").json() for _ in range(2)] == [["a", "changed"]] * 2


@pytest.mark.accelerated
def test_a_security_scheme_answers_as_on_stock(same_as_stock: SameAsStock) -> None:
    scheme = OAuth2PasswordBearer(tokenUrl="token", scopes={"read": "reads"})

    @async_safe
    def user(scopes: SecurityScopes, token: Annotated[str, Depends(scheme)]) -> str:
        return f"{token} {scopes.scope_str}"

    @async_safe
    def active(user: Annotated[str, Security(user, scopes=["read"])]) -> str:
        return user

    def make_app() -> FastAPI:
        app = FastAPI()

        @app.get("/")
        async def endpoint(user: Annotated[str, Security(active, scopes=["me"])]) -> str:
            return user

        return app

    def sent(*authorization: bytes) -> Exchange:
        return Exchange(headers=[(b"authorization", value) for value in authorization])

    _, _, allowed = same_as_stock(make_app, sent(), sent(b"Basic abc"), sent(b"Bearer abc"))
    assert allowed.body == b'"abc me read"'


def test_a_dependency_of_requests_and_websockets_gets_which_it_is(serve: Serve) -> None:
    @async_safe
    def kind(connection: HTTPConnection) -> str:
        return type(connection).__name__

    app = FastAPI()

    @app.get("/")
    async def endpoint(kind: Annotated[str, Depends(kind)]) -> str:
        return kind

    @app.websocket("/")
    async def websocket_endpoint(websocket: WebSocket, kind: Annotated[str, Depends(kind)]) -> None:
        await websocket.accept()
        await websocket.send_text(kind)
        await websocket.close()

    client = serve(app)
    assert client.get("/").json() == "Request"
    with client.websocket_connect("/") as session:
        assert session.receive_text() == "WebSocket"


def test_the_response_has_the_attributes_that_it_has_on_stock(same_as_stock: SameAsStock) -> None:
    def make() -> FastAPI:
        app = FastAPI()

        @async_safe
        def change(response: Response) -> str:
            attributes = sorted(vars(response))
            response.raw_headers = [(b"x-lost", b"as on stock")]
            response.headers["x-kept"] = "as on stock"
            return f"{attributes} {response.status_code} {copy.copy(response).body!r}"

        @app.get("/")
        async def endpoint(value: Annotated[str, Depends(change)]) -> str:
            return value

        return app

    same_as_stock(make, Exchange(), Exchange())


class Looking(APIRoute):
    """Looks at a request before its dependencies do."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        handler = super().get_route_handler()

        async def looking(request: Request) -> Response:
            assert (request.query_params, request.headers) is not None
            response: Response = await handler(request)
            return response

        return looking


@pytest.mark.parametrize("new_query", [b"text=new&many=1&many=2", b"", None])
@pytest.mark.parametrize("has_looked", [False, True])
def test_what_a_dependency_makes_of_the_request_is_read_by_the_next(
    has_looked: bool, new_query: bytes | None, same_as_stock: SameAsStock
) -> None:
    def make() -> FastAPI:
        app = FastAPI()
        app.router.route_class = Looking if has_looked else APIRoute

        @async_safe
        def change(request: Request, text: str) -> str:
            kept = vars(request)
            kept["_stays_as_many"] = kept.pop("_form", None)
            if has_looked:
                del kept["_query_params"], kept["_headers"]
                request.scope["headers"] = [(b"x-text", b"new")]
            if has_looked and new_query is not None:
                request.scope["query_string"] = new_query
            if not has_looked:
                kept["_query_params"] = QueryParams(new_query or b"text=set")
            return text

        @async_safe
        def reread(text: str = "none", x_text: Annotated[str, Header()] = "none") -> list[str]:
            return [text, x_text]

        @app.get("/")
        async def endpoint(
            changed: Annotated[str, Depends(change)],
            again: Annotated[list[str], Depends(reread)],
            text: str = "none",
            many: Annotated[list[str], Query()] = [],  # noqa: B006
            x_text: Annotated[list[str], Header()] = [],  # noqa: B006
        ) -> list[Any]:
            return [changed, again, text, many, x_text]

        return app

    exchange = Exchange(query=b"text=old&many=0", headers=[(b"x-text", b"old")])
    same_as_stock(make, exchange, exchange)


def test_a_request_may_get_another_dict(same_as_stock: SameAsStock) -> None:
    def make() -> FastAPI:
        app = FastAPI()

        @async_safe
        def change(request: Request, text: str) -> str:
            request.__dict__ = {**vars(request), "_query_params": QueryParams("text=new")}
            return text

        @app.get("/")
        async def endpoint(changed: Annotated[str, Depends(change)], text: str) -> list[str]:
            return [changed, text]

        return app

    assert same_as_stock(make, Exchange(query=b"text=old"))[0].body == b'["old","new"]'
