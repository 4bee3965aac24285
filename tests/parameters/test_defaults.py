"""What stands in for a parameter that is missing."""

import dataclasses
from typing import Annotated, Any

import pytest
from fastapi import Cookie, Header, Query

from fastapi_async_safe import async_safe
from tests.support.parameters import Color, shown, shown_by
from tests.support.serving import Exchange, SameAsStock, Serve


@dataclasses.dataclass
class Point:
    x: int = 0


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
