"""The notes of who serves a request: compiled, and in Python, whatever else is compiled here."""

import asyncio
import gc
import weakref
from collections.abc import Callable
from contextvars import copy_context
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest

from fastapi_async_safe import _backend, _core_py
from tests.support.serving import expected_backend


def all_notes() -> list[str]:
    """Name the modules there are."""
    return ["_core_py"] + (["_core"] if expected_backend() == "compiled" else [])


@pytest.fixture(params=all_notes())
def notes(request: pytest.FixtureRequest) -> Any:
    """Give one of the modules, in a context in which nothing is noted yet."""
    return import_module(f"fastapi_async_safe.{request.param}")


class Connection:
    """As much of a request as the notes look at."""

    def __init__(self) -> None:
        self.scope: dict[str, Any] = {}


class Route:
    """As much of a route as the notes look at."""

    def __init__(self, *, streams: bool = False, field: Any = None) -> None:
        self.dependant = object()
        self.response_field = field
        self.streams = streams

    def streams_inline(self) -> bool:
        return self.streams


def in_context(check: Callable[[], None]) -> None:
    copy_context().run(check)


def serve(notes: Any, connection: Any, route: Route, *, inline: bool = True) -> None:
    dependant = route.dependant if inline else None
    notes.serve_by(route, connection, dependant, weakref.ref(route))


def asked(notes: Any, route: Route) -> list[bool]:
    """Ask for all that the hooks ask for."""
    return [
        notes.is_called_inline(route.dependant),
        notes.is_validated_inline(route.response_field),
        notes.is_streamed_inline(),
    ]


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    return None


def test_those_in_use_are_compiled_where_there_is_a_compiled_core() -> None:
    is_python = _backend.served is _core_py
    assert is_python is (expected_backend() == "python")


def test_without_a_request_nothing_is_inline(notes: Any) -> None:
    def check() -> None:
        notes.abandon()
        assert asked(notes, Route(streams=True)) == [False, False, False]

    in_context(check)


def test_a_route_is_known_when_it_serves(notes: Any) -> None:
    def check() -> None:
        connection, route, other = Connection(), Route(field=object()), Route(field=object())
        assert notes.contained(nothing, connection) is nothing
        assert asked(notes, route) == [False, False, False]
        serve(notes, connection, route)
        assert asked(notes, route) == [True, True, True]
        assert asked(notes, other)[:2] == [False, False]
        notes.abandon()
        assert asked(notes, route) == [False, False, False]

    in_context(check)


@pytest.mark.parametrize("streams", [True, False])
def test_an_endpoint_that_is_not_inline_may_stream_inline(streams: bool, notes: Any) -> None:
    def check() -> None:
        connection, route = Connection(), Route(streams=streams)
        serve(notes, connection, route, inline=False)
        assert asked(notes, route) == [False, False, streams]

    in_context(check)


def test_what_is_noted_ends_with_the_connection(notes: Any) -> None:
    def check() -> None:
        connection, route = Connection(), Route()
        serve(notes, connection, route)
        assert asked(notes, route) == [True, True, True]
        del connection
        gc.collect()
        assert asked(notes, route) == [False, False, False]

    in_context(check)


def test_the_notes_keep_neither_connection_nor_route_of_fastapi_alive(notes: Any) -> None:
    def check() -> None:
        connection, route, ours = Connection(), Route(), Route()
        gone = weakref.ref(connection), weakref.ref(route)
        notes.serve_by(ours, connection, object(), weakref.ref(route))
        del connection, route
        gc.collect()
        assert [reference() for reference in gone] == [None, None]
        assert notes.is_validated_inline(object()) is False

    in_context(check)


def test_the_second_look_at_a_request_is_not_a_request_within_it(notes: Any) -> None:
    def check() -> None:
        outer, again = Connection(), Connection()
        again.scope = outer.scope
        assert notes.contained(nothing, outer) is nothing
        assert notes.contained(nothing, again) is nothing

    in_context(check)


def test_a_request_within_a_request_has_notes_of_its_own(notes: Any) -> None:
    async def check() -> None:
        connection, route = Connection(), Route(field=object())
        notes.contained(nothing, connection)
        serve(notes, connection, route)
        seen = []

        async def inner_app(scope: Any, receive: Any, send: Any) -> None:
            seen.append(asked(notes, route))
            serve(notes, inner, inner_route)
            seen.append(asked(notes, inner_route))
            seen.append(asked(notes, route)[:2])
            if scope:
                raise ZeroDivisionError

        inner, inner_route = Connection(), Route(field=object())
        for fails in (False, True):
            app = notes.contained(inner_app, inner)
            assert app is not inner_app
            try:
                await app({"fails": True} if fails else {}, None, None)
            except ZeroDivisionError:
                assert fails
            assert asked(notes, route) == [True, True, True]
        assert seen == [[False, False, False], [True, True, True], [False, False]] * 2

    asyncio.run(check())


def test_a_route_without_a_field_for_its_response(notes: Any) -> None:
    def check() -> None:
        connection, route = Connection(), SimpleNamespace()
        notes.serve_by(Route(), connection, object(), lambda: route)
        assert notes.is_validated_inline(None) is True
        assert notes.is_validated_inline(object()) is False

    in_context(check)
