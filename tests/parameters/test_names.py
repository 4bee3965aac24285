"""Names of parameters: aliases, underscores, case."""

from typing import Annotated, Any

import pytest
from fastapi import Cookie, Header, Query

from fastapi_async_safe import async_safe
from tests.support.parameters import shown_by
from tests.support.serving import Exchange, SameAsStock


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
