"""Parameters of dependencies: what they become, and that nobody can tell who read them."""

import dataclasses
import enum
import inspect
from collections import OrderedDict
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any, Literal
from uuid import UUID

import fastapi.dependencies.utils
import pytest
from fastapi import (
    APIRouter,
    Body,
    Cookie,
    Depends,
    FastAPI,
    File,
    Form,
    Header,
    Path,
    Query,
    Request,
    UploadFile,
)
from fastapi.routing import APIRoute
from pydantic import (
    AfterValidator,
    AnyUrl,
    BaseModel,
    BeforeValidator,
    Json,
    PlainSerializer,
    SecretStr,
    StringConstraints,
    WrapValidator,
)
from starlette.datastructures import Headers, QueryParams

from fastapi_async_safe import async_safe
from tests.support.serving import Exchange, Init, SameAsStock, Serve, exchange


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Forgiving(enum.StrEnum):
    KNOWN = "known"
    OTHER = "other"

    @classmethod
    def _missing_(cls, value: object) -> "Forgiving":
        return cls.OTHER


@dataclasses.dataclass
class Point:
    x: int = 0


def shown(value: Any) -> str:
    """Show a value and its type."""
    return f"{type(value).__name__} {value!r}"


def reading(annotation: Any, required: bool) -> Any:
    """Make a dependency that gives its one parameter, which is None by default or required."""

    @async_safe
    def required_value(value: annotation) -> Any:
        return value

    @async_safe
    def optional_value(value: annotation = None) -> Any:
        return value

    return required_value if required else optional_value


def shown_by(dependency: Any) -> FastAPI:
    """Make an application that shows the value of its dependency."""
    app = FastAPI()

    @app.get("/")
    async def endpoint(value: Annotated[Any, Depends(dependency)]) -> str:
        return shown(value)

    return app


# ---- scalars ----------------------------------------------------------------------------------

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


def test_a_scalar_comes_from_each_source(serve: Serve) -> None:
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


# ---- what is missing --------------------------------------------------------------------------


@pytest.mark.parametrize("default", [None, 3, 2.5, "text", b"bytes", True, Color.RED, (1, 2)])
def test_an_immutable_default_stands_in_for_what_is_missing(default: Any, serve: Serve) -> None:
    @async_safe
    def read(value: Annotated[Any, Query()] = default) -> Any:
        return value

    client = serve(shown_by(read))
    assert [client.get("/").json() for _ in range(2)] == [shown(default)] * 2


@pytest.mark.parametrize("default", [[], [1], [[1]], [Point()]], ids=repr)
def test_a_mutable_default_is_copied_for_each_request(default: Any, serve: Serve) -> None:
    seen = []

    @async_safe
    def read(value: Annotated[list[Any], Query()] = default) -> Any:
        seen.append(value)
        return value

    client = serve(shown_by(read))
    assert [client.get("/").json() for _ in range(2)] == [shown(default)] * 2
    for values in zip(default, *seen, strict=True):
        assert len({id(value) for value in values}) == (1 if default == [1] else 3)
    assert len({id(value) for value in (default, *seen)}) == 3


@pytest.mark.accelerated
@pytest.mark.parametrize("default", [{"a": [1]}, {1}, Point(), ([1],), Color.RED, (1,)], ids=repr)
def test_a_default_of_another_type_is_what_it_is_on_stock(
    default: Any, same_as_stock: SameAsStock
) -> None:
    @async_safe
    def read(
        many: Annotated[list[Any], Query()] = default, one: Annotated[str, Query()] = default
    ) -> Any:
        return [many, one]

    same_as_stock(lambda: shown_by(read), Exchange(), Exchange(query=b"many=1&one=2"))


@pytest.mark.parametrize("source", [Query, Header, Cookie])
def test_a_default_factory_is_called_for_each_request(source: Any, serve: Serve) -> None:
    numbers = iter(range(100))

    @async_safe
    def read(value: Annotated[int, source(default_factory=lambda: next(numbers))]) -> int:
        return value

    client = serve(shown_by(read))
    first, second = client.get("/").json(), client.get("/").json()
    assert first.startswith("int ")
    assert first != second


def test_a_default_is_not_validated_unless_asked_for(same_as_stock: SameAsStock) -> None:
    @async_safe
    def read(
        plain: Annotated[int, Query()] = "not a number",  # type: ignore[assignment]
        other: Annotated[str, Query(max_length=2)] = "too long",
    ) -> list[Any]:
        return [plain, other]

    same_as_stock(lambda: shown_by(read), Exchange(), Exchange(query=b"plain=1&other=ab"))


def test_a_default_is_validated_where_asked_for(same_as_stock: SameAsStock) -> None:
    @async_safe
    def read(value: Annotated[int, Query(validate_default=True)] = "7") -> int:  # type: ignore[assignment]
        return value

    same_as_stock(lambda: shown_by(read), Exchange(), Exchange(query=b"value=1"))


# ---- lists ------------------------------------------------------------------------------------

LISTS: dict[str, Any] = {
    "list of str": list[str],
    "list of int": list[int],
    "set": set[int],
    "frozenset": frozenset[str],
    "tuple": tuple[int, ...],
    "tuple of two": tuple[int, str],
    "optional list": list[int] | None,
    "list of enum": list[Color],
    "list of optional": list[int | None],
    "bounded list": Annotated[list[int], Query(min_length=2)],
    "unique": set[Color],
}
QUERIES = [
    b"",
    b"value",
    b"value=",
    b"value=1",
    b"value=1&value=2",
    b"value=1&other=2&value=1",
    b"value=a&value=1&value=",
    b"value=red&value=blue",
    b"value=1,2",
    b"value[]=1",
    b"value=&value=",
    b"value=1&value=x&value=3&value=y",
]


@pytest.mark.accelerated
@pytest.mark.parametrize("annotation", LISTS.values(), ids=LISTS.keys())
@pytest.mark.parametrize("required", [True, False])
def test_each_list_reads_each_query_as_stock(
    annotation: Any, required: bool, same_as_stock: SameAsStock
) -> None:
    read = reading(Annotated[annotation, Query()], required)
    exchanges = [Exchange(query=query) for query in QUERIES]
    same_as_stock(lambda: shown_by(read), *exchanges)


@pytest.mark.accelerated
@pytest.mark.parametrize("annotation", [list[str], list[int], set[str], list[str] | None])
def test_each_list_reads_repeated_headers_as_stock(
    annotation: Any, same_as_stock: SameAsStock
) -> None:
    @async_safe
    def read(x_value: Annotated[annotation, Header()], x_other: str | None = Header(None)) -> Any:
        return sorted(x_value) if x_value is not None else None

    def sent(*values: bytes) -> Exchange:
        return Exchange(headers=[(b"x-value", value) for value in values])

    same_as_stock(
        lambda: shown_by(read), sent(), sent(b"1"), sent(b"1", b"2"), sent(b"a, b", b""), sent(b"")
    )


def test_lists_and_scalars_of_one_name(serve: Serve) -> None:
    @async_safe
    def one(value: str) -> str:
        return value

    @async_safe
    def all_of_them(value: Annotated[list[str], Query()]) -> list[str]:
        return value

    app = FastAPI()

    @app.get("/")
    async def endpoint(
        a: Annotated[str, Depends(one)], b: Annotated[list[str], Depends(all_of_them)]
    ) -> list[Any]:
        return [a, b]

    assert serve(app).get("/?value=1&value=2").json() == ["2", ["1", "2"]]


# ---- names ------------------------------------------------------------------------------------


@pytest.mark.accelerated
@pytest.mark.parametrize("alias", ["a-b", "A", "a b", "a[]", "ä", "a%20b", "a+b", "€", "a=b", "&"])
def test_each_alias_is_found_where_stock_finds_it(alias: str, same_as_stock: SameAsStock) -> None:
    @async_safe
    def read(value: Annotated[str, Query(alias=alias)]) -> str:
        return value

    escaped = "".join(f"%{byte:02X}" for byte in alias.encode())
    queries = [alias.encode(), escaped.encode(), alias.lower().encode(), b"value", b"a", b"a%20b"]
    same_as_stock(
        lambda: shown_by(read), *(Exchange(query=name + b"=1") for name in queries), Exchange()
    )


@pytest.mark.accelerated
@pytest.mark.parametrize("options", [{}, {"convert_underscores": False}, {"alias": "X-Some_Value"}])
def test_headers_are_found_where_stock_finds_them(
    options: dict[str, Any], same_as_stock: SameAsStock
) -> None:
    @async_safe
    def read(X_Some_Value: Annotated[str, Header(**options)]) -> str:  # noqa: N803
        return X_Some_Value

    names = [b"x-some-value", b"x_some_value", b"x-some_value", b"X-Some-Value", b"X_Some_Value"]
    same_as_stock(
        lambda: shown_by(read), *(Exchange(headers=[(name, b"1")]) for name in names), Exchange()
    )


@pytest.mark.accelerated
@pytest.mark.parametrize("source", [Query, Header, Cookie])
def test_other_names_than_the_alias_are_as_on_stock(
    source: Any, same_as_stock: SameAsStock
) -> None:
    @async_safe
    def read(value: Annotated[str, source(validation_alias="other", alias="third")]) -> str:
        return value

    exchanges = [Exchange()]
    for name in (b"value", b"other", b"third"):
        exchanges += [
            Exchange(query=name + b"=1"),
            Exchange(headers=[(name, b"1")]),
            Exchange(headers=[(b"cookie", name + b"=1")]),
        ]
    same_as_stock(lambda: shown_by(read), *exchanges)


# ---- raw requests -----------------------------------------------------------------------------

ODD_QUERIES = [
    b"&&&",
    b"=",
    b"=1",
    b"a",
    b"a&a",
    b"a=",
    b"a=&a=1",
    b"a=1&a=",
    b"a=1;b=2",
    b"a==1",
    b"a=1=2",
    b"a=%",
    b"a=%4",
    b"a=%zz1",
    b"a=%41%4",
    b"a=%e4",
    b"a=%c3%a4",
    b"a=%C3%A4%ff",
    b"a=\xc3\xa4",
    b"a=\xe4%e4+\xff",
    b"a=%f0%9f%98%80",
    b"a=%ed%a0%80",
    b"a=%00b",
    b"a=1%262",
    b"a=+1+2+",
    b"a=%2B1",
    b"%61=1",
    b"+a=1",
    b"a+=1",
    b"a%=1",
    b"a=#1",
    b"?a=1",
    b"a=1?b=2",
    b"b=1&a=2&b=3",
    b"a=" + b"x" * 300,
    b"a=" + b"%41" * 300,
    b"a=" + b"+" * 300 + b"%",
    b"a=" + b"\xe4" * 300,
]


@pytest.mark.accelerated
def test_odd_query_strings_are_read_as_stock_reads_them(same_as_stock: SameAsStock) -> None:
    @async_safe
    def read(
        a: str | None = None,
        b: Annotated[list[str] | None, Query()] = None,
        blank: Annotated[str | None, Query(alias=" a")] = None,
        none: Annotated[str | None, Query(alias="a%")] = None,
    ) -> list[Any]:
        return [a, b, blank, none]

    same_as_stock(lambda: shown_by(read), *(Exchange(query=query) for query in ODD_QUERIES))


@pytest.mark.accelerated
def test_odd_headers_are_read_as_stock_reads_them(same_as_stock: SameAsStock) -> None:
    @async_safe
    def read(
        x_one: Annotated[str | None, Header()] = None,
        x_all: Annotated[list[str] | None, Header()] = None,
        cookie: Annotated[str | None, Header()] = None,
        host: Annotated[str | None, Header()] = None,
    ) -> list[Any]:
        return [x_one, x_all, cookie, host]

    same_as_stock(
        lambda: shown_by(read),
        Exchange(headers=[(b"x-one", b"1"), (b"x-one", b"2")]),
        Exchange(headers=[(b"x-all", b"1"), (b"x-one", b"\xe4\xff"), (b"x-all", b"")]),
        Exchange(headers=[(b"X-One", b"1"), (b"x_one", b"2"), (b"", b"3")]),
        Exchange(headers=[(b"cookie", b"a=1"), (b"cookie", b"b=2"), (b"host", b"second")]),
        Exchange(headers=[(b"x-one", b"")]),
    )


@pytest.mark.accelerated
@pytest.mark.parametrize(
    "cookie",
    [
        b"",
        b"a=1",
        b"a=1; a=2",
        b"a=1;b=2",
        b"a",
        b"=1",
        b"a=1=2",
        b'a="quoted; b=2"',
        b"a=%41",
        b"a=\xe4",
        b" a = 1 ",
        b"a=1, b=2",
        b";;a=1",
    ],
)
def test_odd_cookies_are_read_as_stock_reads_them(
    cookie: bytes, same_as_stock: SameAsStock
) -> None:
    @async_safe
    def read(a: str | None = Cookie(None), b: int | None = Cookie(None)) -> list[Any]:
        return [a, b]

    same_as_stock(
        lambda: shown_by(read),
        Exchange(headers=[(b"cookie", cookie)]),
        Exchange(headers=[(b"cookie", b"b=x"), (b"cookie", cookie)]),
    )


class ScopeOfItsOwn(dict[str, Any]):
    """What some servers and middleware use as a scope."""


@async_safe
def read_a_bit_of_everything(
    number: int,
    x_agent: Annotated[str, Header()],
    a: Annotated[str, Cookie()],
    tags: Annotated[list[str] | None, Query()] = None,
) -> list[Any]:
    return [number, x_agent, a, tags]


@pytest.mark.accelerated
@pytest.mark.parametrize(
    "more",
    [
        {"headers": ((b"x-agent", b"Smith"), (b"cookie", b"a=1"))},
        {"headers": [[b"x-agent", b"Smith"], [b"cookie", b"a=1"]]},
        {"query_string": "number=3&tags=a"},
        {"query_string": b""},
        {"query_string": bytearray(b"number=3")},
        {"path_params": ScopeOfItsOwn()},
        {"path_params": {"number": "3"}},
    ],
    ids=str,
)
def test_scopes_with_other_types_in_them_are_read_as_stock_reads_them(
    more: dict[str, Any], same_as_stock: SameAsStock
) -> None:
    headers = [(b"x-agent", b"Smith"), (b"cookie", b"a=1")]
    same_as_stock(
        lambda: shown_by(read_a_bit_of_everything),
        Exchange(query=b"number=3&tags=a&tags=b", headers=headers, more=more),
    )


@pytest.mark.accelerated
def test_headers_that_can_be_iterated_once_are_there_for_all(init: Init) -> None:
    def make_app() -> FastAPI:
        app = FastAPI()

        @app.get("/")
        async def endpoint(
            request: Request, value: Annotated[Any, Depends(read_a_bit_of_everything)]
        ) -> list[Any]:
            return [value, sorted(request.headers.items())]

        return app

    def sent() -> dict[str, Any]:
        return {"headers": iter([(b"x-agent", b"Smith"), (b"cookie", b"a=1")])}

    stock = exchange(make_app(), query=b"number=1", more=sent())
    ours = exchange(init(make_app()), query=b"number=1", more=sent())
    assert ours.shown() == stock.shown()


@pytest.mark.accelerated
def test_a_scope_may_be_a_subclass_of_dict(init: Init) -> None:
    def make_app() -> FastAPI:
        app = FastAPI()

        @app.get("/{item}")
        async def endpoint(
            item: str, value: Annotated[Any, Depends(read_a_bit_of_everything)]
        ) -> list[Any]:
            return [item, value]

        return app

    async def with_scope_of_its_own(scope: Any, receive: Any, send: Any) -> None:
        await apps[0](ScopeOfItsOwn(scope), receive, send)

    sent: dict[str, Any] = {
        "query": b"number=1",
        "headers": [(b"x-agent", b"Smith"), (b"cookie", b"a=1")],
    }
    apps = [make_app()]
    stock = exchange(with_scope_of_its_own, "/thing", **sent)
    apps = [init(make_app())]
    assert exchange(with_scope_of_its_own, "/thing", **sent).shown() == stock.shown()


@pytest.mark.accelerated
@pytest.mark.parametrize("attribute", ["query_params", "headers", "cookies"])
def test_what_a_route_class_has_parsed_already_is_used(
    attribute: str, same_as_stock: SameAsStock
) -> None:
    class ParsesFirst(APIRoute):
        def get_route_handler(self) -> Callable[..., Any]:
            handler = super().get_route_handler()

            async def handle(request: Request) -> Any:
                getattr(request, attribute)
                request._query_params = QueryParams("number=99")
                return await handler(request)

            return handle

    def make_app() -> FastAPI:
        router = APIRouter(route_class=ParsesFirst)

        @router.get("/")
        async def endpoint(value: Annotated[Any, Depends(read_a_bit_of_everything)]) -> str:
            return shown(value)

        app = FastAPI()
        app.include_router(router)
        return app

    (answer,) = same_as_stock(
        make_app,
        Exchange(query=b"number=1", headers=[(b"x-agent", b"Smith"), (b"cookie", b"a=1")]),
    )
    assert b"[99, 'Smith', '1', None]" in answer.body


@pytest.mark.accelerated
@pytest.mark.parametrize("source", ["query_params", "headers", "cookies", "path_params"])
def test_a_request_with_getters_of_its_own_is_asked(
    source: str, same_as_stock: SameAsStock
) -> None:
    values: dict[str, Any] = {
        "query_params": QueryParams("number=42&tags=own"),
        "headers": Headers({"x-agent": "own", "cookie": "a=other"}),
        "cookies": {"a": "own"},
        "path_params": {"item": "own"},
    }

    class OwnRequest(Request):
        pass

    setattr(OwnRequest, source, property(lambda self: values[source]))

    class OwnRoute(APIRoute):
        def get_route_handler(self) -> Callable[..., Any]:
            handler = super().get_route_handler()

            async def handle(request: Request) -> Any:
                return await handler(OwnRequest(request.scope, request.receive))

            return handle

    def make_app() -> FastAPI:
        @async_safe
        def read(item: str, value: Annotated[Any, Depends(read_a_bit_of_everything)]) -> Any:
            return [item, value]

        router = APIRouter(route_class=OwnRoute)

        @router.get("/{item}")
        async def endpoint(value: Annotated[Any, Depends(read)]) -> str:
            return shown(value)

        app = FastAPI()
        app.include_router(router)
        return app

    headers = [(b"x-agent", b"Smith"), (b"cookie", b"a=1")]
    (answer,) = same_as_stock(make_app, Exchange("/thing", query=b"number=1", headers=headers))
    assert b"own" in answer.body


PATCHES = [
    (QueryParams, "get"),
    (QueryParams, "getlist"),
    (QueryParams, "__getitem__"),
    (Headers, "get"),
    (Headers, "getlist"),
    (Headers, "__getitem__"),
]


@pytest.mark.accelerated
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize(("owner", "name"), PATCHES)
def test_patched_getters_see_what_they_see_on_stock(
    owner: type, name: str, late: bool, init: Init, monkeypatch: pytest.MonkeyPatch
) -> None:
    @async_safe
    def read(
        number: int,
        tags: Annotated[list[str], Query()],
        x_agent: Annotated[str, Header()],
        x_all: Annotated[list[str], Header()],
    ) -> list[Any]:
        return [number, tags, x_agent, x_all]

    seen: list[Any] = []
    original = getattr(owner, name)

    def patched(self: Any, *arguments: Any, **keywords: Any) -> Any:
        if arguments != ("cookie",):  # FastAPI looks for cookies even where nobody wants any
            seen.append((arguments, keywords))
        return original(self, *arguments, **keywords)

    stock, ours = shown_by(read), init(shown_by(read))
    sent: dict[str, Any] = {
        "query": b"number=1&tags=a&tags=b",
        "headers": [(b"x-agent", b"Smith"), (b"x-all", b"1"), (b"x-all", b"2")],
    }
    if late:
        assert exchange(ours, **sent).status == 200
    monkeypatch.setattr(owner, name, patched)
    expected = exchange(stock, **sent)
    seen_by_stock = seen.copy()
    seen.clear()
    assert exchange(ours, **sent).shown() == expected.shown()
    assert seen == seen_by_stock
    monkeypatch.undo()
    assert exchange(ours, **sent).shown() == expected.shown()


@pytest.mark.accelerated
@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("name", ["query_params", "headers", "cookies", "path_params"])
def test_patched_properties_of_requests_are_asked(
    name: str, late: bool, init: Init, monkeypatch: pytest.MonkeyPatch
) -> None:
    replaced: dict[str, Any] = {
        "query_params": QueryParams("number=42&tags=own"),
        "headers": Headers({"x-agent": "own", "cookie": "a=other"}),
        "cookies": {"a": "own"},
        "path_params": {"item": "own"},
    }

    def make_app() -> FastAPI:
        @async_safe
        def read(item: str, value: Annotated[Any, Depends(read_a_bit_of_everything)]) -> Any:
            return [item, value]

        app = FastAPI()

        @app.get("/{item}")
        async def endpoint(value: Annotated[Any, Depends(read)]) -> str:
            return shown(value)

        return app

    stock, ours = make_app(), init(make_app())
    sent: dict[str, Any] = {
        "query": b"number=1",
        "headers": [(b"x-agent", b"Smith"), (b"cookie", b"a=1")],
    }
    if late:
        assert exchange(ours, "/thing", **sent).status == 200
    monkeypatch.setattr(Request, name, property(lambda self: replaced[name]))
    expected = exchange(stock, "/thing", **sent)
    assert b"own" in expected.body
    assert exchange(ours, "/thing", **sent).shown() == expected.shown()


# ---- requests that change on the way ----------------------------------------------------------


def append_a_header(request: Request) -> None:
    request.scope["headers"].append((b"x-agent", b"added"))


def replace_headers(request: Request) -> None:
    request.scope["headers"] = [(b"x-agent", b"replaced")]


def replace_path_params(request: Request) -> None:
    request.scope["path_params"] = {"item": "replaced"}


def change_path_params(request: Request) -> None:
    request.path_params["item"] = "changed"


def replace_the_query_string(request: Request) -> None:
    request.scope["query_string"] = b"number=99"


def replace_query_params(request: Request) -> None:
    request._query_params = QueryParams("number=99")


def change_cookies(request: Request) -> None:
    request.cookies["a"] = "changed"


CHANGES = [
    append_a_header,
    replace_headers,
    replace_path_params,
    change_path_params,
    replace_the_query_string,
    replace_query_params,
    change_cookies,
]


@pytest.mark.accelerated
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("as_marked", [True, False])
def test_what_a_dependency_changes_in_the_request_later_ones_see_as_on_stock(
    as_marked: bool, change: Callable[[Request], None], same_as_stock: SameAsStock
) -> None:
    @async_safe
    def read(
        item: str,
        number: int | None = None,
        x_agent: str | None = Header(None),
        a: str | None = Cookie(None),
    ) -> list[Any]:
        return [item, number, x_agent, a]

    def make_app() -> FastAPI:
        app = FastAPI()
        changing = async_safe(change) if as_marked else change

        @app.get("/{item}", dependencies=[Depends(changing)])
        async def endpoint(value: Annotated[Any, Depends(read)]) -> str:
            return shown(value)

        return app

    cookie = (b"cookie", b"a=1")
    same_as_stock(make_app, Exchange("/thing", query=b"number=1", headers=[cookie]))


# ---- models -----------------------------------------------------------------------------------


class Filter(BaseModel):
    model_config = {"extra": "forbid"}

    limit: int = 10
    tags: list[str] = []


@pytest.mark.parametrize("as_marked", [True, False])
def test_a_query_model_is_read(as_marked: bool, serve: Serve) -> None:
    def read(found: Annotated[Filter, Query()]) -> Filter:
        return found

    app = FastAPI()

    @app.get("/")
    async def endpoint(
        found: Annotated[Filter, Depends(async_safe(read) if as_marked else read)],
    ) -> Filter:
        return found

    client = serve(app)
    assert client.get("/?limit=5&tags=a&tags=b").json() == {"limit": 5, "tags": ["a", "b"]}
    assert client.get("/").json() == {"limit": 10, "tags": []}
    assert client.get("/?other=1").json()["detail"][0]["type"] == "extra_forbidden"


@pytest.mark.accelerated
@pytest.mark.parametrize("source", [Query, Header, Cookie])
def test_a_model_is_read_from_each_source_as_on_stock(
    source: Any, same_as_stock: SameAsStock
) -> None:
    class Model(BaseModel):
        some_name: int
        other: str | None = None

    @async_safe
    def read(model: Annotated[Model, source()]) -> Any:
        return model.model_dump(), sorted(model.model_fields_set)

    same_as_stock(
        lambda: shown_by(read),
        Exchange(),
        Exchange(query=b"some_name=1"),
        Exchange(query=b"some_name=x&other=a&third=b"),
        Exchange(headers=[(b"some-name", b"1"), (b"other", b"a")]),
        Exchange(headers=[(b"some_name", b"x")]),
        Exchange(headers=[(b"cookie", b"some_name=1; other=a; third=b")]),
    )


# ---- bodies -----------------------------------------------------------------------------------


class Item(BaseModel):
    name: str
    price: float = 1.0


JSON = (b"content-type", b"application/json")


def sent_body(body: bytes, content_type: bytes = b"application/json") -> Exchange:
    return Exchange(method="POST", body=body, headers=[(b"content-type", content_type)])


BODIES = [
    sent_body(b'{"name": "a"}'),
    sent_body(b'{"name": 1}'),
    sent_body(b'{"item": {"name": "a"}, "other": {"name": "b"}, "number": 3}'),
    sent_body(b"[]"),
    sent_body(b"null"),
    sent_body(b""),
    sent_body(b"{"),
    sent_body(b'{"name": "a"}', b"text/plain"),
    Exchange(method="POST"),
]


@pytest.mark.accelerated
@pytest.mark.parametrize("embed", [True, False])
def test_a_body_in_a_dependency_is_read_as_on_stock(
    embed: bool, same_as_stock: SameAsStock
) -> None:
    @async_safe
    def read(item: Annotated[Item, Body(embed=embed)]) -> Any:
        return item.model_dump()

    def make_app() -> FastAPI:
        app = FastAPI()

        @app.post("/")
        async def endpoint(value: Annotated[Any, Depends(read)]) -> str:
            return shown(value)

        return app

    same_as_stock(make_app, *BODIES)


@pytest.mark.accelerated
def test_bodies_of_several_dependencies_are_read_as_on_stock(same_as_stock: SameAsStock) -> None:
    @async_safe
    def one(item: Item) -> str:
        return item.name

    async def two(other: Item, below: Annotated[str, Depends(one)]) -> str:
        return other.name + below

    def three(number: Annotated[int, Body()] = 0) -> int:
        return number

    def make_app() -> FastAPI:
        app = FastAPI()

        @app.post("/")
        async def endpoint(
            a: Annotated[str, Depends(one)],
            b: Annotated[str, Depends(two)],
            c: Annotated[int, Depends(three)],
            item: Item,
        ) -> list[Any]:
            return [a, b, c, item.name]

        return app

    same_as_stock(make_app, *BODIES)


def test_forms_and_files_are_read(serve: Serve) -> None:
    @async_safe
    def form(name: Annotated[str, Form()], tags: Annotated[list[int], Form()]) -> list[Any]:
        return [name, tags]

    @async_safe
    def file(upload: UploadFile, raw: Annotated[bytes, File()]) -> list[Any]:
        return [upload.filename, upload.file.read().decode(), raw.decode()]

    app = FastAPI()

    @app.post("/")
    async def endpoint(
        a: Annotated[list[Any], Depends(form)], b: Annotated[list[Any], Depends(file)]
    ) -> list[Any]:
        return [a, b]

    answer = serve(app).post(
        "/",
        data={"name": "a", "tags": ["1", "2"]},
        files={"upload": ("a.txt", b"content"), "raw": ("b.txt", b"raw")},
    )
    assert answer.json() == [["a", [1, 2]], ["a.txt", "content", "raw"]]


@pytest.mark.accelerated
def test_forms_are_read_as_on_stock(same_as_stock: SameAsStock) -> None:
    class Login(BaseModel):
        name: str
        age: int | None = None

    @async_safe
    def read(
        name: Annotated[str, Form(max_length=3)], tags: Annotated[list[str] | None, Form()] = None
    ) -> Any:
        return [name, tags]

    @async_safe
    def read_model(login: Annotated[Login, Form()]) -> Any:
        return login.model_dump()

    def make_app() -> FastAPI:
        app = FastAPI()

        @app.post("/fields")
        async def fields(value: Annotated[Any, Depends(read)]) -> str:
            return shown(value)

        @app.post("/model")
        async def model(value: Annotated[Any, Depends(read_model)]) -> str:
            return shown(value)

        return app

    def sent() -> Iterator[Exchange]:
        for body in (b"", b"name=a", b"name=&tags=1&tags=2", b"name=long", b"age=x&name=b", b"a"):
            headers = [(b"content-type", b"application/x-www-form-urlencoded")]
            for path in ("/fields", "/model"):
                yield Exchange(path, method="POST", body=body, headers=headers)

    same_as_stock(make_app, *sent())


@pytest.mark.accelerated
def test_parameters_of_all_sources_fail_in_the_order_of_stock(same_as_stock: SameAsStock) -> None:
    @async_safe
    def below(
        item: Item,
        session: Annotated[int, Cookie()],
        x_number: Annotated[int, Header()],
        page: int,
        path: int,
    ) -> None: ...

    @async_safe
    def above(
        size: int, below: Annotated[None, Depends(below)], x_other: int = Header()
    ) -> None: ...

    def make_app() -> FastAPI:
        app = FastAPI()

        @app.post("/{path}", dependencies=[Depends(above)])
        async def endpoint(last: int, again: Annotated[None, Depends(below)]) -> None: ...

        return app

    (answer,) = same_as_stock(make_app, Exchange("/x", method="POST", body=b"{}", headers=[JSON]))
    assert answer.status == 422


# ---- tools in the place of FastAPI's functions ------------------------------------------------


class Window(BaseModel):
    """A parameter model, which FastAPI's own function reads."""

    limit: int = 1


def leave_out(values: dict[str, Any], errors: list[Any]) -> tuple[Any, Any]:
    return {name: value for name, value in values.items() if name != "wanted"}, errors


def add_one(values: dict[str, Any], errors: list[Any]) -> tuple[Any, Any]:
    return {**values, "added": "one"} if "wanted" in values else values, errors


def change_types(values: dict[str, Any], errors: list[Any]) -> tuple[Any, Any]:
    return OrderedDict(values), tuple(errors)


@pytest.mark.parametrize("change", [leave_out, add_one, change_types])
@pytest.mark.parametrize("source", ["query", "body"])
def test_what_stands_in_for_fastapis_reading_may_give_more_or_less(
    change: Callable[..., Any], source: str, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_query = fastapi.dependencies.utils.request_params_to_args
    read_body = fastapi.dependencies.utils.request_body_to_args

    def changed(*arguments: Any, **options: Any) -> Any:
        return change(*read_query(*arguments, **options))

    async def changed_body(**options: Any) -> Any:
        return change(*await read_body(**options))

    if source == "query":
        monkeypatch.setattr(fastapi.dependencies.utils, "request_params_to_args", changed)
    else:
        monkeypatch.setattr(fastapi.dependencies.utils, "request_body_to_args", changed_body)

    def declared(wanted: Annotated[Window, Query()]) -> None: ...

    def declared_body(wanted: Annotated[int, Body(embed=True)] = 3) -> None: ...

    @async_safe
    def read(wanted: Any = None, **others: Any) -> str:
        return f"{wanted!r} {others}"

    read.__signature__ = inspect.signature(declared if source == "query" else declared_body)  # type: ignore[attr-defined]
    app = FastAPI()

    @app.post("/")
    async def endpoint(value: Annotated[str, Depends(read)]) -> str:
        return value

    shown = serve(app).post("/", json={"wanted": 7}).json()
    given = "Window(limit=1)" if source == "query" else "7"
    assert (
        shown
        == {
            leave_out: "None {}",
            add_one: f"{given} {{'added': 'one'}}",
            change_types: f"{given} {{}}",
        }[change]
    )


@pytest.mark.parametrize("kind", [dict, OrderedDict, MappingProxyType])
def test_path_parameters_may_be_any_mapping(kind: Callable[..., Any], serve: Serve) -> None:
    async def change(request: Request) -> None:
        request.scope["path_params"] = kind(request.scope["path_params"])

    @async_safe
    def read(number: int) -> int:
        return number

    app = FastAPI()

    @app.get("/{number}", dependencies=[Depends(change)])
    async def endpoint(value: Annotated[int, Depends(read)]) -> int:
        return value

    assert serve(app).get("/3").json() == 3
