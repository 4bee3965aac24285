"""Parameters with several values of one name."""

from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, Header, Query

from fastapi_async_safe import async_safe
from tests.support.parameters import Color, reading, shown_by
from tests.support.serving import Exchange, SameAsStock, Serve

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
