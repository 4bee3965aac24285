"""Kinds of callables that tell where they were called, and the applications that ask them.

Each function `a_...` makes a new one of its kind, whose value is that of `is_on_loop()`; a class
keeps it as `on_loop`.
"""

import contextvars
import dataclasses
import functools
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Annotated, Any, Self

import pytest
from fastapi import Depends, FastAPI

from tests.support.serving import here, needs_unwrapping

Kind = Callable[[], Any]

loop_thread: contextvars.ContextVar[int] = contextvars.ContextVar("loop_thread")


async def on_loop() -> None:
    """A dependency that keeps which thread is the event loop's."""
    loop_thread.set(here())


def is_on_loop() -> bool:
    """Say whether this is the thread of the event loop, below a route that depends on `on_loop`."""
    return loop_thread.get() == here()


def app_with_endpoint(endpoint: Any, **options: Any) -> FastAPI:
    """Make an application with one endpoint, of the options of its route."""
    app = FastAPI(dependencies=[Depends(on_loop)])
    app.add_api_route("/", endpoint, **options)
    return app


def app_with_dependency(dependency: Any) -> FastAPI:
    """Make an application that says whether its dependency was called on the event loop."""

    async def endpoint(value: Annotated[Any, Depends(dependency)]) -> bool:
        return bool(getattr(value, "on_loop", value))

    return app_with_endpoint(endpoint)


# ---- functions and what is called like one ----------------------------------------------------


def a_function() -> Any:
    def function() -> bool:
        return is_on_loop()

    return function


def a_lambda() -> Any:
    return lambda number=0: is_on_loop()


def a_callable_instance() -> Any:
    class Instance:
        def __call__(self) -> bool:
            return is_on_loop()

    return Instance()


def a_static_method() -> Any:
    class Service:
        @staticmethod
        def method() -> bool:
            return is_on_loop()

    return Service.method


def a_partial() -> Any:
    def function(offset: int, number: int = 0) -> bool:
        return is_on_loop()

    return functools.partial(function, 1)


def a_partial_of_a_partial() -> Any:
    def function(first: int, second: int) -> bool:
        return is_on_loop()

    return functools.partial(functools.partial(function, 1), 2)


def a_wrapped_function() -> Any:
    inner = a_function()

    @functools.wraps(inner)
    def outer() -> bool:
        return bool(inner())

    return outer


FUNCTIONS: list[Kind] = [
    a_function,
    a_lambda,
    a_callable_instance,
    a_static_method,
    a_partial,
    a_partial_of_a_partial,
    a_wrapped_function,
]

# ---- classes ----------------------------------------------------------------------------------


class Constructed:
    """Keeps where it was constructed."""

    def __init__(self) -> None:
        self.on_loop = is_on_loop()


def a_class() -> Any:
    class Dependency(Constructed):
        pass

    return Dependency


def a_class_made_by_new() -> Any:
    class Dependency:
        on_loop: bool

        def __new__(cls) -> Self:
            self = super().__new__(cls)
            self.on_loop = is_on_loop()
            return self

    return Dependency


def a_dataclass() -> Any:
    @dataclasses.dataclass
    class Dependency:
        limit: int = 10
        on_loop: bool = dataclasses.field(default_factory=is_on_loop, init=False)

    return Dependency


CLASSES: list[Kind] = [a_class, a_class_made_by_new, a_dataclass]

# ---- `yield` dependencies ---------------------------------------------------------------------


def a_yield_function() -> Any:
    def dependency() -> Iterator[bool]:
        yield is_on_loop()

    return dependency


def a_yield_callable_instance() -> Any:
    class Context:
        def __call__(self) -> Iterator[bool]:
            yield is_on_loop()

    return Context()


def a_partial_of_a_yield_function() -> Any:
    def dependency(offset: int) -> Iterator[bool]:
        yield is_on_loop()

    return functools.partial(dependency, 0)


def a_wrapped_yield_function() -> Any:
    inner = a_yield_function()

    @functools.wraps(inner)
    def outer() -> Iterator[bool]:
        return inner()

    return outer


CONTEXTS: list[Any] = [
    a_yield_function,
    a_yield_callable_instance,
    a_partial_of_a_yield_function,
    pytest.param(a_wrapped_yield_function, marks=needs_unwrapping),
]

SYNC: list[Any] = [*FUNCTIONS, *CLASSES, *CONTEXTS]

# ---- what is awaited --------------------------------------------------------------------------


def a_coroutine_function() -> Any:
    async def dependency() -> bool:
        return is_on_loop()

    return dependency


def an_async_yield_function() -> Any:
    async def dependency() -> AsyncIterator[bool]:
        yield is_on_loop()

    return dependency


def an_async_callable_instance() -> Any:
    class Instance:
        async def __call__(self) -> bool:
            return is_on_loop()

    return Instance()


def a_partial_of_a_coroutine_function() -> Any:
    return functools.partial(a_coroutine_function())


ASYNC: list[Any] = [
    a_coroutine_function,
    an_async_yield_function,
    an_async_callable_instance,
    pytest.param(a_partial_of_a_coroutine_function, marks=needs_unwrapping),
]
