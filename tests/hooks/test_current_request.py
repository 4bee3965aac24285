"""The record of the current request: compiled, and in Python, whatever else is compiled here."""

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


def all_records() -> list[str]:
    """Name the modules there are."""
    return ["_core_py"] + (["_core"] if expected_backend() == "compiled" else [])


@pytest.fixture(params=all_records())
def records(request: pytest.FixtureRequest) -> Any:
    """Give one of the modules, in a context in which nothing is recorded yet."""
    return import_module(f"fastapi_async_safe.{request.param}")


class Connection:
    """As much of a request as the records look at."""

    def __init__(self) -> None:
        self.scope: dict[str, Any] = {}


class Route:
    """As much of a route as the records look at."""

    def __init__(self, *, streams: bool = False, field: Any = None) -> None:
        self.dependant = object()
        self.response_field = field
        self.streams = streams

    def streams_inline(self) -> bool:
        return self.streams


def in_context(check: Callable[[], None]) -> None:
    copy_context().run(check)


def serve(records: Any, connection: Any, route: Route, *, inline: bool = True) -> None:
    dependant = route.dependant if inline else None
    records.set_route(route, connection, dependant, weakref.ref(route))


def asked(records: Any, route: Route) -> list[bool]:
    """Ask for all that the hooks ask for."""
    return [
        records.is_called_inline(route.dependant),
        records.is_validated_inline(route.response_field),
        records.is_streamed_inline(),
    ]


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    return None


def test_those_in_use_are_compiled_where_there_is_a_compiled_core() -> None:
    is_python = _backend.current_request is _core_py
    assert is_python is (expected_backend() == "python")


def test_without_a_request_nothing_is_inline(records: Any) -> None:
    def check() -> None:
        records.clear()
        assert asked(records, Route(streams=True)) == [False, False, False]

    in_context(check)


def test_a_route_is_known_when_it_serves(records: Any) -> None:
    def check() -> None:
        connection, route, other = Connection(), Route(field=object()), Route(field=object())
        assert records.isolate_nested(nothing, connection) is nothing
        assert asked(records, route) == [False, False, False]
        serve(records, connection, route)
        assert asked(records, route) == [True, True, True]
        assert asked(records, other)[:2] == [False, False]
        records.clear()
        assert asked(records, route) == [False, False, False]

    in_context(check)


@pytest.mark.parametrize("streams", [True, False])
def test_an_endpoint_that_is_not_inline_may_stream_inline(streams: bool, records: Any) -> None:
    def check() -> None:
        connection, route = Connection(), Route(streams=streams)
        serve(records, connection, route, inline=False)
        assert asked(records, route) == [False, False, streams]

    in_context(check)


def test_what_is_noted_ends_with_the_connection(records: Any) -> None:
    def check() -> None:
        connection, route = Connection(), Route()
        serve(records, connection, route)
        assert asked(records, route) == [True, True, True]
        del connection
        gc.collect()
        assert asked(records, route) == [False, False, False]

    in_context(check)


def test_the_notes_keep_neither_connection_nor_route_of_fastapi_alive(records: Any) -> None:
    def check() -> None:
        connection, route, ours = Connection(), Route(), Route()
        gone = weakref.ref(connection), weakref.ref(route)
        records.set_route(ours, connection, object(), weakref.ref(route))
        del connection, route
        gc.collect()
        assert [reference() for reference in gone] == [None, None]
        assert records.is_validated_inline(object()) is False

    in_context(check)


def test_the_second_look_at_a_request_is_not_a_request_within_it(records: Any) -> None:
    def check() -> None:
        outer, again = Connection(), Connection()
        again.scope = outer.scope
        assert records.isolate_nested(nothing, outer) is nothing
        assert records.isolate_nested(nothing, again) is nothing

    in_context(check)


def test_a_request_within_a_request_has_notes_of_its_own(records: Any) -> None:
    async def check() -> None:
        connection, route = Connection(), Route(field=object())
        records.isolate_nested(nothing, connection)
        serve(records, connection, route)
        seen = []

        async def inner_app(scope: Any, receive: Any, send: Any) -> None:
            seen.append(asked(records, route))
            serve(records, inner, inner_route)
            seen.append(asked(records, inner_route))
            seen.append(asked(records, route)[:2])
            if scope:
                raise ZeroDivisionError

        inner, inner_route = Connection(), Route(field=object())
        for fails in (False, True):
            app = records.isolate_nested(inner_app, inner)
            assert app is not inner_app
            try:
                await app({"fails": True} if fails else {}, None, None)
            except ZeroDivisionError:
                assert fails
            assert asked(records, route) == [True, True, True]
        assert seen == [[False, False, False], [True, True, True], [False, False]] * 2

    asyncio.run(check())


def test_a_route_without_a_field_for_its_response(records: Any) -> None:
    def check() -> None:
        connection, route = Connection(), SimpleNamespace()
        records.set_route(Route(), connection, object(), lambda: route)
        assert records.is_validated_inline(None) is True
        assert records.is_validated_inline(object()) is False

    in_context(check)
