"""Coroutines as dependencies: whether, how often and for what they suspend makes no difference."""

import asyncio
import types
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextvars import ContextVar
from typing import Annotated, Any

import anyio
import anyio.lowlevel
import pytest
from fastapi import Depends, FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st

from fastapi_async_safe._begun import Begun
from tests.serving import BACKENDS, Exchange, Init, SameAsStock, Serve, exchange

# ---- what goes on with a coroutine --------------------------------------------------------------


class Pause:
    """Suspends with a value, and gives what it is resumed with."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __await__(self) -> Generator[Any, Any, Any]:
        return (yield self.value)


class NotCaughtError(Exception):
    """What a coroutine under test lets through."""


Script = list[str]


async def acted(script: Script, log: list[Any]) -> Any:
    """Suspend once for each entry, and do with what comes as the entry says."""
    for number, entry in enumerate(script):
        try:
            log.append(("got", number, await Pause(number)))
        except ValueError as error:
            log.append(("caught", number, error.args, repr(error.__context__)))
            if entry == "replaced":
                raise KeyError(number) from None
            if entry == "added":
                raise KeyError(number)  # noqa: B904
            if entry == "ended":
                return "early"
        except GeneratorExit:
            log.append(("closed", number))
            raise
    if len(script) % 2:
        raise LookupError("at the end")
    return len(script)


def chain_of(error: BaseException | None) -> list[str]:
    """Show an exception with all that it was raised from and in."""
    shown = []
    while error is not None:
        shown.append(repr(error))
        error = error.__cause__ or error.__context__
    return shown


def driven(
    awaited: Callable[[Script, list[Any]], Coroutine[Any, Any, Any]],
    script: Script,
    moves: list[str],
) -> list[Any]:
    """Drive a coroutine as an event loop would, and write down all that can be seen of it."""
    log: list[Any] = []
    coroutine = awaited(script, log)
    try:
        log.append(("yielded", coroutine.send(None)))
        for number, move in enumerate(moves):
            if move == "close":
                coroutine.close()
                return log
            error = NotCaughtError(number) if move == "throw" else ValueError(number)
            if move in ("nothing", "value"):
                yielded = coroutine.send(None if move == "nothing" else number)
            else:
                yielded = coroutine.throw(error)
            log.append(("yielded", yielded))
    except StopIteration as end:
        log.append(("result", end.value))
    except Exception as error:
        log.append(("raised", chain_of(error)))
    coroutine.close()
    return log


@given(
    script=st.lists(
        st.sampled_from(["kept", "replaced", "added", "ended"]), min_size=1, max_size=5
    ),
    moves=st.lists(st.sampled_from(["nothing", "value", "throw", "catch", "close"]), max_size=6),
)
@settings(max_examples=500)
def test_a_coroutine_that_was_begun_goes_on_as_if_awaited(script: Script, moves: list[str]) -> None:
    async def awaited(script: Script, log: list[Any]) -> Any:
        return await acted(script, log)

    async def begun(script: Script, log: list[Any]) -> Any:
        coroutine = acted(script, log)
        return await Begun(coroutine, coroutine.send(None))

    assert driven(begun, script, moves) == driven(awaited, script, moves)


# ---- as dependencies ----------------------------------------------------------------------------


class Doubled:
    """Awaitable, but no coroutine; suspends once."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __await__(self) -> Generator[Any, Any, int]:
        yield from anyio.lowlevel.checkpoint().__await__()
        return 2 * self.number


async def no_wait(number: int = 1) -> int:
    return number


async def one_wait(number: int = 1) -> int:
    await anyio.lowlevel.checkpoint()
    return number


async def many_waits(number: int = 1) -> int:
    for _ in range(5):
        await anyio.lowlevel.checkpoint()
    await anyio.sleep(0.001)
    return number


async def wait_in_wait(number: int = 1) -> int:
    return await many_waits(await one_wait(number))


async def a_tuple(number: int = 1) -> tuple[int, int]:
    return number, number


async def an_exception(number: int = 1) -> str:
    # What a coroutine gives is not to be taken for what it raises.
    await anyio.lowlevel.checkpoint()
    return repr(StopIteration(number))


class Instance:
    async def __call__(self, number: int = 1) -> int:
        await anyio.lowlevel.checkpoint()
        return number


class Method:
    async def method(self, number: int = 1) -> int:
        return number


@types.coroutine
def old_coroutine(number: int = 1) -> Generator[Any, Any, int]:
    yield from anyio.lowlevel.checkpoint().__await__()
    return number


async def nested_awaitable(number: int = 1) -> int:
    return await Doubled(number)


async def stop_iteration(number: int = 1) -> int:
    raise StopIteration(number)


async def failing(number: int = 1) -> int:
    raise ZeroDivisionError(number)


async def failing_later(number: int = 1) -> int:
    try:
        await anyio.lowlevel.checkpoint()
        raise KeyError(number)
    except KeyError as error:
        await anyio.lowlevel.checkpoint()
        raise ZeroDivisionError(number) from error


async def cancelled_by_itself(number: int = 1) -> str:
    with anyio.move_on_after(0.001) as scope:
        await anyio.sleep(60)
    return f"{number} {scope.cancelled_caught}"


async def with_children(number: int = 1) -> list[int]:
    done = []

    async def child(each: int) -> None:
        await anyio.lowlevel.checkpoint()
        done.append(each)

    async with anyio.create_task_group() as group:
        for each in range(number + 2):
            group.start_soon(child, each)
    return sorted(done)


KINDS = [
    no_wait,
    one_wait,
    many_waits,
    wait_in_wait,
    a_tuple,
    an_exception,
    Instance(),
    Method().method,
    nested_awaitable,
    stop_iteration,
    failing,
    failing_later,
    cancelled_by_itself,
    with_children,
]


def name_of(kind: Any) -> str:
    return getattr(kind, "__name__", type(kind).__name__)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_coroutines_give_and_raise_what_they_do_on_stock(
    kind: Callable[..., Awaitable[Any]], backend: str, init: Init
) -> None:
    def make_app() -> FastAPI:
        app = FastAPI()

        def above(value: Annotated[Any, Depends(kind)]) -> Any:
            return value

        @app.get("/")
        async def endpoint(
            first: Annotated[Any, Depends(kind)],
            again: Annotated[Any, Depends(kind, use_cache=False)],
            over: Annotated[Any, Depends(above)],
            last: Annotated[Any, Depends(kind)],
        ) -> list[Any]:
            return [first, again, over, last]

        return app

    expected = exchange(make_app(), backend=backend, query=b"number=3").shown()
    app = init(make_app(), all_classes_safe=True, predicates=[lambda call: True])
    assert exchange(app, backend=backend, query=b"number=3").shown() == expected


def test_what_types_coroutine_makes_is_treated_as_stock_treats_it(
    same_as_stock: SameAsStock,
) -> None:
    def make_app() -> FastAPI:
        app = FastAPI()

        @app.get("/")
        async def endpoint(value: Annotated[Any, Depends(old_coroutine)]) -> str:
            return type(value).__name__

        return app

    same_as_stock(make_app, Exchange())


def test_a_future_is_awaited(serve: Serve) -> None:
    class Later:
        async def __call__(self) -> str:
            loop = asyncio.get_running_loop()
            future: asyncio.Future[str] = loop.create_future()
            loop.call_soon(future.set_result, "done")
            return await future

    app = FastAPI()

    @app.get("/")
    async def endpoint(value: Annotated[str, Depends(Later())]) -> str:
        return value

    assert serve(app).get("/").json() == "done"


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("waits", [1, 3])
def test_a_cancellation_reaches_a_coroutine_that_waits(
    waits: int, backend: str, init: Init
) -> None:
    events: list[str] = []

    async def waiting() -> None:
        try:
            for _ in range(waits - 1):
                await anyio.lowlevel.checkpoint()
            await anyio.sleep(60)
        except BaseException as error:
            events.append(f"{type(error).__name__} in {type(error.__context__).__name__}")
            raise
        finally:
            events.append("left")

    app = init(FastAPI())

    @app.get("/")
    async def endpoint(value: Annotated[None, Depends(waiting)]) -> None:
        events.append("never here")

    async def cancelled() -> None:
        with anyio.move_on_after(0.02) as scope:
            await Exchange().run(app)
        assert scope.cancelled_caught

    anyio.run(cancelled, backend=backend)
    kind = "CancelledError" if backend == "asyncio" else "Cancelled"
    assert events == [f"{kind} in NoneType", "left"]


def test_context_variables_set_while_it_waits_stay(serve: Serve) -> None:
    variable: ContextVar[str] = ContextVar("variable", default="unset")

    async def setting() -> None:
        variable.set("before")
        await anyio.lowlevel.checkpoint()
        assert variable.get() == "before"
        variable.set("after")

    app = FastAPI()

    @app.get("/")
    async def endpoint(value: Annotated[None, Depends(setting)]) -> str:
        return variable.get()

    assert serve(app).get("/").json() == "after"


def test_coroutines_of_other_requests_run_while_one_waits(init: Init) -> None:
    events: list[str] = []

    async def waiting(name: str) -> str:
        events.append(f"{name} begins")
        await anyio.sleep(0.01)
        events.append(f"{name} ends")
        return name

    app = init(FastAPI())

    @app.get("/")
    async def endpoint(name: Annotated[str, Depends(waiting)]) -> str:
        return name

    async def both() -> None:
        async with anyio.create_task_group() as group:
            for name in (b"a", b"b"):
                group.start_soon(Exchange(query=b"name=" + name).run, app)

    anyio.run(both)
    assert [event.split()[1] for event in events] == ["begins", "begins", "ends", "ends"]
