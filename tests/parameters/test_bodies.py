"""Bodies, forms and files of dependencies."""

from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from fastapi import Body, Cookie, Depends, FastAPI, File, Form, Header, UploadFile
from pydantic import BaseModel

from fastapi_async_safe import async_safe
from tests.support.parameters import shown
from tests.support.serving import Exchange, SameAsStock, Serve


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
