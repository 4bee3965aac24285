"""Single values: each type, from each source, as stock reads it."""

import dataclasses
import enum
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from fastapi import Cookie, Depends, FastAPI, Header, Path, Query
from pydantic import (
    AfterValidator,
    AnyUrl,
    BeforeValidator,
    Json,
    PlainSerializer,
    SecretStr,
    StringConstraints,
    WrapValidator,
)

from fastapi_async_safe import _fastapi, async_safe
from tests.support.parameters import Color, reading, shown
from tests.support.serving import Exchange, SameAsStock, Serve


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Forgiving(enum.StrEnum):
    KNOWN = "known"
    OTHER = "other"

    @classmethod
    def _missing_(cls, value: object) -> "Forgiving":
        return cls.OTHER


ANNOTATIONS: dict[str, Any] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": bool,
    "bytes": bytes,
    "decimal": Decimal,
    "date": date,
    "datetime": datetime,
    "timedelta": timedelta,
    "uuid": UUID,
    "url": AnyUrl,
    "enum": Color,
    "int enum": Level,
    "enum with a rule for what is missing": Forgiving,
    "literal": Literal["1", "a", "red"],
    "number literal": Literal[1, 2],
    "any": Any,
    "optional str": str | None,
    "optional int": int | None,
    "optional enum": Color | None,
    "int or str": int | str,
    "str or int": str | int,
    "float or bool": float | bool,
    "secret": SecretStr,
    "stripped": Annotated[str, StringConstraints(strip_whitespace=True, to_upper=True)],
    "pattern": Annotated[str, StringConstraints(pattern="^[a-z]+$")],
    "validated after": Annotated[int, AfterValidator(lambda value: value + 1)],
    "validated before": Annotated[int, BeforeValidator(lambda value: value.strip("x"))],
    "validated around": Annotated[int, WrapValidator(lambda value, handler: -handler(value))],
    "serialized": Annotated[int, PlainSerializer(str)],
    "json": Json[int],
}


TEXTS = [
    "",
    "a",
    "1",
    "0",
    "7",
    "007",
    "-3",
    "+3",
    "--3",
    " 4 ",
    "1.0",
    "1.5",
    "930481253629.0363",
    "1_000",
    "1e3",
    "٣",
    "true",
    "off",
    "null",
    "nan",
    "red",
    "RED",
    "9" * 18,
    "9" * 19,
    "9" * 5000,
    "0x10",
    "2024-02-29",
    "2023-02-29T12:00:00Z",
    "PT3S",
    "12345678-1234-5678-1234-567812345678",
    "https://example.com",
    "ä ö%&=+",
]


@pytest.mark.accelerated
@pytest.mark.parametrize("annotation", ANNOTATIONS.values(), ids=ANNOTATIONS.keys())
@pytest.mark.parametrize("required", [True, False])
def test_each_type_reads_each_text_from_each_source_as_stock(
    annotation: Any, required: bool, same_as_stock: SameAsStock
) -> None:
    of_query = reading(Annotated[annotation, Query()], required)
    of_header = reading(Annotated[annotation, Header(alias="x-value")], required)
    of_cookie = reading(Annotated[annotation, Cookie()], required)
    of_path = reading(Annotated[annotation, Path()], required=True)

    def make_app() -> FastAPI:
        app = FastAPI()

        @app.get("/query")
        async def query(value: Annotated[Any, Depends(of_query)]) -> str:
            return shown(value)

        @app.get("/header")
        async def header(value: Annotated[Any, Depends(of_header)]) -> str:
            return shown(value)

        @app.get("/cookie")
        async def cookie(value: Annotated[Any, Depends(of_cookie)]) -> str:
            return shown(value)

        @app.get("/path/{value}")
        async def path(value: Annotated[Any, Depends(of_path)]) -> str:
            return shown(value)

        return app

    exchanges = [Exchange(f"/{source}") for source in ("query", "header", "cookie")]
    for text in TEXTS[:3] if required else TEXTS:
        raw = text.encode().decode("latin-1").encode("latin-1")
        escaped = "".join(f"%{byte:02x}" for byte in raw).encode()
        exchanges += [
            Exchange("/query", query=b"value=" + escaped),
            Exchange("/header", headers=[(b"x-value", raw)]),
            Exchange("/cookie", headers=[(b"cookie", b"value=" + raw)]),
            Exchange(f"/path/{text}"),
        ]
    answers = same_as_stock(make_app, *exchanges)
    assert {answer.status for answer in answers[:3]} == ({422} if required else {200})


@pytest.mark.parametrize("alone", [False, True])
def test_a_scalar_comes_from_each_source(
    alone: bool, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    if alone:  # without FastAPI: that would only take longer
        monkeypatch.setattr(_fastapi, "extract", None)

    @async_safe
    def everything(
        item: int,
        page: int,
        x_agent: Annotated[str, Header()],
        session: Annotated[str, Cookie()],
        size: int = 10,
    ) -> list[Any]:
        return [item, page, x_agent, session, size]

    app = FastAPI()

    @app.get("/{item}")
    async def endpoint(values: Annotated[list[Any], Depends(everything)]) -> list[Any]:
        return values

    headers = {"x-agent": "Smith", "cookie": "session=abc; other=1"}
    answer = serve(app).get("/7?page=2", headers=headers)
    assert answer.json() == [7, 2, "Smith", "abc", 10]


def test_parameters_of_dependency_and_endpoint_are_read_each_for_itself(serve: Serve) -> None:
    @async_safe
    def as_text(value: str) -> str:
        return value

    app = FastAPI()

    @app.get("/")
    async def endpoint(text: Annotated[str, Depends(as_text)], value: int) -> list[Any]:
        return [text, value]

    assert serve(app).get("/?value=007").json() == ["007", 7]


@pytest.mark.parametrize("as_marked", [True, False])
def test_a_dataclass_reads_its_fields(as_marked: bool, serve: Serve) -> None:
    @dataclasses.dataclass
    class Filter:
        query: str | None = None
        limit: Annotated[int, Query(le=100)] = 10

    app = FastAPI()

    @app.get("/")
    async def endpoint(
        found: Annotated[Any, Depends(async_safe(Filter) if as_marked else Filter)],
    ) -> list[Any]:
        return [found.query, found.limit]

    client = serve(app)
    assert client.get("/?query=a&limit=5").json() == ["a", 5]
    assert client.get("/").json() == [None, 10]
    assert client.get("/?limit=101").status_code == 422


def test_path_parameters_may_be_converted_already(serve: Serve) -> None:
    @async_safe
    def read(number: int, rest: str) -> list[Any]:
        return [number, rest]

    app = FastAPI()

    @app.get("/{number:int}/{rest:path}")
    async def endpoint(values: Annotated[list[Any], Depends(read)]) -> list[Any]:
        return values

    assert serve(app).get("/7/a/b").json() == [7, "a/b"]
