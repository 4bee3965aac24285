"""What a request keeps of its scope: the containers that it makes when they are first asked for."""

from __future__ import annotations

from functools import cache
from typing import Any

from starlette.datastructures import Headers, QueryParams
from starlette.requests import HTTPConnection

__all__ = [
    "COOKIES_CACHE",
    "HEADERS_CACHE",
    "HEADER_PAIRS",
    "QUERY_CACHE",
    "QUERY_ITEMS",
    "QUERY_PAIRS",
    "Headers",
    "QueryParams",
    "makes_containers_as_known",
]

# The attributes of a request that hold its containers, in the order in which FastAPI's
# `solve_dependencies` asks for them.
QUERY_CACHE, HEADERS_CACHE, COOKIES_CACHE = "_query_params", "_headers", "_cookies"

# The attributes of `QueryParams`: the last value by name, and all pairs. That of `Headers`.
QUERY_ITEMS, QUERY_PAIRS, HEADER_PAIRS = "_dict", "_list", "_list"


@cache
def makes_containers_as_known() -> bool:
    """Say whether the containers of the installed Starlette hold what is named here, and no more,
    so that one made without its constructor is the same.
    """
    sent = [(b"cookie", b"a=1; b=2")]
    scope: dict[str, Any] = {"type": "http", "query_string": b"a=1&b=&a=2", "headers": sent}
    pairs = [("a", "1"), ("b", ""), ("a", "2")]
    connection = HTTPConnection(scope)
    query, headers, cookies = connection.query_params, connection.headers, connection.cookies
    kept = vars(connection)
    return (
        list(kept) == ["scope", QUERY_CACHE, HEADERS_CACHE, COOKIES_CACHE]
        and list(kept.values()) == [scope, query, headers, cookies]
        and type(query) is QueryParams
        and list(vars(query).items()) == [(QUERY_ITEMS, dict(pairs)), (QUERY_PAIRS, pairs)]
        and type(headers) is Headers
        and vars(headers) == {HEADER_PAIRS: sent}
        and getattr(headers, HEADER_PAIRS) is scope["headers"]
        and scope["headers"] is not sent
        and type(cookies) is dict
        and cookies == {"a": "1", "b": "2"}
        and all(
            kind.__new__ is object.__new__ and kind.__setattr__ is object.__setattr__
            for kind in (QueryParams, Headers, HTTPConnection)
        )
    )
