"""Builds and runs an application in each of its variants: stock, Python core, compiled core."""

from __future__ import annotations

import asyncio
import functools
import gc
import logging
import sys
import types
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import fastapi.dependencies.models
import fastapi.dependencies.utils

from fastapi_async_safe import (
    AsyncSafeMixin,
    _hooks,
    async_safe,
    async_unsafe,
    init_app,
    resolver_backend,
)
from tests.support.serving import expected_backend, forget_endpoints

from . import recorder as recorder_module
from .description import Description
from .driver import Request, exchange
from .recorder import Event, Recorder
from .source import PRELUDE, source_of

_MODULE = "random_tree_application"

T = TypeVar("T")


@dataclass(frozen=True)
class Outcome:
    """All that can be seen of one request."""

    messages: tuple[str, ...]
    error: str
    #: The exceptions that were being handled when the error was raised.
    history: tuple[str, ...]
    events: tuple[Event, ...]

    @property
    def trace(self) -> tuple[tuple[str, str, str], ...]:
        """The events without where they happened."""
        return tuple((event.kind, event.who, event.detail) for event in self.events)

    @property
    def status(self) -> str:
        """How the response began, in words."""
        return self.messages[0].partition(" headers=")[0] if self.messages else "no response"


@dataclass(frozen=True)
class Run:
    """What became of one variant."""

    #: The reason why it could not be built.
    refused: str | None = None
    outcomes: tuple[Outcome, ...] = ()
    #: What was logged about leaving something to FastAPI.
    declined: tuple[str, ...] = ()


@dataclass(frozen=True)
class Variant:
    """One way to run an application.

    Parameters:
        name: what it is called in differences.
        names: what the source of an application needs for it.
        surroundings: what is entered while it is built and run.
        accelerated: whether marks mean something in it.
    """

    name: str
    names: dict[str, Any]
    surroundings: Callable[[Description], AbstractContextManager[Any]]
    accelerated: bool


def stock(
    name: str = "stock",
    surroundings: Callable[[Description], AbstractContextManager[Any]] | None = None,
    *,
    accelerated: bool = False,
) -> Variant:
    """Give FastAPI as it is: nothing is marked, and no hook is in."""

    def unmarked(value: Any, **settings: Any) -> Any:
        return value

    names = {
        "init_app": unmarked,
        "async_safe": unmarked,
        "async_unsafe": unmarked,
        "AsyncSafeMixin": type("AsyncSafeMixin", (), {}),
    }
    return Variant(name, names, surroundings or _without_hook, accelerated)


def without_marks(variant: Variant) -> Variant:
    """Give a variant in which nothing is marked."""
    marks = {name: found for name, found in stock().names.items() if name != "init_app"}
    return replace(variant, names={**variant.names, **marks})


def _without_hook(description: Description) -> AbstractContextManager[Any]:
    if not description.settings.beside:
        _hooks.remove()
    return nullcontext()


def initialised(name: str) -> Variant:
    """Give the variant "python" or "compiled"."""
    names = {
        "init_app": functools.partial(init_app, accelerated=name == "compiled"),
        "async_safe": async_safe,
        "async_unsafe": async_unsafe,
        "AsyncSafeMixin": AsyncSafeMixin,
    }
    return Variant(name, names, lambda description: nullcontext(), accelerated=True)


def variants() -> tuple[Variant, ...]:
    """Give stock, the Python core and, where it has to be there, the compiled core."""
    if expected_backend() != "compiled":
        return stock(), initialised("python")
    if resolver_backend() != "compiled":
        raise RuntimeError("there is a compiled core to be tested, but it is not in use")
    return stock(), initialised("python"), initialised("compiled")


@functools.cache
def _prelude() -> dict[str, Any]:
    # dataclasses and pydantic look their classes' module up.
    module = sys.modules[_MODULE] = types.ModuleType(_MODULE)
    names = vars(module)
    exec(compile(PRELUDE, "<prelude>", "exec", dont_inherit=True), names)
    for each in ("HandledError", "UnhandledError", "Abort"):
        names[each] = getattr(recorder_module, each)
    return names


class Application:
    """One freshly built application of a variant.

    Parameters:
        variant: of which it is one.
        code: of its source.
        recorder: of what it does; a new one without it.
    """

    def __init__(
        self, variant: Variant, code: types.CodeType, recorder: Recorder | None = None
    ) -> None:
        self.recorder = Recorder() if recorder is None else recorder
        names = {**_prelude(), **variant.names, "T": self.recorder}
        exec(code, names)
        self.app = names["app"]
        self.provider = names["provider"]
        self.overrides = names["overrides"]
        self._before_request = names["before_request"]

    async def run(self, number: int, request: Request) -> Outcome:
        """Send one request."""
        self.prepare(number, request)
        recorder = self.recorder
        messages, error = await exchange(self.app, request)
        return Outcome(
            tuple(map(show_message, messages)),
            recorder.show_exception(error),
            recorder.history(error),
            recorder.finish(),
        )

    def prepare(self, number: int, request: Request) -> None:
        """Let all be as it is to be for a request of that number."""
        self._before_request(number)
        if request.overridden:
            self.provider.dependency_overrides = dict(self.overrides)
        else:
            self.provider.dependency_overrides.clear()
        self.recorder.start(request.failures)


def show_message(message: Any) -> str:
    """Show a message of the application's."""
    rest = ", ".join(f"{key}={value!r}" for key, value in message.items() if key != "headers")
    return f"{rest} headers={message.get('headers')}"


class _Messages(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(record.getMessage())


@contextmanager
def logged() -> Iterator[list[str]]:
    """Give a list that has in the end what was logged about leaving something to FastAPI."""
    logger = logging.getLogger("fastapi_async_safe")
    handler = _Messages()
    logger.addHandler(handler)
    propagated, logger.propagate = logger.propagate, False
    try:
        yield handler.found
    finally:
        logger.propagate = propagated
        logger.removeHandler(handler)


async def _run(variant: Variant, code: types.CodeType, description: Description) -> Run:
    try:
        return await _run_as_is(variant, code, description)
    finally:
        recorder_module.put_back()


async def _run_as_is(variant: Variant, code: types.CodeType, description: Description) -> Run:
    with variant.surroundings(description), logged() as declined:
        try:
            application = Application(variant, code)
        except Exception as exc:
            return Run(refused=f"{type(exc).__name__}: {exc}")
        outcomes = [
            await application.run(number, each) for number, each in enumerate(description.requests)
        ]
        return Run(None, tuple(outcomes), tuple(declined))


def forget() -> None:
    """Empty what FastAPI remembers of the callables it has seen.

    It would keep every application alive, and some of it goes by the identity of what is gone.
    """
    for module in (fastapi.dependencies.models, fastapi.dependencies.utils):
        for value in vars(module).values():
            if isinstance(value, functools._lru_cache_wrapper):
                value.cache_clear()
    forget_endpoints()


_runner: asyncio.Runner | None = None


def on_loop(running: Coroutine[Any, Any, T]) -> T:
    """Run something on the event loop that all examples share."""
    global _runner  # noqa: PLW0603
    if _runner is None:
        _runner = asyncio.Runner()
        gc.freeze()  # what there is by now would be looked through again and again
    return _runner.run(running)


def run(description: Description, chosen: tuple[Variant, ...]) -> list[Run]:
    """Run the example in the variants, one after the other on one event loop."""
    source = source_of(description)
    code = compile(source, "<random tree>", "exec", dont_inherit=True)

    async def every() -> list[Run]:
        return [await _run(variant, code, description) for variant in chosen]

    try:
        return on_loop(every())
    finally:
        forget()


def close() -> None:
    """Close the event loop, and leave FastAPI as it was."""
    global _runner  # noqa: PLW0603
    if _runner is not None:
        _runner.close()
        _runner = None
        gc.unfreeze()
    _hooks.remove()
