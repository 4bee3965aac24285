"""What is read from the raw request is what Starlette reads from it, whatever the bytes."""

import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st

from .corpus import NEXT, VALUE, large, seeds
from .targets import ASKED_BEFORE, ODD_SCOPE, TARGETS

#: Names with what a shared prefix, an escape, a plus or a wrong encoding can bring about.
QUERY_KEYS = (
    *("a", "aa", "A", "b c", "b+c", "ä", "Ã¤", "%61", "x[]", "é=", "&", "n\x00", "�", "日本"),
    *("i", "f", "n"),
)
HEADER_KEYS = ("a", "aa", "x-up", "x_up", "i", "accept", "ä")
COOKIE_KEYS = ("a", "aa", "A", "x-y", "i", "$Path", "ä", "a b")


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
HEADERS = st.lists(
    st.tuples(_HEADER_NAMES, st.sampled_from([VALUE] * 19 + [b""]), _HEADER_VALUES).map(b"".join),
    max_size=10,
).map(NEXT.join)


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
COOKIES = st.lists(_COOKIE_HEADERS, min_size=1, max_size=2).map(NEXT.join)

#: Mostly the plain form.
FORMS = st.one_of(
    st.just(0), st.just(0), st.integers(0, 17), st.sampled_from([ASKED_BEFORE, ODD_SCOPE])
)
TEXTS = {"query": (QUERIES, 3000), "header": (HEADERS, 1000), "cookie": (COOKIES, 1000)}


def check(target: str, share: float = 1, apps: dict[str, FastAPI] | None = None) -> None:
    """Read random texts in random forms, by each core or by these applications."""
    texts, count = TEXTS[target]

    @settings(max_examples=int(count * share), derandomize=True)
    @given(FORMS, texts)
    def check_text(form: int, text: bytes) -> None:
        TARGETS[target].check_text(form, text, apps)

    check_text()


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_random_texts_are_read_as_starlette_reads_them(
    target: str, caplog: pytest.LogCaptureFixture
) -> None:
    check(target)
    assert caplog.messages == [], "this fell back to FastAPI"


@pytest.mark.parametrize("target", TARGETS)
def test_what_the_fuzzer_begins_with_is_read_as_starlette_reads_it(target: str) -> None:
    for seed in seeds(target):
        TARGETS[target].check(seed)


@pytest.mark.slow
@pytest.mark.parametrize("target", TARGETS)
def test_what_is_large_is_read_as_starlette_reads_it(target: str) -> None:
    for text in large(target):
        TARGETS[target].check_text(0, text)


@pytest.mark.parametrize("target", TARGETS)
def test_stock_reads_it_so(target: str) -> None:
    check(target, 0.05, {"stock": TARGETS[target].app()})
