"""Requests that are made to hurt, and what they cost: `python -m tests.endurance.hostile`.

Each is answered by stock FastAPI and by each core, in turns; the answers must be equal. The table
has the ratio of the best times: of the processor, since these are milliseconds without a wait.
"""

import asyncio
import gc
import sys
import time
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Body, Cookie, Depends, FastAPI, Header, Query
from rich.console import Console
from rich.table import Table

from benchmarks.subjects.client import Answer, ClientRequest
from fastapi_async_safe import async_safe, init_app, resolver_backend

#: How much longer than stock's an answer may take.
LIMIT = 1.3


@dataclass(frozen=True)
class Hostile:
    """One request, as it stands in a scope."""

    name: str
    query: bytes = b""
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    path: str = "/plain"

    async def ask(self, app: FastAPI) -> Answer:
        """Give the answer of an application."""
        request = ClientRequest(self.path, method="POST", body=self.body)
        connection = request.connection()
        scope = request.scope()
        scope["query_string"] = self.query
        scope["headers"] = [*scope["headers"], *self.headers]
        await app(scope, connection.receive, connection.send)
        return Answer.of(connection)


def hostile_requests(size: int) -> list[Hostile]:
    """Make the requests.

    Parameters:
        size: how much of it; 1,000,000 makes a query of 10 MB and of a million pairs.
    """
    some, few = size // 100, size // 10
    numbers = b"&".join(b"number=%d" % number for number in range(some))
    deep = b"[" * (size // 1000) + b"]" * (size // 1000)
    return [
        Hostile("nothing of it"),
        Hostile("one long value", b"text=" + b"a" * size * 10),
        Hostile("many pairs", b"&".join([b"a=b"] * size)),
        Hostile("many empty pairs", b"&" * size),
        Hostile("many signs of equality", b"=" * size),
        Hostile("many names", b"&".join(b"a%d=b" % number for number in range(few))),
        Hostile("the wanted name often", b"&".join([b"text=b"] * few)),
        Hostile("escapes", b"text=" + b"%41" * few),
        Hostile("half escapes", b"text=" + b"%4&%=%" * few),
        Hostile("plus signs", b"text=" + b"+" * few),
        Hostile("invalid UTF-8", b"text=" + b"%ff" * few),
        Hostile("semicolons", b";" * size),
        Hostile("repeated into a list", numbers, path="/lists"),
        Hostile("repeated into a list, wrong", numbers.replace(b"=", b"=x"), path="/lists"),
        Hostile("many headers", headers=[(b"x-%d" % number, b"a") for number in range(some)]),
        Hostile("many equal headers", headers=[(b"x-text", b"a")] * some),
        Hostile(
            "many equal headers into a list", headers=[(b"x-text", b"a")] * some, path="/lists"
        ),
        Hostile("a long header", headers=[(b"x-text", b"a" * size)]),
        Hostile("many cookies", headers=[(b"cookie", b"; ".join([b"a=b"] * some))]),
        Hostile("a cookie of separators", headers=[(b"cookie", b";" * size)]),
        Hostile("a cookie of quotes", headers=[(b"cookie", b'text="' + b'\\"' * few + b'"')]),
        Hostile("many headers of cookies", headers=[(b"cookie", b"text=a")] * some),
        Hostile("deep JSON", body=deep, path="/body"),
        Hostile("wide JSON", body=b"[" + b"1," * few + b"1]", path="/body"),
        Hostile("JSON that ends too early", body=b"[" * (size // 1000), path="/body"),
    ]


def application() -> FastAPI:
    """Make an application that reads parameters of all kinds, in marked dependencies."""
    app = FastAPI()

    @async_safe
    def plain(
        text: str | None = None,
        page: int = 0,
        x_text: Annotated[str | None, Header()] = None,
        cookie: Annotated[str | None, Cookie(alias="text")] = None,
    ) -> list[Any]:
        return [len(each) if each else each for each in (text, x_text, cookie)]

    @async_safe
    def lists(
        number: Annotated[list[int] | None, Query()] = None,
        x_text: Annotated[list[str] | None, Header()] = None,
    ) -> list[int]:
        return [len(number or ()), len(x_text or ())]

    @async_safe
    def body(given: Annotated[Any, Body()]) -> int:
        return len(given)

    for dependency in (plain, lists, body):
        app.add_api_route(f"/{dependency.__name__}", _endpoint(dependency), methods=["POST"])
    return app


def _endpoint(dependency: Any) -> Any:
    async def endpoint(given: Annotated[Any, Depends(dependency)]) -> Any:
        return given

    return endpoint


def applications(cores: list[str]) -> dict[str, FastAPI]:
    """Make one application of stock FastAPI, and one on each core."""
    made = {"stock": application()}
    for core in cores:
        made[core] = init_app(application(), accelerated=core == "compiled")
    return made


async def _timed(apps: dict[str, FastAPI], hostile: Hostile, rounds: int) -> dict[str, float]:
    best: dict[str, float] = {}
    expected = await hostile.ask(apps["stock"])
    for _ in range(rounds):
        for name, app in apps.items():
            gc.collect()
            started = time.thread_time()
            answer = await hostile.ask(app)
            taken = time.thread_time() - started
            if answer != expected:
                raise AssertionError(f"{name} answers {hostile.name} otherwise: {answer}")
            best[name] = min(best.get(name, taken), taken)
    return best


def main(size: int = 1_000_000, rounds: int = 7) -> int:
    """Print the table; what takes longer than the limit is marked."""
    cores = ["compiled", "python"] if resolver_backend() == "compiled" else ["python"]
    apps = applications(cores)
    table = Table(title=f"Time of the processor, by stock's: at most {LIMIT}")
    table.add_column("request")
    for column in ("stock, ms", *cores):
        table.add_column(column, justify="right")
    too_long = 0
    for hostile in hostile_requests(size):
        best = asyncio.run(_timed(apps, hostile, rounds))
        ratios = [best[core] / best["stock"] for core in cores]
        too_long += sum(ratio > LIMIT for ratio in ratios)
        shown = [f"{ratio:.2f}{' !' if ratio > LIMIT else ''}" for ratio in ratios]
        table.add_row(hostile.name, f"{best['stock'] * 1e3:.2f}", *shown)
    Console().print(table)
    return 1 if too_long else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
