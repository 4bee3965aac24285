"""What is read from the raw request is what Starlette reads from it, whatever the bytes."""

import asyncio
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from fastapi import Cookie, Depends, FastAPI, Header, Query
from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette.datastructures import Headers, QueryParams
from starlette.requests import HTTPConnection

from fastapi_async_safe import async_safe
from tests.random_trees.driver import Request, exchange
from tests.support.serving import Init

pytestmark = pytest.mark.slow

RawHeaders = list[tuple[bytes, bytes]]

#: Keys with what a shared prefix, an escape, a plus or a wrong encoding can bring about.
QUERY_KEYS = (
    "a",
    "aa",
    "A",
    "b c",
    "b+c",
    "ä",
    "Ã¤",
    "%61",
    "x[]",
    "é=",
    "&",
    "n\x00",
    "�",
    "日本",
)
HEADER_KEYS = ("a", "aa", "x-y", "x_y", "q.r", "accept", "ä")
COOKIE_KEYS = ("a", "aa", "A", "x-y", "x_y", "q.r", "$Path", "ä", "a b")
MISSING = "never sent"

EXAMPLES = settings(max_examples=400, derandomize=True)


class Probe:
    """An application with a dependency that asks for keys, one by one and all of each."""

    def __init__(
        self, init: Init, source: Any, keys: tuple[str, ...], *, lists: bool = True
    ) -> None:
        self.keys = keys
        self.lists = lists
        self.given: dict[str, Any] = {}
        parameters = []
        for number, key in enumerate(keys):
            parameters.append(_parameter(f"one{number}", str, source(alias=key), MISSING))
            if lists:
                parameters.append(_parameter(f"all{number}", list[str], source(alias=key), []))

        @async_safe
        def dependency(**given: Any) -> None:
            self.given = given

        dependency.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        app = FastAPI(openapi_url=None)

        @app.get("/")
        async def endpoint(_: Annotated[None, Depends(dependency)]) -> None: ...

        self.app = init(app)
        self.runner = asyncio.Runner()

    def ask(self, request: Request) -> None:
        """Send a request."""
        self.given = {}
        messages, error = self.runner.run(exchange(self.app, request))
        assert error is None
        assert messages[0]["status"] == 200

    def assert_given(
        self, one: Callable[[str, str], str], every: Callable[[str], list[str]] | None = None
    ) -> None:
        """Say what the dependency has to have been given for each key."""
        for number, key in enumerate(self.keys):
            assert self.given[f"one{number}"] == one(key, MISSING), key
            if every is not None:
                assert self.given[f"all{number}"] == every(key), key


def _parameter(name: str, annotation: Any, source: Any, default: Any) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, kind, annotation=Annotated[annotation, source], default=default)


def _escaped(text: str) -> st.SearchStrategy[bytes]:
    raw = text.encode("utf-8")
    return st.sampled_from(
        [
            raw,
            text.encode("latin-1", "replace"),
            raw.replace(b" ", b"+"),
            b"".join(b"%%%02x" % byte for byte in raw),
            b"".join(b"%%%02X" % byte for byte in raw),
            b"".join(b"%%%02x" % byte if byte > 96 else bytes([byte]) for byte in raw),
        ]
    )


_SNIPPETS = [
    *b"& && = == ; + % %% %2 %zz %00 %ff %C3 %c3%a4 %C3%28 %e2%82 %ed%a0%80 %f4%90%80%80".split(),
    *b"\xff \xc3\xa4 \xe4 %26 %3D %2B %25 %2561 # ? / %0a %u00e4 1".split(),
    *(b"", b" ", b"\t", b"\r\n", b"\x00", b"x" * 70),
]
_FRAGMENTS = st.one_of(
    st.sampled_from(_SNIPPETS),
    st.sampled_from(QUERY_KEYS).flatmap(_escaped),
    st.binary(max_size=4),
)
_VALUES = st.lists(_FRAGMENTS, max_size=4).map(b"".join)
_PAIRS = st.tuples(st.sampled_from(QUERY_KEYS).flatmap(_escaped), _VALUES).map(b"=".join)
QUERIES = st.one_of(
    st.lists(_PAIRS, max_size=8).map(b"&".join),
    st.lists(_FRAGMENTS, max_size=20).map(b"".join),
    st.binary(max_size=60),
)


def test_query_parameters_are_what_starlette_parses(init: Init) -> None:
    probe = Probe(init, Query, QUERY_KEYS)

    @EXAMPLES
    @given(QUERIES)
    @example(b"")
    @example(b"a")
    @example(b"a&a=&=a&a=1")
    @example(b"a=1;a=2")
    @example(b"?a=1")
    @example(b"%61=1&a=2&%2561=3")
    @example(b"a=%C3%A4&\xc3\xa4=1&%c3%a4=2&\xe4=3&%e4=4")
    @example(b"a=" + b"%" * 1000)
    @example(b"a=" + b"%c3" * 1000)
    @example(b"a=" + b"+" * 100_000)
    @example(b"&" * 10_000 + b"a=1")
    @example(b"&".join(b"a=%d&b%%20c=%d" % (number, number) for number in range(2000)))
    @example(b"&".join(b"k%d=%d" % (number, number) for number in range(5000)) + b"&a=1")
    def check(query: bytes) -> None:
        probe.ask(Request(query=query))
        expected = QueryParams(query)
        probe.assert_given(expected.get, expected.getlist)

    with probe.runner:
        check()


def test_query_parameters_that_were_parsed_before_are_the_same(init: Init) -> None:
    probe = Probe(init, Query, QUERY_KEYS)

    @probe.app.middleware("http")
    async def look(request: Any, call_next: Any) -> Any:
        assert request.query_params is not None
        return await call_next(request)

    @settings(EXAMPLES, max_examples=100)
    @given(QUERIES)
    def check(query: bytes) -> None:
        probe.ask(Request(query=query))
        expected = QueryParams(query)
        probe.assert_given(expected.get, expected.getlist)

    with probe.runner:
        check()


_HEADER_NAMES = st.one_of(
    st.sampled_from(HEADER_KEYS).map(lambda key: key.encode("latin-1")),
    st.sampled_from(HEADER_KEYS).map(lambda key: key.upper().encode("latin-1")),
    st.sampled_from([b"", b"A", b"x y", b"X-Y ", b" a", b"host", b"\xe4", b"\xc3\xa4"]),
    st.binary(max_size=4),
)
_HEADER_VALUES = st.one_of(
    st.sampled_from([b"", b" ", b"1", b" 1 ", b"1, 2", b"\xe4\xff", b"%61", b"\x00", b"v" * 5000]),
    st.binary(max_size=12),
)
HEADERS = st.lists(st.tuples(_HEADER_NAMES, _HEADER_VALUES), max_size=10)


def test_headers_are_what_starlette_finds(init: Init) -> None:
    probe = Probe(init, Header, HEADER_KEYS)

    @EXAMPLES
    @given(HEADERS)
    @example([(b"a", b"1"), (b"A", b"2"), (b"a", b"3")])
    @example([(b"\xe4", b"1"), (b"\xc4", b"2"), (b"\xc3\xa4", b"3")])
    @example([(b"k%d" % number, b"v") for number in range(1000)])
    def check(headers: RawHeaders) -> None:
        probe.ask(Request(headers=tuple(headers)))
        expected = Headers(raw=headers)
        probe.assert_given(expected.get, expected.getlist)

    with probe.runner:
        check()


_COOKIE_PARTS = st.one_of(
    st.tuples(
        st.sampled_from(COOKIE_KEYS).map(lambda key: key.encode("latin-1")),
        st.sampled_from([b"=", b"=", b"=", b" = ", b"", b"=="]),
        st.one_of(
            st.sampled_from([b"", b"1", b'"1"', b'"a;b"', b'"\\303\\244"', b'"\\"', b'"', b"%61"]),
            st.sampled_from([b" x ", b"a=b", b"\xe4", b"\\054", b'"\\054"', b"x,y", b"\t1"]),
            st.binary(max_size=6),
        ),
    ).map(b"".join),
    st.sampled_from([b"", b" ", b"=", b"a", b"=a", b"$Version=1", b"a;b", b"expires=Mon, 1 Jan"]),
    st.binary(max_size=8),
)
_COOKIE_HEADERS = st.builds(
    lambda separator, parts: separator.join(parts),
    st.sampled_from([b"; ", b";", b" ;", b",", b";;", b"; \t"]),
    st.lists(_COOKIE_PARTS, max_size=8),
)
COOKIES = st.lists(
    st.tuples(st.sampled_from([b"cookie", b"cookie", b"Cookie"]), _COOKIE_HEADERS),
    min_size=1,
    max_size=3,
)


def test_cookies_are_what_starlette_parses(init: Init) -> None:
    probe = Probe(init, Cookie, COOKIE_KEYS, lists=False)

    @EXAMPLES
    @given(COOKIES)
    @example([(b"cookie", b"a=1; a=2"), (b"cookie", b"a=3")])
    @example([(b"cookie", b'a="\\303\\244"; aa="x\\"y"; A="')])
    @example([(b"cookie", b"; ".join(b"k%d=%d" % (n, n) for n in range(2000)) + b";a=1")])
    def check(headers: RawHeaders) -> None:
        probe.ask(Request(headers=tuple(headers)))
        expected = HTTPConnection({"type": "http", "headers": headers}).cookies
        probe.assert_given(expected.get)

    with probe.runner:
        check()
