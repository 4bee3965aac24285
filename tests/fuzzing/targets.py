"""What the cores read from query strings, headers and cookies, held against Starlette's readers.

An input is two bytes and a text. The first byte says in which form the text stands in the scope,
the second how often it is repeated.
"""

import inspect
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Annotated, Any

from fastapi import Cookie, FastAPI, Header, Query, Request, routing
from pydantic import TypeAdapter, ValidationError

from fastapi_async_safe import init_app, resolver_backend
from tests.support.serving import FASTAPI

from .corpus import NEXT, VALUE

#: Of the first byte: the number of the form, the plain one if there is none of that number.
FORM = 31
#: Somebody has asked the request before; the scope is of a subclass of `dict`.
ASKED_BEFORE, ODD_SCOPE = 32, 64
#: How often the text is there, by the second byte; else once. It is cut at a length.
TIMES = {253: 2, 254: 10, 255: 100}
LENGTH = 600


class OddBytes(bytes): ...


class OddList(list[Any]): ...


class OddTuple(tuple[Any, ...]): ...


class OddScope(dict[str, Any]): ...


#: By the name that FastAPI's errors have: what a request has of it, in the order of reading.
SOURCES = {"query": "query_params", "header": "headers", "cookie": "cookies"}

Pair = tuple[bytes, ...]
#: Makes a part of the scope.
Form = Callable[[bytes], dict[str, Any]]

QUERY_FORMS: tuple[Form, ...] = (
    lambda query: {"query_string": query},
    lambda query: {"query_string": OddBytes(query)},
    lambda query: {"query_string": bytearray(query)},
    lambda query: {"query_string": memoryview(query)},
    lambda query: {"query_string": query.decode("latin-1")},
    lambda query: {"query_string": [tuple(pair.split("=")) for pair in str(query).split("&")]},
    lambda query: {"query_string": None},
    lambda query: {},
)
_FORMS_OF_PAIRS: tuple[Callable[[list[Pair]], Any], ...] = (
    list,
    tuple,
    OddList,
    OddTuple,
    iter,
    dict.fromkeys,
    lambda pairs: [list(pair) for pair in pairs],
    lambda pairs: [OddList(pair) for pair in pairs],
    lambda pairs: [OddTuple(pair) for pair in pairs],
    lambda pairs: [tuple(map(OddBytes, pair)) for pair in pairs],
    lambda pairs: [(pair[0], *map(OddBytes, pair[1:])) for pair in pairs],
    lambda pairs: [tuple(map(bytearray, pair)) for pair in pairs],
    lambda pairs: [(pair[0].decode("latin-1"), *pair[1:]) for pair in pairs],
    lambda pairs: [(pair[0], *(value.decode("latin-1") for value in pair[1:])) for pair in pairs],
    lambda pairs: [*pairs, None],
    lambda pairs: None,
)


def header_pairs(text: bytes) -> list[Pair]:
    """Take a text apart into headers; a part without `VALUE` becomes a tuple of one."""
    pairs = [tuple(part.split(VALUE, 1)) for part in text.split(NEXT)]
    # FastAPI to 0.157 decodes every header, also those that no parameter is about.
    return pairs if FASTAPI >= (0, 158) else [(*pair, b"")[:2] for pair in pairs]


def cookie_pairs(text: bytes) -> list[Pair]:
    """Take a text apart into headers of cookies."""
    return [(b"cookie", part) for part in text.split(NEXT)]


def _forms(pairs_of: Callable[[bytes], list[Pair]]) -> tuple[Form, ...]:
    def form(made: Callable[[list[Pair]], Any]) -> Form:
        return lambda text: {"headers": made(pairs_of(text))}

    return (*map(form, _FORMS_OF_PAIRS), lambda text: {})


@dataclass(frozen=True)
class Parameter:
    """A parameter of the endpoint, and what it is if the request has no value for it."""

    key: str
    type: Any = str
    default: Any = "never sent"

    @cached_property
    def adapter(self) -> TypeAdapter[Any]:
        """Pydantic's validation of the type."""
        return TypeAdapter(self.type)


def _each(*keys: str) -> tuple[Parameter, ...]:
    return tuple(map(Parameter, keys))


def _all(*keys: str) -> tuple[Parameter, ...]:
    return tuple(Parameter(key, list[str], []) for key in keys)


@dataclass(frozen=True)
class Target:
    """One source of parameters.

    Attributes:
        name: a key of `SOURCES`.
        source: what declares a parameter of it.
        parameters: of the endpoint.
        forms: in which a text may stand in the scope, first the plain one.
    """

    name: str
    source: Any
    parameters: tuple[Parameter, ...]
    forms: tuple[Form, ...]

    def check(self, data: bytes) -> None:
        """Read an input by Starlette and by each core.

        Raises:
            AssertionError: they differ.
        """
        form, times = data[:2].ljust(2, b"\0")
        self.check_text(form, (data[2:] * TIMES.get(times, 1))[:LENGTH])

    def check_text(self, form: int, text: bytes, apps: dict[str, FastAPI] | None = None) -> None:
        """Likewise for a text in a form, by each core or by these applications."""
        expected = self._outcome(form, text, self._read_by_starlette)
        for name, app in (apps or self._accelerated).items():
            given = self._outcome(form, text, partial(_read_by_fastapi, app))
            if given != expected:
                lines = [f"{self.scope(form, text)!r} is read"]
                lines += [f"  by Starlette: {part!r}" for part in expected]
                lines += [f"  {name}: {part!r}" for part in given]
                raise AssertionError("\n".join(lines))

    def scope(self, form: int, text: bytes) -> dict[str, Any]:
        """Make the ASGI scope for a text in a form."""
        scope: dict[str, Any] = {"type": "http", "path_params": {}}
        if self.name == "query":
            scope["headers"] = []
        else:
            scope["query_string"] = b""
        number = form & FORM
        scope |= self.forms[number if number < len(self.forms) else 0](text)
        return OddScope(scope) if form & ODD_SCOPE else scope

    def app(self) -> FastAPI:
        """Make an application, of stock FastAPI."""

        async def endpoint(**values: Any) -> None: ...

        endpoint.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [
                inspect.Parameter(
                    f"parameter{number}",
                    inspect.Parameter.KEYWORD_ONLY,
                    annotation=Annotated[each.type, self.source(alias=each.key)],
                    default=each.default,
                )
                for number, each in enumerate(self.parameters)
            ]
        )
        app = FastAPI(openapi_url=None)
        app.get("/")(endpoint)
        return app

    @cached_property
    def _accelerated(self) -> dict[str, FastAPI]:
        cores = ["python", "compiled"] if resolver_backend() == "compiled" else ["python"]
        return {core: init_app(self.app(), accelerated=core == "compiled") for core in cores}

    def _outcome(self, form: int, text: bytes, read: Callable[[Request], Any]) -> list[Any]:
        """Give what is read, in a form that can be compared, and what the request keeps of it."""
        request = Request(self.scope(form, text))
        try:
            if form & ASKED_BEFORE:
                assert request.headers is not None
                assert request.query_params is not None
            values, errors = read(request)
        except Exception as error:
            return [repr(error), list(vars(request))]
        return [
            repr(values),
            errors and repr(errors),
            request.query_params.multi_items(),
            request.query_params._dict,
            request.scope["headers"],
            request.headers.raw,
            request.cookies,
        ]

    def _read_by_starlette(self, request: Request) -> tuple[list[Any], list[Any]]:
        values: list[Any] = []
        errors: list[Any] = []
        # FastAPI asks for all three.
        for name, attribute in SOURCES.items():
            received = getattr(request, attribute)
            if name == self.name:
                for parameter in self.parameters:
                    values.extend(self._value(parameter, received, errors))
        return values, errors

    def _value(self, parameter: Parameter, received: Any, errors: list[Any]) -> Iterator[Any]:
        if isinstance(parameter.default, list):
            raw = received.getlist(parameter.key) or None
        else:
            raw = received.get(parameter.key)
        if raw is None:
            yield parameter.default
            return
        try:
            yield parameter.adapter.validate_python(raw)
        except ValidationError as error:
            for each in error.errors(include_url=False):
                each["loc"] = (self.name, parameter.key, *each["loc"])
                errors.append(each)


def _read_by_fastapi(app: FastAPI, request: Request) -> tuple[list[Any], list[Any]]:
    # Without an event loop: there is nothing to wait for.
    stack = AsyncExitStack()
    stacks = {"fastapi_inner_astack": stack, "fastapi_function_astack": stack}
    request.scope.update(stacks, app=app)
    coroutine = routing.solve_dependencies(
        request=request,
        dependant=app.routes[0].dependant,  # type: ignore[attr-defined]
        dependency_overrides_provider=app,
        async_exit_stack=stack,
        embed_body_fields=False,
    )
    try:
        coroutine.send(None)
    except StopIteration as stopped:
        return list(stopped.value.values.values()), stopped.value.errors
    raise AssertionError("this waits for something")


TARGETS = {
    target.name: target
    for target in (
        Target(
            "query",
            Query,
            (
                *_each("a", "aa", "b c", "ä", "n\x00"),
                *_all("a", "ä"),
                Parameter("i", int, -1),
                Parameter("f", float, -1.0),
                Parameter("n", list[int], []),
            ),
            QUERY_FORMS,
        ),
        Target(
            "header",
            Header,
            (
                *_each("a", "aa", "X-Up", "ä"),
                *_all("a", "X-Up"),
                Parameter("i", int, -1),
            ),
            _forms(header_pairs),
        ),
        Target(
            "cookie",
            Cookie,
            (*_each("a", "aa", "A", "ä", "a b"), Parameter("i", int, -1)),
            _forms(cookie_pairs),
        ),
    )
}
