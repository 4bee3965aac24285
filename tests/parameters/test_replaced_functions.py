"""Functions of FastAPI that somebody has put another one in the place of."""

import inspect
from collections import OrderedDict
from collections.abc import Callable
from typing import Annotated, Any

import fastapi.dependencies.utils
import pytest
from fastapi import Body, Depends, FastAPI, Query
from pydantic import BaseModel

from fastapi_async_safe import async_safe
from tests.support.serving import Serve


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
