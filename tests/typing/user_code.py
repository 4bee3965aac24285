"""Code of a user, for mypy and pyright: types that are kept, and mistakes that are refused.

Each line with `type: ignore` is a mistake. A checker that does not find it reports the comment.
"""

from collections.abc import Iterator
from functools import partial
from typing import Annotated, assert_type

from fastapi import APIRouter, Depends, FastAPI

from fastapi_async_safe import (
    AsyncSafeMixin,
    async_safe,
    async_unsafe,
    init_app,
    is_async_safe,
    resolver_backend,
)


@async_safe
def function(number: int) -> str:
    """A function keeps its signature."""
    return str(number)


@async_safe
class Service:
    """A class stays a class."""

    def __init__(self, name: Annotated[str, Depends(function)]) -> None:
        self.name = name

    @async_unsafe
    @staticmethod
    def static(number: int) -> int:
        return number

    @async_safe
    @classmethod
    def made(cls) -> "Service":
        return cls("made")

    def __call__(self, number: int) -> float:
        return number / 2


class Page(AsyncSafeMixin):
    """A class by the mixin."""


@async_safe(blocks=False)
def quick(number: int) -> str:
    """One of which it is said that it does not block."""
    return str(number)


@async_safe
def session() -> Iterator[int]:
    """A `yield` dependency."""
    yield 1


assert_type(function(1), str)
assert_type(quick(1), str)
assert_type(Service("name"), Service)
assert_type(Service.static(1), int)
assert_type(async_safe(Service("name"))(1), float)
assert_type(async_safe(partial(function, 1))(), str)
assert_type(session(), Iterator[int])
assert_type(is_async_safe(Page), bool | None)
assert_type(init_app(FastAPI(), accelerated=True), FastAPI)
assert_type(init_app(APIRouter(), all_classes_safe=True), APIRouter)
assert_type(init_app(FastAPI(), predicates=[lambda call: True]), FastAPI)
backend: str = resolver_backend()

function("1")  # type: ignore[arg-type]
async_safe(3)  # type: ignore[call-overload]
async_safe()  # type: ignore[call-overload]
init_app(3)  # type: ignore[type-var]
init_app(FastAPI(), accelerated=1)  # type: ignore[arg-type]
init_app(FastAPI(), unknown=True)  # type: ignore[call-arg]
