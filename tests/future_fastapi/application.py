"""The application that is served under an edited FastAPI, and the requests it gets.

It has a route for everything that FastAPI's resolver does. Nothing in it imports the package under
test, so that it is the same on stock.
"""

import asyncio
import inspect
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any, NamedTuple, TypeVar

import fastapi.dependencies.utils
from fastapi import (
    APIRouter,
    BackgroundTasks,
    Body,
    Cookie,
    Depends,
    FastAPI,
    Form,
    Header,
    Query,
    Request,
    Response,
    Security,
    WebSocket,
)
from fastapi.security import SecurityScopes
from pydantic import BaseModel
from starlette.responses import StreamingResponse
from starlette.testclient import TestClient

Call = TypeVar("Call", bound=Callable[..., Any])

# What was called while a request was answered: name, on the loop or not, by FastAPI's own code or
# not (None where that cannot be seen, in a thread).
visits: list[tuple[str, bool, bool | None]] = []


_marked: list[Any] = []


def marked(call: Call) -> Call:
    """Let `is_marked` say that `call` is safe on the loop."""
    _marked.append(call)
    return call


def is_marked(call: Any) -> bool:
    """Say whether `call` is safe on the loop: the predicate for `init_app`."""
    return any(call is each for each in _marked)


def visit(name: str) -> None:
    """Note that `name` was called here."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        visits.append((name, False, None))
        return
    own = fastapi.dependencies.utils.__file__
    frame = sys._getframe()
    by_fastapi = False
    while frame.f_back is not None:
        frame = frame.f_back
        code = frame.f_code
        by_fastapi |= code.co_filename == own and code.co_name == "solve_dependencies"
    visits.append((name, True, by_fastapi))


@marked
class Page:
    """A class with query parameters of several kinds."""

    def __init__(
        self,
        needed: int,
        text: str = "a default",
        limit: int = 10,
        flag: bool | None = None,
        tags: Annotated[list[str], Query()] = ["x"],  # noqa: B006
        other: Annotated[str, Query(alias="other-name")] = "else",
    ) -> None:
        visit("marked Page")
        self.found = [needed, text, limit, flag, tags, other]


@marked
def from_headers(
    x_text: Annotated[str, Header()] = "none",
    x_number: Annotated[int | None, Header()] = None,
    session: Annotated[str | None, Cookie()] = None,
) -> list[Any]:
    visit("marked from_headers")
    return [x_text, x_number, session]


@marked
def from_path(item: int) -> int:
    visit("marked from_path")
    return item


@marked
def context() -> Iterator[str]:
    visit("marked context")
    yield "context"
    visit("marked context exit")


def pool_context() -> Iterator[str]:
    visit("pool_context")
    yield "pool context"
    visit("pool_context exit")


async def async_context(below: Annotated[str, Depends(context)]) -> AsyncIterator[str]:
    visit("async_context")
    yield f"async context on {below}"
    visit("async_context exit")


async def coroutine(page: Annotated[Page, Depends()]) -> list[Any]:
    visit("coroutine")
    return page.found


def in_pool(number: int = 1) -> int:
    visit("in_pool")
    return number


@marked
def mixed(
    pool: Annotated[int, Depends(in_pool)], page: Annotated[list[Any], Depends(coroutine)]
) -> list[Any]:
    visit("marked mixed")
    return [pool, page]


@marked
def secured(scopes: SecurityScopes) -> list[str]:
    visit("marked secured")
    return scopes.scopes


def done(what: str) -> None:
    visit(f"task {what}")


@marked
def special(request: Request, response: Response, tasks: BackgroundTasks) -> str:
    visit("marked special")
    response.headers["x-special"] = "yes"
    tasks.add_task(done, request.url.path)
    return request.method


@marked
def from_body(name: Annotated[str, Body()], count: Annotated[int, Body()] = 1) -> list[Any]:
    visit("marked from_body")
    return [name, count]


@marked
def from_form(name: Annotated[str, Form()]) -> str:
    visit("marked from_form")
    return name


@marked
def unusual(number: int = 1) -> int:
    """What an edit may give a meaning to."""
    visit("marked unusual")
    return number


unusual.weight = 2  # type: ignore[attr-defined]
unusual.labels = ["a", "b"]  # type: ignore[attr-defined]
unusual.resource = True  # type: ignore[attr-defined]


def overridden() -> str:
    visit("overridden")
    return "the original"


@marked
def override(number: int = 5) -> str:
    visit("marked override")
    return f"the override {number}"


def separated() -> Any:
    """Make a query parameter with an attribute that an edit may give a meaning to."""
    info = Query()
    if hasattr(type(info), "separator"):
        info.separator = ","
    return info


@marked
def from_separated(words: Annotated[str, separated()] = "none") -> Any:
    visit("marked from_separated")
    return words


@marked
def task(what: str) -> None:
    visit(f"marked task {what}")


@marked
def limited() -> str:
    visit("marked limited")
    return "limited"


class Answer(BaseModel):
    """What the marked endpoint gives."""

    found: list[Any]


router = APIRouter(dependencies=[Depends(context)])


@router.get("/included/{item}")
async def included(item: Annotated[int, Depends(from_path)]) -> int:
    return item


def make() -> FastAPI:
    """Make the application."""
    app = FastAPI()
    app.include_router(router)

    @app.get("/plain")
    async def plain(number: int = 0) -> int:
        return number

    @app.get("/query")
    async def query(page: Annotated[Page, Depends()]) -> list[Any]:
        return page.found

    @app.get("/headers")
    async def headers(found: Annotated[list[Any], Depends(from_headers)]) -> list[Any]:
        return found

    @app.get("/path/{item}")
    async def path(item: Annotated[int, Depends(from_path)]) -> int:
        return item

    @app.get("/contexts")
    async def contexts(
        first: Annotated[str, Depends(context)],
        second: Annotated[str, Depends(pool_context)],
        third: Annotated[str, Depends(async_context)],
    ) -> list[str]:
        visit("endpoint")
        return [first, second, third]

    @app.get("/mixed")
    async def mix(found: Annotated[list[Any], Depends(mixed)]) -> list[Any]:
        return found

    @app.get("/secured")
    async def security(scopes: Annotated[list[str], Security(secured, scopes=["a", "b"])]) -> Any:
        return scopes

    @app.get("/special")
    async def specials(found: Annotated[str, Depends(special)]) -> str:
        return found

    @app.post("/body")
    async def body(found: Annotated[list[Any], Depends(from_body)]) -> list[Any]:
        return found

    @app.post("/form")
    async def form(found: Annotated[str, Depends(from_form)]) -> str:
        return found

    @app.get("/unusual")
    async def unusuals(
        found: Annotated[Any, Depends(unusual)], below: Annotated[Any, Depends(in_pool)]
    ) -> list[Any]:
        return [found, below]

    @app.get("/deadline")
    async def deadline(found: Annotated[Any, Depends(from_headers)]) -> Any:
        return found

    deadline.deadline = 30  # type: ignore[attr-defined]

    @app.get("/separated")
    async def separate(found: Annotated[Any, Depends(from_separated)]) -> Any:
        return found

    @app.get("/endpoint", response_model=Answer)
    @marked
    def endpoint(page: Annotated[Page, Depends()], tasks: BackgroundTasks) -> Any:
        visit("marked endpoint")
        tasks.add_task(task, "of the endpoint")
        return {"found": page.found, "more": True}

    @app.get("/stream")
    @marked
    def stream(item: Annotated[str, Depends(context)]) -> StreamingResponse:
        def parts() -> Iterator[str]:
            for part in (item, "and", "more"):
                visit(f"marked part {part}")
                yield part

        return StreamingResponse(parts())

    @app.websocket("/socket")
    async def socket(websocket: WebSocket, page: Annotated[Page, Depends()]) -> None:
        await websocket.accept()
        await websocket.send_json(page.found)
        await websocket.close()

    if "max_concurrency" in inspect.signature(Depends).parameters:

        @app.get("/limited")
        async def limits(found: Annotated[str, Depends(limited, max_concurrency=1)]) -> str:
            return found

    with_overrides = FastAPI()
    with_overrides.dependency_overrides[overridden] = override

    @with_overrides.get("/")
    async def replaced(
        found: Annotated[str, Depends(overridden)], page: Annotated[Page, Depends()]
    ) -> list[Any]:
        return [found, page.found]

    app.mount("/overridden", with_overrides)
    return app


class Sent(NamedTuple):
    """One request."""

    name: str
    route: str
    method: str
    url: str
    options: dict[str, Any] = {}  # noqa: RUF012


REQUESTS = [
    Sent("plain", "/plain", "GET", "/plain?number=4"),
    Sent(
        "query",
        "/query",
        "GET",
        "/query?needed=1&text=&limit=007&flag=yes&tags=a&tags=b&other-name=c&other-name=d",
    ),
    Sent("query defaults", "/query", "GET", "/query?needed=2"),
    Sent("query wrong", "/query", "GET", "/query?limit=x&flag=maybe"),
    Sent("headers", "/headers", "GET", "/headers", {"headers": {"x-text": "t", "x-number": "3"}}),
    Sent("headers defaults", "/headers", "GET", "/headers"),
    Sent("cookies", "/headers", "GET", "/headers", {"headers": {"cookie": "session=abc; other=1"}}),
    Sent("path", "/path/{item}", "GET", "/path/12"),
    Sent("path wrong", "/path/{item}", "GET", "/path/twelve"),
    Sent("contexts", "/contexts", "GET", "/contexts"),
    Sent("mixed", "/mixed", "GET", "/mixed?needed=1&number=3"),
    Sent("mixed wrong", "/mixed", "GET", "/mixed?number=three"),
    Sent("secured", "/secured", "GET", "/secured"),
    Sent("special", "/special", "GET", "/special"),
    Sent("body", "/body", "POST", "/body", {"json": {"name": "n", "count": 2}}),
    Sent("body wrong", "/body", "POST", "/body", {"json": {"count": "two"}}),
    Sent("form", "/form", "POST", "/form", {"data": {"name": "n"}}),
    Sent("unusual", "/unusual", "GET", "/unusual?number=3"),
    Sent("deadline", "/deadline", "GET", "/deadline"),
    Sent("separated", "/separated", "GET", "/separated?words=a,b"),
    Sent("endpoint", "/endpoint", "GET", "/endpoint?needed=1"),
    Sent("stream", "/stream", "GET", "/stream"),
    Sent("limited", "/limited", "GET", "/limited"),
    Sent("included", "/included/{item}", "GET", "/included/7"),
    Sent("overridden", "/", "GET", "/overridden/?needed=1&number=6"),
    Sent("overridden wrong", "/", "GET", "/overridden/?number=six"),
    Sent("socket", "/socket", "WEBSOCKET", "/socket?needed=1&limit=3"),
]


def answers(app: FastAPI) -> dict[str, list[Any]]:
    """Send each request twice.

    Returns:
        By name of the request, for each time: the answer, and what was called meanwhile.
    """
    # Inside its context the client keeps one event loop for all requests.
    with TestClient(app, raise_server_exceptions=False) as client:
        return {sent.name: [_answer(client, sent) for _ in range(2)] for sent in REQUESTS}


def _answer(client: TestClient, sent: Sent) -> list[Any]:
    visits.clear()
    answer: Any
    if sent.method == "WEBSOCKET":
        try:
            with client.websocket_connect(sent.url) as session:
                answer = session.receive_json()
        except Exception as error:  # what a server would log
            answer = repr(error)
    else:
        response = client.request(sent.method, sent.url, **sent.options)
        answer = [response.status_code, response.text, sorted(response.headers.items())]
    return [answer, list(visits)]
