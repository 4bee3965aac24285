"""What the fuzzer begins with, words it may put in, and texts that are too large to be kept."""

from collections.abc import Iterator

#: Stand between two headers, and between the name of a header and its value.
NEXT, VALUE = b"\xfe", b"\xfd"

_QUERIES = [
    b"",
    b"a=1",
    b"a",
    b"=",
    b"&",
    b"=&=;&;",
    b"a&a=&a=1=2",
    b"a=1;b=2",
    b"a=\x00&\x00=1",
    b"a=\xff&\xff=1",
    b"a=%ff&%ff=1",
    b"a=%&a=%4&a=%4g&a=%%34",
    b"a=%41%zz+%2B",
    b"a=%c3%a4&%C3%A4=1&\xc3\xa4=2&\xe4=3",
    b"a=\xe4%e4+\xff",
    b"a=%f0%9f%98%80%ed%a0%80%c0%80",
    b"b+c=1&b%20c=2&b c=3",
    b"%61=1&%2561=2",
    b"i=5&i=05&i=-5",
    b"i=999999999999999999",
    b"i=99999999999999999999",
    b"f=999999999999999&f=9.99999999999999&f=9999999999999999999",
    b"i=1_000&i=1.0&i= 5",
    b"f=1.5&f=1.&f=.5&f=1e5&f=nan",
    b"f=123456789.123456&f=0",
    b"n=1&n=2&n=x",
    b"a=" + b"+" * 257,
    b"a=" + b"%41" * 100 + b"%",
    b"a=" + b"\xe4" * 300,
]
_HEADERS: list[list[tuple[bytes, ...]]] = [
    [],
    [(b"a", b"1"), (b"A", b"2"), (b"a", b"3")],
    [(b"x-up", b""), (b"X-Up", b"1"), (b"x_up", b"2")],
    [(b"\xe4", b"\xe4\xff"), (b"\xc4", b"\x00")],
    [(b"a\x00", b"1"), (b"", b"2"), (b"i", b"x")],
    [(b"i", b" 5 "), (b"i", b"6")],
    [(b"host", b"a"), (b"a",), (b"a", b"2")],
    [(b"a", b"v" * 300)],
]
_COOKIES = [
    b"",
    b"a=1; a=2",
    b"a=1;A=2;; ;=;a",
    b"=1;a==2=",
    b" a = 1 ; a b\t=\x1c2\x0b",
    b"a=\x00;\x00=1",
    b"a=\xe4; \xe4=1",
    b'a="1"; A="a;b"; i="5"',
    b'a="\\303\\244\\"\\\\"; A="; i=\\0545',
    b"$Path=/; a=%61; i=5",
    b"expires=Mon, 1 Jan; a=1, i=2",
    b"a=" + b"v" * 300,
    b"a=1" + NEXT + b"a=2",
]
_TEXTS: dict[str, list[bytes]] = {
    "query": _QUERIES,
    "header": [NEXT.join(VALUE.join(pair) for pair in pairs) for pairs in _HEADERS],
    "cookie": _COOKIES,
}

#: What the fuzzer puts in whole.
WORDS = {
    "query": [
        b"a=",
        b"&b+c=",
        b"%c3%a4",
        b"\xc3\xa4",
        b"%e4",
        b"%00",
        b"%41",
        b"i=",
        b"f=",
        b"&n=",
    ],
    "header": [
        NEXT,
        VALUE,
        b"a" + VALUE,
        b"x-up" + VALUE,
        b"X-Up",
        b"\xe4",
        b"i" + VALUE,
        b"cookie",
    ],
    "cookie": [b"a=", b"; A=", b'="', b'"; ', b"\\054", b"\\303", b'\\"', b"i=", b"\xe4", NEXT],
}


def seeds(target: str) -> Iterator[bytes]:
    """Give inputs to begin with: each text in the plain form, one in each form."""
    texts = _TEXTS[target]
    for text in texts:
        yield b"\0\0" + text
    for form in range(128):
        yield bytes([form, 0]) + texts[form % len(texts)]


#: How large: a value in bytes, and a number of pairs, headers or cookies.
BYTES, PAIRS = 1_000_000, 100_000
_VALUES = [b"v", b"%41", b"%", b"%4", b"+", b"\xe4", b"%ff\xff", b"\x00", b'"', b"="]
_PAIRS = {
    "query": [b"&", b"=&", b";", b"a&", b"a=1&", b"n=1&", b"%61=%&"],
    "header": [NEXT, VALUE + NEXT, b"a" + VALUE + b"1" + NEXT, b"b" + VALUE + NEXT],
    "cookie": [b";", b"=;", b"a;", b"a=1; ", b'A="1"; ', NEXT],
}


def large(target: str) -> Iterator[bytes]:
    """Give texts of the plain form that are made, not kept."""
    equals = VALUE if target == "header" else b"="
    for value in _VALUES:
        yield b"a" + equals + value * (BYTES // len(value))
    for pair in _PAIRS[target]:
        yield pair * PAIRS
