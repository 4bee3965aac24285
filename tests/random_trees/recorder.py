"""What the generated applications call while they run, so that everything they do leaves a trace.

This module is embedded into reproducers as text, so it imports nothing of the project.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from typing import Any

import fastapi.dependencies.utils as utils
import starlette.requests
from fastapi import BackgroundTasks, HTTPException, Request, Response, WebSocketException
from fastapi.exceptions import (
    RequestValidationError,
    ResponseValidationError,
    WebSocketRequestValidationError,
)
from fastapi.security import SecurityScopes
from pydantic import BaseModel
from starlette.background import BackgroundTasks as StarletteBackgroundTasks
from starlette.datastructures import Headers, QueryParams, UploadFile
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket


class HandledError(Exception):
    """An exception for which every generated application has a handler."""


class UnhandledError(Exception):
    """An exception for which no generated application has a handler."""


class Abort(BaseException):
    """An exception that `except Exception` does not see."""


EXCEPTIONS: dict[str, Callable[[], BaseException]] = {
    "ValueError": lambda: ValueError("planned", 1),
    "HTTPException": lambda: HTTPException(409, {"why": "planned"}, {"x-planned": "yes"}),
    "StopIteration": lambda: StopIteration("planned"),
    "StopAsyncIteration": lambda: StopAsyncIteration("planned"),
    "Handled": lambda: HandledError("planned"),
    "Unhandled": lambda: UnhandledError("planned"),
    "KeyError": lambda: KeyError("planned"),
    "RuntimeError": lambda: RuntimeError("planned"),
    "RequestValidationError": lambda: RequestValidationError([{"loc": ("planned",)}]),
    "WebSocketException": lambda: WebSocketException(1011, "planned"),
    "ExceptionGroup": lambda: ExceptionGroup("planned", [ValueError(1), KeyError("k")]),
    "TimeoutError": lambda: TimeoutError("planned"),
    "AssertionError": lambda: AssertionError("planned"),
    "CancelledError": lambda: asyncio.CancelledError("planned"),
    "Abort": lambda: Abort("planned"),
}


@dataclass(frozen=True)
class Event:
    """One thing a generated application did: its kind, who did it, with what, and where."""

    kind: str
    who: str
    detail: str
    on_loop: bool


class Value:
    """What a dependency returned; its name says which call of which dependency it was."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


class Values(list[Any]):
    """An unhashable result that is never changed by the recorder."""


def _append_header(connection: HTTPConnection) -> None:
    connection.scope["headers"].append((b"x-added", b"1"))


def _drop_headers(connection: HTTPConnection) -> None:
    del connection.scope["headers"][1:]


def _rewrite_headers(connection: HTTPConnection) -> None:
    headers = connection.scope["headers"]
    headers[:] = [(name, value[:1]) for name, value in headers]


def _replace_headers(connection: HTTPConnection) -> None:
    connection.scope["headers"] = connection.scope["headers"][:1]


def _replace_query(connection: HTTPConnection) -> None:
    connection.scope["query_string"] = b"a=1&b=2"


def _set_made(name: str) -> Callable[[HTTPConnection], None]:
    def change(connection: HTTPConnection) -> None:
        made: Any = {
            "_headers": Headers(raw=connection.scope["headers"][:1]),
            "_query_params": QueryParams("a=3&b=4"),
            "_cookies": {"a": "5"},
        }
        setattr(connection, name, made[name])

    return change


def _unset_made(connection: HTTPConnection) -> None:
    for name in ("_headers", "_query_params", "_cookies"):
        connection.__dict__.pop(name, None)


def _change_path(connection: HTTPConnection) -> None:
    for name in connection.path_params:
        connection.path_params[name] = "6"


def _empty_path(connection: HTTPConnection) -> None:
    connection.path_params.clear()


#: What a dependency may do to the request that it is given.
CHANGES: dict[str, Callable[[HTTPConnection], None]] = {
    "append a header": _append_header,
    "drop headers": _drop_headers,
    "rewrite headers": _rewrite_headers,
    "replace headers": _replace_headers,
    "replace the query": _replace_query,
    "set headers": _set_made("_headers"),
    "set query parameters": _set_made("_query_params"),
    "set cookies": _set_made("_cookies"),
    "forget what was made": _unset_made,
    "change path parameters": _change_path,
    "remove path parameters": _empty_path,
}


# ---- what projects and tools replace in FastAPI ------------------------------------------------


def _shouted(original: Any) -> Any:
    def read(*arguments: Any, **keywords: Any) -> Any:
        values, errors = original(*arguments, **keywords)
        shouted = {
            name: value.upper() if type(value) is str else value for name, value in values.items()
        }
        return shouted, errors

    return read


def _stripped(original: Any) -> Any:
    def read(*arguments: Any, **keywords: Any) -> Any:
        value = original(*arguments, **keywords)
        return value.strip() if type(value) is str else value

    return read


def _renamed(original: Any) -> Any:
    def parse(text: str) -> dict[str, str]:
        return {name: f"sweet {value}" for name, value in original(text).items()}

    return parse


def _as_before(original: Any) -> Any:
    def asked(*arguments: Any, **keywords: Any) -> Any:
        return original(*arguments, **keywords)

    return asked


#: Owner, name, and what makes the one that takes its place.
REPLACEMENTS: dict[str, tuple[Any, str, Callable[[Any], Any]]] = {
    "shouted": (utils, "request_params_to_args", _shouted),
    "stripped": (utils, "_get_multidict_value", _stripped),
    "renamed": (starlette.requests, "cookie_parser", _renamed),
    "pool": (utils, "run_in_threadpool", _as_before),
    "coroutines": (utils, "_is_coroutine_callable", _as_before),
    "generators": (utils, "_is_gen_callable", _as_before),
    "cache keys": (utils, "_get_cache_key", _as_before),
}

#: Those by which FastAPI finds out what a dependency is; not all releases have them.
CLASSIFYING = {
    each
    for each in ("coroutines", "generators", "cache keys")
    if hasattr(utils, REPLACEMENTS[each][1])
}

_originals: dict[str, Any] = {}


def put_back() -> None:
    """Let FastAPI be as it was."""
    for each, original in _originals.items():
        owner, name, _ = REPLACEMENTS[each]
        setattr(owner, name, original)
    _originals.clear()


class Recorder:
    """The trace of one request, and the failures planned for it."""

    def __init__(self) -> None:
        self.tasks: tuple[Callable[..., Any], ...] = ()
        self.start(())

    def start(self, failures: tuple[tuple[str, str, str], ...]) -> None:
        """Forget the last request and take the `(who, phase, exception)` planned for the next."""
        self.events: list[Event] = []
        self.failures: Mapping[tuple[str, str], str] = {(w, p): name for w, p, name in failures}
        self.counts: dict[str, int] = {}
        self.seen: list[Any] = []
        self.pending: list[Coroutine[Any, Any, Any]] = []
        self.loop_thread = threading.get_ident()

    def replace(self, what: str) -> None:
        """Replace a function of FastAPI's, until `put_back`, which is what no name stands for."""
        if not what:
            put_back()
            return
        owner, name, make = REPLACEMENTS[what]
        if what not in _originals and hasattr(owner, name):
            _originals[what] = getattr(owner, name)
            setattr(owner, name, make(_originals[what]))

    def finish(self) -> tuple[Event, ...]:
        """Close what nobody awaited, and return the trace."""
        for coroutine in self.pending:
            coroutine.close()
        return tuple(self.events)

    def record(self, kind: str, who: str, detail: str) -> None:
        """Add an event."""
        on_loop = threading.get_ident() == self.loop_thread
        self.events.append(Event(kind, who, detail, on_loop))

    def fail(self, who: str, phase: str) -> None:
        """Raise what was planned for `who` in `phase`, if anything was."""
        name = self.failures.get((who, phase))
        if name is not None:
            exc = EXCEPTIONS[name]()
            raise exc

    def call(self, who: str, /, **arguments: Any) -> None:
        """Record a call with its arguments, use the special ones, and fail if that was planned."""
        detail = ", ".join(f"{name}={self.show(value)}" for name, value in arguments.items())
        self.record("call", who, detail)
        for value in arguments.values():
            self._use(who, value)
        self.fail(who, "call")

    def caught(self, who: str, exc: BaseException) -> None:
        """Record the exception that a `yield` dependency was given."""
        self.record("caught", who, self.show_exception(exc))

    def exit(self, who: str) -> None:
        """Record the exit of a `yield` dependency, and fail if that was planned."""
        self.record("exit", who, "")
        self.fail(who, "exit")

    def count(self, who: str) -> int:
        """Count one more result of `who`."""
        self.counts[who] = self.counts.get(who, 0) + 1
        return self.counts[who]

    def result(self, who: str, kind: str = "value") -> Any:
        """Make the result of a call, of the kind asked for."""
        value = Value(f"{who}#{self.count(who)}")
        match kind:
            case "none":
                return None
            case "list":
                return Values([value])
            case "text":
                return repr(value)
            case "coroutine":
                return self.track(self._coroutine(value))
            case "generator":
                return self._generator(value)
        return value

    def track(self, value: Any) -> Any:
        """Return `value`; if it is a coroutine that nobody awaits it is closed in the end."""
        if inspect.iscoroutine(value):
            self.pending.append(value)
        return value

    def validator(self, who: str) -> Callable[[Any], Any]:
        """Make a pydantic validator that leaves a trace."""

        def validate(value: Any) -> Any:
            self.record("validate", who, self.show(value))
            self.fail(who, "validate")
            return value

        return validate

    def factory(self, who: str, make: Callable[[], Any]) -> Callable[[], Any]:
        """Make a default factory that leaves a trace."""

        def produce() -> Any:
            self.record("factory", who, "")
            self.fail(who, "factory")
            return make()

        return produce

    def task(self, which: str, who: str) -> None:
        """Record that the background task `which`, added by `who`, runs."""
        self.record("task", which, who)
        self.fail(which, "task")

    def chunks(self, who: str) -> Iterator[dict[str, str]]:
        """Give the items that a streaming endpoint sends."""
        for number in range(2):
            self.record("chunk", who, str(number))
            self.fail(who, f"chunk{number}")
            yield {"chunk": f"{who}:{number}"}
        self.record("chunk", who, "end")

    async def achunks(self, who: str) -> AsyncIterator[bytes]:
        """Give the body of a streaming response."""
        for item in self.chunks(who):
            await self.pause(who)
            yield repr(item).encode()

    async def pause(self, who: str) -> None:
        """Be where `who` is suspended."""
        await asyncio.sleep(0)

    def reply(self, who: str, /, **arguments: Any) -> dict[str, Any]:
        """Make what the endpoint answers: what it got."""
        return {name: self.show(value) for name, value in arguments.items()}

    def show(self, value: Any) -> str:
        """Describe any value without addresses and without an order that sets do not have."""
        if value is None or type(value) in (str, bytes, int, float, bool, Value):
            return repr(value)
        if isinstance(value, Enum):
            return f"{type(value).__name__}.{value.name}"
        if isinstance(value, (set, frozenset)):
            return f"{type(value).__name__}({sorted(map(self.show, value))})"
        if isinstance(value, dict):
            items = (f"{self.show(key)}: {self.show(item)}" for key, item in value.items())
            return f"{type(value).__name__}({', '.join(items)})"
        if isinstance(value, (list, tuple)):
            return f"{type(value).__name__}({', '.join(map(self.show, value))})"
        if isinstance(value, BaseModel) and not hasattr(value, "random_tree_name"):
            fields = {name: getattr(value, name) for name in type(value).model_fields}
            extra = value.model_extra or {}
            given = sorted(value.model_fields_set)
            return f"{type(value).__name__}({self.show(fields | extra)}, set={given})"
        if isinstance(value, UploadFile):
            content = None  # once the form is closed
            if not value.file.closed:
                content = value.file.read()
                value.file.seek(0)
            return f"UploadFile({value.filename!r}, {value.content_type!r}, {content!r})"
        if inspect.iscoroutine(value):
            self.track(value)
            return f"<coroutine {value.__name__}>"
        if inspect.isgenerator(value) or inspect.isasyncgen(value):
            return f"<{type(value).__name__} {value.__name__}>"
        if isinstance(value, AbstractContextManager):
            return f"<{type(value).__name__}>"
        if isinstance(value, SecurityScopes):
            return f"SecurityScopes({value.scopes}, {value.scope_str!r})"
        if isinstance(value, (HTTPConnection, Response, StarletteBackgroundTasks)):
            return f"{type(value).__module__}.{type(value).__name__}@{self._identity(value)}"
        if isinstance(value, BaseException):
            return self.show_exception(value)
        return repr(value)

    def show_exception(self, exc: BaseException | None, depth: int = 0) -> str:
        """Describe an exception with its arguments and its causes."""
        if exc is None:
            return "-"
        detail: Any = exc.args
        if isinstance(exc, (RequestValidationError, WebSocketRequestValidationError)):
            detail = (list(exc.errors()), getattr(exc, "body", None))
        elif isinstance(exc, ResponseValidationError):
            detail = (list(exc.errors()), exc.body)
        elif isinstance(exc, HTTPException):
            detail = (exc.status_code, exc.detail, exc.headers)
        elif isinstance(exc, BaseExceptionGroup):
            detail = (exc.message, list(exc.exceptions))
        text = f"{type(exc).__qualname__}{self.show(detail)}"
        if exc.__cause__ is not None and depth < 8:
            text += f" <- {self.show_exception(exc.__cause__, depth + 1)}"
        return text

    def history(self, exc: BaseException | None) -> tuple[str, ...]:
        """Describe the exceptions that were handled when `exc` was raised, nearest first."""
        found: list[BaseException] = []
        while exc is not None and exc not in found:
            found.append(exc)
            exc = exc.__cause__ or exc.__context__
        return tuple(map(self.show_exception, found[1:]))

    def _identity(self, value: Any) -> int:
        for number, other in enumerate(self.seen):
            if other is value:
                return number
        self.seen.append(value)
        return len(self.seen) - 1

    def _use(self, who: str, value: Any) -> None:
        change = self.failures.get((who, "change"))
        if change is not None and isinstance(value, HTTPConnection):
            self.record("change", who, change)
            CHANGES[change](value)
        number = int("".join(filter(str.isdigit, who)) or 0)
        if type(value) is list:
            # The next request shows it if a default was not copied.
            value.append(f"changed by {who}")
        elif type(value) is dict:
            value[f"changed by {who}"] = None
        elif type(value) is set:
            value.add(f"changed by {who}")
        elif isinstance(value, StarletteBackgroundTasks):
            kind = "fastapi" if isinstance(value, BackgroundTasks) else "starlette"
            self.record("tasks", who, f"{kind} {len(value.tasks)}")
            value.add_task(self.tasks[number % len(self.tasks)], who)
        elif isinstance(value, Response):
            value.headers.append("x-visited", who)
            if number % 3 == 0:
                value.set_cookie(f"visited-{who}", str(len(self.events)))
            if number % 4 == 1:
                value.status_code = 200 + number % 3
        elif isinstance(value, (Request, WebSocket)) and number % 2 == 0:
            query = value.query_params.multi_items()
            headers = [(k, v) for k, v in value.headers.items() if k != "content-type"]
            seen = f"{value.url.path!r} {query} {headers} {value.cookies} {value.path_params}"
            self.record("request", who, seen)

    async def _coroutine(self, value: Value) -> Value:
        return value

    def _generator(self, value: Value) -> Generator[Value, None, None]:
        yield value
