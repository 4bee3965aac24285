"""Runs pytest in a folder of its own, on an application that does everything that may block."""

from collections.abc import Callable
from typing import TypeAlias

import pytest

#: An editable installation, see setup.cfg; and one without the compiled core.
NO_NOISE = (
    "-W",
    "ignore:Module already imported so cannot be rewritten:pytest.PytestAssertRewriteWarning",
    "-W",
    "ignore:fastapi-async-safe runs its Python core:RuntimeWarning",
)

Run: TypeAlias = Callable[..., pytest.RunResult]

SHOP = """
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from fastapi import BackgroundTasks, Depends, FastAPI, WebSocket
from fastapi.responses import JSONResponse, StreamingResponse

from fastapi_async_safe import async_safe, init_app

app = FastAPI()
init_app(app, accelerated=True)


@app.exception_handler(Exception)
async def answer_anyway(request: object, error: Exception) -> JSONResponse:
    return JSONResponse("answered anyway")


@async_safe(blocks=False)
def get_connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    yield connection
    connection.commit()
    connection.close()


@async_safe(blocks=False)
def sleep() -> None:
    time.sleep(0.001)
    raise LookupError


@async_safe
def compute() -> None:
    end = time.perf_counter() + 0.09
    while time.perf_counter() < end:
        pass


@async_safe(blocks=False)
class Template:
    def __init__(self) -> None:
        self.text = Path(__file__).read_text()


@async_safe
class Page:
    def __init__(self, skip: int = 0) -> None:
        self.skip = skip


def in_a_thread() -> None:
    time.sleep(0.001)


@app.get("/connection")
async def read_connection(connection: Annotated[object, Depends(get_connection)]) -> None: ...


@app.get("/sleep")
async def read_sleep(slept: Annotated[None, Depends(sleep)]) -> None: ...


@app.get("/compute")
async def read_computed(computed: Annotated[None, Depends(compute)]) -> None: ...


@app.get("/template")
async def read_template(template: Annotated[Template, Depends()]) -> None: ...


@app.get("/page")
async def read_page(
    page: Annotated[Page, Depends()], thread: Annotated[None, Depends(in_a_thread)]
) -> int:
    time.sleep(0.001)  # of an `async def`: nothing that was marked
    return page.skip


@app.get("/other-page")
async def read_other_page(page: Annotated[Page, Depends()]) -> None: ...


@app.get("/endpoint")
@async_safe(blocks=False)
def read_endpoint(background: BackgroundTasks) -> None:
    background.add_task(task)
    time.sleep(0.001)


@async_safe(blocks=False)
def task() -> None:
    time.sleep(0.002)


@app.get("/stream")
@async_safe
def read_stream() -> StreamingResponse:
    def items() -> Iterator[str]:
        yield "a"
        time.sleep(0.001)
        yield "b"

    return StreamingResponse(items())


@app.websocket("/talk")
async def talk(socket: WebSocket, template: Annotated[Template, Depends()]) -> None:
    await socket.accept()
    await socket.close()
"""

TESTS = """
import pytest
from shop import app
from starlette.testclient import TestClient

PATHS = ["connection", "sleep", "compute", "template", "page", "endpoint", "stream"]


@pytest.mark.parametrize("path", PATHS)
def test_path(path: str) -> None:
    client = TestClient(app, raise_server_exceptions=False)
    assert client.get(f"/{path}").status_code == 200
"""


def line_of(text: str, source: str = SHOP) -> int:
    """Give the number of the first line that has this text."""
    return next(
        number for number, line in enumerate(source.strip().splitlines(), start=1) if text in line
    )


def run_pytest(
    pytester: pytest.Pytester,
    *options: str,
    tests: str = TESTS,
    shop: str = SHOP,
    ini: str = "",
) -> pytest.RunResult:
    """Run pytest on a shop, in a process of its own."""
    pytester.makeini(f"[pytest]\n{ini}\n")
    pytester.makepyfile(shop=shop, test_shop=tests)
    own = ("-p", "no:asyncio", "-p", "no:cacheprovider", "-W", "error", *NO_NOISE)
    return pytester.runpytest_subprocess(*own, *options)


def findings(result: pytest.RunResult) -> list[str]:
    """Give what a strict run has found, line by line, without the folder of the shop."""
    lines = [line.strip() for line in result.outlines]
    return [
        " ".join(word.rpartition("/")[2] if "shop.py:" in word else word for word in line.split())
        for line in lines
        if line.startswith("shop.") and " of route /" in line
    ]
