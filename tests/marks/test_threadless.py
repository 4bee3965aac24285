"""Where there are no threads: with a predicate that is true of everything no route makes any."""

import dataclasses
import functools
import importlib.util
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any

import anyio
import anyio.to_thread
import pytest
from fastapi import (
    APIRouter,
    BackgroundTasks,
    Depends,
    FastAPI,
    File,
    Form,
    HTTPException,
    Request,
    Response,
    Security,
    UploadFile,
    WebSocket,
)
from fastapi.responses import HTMLResponse, JSONResponse, StreamingResponse
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm, SecurityScopes
from pydantic import BaseModel, field_validator
from starlette.background import BackgroundTask
from starlette.middleware.base import BaseHTTPMiddleware

from fastapi_async_safe import _hooks, async_unsafe
from tests.support.serving import BACKENDS, Exchange, Init, Message, here

STREAMS_ITEMS = importlib.util.find_spec("fastapi.sse") is not None  # 0.135
HAS_CONCURRENCY_LIMITS = "max_concurrency" in Depends.__code__.co_varnames  # 0.163

FORM = ((b"content-type", b"application/x-www-form-urlencoded"),)
UPLOAD = ((b"content-type", b"multipart/form-data; boundary=limit"),)
FILE = (
    b"--limit\r\n"
    b'content-disposition: form-data; name="file"; filename="name.txt"\r\n'
    b"content-type: text/plain\r\n\r\n"
    b"content\r\n"
    b"--limit--\r\n"
)


class ThreadUsedError(AssertionError):
    """Something wanted a thread where there is none."""


def no_thread(*arguments: object, **keywords: object) -> None:
    """Stand in for everything that would run something in a thread."""
    raise ThreadUsedError(f"a thread is wanted for {arguments}")


@pytest.fixture
def forbid_threads(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Give what takes the threads away for the rest of the test."""

    def forbid() -> None:
        monkeypatch.setattr(anyio.to_thread, "run_sync", no_thread)
        monkeypatch.setattr(ThreadPoolExecutor, "submit", no_thread)
        monkeypatch.setattr(threading.Thread, "start", no_thread)

    return forbid


# ---- dependencies -----------------------------------------------------------------------------

left: list[str] = []  # by which context, and what background tasks did


def function(number: int = 1) -> int:
    """A function."""
    return number


class Service:
    """A class with a dependency of its own."""

    def __init__(self, number: Annotated[int, Depends(function)], name: str = "name") -> None:
        self.number, self.name = number, name


@dataclasses.dataclass
class Page:
    """A dataclass."""

    limit: int = 10


class Checker:
    """A callable instance, and one that gives a context."""

    def __call__(self, page: Annotated[Page, Depends()]) -> int:
        return page.limit

    def context(self) -> Iterator[str]:
        yield "context"
        left.append("method")


def session(service: Annotated[Service, Depends()]) -> Iterator[str]:
    """A context."""
    try:
        yield service.name
    finally:
        left.append("session")


async def asynchronous(opened: Annotated[str, Depends(session)]) -> AsyncIterator[str]:
    """An async context on a sync one."""
    yield opened
    left.append("asynchronous")


def user(
    token: Annotated[str, Depends(OAuth2PasswordBearer("token", auto_error=False))],
    scopes: SecurityScopes,
) -> str:
    """A function that wants security scopes."""
    return f"{token} {scopes.scope_str}"


def refusing(refuse: bool = False) -> None:
    """A function that raises."""
    if refuse:
        raise HTTPException(403, "refused")


class Item(BaseModel):
    """What endpoints give, with a validator of its own."""

    number: int
    name: str = "name"

    @field_validator("number")
    @classmethod
    def is_not_negative(cls, number: int) -> int:
        if number < 0:
            raise ValueError("negative")
        return number


class KnownError(Exception):
    """An exception there is a handler for."""


# ---- the application --------------------------------------------------------------------------


def make_app() -> FastAPI:
    """Make an application with a route of every kind."""
    app = FastAPI(dependencies=[Depends(refusing)])
    app.include_router(make_router())
    outer = APIRouter(prefix="/outer", dependencies=[Depends(session)])
    outer.include_router(make_router(), prefix="/inner", dependencies=[Depends(Page)])
    app.include_router(outer)
    mounted = FastAPI()
    mounted.include_router(make_router())
    app.mount("/mounted", mounted)

    @app.exception_handler(KnownError)
    async def handle(request: Request, error: KnownError) -> Response:
        return JSONResponse({"handled": str(error)}, 418)

    return app


def make_router() -> APIRouter:
    """Make a router with a route of every kind."""
    router = APIRouter()
    declare_endpoints(router)
    declare_streams(router)
    declare_tasks(router)
    if HAS_CONCURRENCY_LIMITS:

        @router.get(
            "/limited", dependencies=[Depends(each, max_concurrency=1) for each in (session, Page)]
        )
        def limited() -> str:
            return "limited"

    @router.websocket("/websocket")
    async def websocket(
        websocket: WebSocket,
        service: Annotated[Service, Depends()],
        opened: Annotated[str, Depends(session)],
    ) -> None:
        await websocket.accept()
        await websocket.send_json([await websocket.receive_text(), service.number, opened])
        await websocket.close()

    return router


def declare_endpoints(router: APIRouter) -> None:
    """Add endpoints that are no streams."""

    @router.get("/dependencies/{path}")
    def dependencies(
        path: str,
        service: Annotated[Service, Depends()],
        limit: Annotated[int, Depends(Checker())],
        method: Annotated[str, Depends(Checker().context)],
        opened: Annotated[str, Depends(session)],
        awaited: Annotated[str, Depends(asynchronous)],
        partial: Annotated[int, Depends(functools.partial(function, 7))],
        who: Annotated[str, Security(user, scopes=["read"])],
    ) -> list[Any]:
        return [path, service.name, service.number, limit, method, opened, awaited, partial, who]

    @router.get("/model", response_model=Item)
    def model(number: int) -> dict[str, int]:
        return {"number": number}

    @router.get("/model-async", response_model=Item)
    async def model_async(service: Annotated[Service, Depends()]) -> dict[str, int]:
        return {"number": service.number}

    @router.get("/html", response_class=HTMLResponse)
    def html() -> str:
        return "<p>"

    @router.get("/response")
    def response(response: Response) -> Response:
        return Response("text", 201, {"x-header": "set"})

    @router.delete("/nothing", status_code=204)
    def nothing(response: Response) -> None:
        response.headers["x-header"] = "set"

    @router.get("/raising")
    def raising() -> None:
        raise KnownError("raised")

    @router.post("/body")
    def body(item: Item, service: Annotated[Service, Depends()]) -> Item:
        return item.model_copy(update={"name": service.name})

    @router.post("/form")
    def form(
        word: Annotated[str, Form()], given: Annotated[OAuth2PasswordRequestForm, Depends()]
    ) -> list[str]:
        return [word, given.username, given.password]

    @router.post("/upload")
    def upload(file: Annotated[UploadFile, File()]) -> list[Any]:
        return [file.filename, file.file.read().decode()]

    @router.post("/upload-async")
    async def upload_async(file: Annotated[UploadFile, File()]) -> list[Any]:
        return [file.filename, (await file.read()).decode()]

    router.add_api_route("/instance", Checker())
    router.add_api_route("/partial", functools.partial(function, 7))


def declare_streams(router: APIRouter) -> None:
    """Add endpoints that stream."""

    def parts() -> Iterator[bytes]:
        for part in (b"one ", b"two ", b"three"):
            left.append("part")
            yield part

    @router.get("/stream")
    def stream(opened: Annotated[str, Depends(session)]) -> StreamingResponse:
        return StreamingResponse(parts())

    @router.get("/stream-async")
    async def stream_async() -> StreamingResponse:
        return StreamingResponse(parts())

    if not STREAMS_ITEMS:
        return

    @router.get("/raw", response_class=StreamingResponse)
    def raw(opened: Annotated[str, Depends(session)]) -> Iterator[bytes]:
        yield from parts()

    @router.get("/lines")
    def lines(opened: Annotated[str, Depends(session)]) -> Iterator[Item]:
        for number in range(3):
            yield Item(number=number)

    from fastapi.sse import EventSourceResponse

    @router.get("/events", response_class=EventSourceResponse)
    def events(opened: Annotated[str, Depends(session)]) -> Iterator[Item]:
        for number in range(3):
            yield Item(number=number)


def declare_tasks(router: APIRouter) -> None:
    """Add endpoints with background tasks."""

    def task(name: str) -> None:
        left.append(name)

    def tasks_of_dependency(tasks: BackgroundTasks) -> None:
        tasks.add_task(task, "dependency")

    @router.get("/tasks", dependencies=[Depends(tasks_of_dependency)])
    def added(tasks: BackgroundTasks) -> None:
        tasks.add_task(task, "endpoint")
        tasks.add_task(functools.partial(task, name="partial"))
        tasks.add_task(Page, 5)

    @router.get("/task")
    def given() -> Response:
        return Response(background=BackgroundTask(task, "response"))


# ---- requests ---------------------------------------------------------------------------------

OVERRIDDEN = Exchange("/dependencies/x", headers=((b"x-overridden", b"1"),))
BELOW: list[Exchange] = [
    Exchange("/dependencies/x", b"number=3", ((b"authorization", b"Bearer token"),)),
    Exchange("/dependencies/x", b"number=x&limit=y"),
    Exchange("/model", b"number=3"),
    Exchange("/model", b"number=-3"),
    Exchange("/model-async", b"number=3"),
    Exchange("/html"),
    Exchange("/response"),
    Exchange("/nothing", method="DELETE"),
    Exchange("/raising"),
    Exchange(
        "/body",
        headers=((b"content-type", b"application/json"),),
        method="POST",
        body=b'{"number":1}',
    ),
    Exchange("/body", headers=((b"content-type", b"application/json"),), method="POST", body=b"{"),
    Exchange(
        "/form",
        headers=FORM,
        method="POST",
        body=b"word=w&grant_type=password&username=u&password=p",
    ),
    Exchange("/upload", headers=UPLOAD, method="POST", body=FILE),
    Exchange("/upload-async", headers=UPLOAD, method="POST", body=FILE),
    Exchange("/instance", b"limit=3"),
    Exchange("/partial"),
    Exchange("/stream"),
    Exchange("/stream-async"),
    *([Exchange("/raw"), Exchange("/lines"), Exchange("/events")] if STREAMS_ITEMS else []),
    Exchange("/tasks"),
    Exchange("/task"),
    *([Exchange("/limited")] if HAS_CONCURRENCY_LIMITS else []),
]
PREFIXES = ["", "/outer/inner", "/mounted"]
OF_THE_APP = [
    Exchange("/model", b"number=3&refuse=true"),
    Exchange("/openapi.json"),
    Exchange("/docs"),
    Exchange("/absent"),
    OVERRIDDEN,
]
REQUESTS = [
    *(dataclasses.replace(each, path=prefix + each.path) for prefix in PREFIXES for each in BELOW),
    *OF_THE_APP,
]


def shown(exchange: Exchange) -> str:
    """Name a request in the output."""
    query = exchange.query.decode()
    return f"{exchange.method}-{exchange.path}{'?' * bool(query)}{query}"


async def converse(app: FastAPI, path: str) -> list[Message]:
    """Open a WebSocket, send one text, and give all that comes back."""
    sent: list[Message] = []
    incoming: Iterator[Message] = iter(
        [
            {"type": "websocket.connect"},
            {"type": "websocket.receive", "text": "hello"},
            {"type": "websocket.disconnect", "code": 1000},
        ]
    )

    async def receive() -> Message:
        return next(incoming)

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        **Exchange(path, b"number=4").scope(),
        "type": "websocket",
        "scheme": "ws",
        "subprotocols": [],
    }
    del scope["method"]
    await app(scope, receive, send)
    return sent


@functools.cache
def app_of(variant: str) -> FastAPI:
    """Make the application once for each variant: it is a large one."""
    return make_app()


def served(app: FastAPI, request: Exchange, backend: str) -> tuple[Any, list[str]]:
    """Give the answer, and what contexts and tasks left behind."""
    left.clear()
    app.dependency_overrides = {function: lambda: 42} if request is OVERRIDDEN else {}
    answer = anyio.run(request.run, app, backend=backend)
    return answer.shown(), left[:]


@pytest.mark.accelerated
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("request_", REQUESTS, ids=shown)
def test_no_route_wants_a_thread(
    request_: Exchange,
    backend: str,
    variant: str,
    init: Init,
    forbid_threads: Callable[[], None],
) -> None:
    expected = served(app_of("stock"), request_, backend)
    app = init(app_of(variant), predicates=[lambda call: True])
    forbid_threads()
    assert served(app, request_, backend) == expected
    assert served(app, request_, backend) == expected


@pytest.mark.accelerated
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("prefix", PREFIXES)
def test_no_websocket_wants_a_thread(
    prefix: str,
    backend: str,
    variant: str,
    init: Init,
    forbid_threads: Callable[[], None],
) -> None:
    app = init(app_of(variant), predicates=[lambda call: True])
    app.dependency_overrides = {}
    forbid_threads()
    left.clear()
    sent = anyio.run(converse, app, f"{prefix}/websocket", backend=backend)
    assert json.loads(sent[1]["text"]) == ["hello", 4, "name"]
    assert [message["type"] for message in sent][::2] == ["websocket.accept", "websocket.close"]
    assert left == ["session"]


@pytest.mark.accelerated
def test_all_of_it_is_on_one_thread(init: Init) -> None:
    seen: list[int] = []

    def visit() -> None:
        seen.append(here())

    def context() -> Iterator[None]:
        visit()
        yield
        visit()

    def parts() -> Iterator[bytes]:
        visit()
        yield b""
        visit()

    app = init(FastAPI(), predicates=[lambda call: True])

    @app.get("/", dependencies=[Depends(context), Depends(visit)])
    def endpoint(tasks: BackgroundTasks) -> StreamingResponse:
        visit()
        tasks.add_task(visit)
        return StreamingResponse(parts())

    anyio.run(Exchange().run, app)
    assert seen == [here()] * 7


@pytest.mark.accelerated
def test_a_middleware_around_it_changes_nothing(
    init: Init, forbid_threads: Callable[[], None]
) -> None:
    async def dispatch(request: Request, call_next: Any) -> Any:
        response = await call_next(request)
        response.headers["x-seen"] = "1"
        return response

    app = make_app()
    app.add_middleware(BaseHTTPMiddleware, dispatch=dispatch)
    init(app, predicates=[lambda call: True])
    forbid_threads()
    left.clear()
    for path, body in (("/stream", b"one two three"), ("/tasks", b"null")):
        answer = anyio.run(Exchange(path).run, app)
        assert (answer.error, answer.body) == (None, body)
        assert (b"x-seen", b"1") in answer.headers
    assert [each for each in left if each != "part"] == [
        "session",
        "dependency",
        "endpoint",
        "partial",
    ]


NOT_READABLE = next(each for each in BELOW if each.body == b"{")


@pytest.mark.parametrize(
    "request_", [each for each in BELOW if each is not NOT_READABLE], ids=shown
)
def test_stock_does_want_threads(request_: Exchange, forbid_threads: Callable[[], None]) -> None:
    _hooks.remove()
    forbid_threads()
    answer = anyio.run(request_.run, app_of("stock"))
    assert "a thread is wanted" in "".join(answer.shown()[2])


@pytest.mark.accelerated
def test_what_is_marked_unsafe_wants_its_thread(
    init: Init, forbid_threads: Callable[[], None]
) -> None:
    app = init(FastAPI(), predicates=[lambda call: True])
    app.add_api_route("/", async_unsafe(lambda: None))
    forbid_threads()
    error = anyio.run(Exchange().run, app).error
    assert isinstance(error, ThreadUsedError)
