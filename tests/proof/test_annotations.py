"""Annotations that mean something else by the time of the first request: FastAPI's count.

NOTE: they are no strings in this file itself: FastAPI 0.115 does not know those of a class.
"""

import linecache
import threading
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, Query, Request
from fastapi.security import SecurityScopes
from pydantic import BeforeValidator, PlainValidator
from starlette.testclient import TestClient

from benchmarks.runs.thread_trips import counted_thread_trips
from fastapi_async_safe import prove
from tests.proof.test_expected import OddInt, OddStr, ran
from tests.support.serving import Init


def made_of_pool() -> Any:
    return OddStr("odd")


async def made() -> Any:
    return OddStr("odd")


OddText = Annotated[str, PlainValidator(OddStr)]
OddNumber = Annotated[int, PlainValidator(OddInt)]


class OddRequest(Request):
    def strip(self) -> str:
        ran.add(threading.get_ident())
        return "odd"


class OddScopes(SecurityScopes):
    pass


#: What the annotation names when the route is made, and what it names then; what is called.
REBOUND: dict[str, tuple[Any, Any, str]] = {
    "text": (OddText, str, "x.strip()"),
    "number": (OddNumber, int, "str(x + 1)"),
    "list": (list[OddText], Annotated[list[str], Query(max_length=3)], "x[0].strip()"),
    "dependency": (Annotated[str, Depends(made)], str, "x.strip()"),
    "dependency in the pool": (Annotated[str, Depends(made_of_pool)], str, "x.strip()"),
    "parameter": (OddText, Annotated[str, Depends(lambda: "plain")], "x.strip()"),
    "class": (Annotated[Any, Depends(made)], Annotated[OddScopes, Depends()], "x.strip()"),
    "scopes": (OddText, SecurityScopes, "x.strip()"),
    "validator": (Annotated[str, BeforeValidator(OddStr)], str, "x.strip()"),
    "default": (Annotated[str, Query(default_factory=lambda: OddStr("x"))], str, "x.strip()"),
}

FUTURE = "from __future__ import annotations\n"


def namespace_of(source: str, **names: Any) -> dict[str, Any]:
    file = f"<rebound {hash(source)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    namespace = {"ran": ran, **names}
    exec(compile(source, file, "exec"), namespace)
    return namespace


def app_of(name: str, future: str = FUTURE) -> FastAPI:
    before, after, expression = REBOUND[name]
    source = f"{future}def call(x: Kind) -> str:\n    return {expression}\n"
    namespace = namespace_of(source, Kind=before)
    app = FastAPI()

    @app.get("/")
    async def read(result: Annotated[Any, Depends(namespace["call"])]) -> str:
        return f"{result} {threading.get_ident() in ran}"

    namespace["Kind"] = after
    return app


def answers_of(app: FastAPI) -> list[Any]:
    client = TestClient(app, raise_server_exceptions=False)
    found = []
    for _ in range(2):
        ran.clear()
        answer = client.get("/?x=1")
        found.append((answer.status_code, answer.text))
    return found


@pytest.mark.parametrize("future", ["", FUTURE])
@pytest.mark.parametrize("name", REBOUND)
def test_what_fastapi_understood_counts(init: Init, name: str, future: str) -> None:
    expected = answers_of(app_of(name, future))
    assert answers_of(init(app_of(name, future), proven_safe=True)) == expected
    assert not any("True" in text for _, text in expected)


@pytest.mark.parametrize("future", ["", FUTURE])
def test_what_still_means_the_same_runs_inline(init: Init, variant: str, future: str) -> None:
    source = (
        f"{future}def page(q: Text, n: Number = 1, tags: Tags = ()) -> str:\n"
        "    return f'{q.strip()} {n + 1}'\n\n"
        "def call(page: Page, required: Scopes, request: Request) -> str:\n"
        "    return f'{page} {len(required.scopes)}'\n"
    )
    names = {
        "Text": Annotated[str, Query(max_length=5)],
        "Number": Annotated[int, Query(le=50)],
        "Tags": Annotated[list[str], Query()],
        "Scopes": SecurityScopes,
        "Request": Request,
    }

    async def page() -> str:
        return "p"

    namespace = namespace_of(source, Page=Annotated[str, Depends(page)], **names)
    if future:  # it is looked up when the route is made
        namespace["Page"] = Annotated[str, Depends(namespace["page"])]
    app = FastAPI()

    @app.get("/")
    async def read(result: Annotated[Any, Depends(namespace["call"])]) -> str:
        return str(result)

    client = TestClient(init(app, proven_safe=True))
    assert client.get("/?q=a").json() == ("a 2 0" if future else "p 0")
    with counted_thread_trips() as counted:
        client.get("/?q=a&n=3")
    assert counted.count == ((2 if future else 1) if variant == "stock" else 0)


def test_an_annotation_is_not_compared() -> None:
    compared = []

    class Comparing(type):
        def __eq__(cls, other: object) -> bool:
            compared.append(other)
            return cls is other

        __hash__ = type.__hash__

    class Given(metaclass=Comparing):
        name = "x"

    def give() -> Any:
        return Given()

    give.__annotations__["return"] = Given

    def reads(given: Annotated[Any, Depends(give)]) -> Any:
        return given

    compared.clear()
    prove(reads)
    assert compared == []
