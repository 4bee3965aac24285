"""Coroutines as dependencies: whether, how often and for what they suspend makes no difference."""

import asyncio
import functools
import gc
import re
import types
import weakref
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator
from contextvars import ContextVar
from typing import Annotated, Any

import anyio
import anyio.lowlevel
import pytest
import trio
import trio.testing
from fastapi import Depends, FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.serving import BACKENDS, Exchange, Init, SameAsStock, Serve, exchange

# ---- driven by hand -----------------------------------------------------------------------------


class Pause:
    """Suspends with a value, and gives what it is resumed with."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __await__(self) -> Generator[Any, Any, Any]:
        return (yield self.value)


class NotCaughtError(Exception):
    """What a coroutine under test lets through."""


async def acted(script: list[str], log: list[Any]) -> Any:
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
        except GeneratorExit as error:
            log.append(("closed", number, chain_of(error)))
            if entry == "added":
                raise KeyError(number)  # noqa: B904
            if entry == "replaced":
                await Pause("not closed")
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


def unchanged(root: Any, **options: Any) -> Any:
    """Initialise nothing: for stock."""
    return root


class Scripted:
    """An application with a dependency that does what a script says."""

    def __init__(self, init: Init) -> None:
        self.script: list[str] = []
        self.log: list[Any] = []
        self.app = init(FastAPI())
        self.app.add_api_route("/", self.endpoint)

        async def first() -> None: ...

        async def scripted(_: Annotated[None, Depends(first)]) -> Any:
            return await acted(self.script, self.log)

        @self.app.get("/scripted")
        async def endpoint(value: Annotated[Any, Depends(scripted)]) -> Any:
            return value

    async def endpoint(self) -> None: ...

    def driven(self, script: list[str], moves: list[str]) -> list[Any]:
        """Drive a request as an event loop would, and write down all that can be seen of it."""
        self.script, self.log = script, []
        coroutine = self.request()
        try:
            self.log.append(("yielded", coroutine.send(None)))
            for number, move in enumerate(moves):
                if move == "close":
                    break
                if move in ("nothing", "value"):
                    yielded = coroutine.send(None if move == "nothing" else number)
                else:
                    error = NotCaughtError(number) if move == "throw" else ValueError(number)
                    yielded = coroutine.throw(error)
                self.log.append(("yielded", yielded))
        except StopIteration as end:
            self.log.append(("result", end.value))
        except Exception as error:
            self.log.append(("raised", chain_of(error)))
        try:
            coroutine.close()
        except Exception as error:
            self.log.append(("raised when closed", chain_of(error)))
        return self.log

    async def request(self) -> Any:
        answer = await Exchange("/scripted").run(self.app)
        if answer.error is not None:
            raise answer.error
        return answer.sent


entries = st.sampled_from(["kept", "replaced", "added", "ended"])
all_moves = st.sampled_from(["nothing", "value", "throw", "catch", "close"])


@pytest.mark.slow
@pytest.mark.accelerated
def test_coroutines_go_on_as_on_stock_whatever_comes(init: Init) -> None:
    stock, ours = Scripted(unchanged), Scripted(init)

    @given(st.lists(entries, min_size=1, max_size=5), st.lists(all_moves, max_size=6))
    @settings(max_examples=500)
    def check(script: list[str], moves: list[str]) -> None:
        assert ours.driven(script, moves) == stock.driven(script, moves)

    check()


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


# ---- what is kept, and what can be seen of one that waits ---------------------------------------


class Large:
    """What should not be kept longer than on stock."""


def test_an_exception_of_a_task_keeps_nothing_alive(init: Init) -> None:
    values: list[weakref.ref[Large]] = []

    async def large() -> Large:
        value = Large()
        values.append(weakref.ref(value))
        return value

    async def fail() -> None:
        await asyncio.sleep(0)
        raise LookupError

    async def failing(value: Annotated[Large, Depends(large)]) -> None:
        await asyncio.ensure_future(fail())

    app = init(FastAPI())

    @app.get("/")
    async def endpoint(value: Annotated[None, Depends(failing)]) -> None: ...

    async def requests() -> list[bool]:
        for _ in range(3):
            answer = await Exchange().run(app)
            assert isinstance(answer.error, LookupError)
            del answer
        await asyncio.sleep(0)
        return [value() is None for value in values]

    gc.collect()
    gc.disable()
    try:
        assert asyncio.run(requests()) == [True, True, True]
    finally:
        gc.enable()


def test_what_was_awaited_first_is_let_go(init: Init) -> None:
    result: list[weakref.ref[Large]] = []
    seen: list[bool] = []

    async def load() -> Large:
        await asyncio.sleep(0)
        value = Large()
        result.append(weakref.ref(value))
        return value

    async def twice() -> None:
        await asyncio.create_task(load())
        await asyncio.sleep(0.001)
        seen.append(result.pop()() is None)
        await asyncio.create_task(load())

    def later(value: Annotated[None, Depends(twice)]) -> None:
        seen.append(result.pop()() is None)

    app = init(FastAPI())

    @app.get("/")
    async def endpoint(value: Annotated[None, Depends(later)]) -> None: ...

    async def request() -> None:
        assert (await Exchange().run(app)).error is None

    asyncio.run(request())
    assert seen == [True, True]


def test_a_request_that_nobody_waits_for_any_more_is_collected(init: Init) -> None:
    events: list[str] = []

    class Session:
        def __init__(self, task: Any) -> None:
            self.task = task

    async def session() -> Session:
        return Session(asyncio.current_task())

    async def waiting(session: Annotated[Session, Depends(session)]) -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            events.append("finally")

    app = init(FastAPI())

    @app.get("/")
    async def endpoint(value: Annotated[None, Depends(waiting)]) -> None: ...

    async def abandoned() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: events.append(context["message"]))
        task = loop.create_task(Exchange().run(app))
        await asyncio.sleep(0.001)
        del task
        gc.collect()
        events.append("collected")

    asyncio.run(abandoned())
    assert sorted(events[:2]) == ["Task was destroyed but it is pending!", "finally"]
    assert events[2:] == ["collected"]


def test_a_coroutine_that_is_awaited_elsewhere_is_refused(init: Init) -> None:
    made: list[Coroutine[Any, Any, str]] = []

    async def settings() -> str:
        for _ in range(3):
            await asyncio.sleep(0)
        return "settings"

    @functools.wraps(settings)
    def once() -> Coroutine[Any, Any, str]:
        if not made:
            made.append(settings())
        return made[0]

    def make_app() -> FastAPI:
        app = FastAPI()

        @app.get("/")
        async def endpoint(value: Annotated[str, Depends(once)]) -> str:
            return value

        return app

    async def both(app: FastAPI) -> list[str]:
        answers = await asyncio.gather(*(Exchange().run(app) for _ in range(2)))
        # Old releases do not see that it is a coroutine function: nothing awaits what it gives, and
        # an error tells where that is.
        made.pop().close()
        return [re.sub(r"0x\w+", "", str(answer.shown())) for answer in answers]

    expected = asyncio.run(both(make_app()))
    assert asyncio.run(both(init(make_app()))) == expected


def awaits_below(coroutine: Any) -> Iterator[str]:
    """Walk the chain of awaits as debuggers do."""
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
        if frame is not None:
            yield frame.f_code.co_name
        below = getattr(coroutine, "cr_await", None)
        coroutine = below if below is not None else getattr(coroutine, "gi_yieldfrom", None)


@pytest.mark.parametrize("waits", [1, 2])
def test_it_can_be_seen_what_a_request_waits_for(waits: int, init: Init) -> None:
    async def deeper() -> None:
        for _ in range(waits - 1):
            await asyncio.sleep(0)
        await asyncio.sleep(60)

    async def hanging() -> None:
        await deeper()

    app = init(FastAPI())

    @app.get("/")
    async def endpoint(value: Annotated[None, Depends(hanging)]) -> None: ...

    async def look() -> list[str]:
        task = asyncio.create_task(Exchange().run(app))
        await asyncio.sleep(0.001)
        names = list(awaits_below(task.get_coro()))
        task.cancel()
        return names

    names = asyncio.run(look())
    assert names[names.index("solve_dependencies") :][-3:] == ["hanging", "deeper", "sleep"]


def test_trio_sees_what_a_request_waits_for(init: Init) -> None:
    async def hanging() -> None:
        await trio.sleep_forever()

    app = init(FastAPI())

    @app.get("/")
    async def endpoint(value: Annotated[None, Depends(hanging)]) -> None: ...

    async def look() -> list[str]:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(Exchange().run, app)
            await trio.testing.wait_all_tasks_blocked()
            (task,) = nursery.child_tasks
            names = [frame.f_code.co_name for frame, _ in task.iter_await_frames()]
            nursery.cancel_scope.cancel()
        return names

    names = trio.run(look)
    assert names[names.index("hanging") :][:2] == ["hanging", "sleep_forever"]
