"""What stands in for a parameter that is missing."""

import dataclasses
from typing import Annotated, Any

import pytest
from fastapi import Cookie, Depends, FastAPI, Header, Query
from pydantic_core import PydanticUndefined

from fastapi_async_safe import async_safe
from tests.support.parameters import Color, shown, shown_by
from tests.support.serving import Exchange, SameAsStock, Serve, here


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


@pytest.mark.parametrize("source", [Query, Header, Cookie])
def test_a_default_factory_is_called_when_and_where_it_is_on_stock(
    source: Any, same_as_stock: SameAsStock
) -> None:
    def make_app() -> FastAPI:
        log: list[tuple[str, bool]] = []
        loop: list[int] = []

        def note(text: str) -> int:
            log.append((text, here() in loop))
            return len(log)

        async def is_on_loop() -> None:
            loop.append(here())

        def first() -> int:
            return note("first")

        def read(value: Annotated[int, source(default_factory=lambda: note("factory"))]) -> int:
            return note("read")

        def other(value: Annotated[int, Depends(read)]) -> int:
            return note("other")

        app = FastAPI()

        @app.get("/", dependencies=[Depends(is_on_loop)])
        async def endpoint(
            first: Annotated[int, Depends(first)],
            one: Annotated[int, Depends(read)],
            same: Annotated[int, Depends(other)],
            again: Annotated[int, Depends(read, use_cache=False)],
        ) -> list[tuple[str, bool]]:
            return log

        return app

    same_as_stock(make_app, Exchange(), Exchange())


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


CHANGES: dict[str, dict[str, Any]] = {
    "immutable": {"default": 7},
    "mutable": {"default": [7]},
    "none": {"default": None},
    "required": {"default": PydanticUndefined, "default_factory": None},
    "factory": {"default": PydanticUndefined, "default_factory": lambda: 8},
}


@pytest.mark.parametrize("to", CHANGES)
@pytest.mark.parametrize("declared", [..., 3, [3], None])
@pytest.mark.parametrize("source", [Query, Header, Cookie])
def test_a_default_may_be_changed_in_place(
    source: Any, declared: Any, to: str, same_as_stock: SameAsStock
) -> None:
    """A tool may set the defaults of an application, at any time."""

    def make_app() -> FastAPI:
        app = FastAPI()

        @async_safe
        def read(
            value: Annotated[int, source()] = declared,
            other: Annotated[str, source()] = "as it was",
        ) -> Any:
            return [value, other]

        async def endpoint(
            found: Annotated[Any, Depends(read)], change: Annotated[str, Header()] = "no"
        ) -> Any:
            if change == "yes":
                info = getattr(dependant.dependencies[0], fields)[0].field_info
                for name, value in CHANGES[to].items():
                    setattr(info, name, value)
            return found

        app.add_api_route("/", endpoint)
        dependant: Any = app.routes[-1].dependant  # type: ignore[attr-defined]
        fields = f"{source.__name__.lower()}_params"
        return app

    query, headers = b"value=1", ((b"value", b"1"), (b"cookie", b"value=1"))
    plain, sent = Exchange(), Exchange(query=query, headers=headers)
    changing = Exchange(query=query, headers=(*headers, (b"change", b"yes")))
    same_as_stock(make_app, plain, sent, changing, plain, plain, sent, plain)
