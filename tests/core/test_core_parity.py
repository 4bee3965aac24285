"""The two cores have the same names in the same order, and give the same for the same."""

import inspect
import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from types import GenericAlias, ModuleType
from typing import Annotated, Any, Literal

import pytest
from fastapi import Cookie, Header, Query
from fastapi import Path as PathParameter
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import AfterValidator, TypeAdapter, ValidationError
from starlette.datastructures import Headers, QueryParams
from starlette.requests import HTTPConnection

from fastapi_async_safe import _core_py, _fastapi, resolver_backend
from fastapi_async_safe._core_py import COOKIE, ERROR, HEADER, PATH, QUERY, TEXT
from fastapi_async_safe._planning.kinds import Kind
from fastapi_async_safe._planning.made_up import made_up_requests
from fastapi_async_safe._planning.parameters import parameter
from tests.support.serving import CURRENT_DEFAULTS, expected_backend

SOURCES = Path(__file__).parents[2] / "csrc" / "_core"
TOPICS = [
    "nodes",
    "seen",
    "plan",
    "containers",
    "read",
    "overrides",
    "run",
    "solver",
    "serving",
]
# What both cores take from the one in Python.
PYTHON_ONLY = {
    "Host",
    ".adopt",
    ".drive",
    ".set_route",
    "Need",
    "Watch",
    ".call",
    ".held",
    ".enable",
    "Route",
    ".streams_inline",
    ".took",
    ".inline",
    "check_order",
    "isolated",
}

needs_compiled_core = pytest.mark.skipif(
    expected_backend() == "python", reason="this is the pure leg: there is one core only"
)
many_examples = settings(max_examples=300)


def test_the_backend_is_what_installation_and_environment_say() -> None:
    assert resolver_backend() == expected_backend()


def compiled_core() -> Any:
    """Give the compiled core."""
    return import_module("fastapi_async_safe._core")


@pytest.fixture
def core() -> Any:
    """Give the compiled core."""
    return compiled_core()


def twin(topic: str) -> ModuleType:
    """Give the module of the Python core for a topic."""
    return import_module(f"fastapi_async_safe._core_py.{topic}")


def names_in(text: str) -> list[str]:
    """List the public names of a module, classes with those of their methods, as written."""
    found: list[str] = []
    in_private_class = False
    for line in text.splitlines():
        if match := re.match(r"(?:cdef )?(?:class|def) (_?)", line):
            in_private_class = bool(match[1])
        if match := re.match(r"(?:cp?def )?(?:class|async def|def|object) (\w+)[(:]", line):
            found.append(match[1])
        elif match := re.match(r"(?:SOURCES = )?([A-Z_]+(?:, [A-Z_]+)*)(?:: Any)? = ", line):
            found.extend(match[1].split(", "))
        elif in_private_class:
            continue
        elif match := re.match(r"    (?:cpdef bint |async )?(?:def )?(\w+)\(self.*:$", line):
            found.append(f".{match[1]}")
    return [name for name in found if not name.lstrip(".").startswith("_")]


@pytest.mark.skipif(not SOURCES.exists(), reason="the sources are not beside the tests here")
@pytest.mark.parametrize("topic", TOPICS)
def test_the_sources_have_the_same_names_in_the_same_order(topic: str) -> None:
    python = names_in(inspect.getsource(twin(topic)))
    assert names_in((SOURCES / f"{topic}.pxi").read_text()) == [
        name for name in python if name not in PYTHON_ONLY
    ]
    assert python


@pytest.mark.skipif(not SOURCES.exists(), reason="the sources are not beside the tests here")
def test_the_compiled_core_has_the_topics_of_the_python_core_and_two_of_its_own() -> None:
    included = re.findall(r'include "(\w+)\.pxi"', (SOURCES / "_core.pyx").read_text())
    assert [topic for topic in included if topic not in ("c_api", "call")] == TOPICS
    python = {path.stem for path in Path(_core_py.__file__).parent.glob("*.py")}
    assert python - {"__init__"} == set(TOPICS)
    assert {path.stem for path in SOURCES.glob("*.pxi")} == set(included)


@needs_compiled_core
@pytest.mark.parametrize("topic", TOPICS)
def test_the_modules_offer_the_same(topic: str, core: ModuleType) -> None:
    for name in names_in(inspect.getsource(twin(topic))):
        if name.startswith(".") or name in PYTHON_ONLY:
            continue
        python, other = getattr(twin(topic), name), getattr(core, name)
        assert getattr(_core_py, name) is python
        assert isinstance(other, type) is isinstance(python, type)
        if isinstance(python, int):
            assert other == python, name


@needs_compiled_core
@pytest.mark.parametrize("name", ["Param", "Group", "Node", "Plan", "Run", "Entry", "Solver"])
def test_the_classes_offer_the_same(name: str, core: ModuleType) -> None:
    python, other = (
        {each for each in vars(getattr(module, name)) if not each.startswith("_")}
        for module in (_core_py, core)
    )
    assert other == python


@needs_compiled_core
def test_each_has_what_means_nothing_of_its_own(core: ModuleType) -> None:
    assert core.NOTHING is not _core_py.NOTHING


def test_the_python_core_tells_what_its_names_mean() -> None:
    for topic in TOPICS:
        module = twin(topic)
        for name in names_in(inspect.getsource(module)):
            if name[0] != "." and callable(getattr(module, name)) and name != "NEW":
                assert getattr(module, name).__doc__, name
    for method in (_core_py.Plan.is_current, _core_py.Run.advance, _core_py.Run.take_body):
        assert method.__doc__


@needs_compiled_core
def test_the_compiled_core_tells_where_to_read(core: ModuleType) -> None:
    assert "_core_py" in (core.__doc__ or "")


# ---- query strings ----------------------------------------------------------------------------

PIECES = [b"a", b"b", b"&", b"=", b"+", b"%", b";", b"%4", b"%41", b"%c3%a4", b"%ff", b"%e2%82"]
PIECES += [b"\xc3\xa4", b"\xff", b"%00", b"%26", b"%zz", b"x" * 300, b"%2B", b"#", b" "]
queries = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join),
    st.binary(max_size=40),
    st.lists(st.sampled_from([b"a=1", b"b=2", b"a", b"a=", b"=", b"%61=%62"])).map(b"&".join),
)


def by_starlette(query: bytes) -> tuple[Any, Any]:
    """Give what a query string is by Starlette's own reading of it."""
    params = QueryParams(query)
    return params._dict, params._list


@pytest.mark.slow
@given(query=queries)
@many_examples
def test_the_python_core_reads_queries_as_starlette(query: bytes) -> None:
    assert _core_py.parse_query(query) == by_starlette(query)


@pytest.mark.slow
@needs_compiled_core
@given(query=queries)
@example(query=b"a=%e4\xe4+%41")
@example(query=b"a=" + b"%c3%a4" * 100)
@example(query=b"&&a&&=&")
@example(query=b"a=%")
@example(query=b"a=%4")
@example(query=b"")
@many_examples
def test_the_compiled_core_reads_queries_as_starlette(query: bytes) -> None:
    _core = compiled_core()

    items, pairs = _core.parse_query(query)
    assert (items, pairs) == by_starlette(query)
    assert list(items) == list(QueryParams(query))


# ---- what a request makes of its scope --------------------------------------------------------

COOKIES = [b"a", b"b", b"=", b";", b" ", b"\t", b"\x1c", b"\x85", b"\xa0", b'"', b"\\073", b"\xe4"]
COOKIES += [b"a=1", b"b=2; ", b"; a=", b'a="x;y"', b"a==", b"c", b"%41", b"\0", b"\x1f;"]
headers = st.lists(
    st.tuples(
        st.sampled_from([b"cookie", b"cookie2", b"x-one", b"X-One", b"", b"x-on"]),
        st.one_of(st.lists(st.sampled_from(COOKIES), max_size=9).map(b"".join), st.binary()),
    ),
    max_size=4,
)


def kept_by(connection: HTTPConnection[Any]) -> Any:
    """Give everything that a request has made of its scope, by name."""
    kept = dict(vars(connection))
    scope = kept.pop("scope")
    shown = {
        name: (list(made.items()) if type(made) is dict else list(vars(made).items()))
        for name, made in kept.items()
    }
    return list(shown.items()), scope["headers"], list(map(type, kept.values()))


@pytest.mark.slow
@given(query=queries, headers=headers, as_pair=st.sampled_from([tuple, list]))
@example(
    query=b"a=1", headers=[(b"cookie", b"a=1; b=2;a = 3 ;c"), (b"cookie", b"a=4")], as_pair=tuple
)
@many_examples
def test_the_cores_make_of_a_scope_what_a_request_makes_of_it(
    query: bytes, headers: list[tuple[bytes, bytes]], as_pair: Callable[[Any], Any]
) -> None:
    cores = [_core_py] if expected_backend() == "python" else [_core_py, compiled_core()]
    pairs = [as_pair(pair) for pair in headers]
    stock = HTTPConnection({"type": "http", "query_string": query, "headers": pairs})
    assert (stock.query_params, stock.headers, stock.cookies) is not None
    for core in cores:
        ours = HTTPConnection({"type": "http", "query_string": query, "headers": pairs})
        for source, name in ((QUERY, "query_params"), (HEADER, "headers"), (COOKIE, "cookies")):
            made = core.received(ours, source)
            assert made is getattr(ours, name)
            assert made is core.received(ours, source)
            assert core.is_plain(made, source)
        assert kept_by(ours) == kept_by(stock)
        assert ours.headers._list is ours.scope["headers"] is not pairs


# ---- parameters -------------------------------------------------------------------------------


def positive(value: int) -> int:
    """A validator of the user's own."""
    if value <= 0:
        raise ValueError("must be positive")
    return value


def dependencies() -> Iterator[tuple[int, Any]]:
    """Make functions with one parameter of all sources and kinds."""
    scalars: list[Any] = [
        str,
        int,
        float,
        bool,
        int | None,
        Literal["1", "a"],
        Annotated[int, AfterValidator(positive)],
    ]
    markers = {PATH: PathParameter, QUERY: Query, HEADER: Header, COOKIE: Cookie}
    for source, marker in markers.items():
        lists = [GenericAlias(list, each) for each in scalars[:4]] if source in (1, 2) else []
        annotations = [*scalars, *lists]
        for annotation in annotations:
            for call in functions_with(annotation, marker, with_defaults=source != PATH):
                yield source, call


def functions_with(annotation: Any, marker: Any, *, with_defaults: bool) -> Iterator[Any]:
    """Make functions with a parameter of that type. From 3.14 on Python evaluates annotations when
    they are asked for, so each set of functions needs variables of its own.
    """

    def required(value: Annotated[annotation, marker()]) -> None: ...

    yield required
    if not with_defaults:
        return

    def shared(value: Annotated[annotation, marker(alias="Other-Name")] = None) -> None: ...

    def fresh(value: Annotated[annotation, marker(default_factory=list)]) -> None: ...

    yield shared
    yield fresh


DEPENDENCIES = list(dependencies())
TEXTS = ["", "1", "-1", "0", "007", "a", "1.5", "true", "٣", "9" * 18, "9" * 19, " 1", "1_0", "+1"]
texts = st.one_of(st.sampled_from(TEXTS), st.text(max_size=6), st.integers().map(str))


@cache
def params_of(index: int) -> tuple[Any, Any]:
    """Give the parameter of a dependency in both cores, None where FastAPI has to read it."""
    _core = compiled_core()

    source, call = DEPENDENCIES[index]
    path = "/{value}" if source == PATH else "/"
    (field,) = _fastapi.fields_of(path, call, source)
    reading = _fastapi.reading(_fastapi.Request)
    return parameter(source, field, _core_py, reading), parameter(source, field, _core, reading)


def extracted(core: ModuleType, param: Any, values: list[str]) -> tuple[Any, Any]:
    """Let a core read a parameter of a request with these values."""
    received: Any = {param.key: values[-1]} if values else {}
    if param.loc[0] == "query":
        received = QueryParams([(param.key, value) for value in values])
    elif param.loc[0] == "header":
        key = param.key.encode()
        received = Headers(raw=[(key, value.encode("latin-1", "replace")) for value in values])
    found: dict[str, Any] = {}
    errors: list[Any] = []
    core.extract((param,), received, found, errors)
    return found, errors


def comparable(error: dict[str, Any]) -> dict[str, Any]:
    """Make two errors equal if all they hold is, exceptions too."""
    return {
        **error,
        "ctx": {key: repr(value) for key, value in error.get("ctx", {}).items()},
    }


@pytest.mark.slow
@needs_compiled_core
@given(index=st.integers(0, len(DEPENDENCIES) - 1), values=st.lists(texts, max_size=3))
@settings(max_examples=1000)
def test_the_compiled_core_reads_parameters_as_the_python_core(
    index: int, values: list[str]
) -> None:
    _core = compiled_core()

    python, compiled = params_of(index)
    if python is None:
        assert compiled is None
        return
    expected, expected_errors = extracted(_core_py, python, values)
    found, errors = extracted(_core, compiled, values)
    assert list(map(repr, found.items())) == list(map(repr, expected.items()))
    assert list(map(type, found.values())) == list(map(type, expected.values()))
    assert list(map(comparable, errors)) == list(map(comparable, expected_errors))


def price(value: float) -> None:
    """Take a number with a point in it."""


@pytest.mark.slow
@needs_compiled_core
@given(text=st.from_regex(r"[0-9]{0,12}\.?[0-9]{0,12}", fullmatch=True))
@example(text="0.1")
@example(text="999999999999999")
@example(text="0.00000000000001")
@example(text="930481253629.0363")  # its digits divided by a power of ten are another number
@many_examples
def test_the_compiled_core_reads_decimals_as_pydantic(text: str) -> None:
    _core = compiled_core()

    (field,) = _fastapi.fields_of("/", price, QUERY)
    param = parameter(QUERY, field, _core, _fastapi.reading(_fastapi.Request))
    assert param.convert == _core_py.FLOAT
    try:
        expected = {"value": TypeAdapter(float).validate_python(text)}
    except ValidationError:
        expected = {}
    assert repr(extracted(_core, param, [text])[0]) == repr(expected)


@needs_compiled_core
@pytest.mark.skipif(
    not CURRENT_DEFAULTS, reason="FastAPI applies defaults as it does now from 0.152 on"
)
def test_all_these_kinds_of_parameters_are_read_by_the_cores() -> None:
    read = [params_of(index)[0] is not None for index in range(len(DEPENDENCIES))]
    assert all(read), [DEPENDENCIES[index] for index, each in enumerate(read) if not each]


@pytest.mark.parametrize("source", [PATH, QUERY, HEADER, COOKIE])
def test_fastapi_is_asked_with_requests_that_have_the_parameter(source: int) -> None:
    kind = Kind(source, many=False, if_missing=ERROR, convert=TEXT)
    texts = {received.get("some-Name") for received in made_up_requests(kind, "some-Name")}
    assert texts > {None, "", "1", "x", "2.5"}


@needs_compiled_core
@pytest.mark.parametrize("values", [[], ["x"], ["1"]])
def test_errors_and_defaults_of_the_cores_are_not_shared_between_requests(
    values: list[str],
) -> None:
    _core = compiled_core()

    for index in range(len(DEPENDENCIES)):
        python, compiled = params_of(index)
        for core, param in ((_core_py, python), (_core, compiled)):
            if param is None:
                continue
            first, first_errors = extracted(core, param, values)
            second, second_errors = extracted(core, param, values)
            for one, other in zip(first_errors, second_errors, strict=True):
                assert one is not other
            for one, other in zip(first.values(), second.values(), strict=True):
                assert one is not other or not isinstance(one, list)
