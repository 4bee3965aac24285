"""`slow_call_threshold`: what is said of inline calls that hold up the event loop, and to whom."""

import asyncio
import functools
import gc
import logging
import math
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Annotated, Any

import anyio
import pytest
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, WebSocket
from starlette.responses import StreamingResponse
from starlette.testclient import TestClient

from fastapi_async_safe import SlowCall, async_safe, init_app, slow_calls
from fastapi_async_safe._locks import counting_limits
from tests.support.serving import Exchange, Init, needs_concurrency_limits

pytestmark = [pytest.mark.accelerated, pytest.mark.declines]

EVERYTHING, NOTHING = 1e-9, 1000.0


@async_safe
def get_number() -> int:
    return 1


@async_safe
def get_session() -> Iterator[str]:
    yield "session"


@async_safe
class Page:
    def __init__(self, skip: int = 0) -> None:
        self.skip = skip


@async_safe
class Guard:
    def __call__(self) -> str:
        return "guarded"


guard = Guard()
partially = functools.partial(get_number)


def in_thread() -> int:
    return threading.get_ident()


async def awaited() -> int:
    return 1


def served(init: Init, app: FastAPI, **options: object) -> tuple[TestClient, list[SlowCall]]:
    """Serve an application; the list gets what was slow."""
    told: list[SlowCall] = []
    return TestClient(init(app, on_slow_call=told.append, **options)), told


def whole_app() -> FastAPI:
    """Make an application with everything that may be inline, and some that is not."""
    app = FastAPI()

    @app.get("/dependencies/{number}")
    async def dependencies(
        number: int,
        first: Annotated[int, Depends(get_number)],
        session: Annotated[str, Depends(get_session)],
        page: Annotated[Page, Depends()],
        guarded: Annotated[str, Depends(guard)],
        part: Annotated[int, Depends(partially)],
        thread: Annotated[int, Depends(in_thread)],
        later: Annotated[int, Depends(awaited)],
    ) -> list[Any]:
        return [number, first, session, page.skip, guarded, part, later]

    @app.get("/endpoint")
    @async_safe
    def endpoint(background: BackgroundTasks) -> str:
        background.add_task(task)
        return "answered"

    @app.get("/stream")
    @async_safe
    def stream() -> StreamingResponse:
        return StreamingResponse(iter(["a", "b"]))

    return app


@async_safe
def task() -> None:
    pass


def places(told: list[SlowCall]) -> list[tuple[str, str, str | None]]:
    return [
        (
            record.name.replace(f"{__name__}.", "").rpartition(".<locals>.")[2],
            record.phase,
            record.route,
        )
        for record in told
    ]


def test_each_inline_call_is_told_with_its_phase_and_route(init: Init) -> None:
    client, told = served(init, whole_app(), slow_call_threshold=EVERYTHING)

    assert client.get("/dependencies/5").json() == [5, 1, "session", 0, "guarded", 1, 1]
    route = "/dependencies/{number}"
    assert places(told) == [
        ("get_number", "dependency", route),
        ("get_session", "enter", route),
        ("Page", "dependency", route),
        ("Guard()", "dependency", route),
        ("partial(get_number)", "dependency", route),
        ("get_session", "exit", route),
    ]
    assert told[0].call is get_number
    assert told[0].seconds > told[0].threshold == EVERYTHING
    told.clear()
    assert client.get("/endpoint").json() == "answered"
    assert places(told) == [
        ("endpoint", "endpoint", "/endpoint"),
        ("task", "background task", "/endpoint"),
    ]
    told.clear()
    assert client.get("/stream").text == "ab"
    # The end of the stream is waited for as well.
    assert places(told) == [
        ("stream", "endpoint", "/stream"),
        *[("stream", "stream item", "/stream")] * 3,
    ]


def test_a_short_call_is_not_told(init: Init, caplog: pytest.LogCaptureFixture) -> None:
    client, told = served(init, whole_app(), slow_call_threshold=NOTHING)

    for path in ("/dependencies/5", "/endpoint", "/stream"):
        assert client.get(path).status_code == 200
    assert told == []
    assert caplog.records == []


def test_without_a_threshold_nothing_is_timed(
    init: Init, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    client, told = served(init, whole_app())

    for path in ("/dependencies/5", "/endpoint", "/stream"):
        assert client.get(path).status_code == 200
    assert told == []
    assert caplog.records == []


def test_websockets_and_overrides_are_told_too(init: Init) -> None:
    app = FastAPI()

    @app.websocket("/ws")
    async def talk(socket: WebSocket, number: Annotated[int, Depends(get_number)]) -> None:
        await socket.accept()
        await socket.send_json(number)
        await socket.close()

    @async_safe
    def instead() -> int:
        return 2

    client, told = served(init, app, slow_call_threshold=EVERYTHING)
    with client.websocket_connect("/ws") as socket:
        assert socket.receive_json() == 1
    app.dependency_overrides[get_number] = instead
    with client.websocket_connect("/ws") as socket:
        assert socket.receive_json() == 2
    assert [record.call for record in told] == [get_number, instead]
    assert {record.route for record in told} == {"/ws"}


@needs_concurrency_limits
def test_limited_dependencies_are_told_too(init: Init) -> None:
    app = FastAPI()

    @app.get("/")
    async def endpoint(
        number: Annotated[int, Depends(get_number, max_concurrency=1)],
        session: Annotated[str, Depends(get_session, max_concurrency=1)],
    ) -> None: ...

    client, told = served(init, app, slow_call_threshold=EVERYTHING)
    client.get("/")
    assert [record.phase for record in told] == ["dependency", "enter", "exit"]


def test_what_is_proven_is_told_on_the_loop_but_not_in_a_thread(init: Init) -> None:
    class Plain:
        def __init__(self, skip: int = 0) -> None:
            self.skip = skip

    app = FastAPI()

    @app.get("/loop")
    async def on_the_loop(plain: Annotated[Plain, Depends()]) -> int:
        return plain.skip

    @app.get("/thread")
    async def on_a_trip(
        before: Annotated[int, Depends(in_thread)], plain: Annotated[Plain, Depends()]
    ) -> int:
        return plain.skip

    client, told = served(init, app, slow_call_threshold=EVERYTHING, proven_safe=True)
    assert client.get("/loop?skip=3").json() == 3
    assert [record.call for record in told] == [Plain]
    told.clear()
    assert client.get("/thread?skip=3").json() == 3
    # It went along to the thread pool, where it held up nobody.
    assert told == []


def test_a_failing_call_is_told_and_fails_as_before(init: Init) -> None:
    @async_safe
    def refuse() -> None:
        raise HTTPException(418, "no")

    @async_safe
    def leave_badly() -> Iterator[None]:
        yield
        raise LookupError("at the exit")

    app = FastAPI()

    @app.get("/refused")
    async def refused(_: Annotated[None, Depends(refuse)]) -> None: ...

    @app.get("/left")
    async def left(_: Annotated[None, Depends(leave_badly)]) -> None: ...

    client, told = served(init, app, slow_call_threshold=EVERYTHING)
    assert client.get("/refused").status_code == 418
    with pytest.raises(LookupError, match="at the exit"):
        client.get("/left")
    assert [record.phase for record in told] == ["dependency", "enter", "exit"]


def test_an_exception_has_the_frames_of_the_user_that_it_had(init: Init) -> None:
    @async_safe
    def fail() -> None:
        raise LookupError

    def frames(threshold: float | None) -> list[str]:
        app = FastAPI()

        @app.get("/")
        async def endpoint(_: Annotated[None, Depends(fail)]) -> None: ...

        with pytest.raises(LookupError) as caught:
            TestClient(init(app, slow_call_threshold=threshold)).get("/")
        frames = traceback.extract_tb(caught.value.__traceback__)
        ours = ("slow_calls.py", "run.pxi")  # in which the clock is read
        return [frame.name for frame in frames if not frame.filename.endswith(ours)]

    assert frames(NOTHING) == frames(None)


@pytest.mark.parametrize("threshold", [EVERYTHING, NOTHING])
def test_a_context_sees_the_exception_that_it_saw(init: Init, threshold: float) -> None:
    seen: list[BaseException] = []

    @async_safe
    def translated() -> Iterator[None]:
        try:
            yield
        except LookupError as error:
            seen.append(error)
            raise HTTPException(404) from error

    app = FastAPI()

    @app.get("/")
    async def endpoint(_: Annotated[None, Depends(translated)]) -> None:
        raise LookupError

    client = TestClient(init(app, slow_call_threshold=threshold))
    assert client.get("/").status_code == 404
    assert len(seen) == 1


async def answers_of(app: FastAPI) -> list[Any]:
    paths = ["/dependencies/5", "/dependencies/x", "/endpoint", "/stream"]
    return [(await Exchange(path).run(app)).shown() for path in paths]


@pytest.mark.parametrize("threshold", [EVERYTHING, NOTHING])
def test_answers_are_those_of_stock(init: Init, threshold: float) -> None:
    expected = anyio.run(answers_of, whole_app())
    given = anyio.run(answers_of, init(whole_app(), slow_call_threshold=threshold))
    assert given == expected


# ---- what the log says -------------------------------------------------------------------------


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.name == "fastapi_async_safe" and record.levelno == logging.WARNING
    ]


def test_a_callable_is_warned_of_once_a_minute_with_the_worst_since(
    init: Init, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(slow_calls, "perf_counter", lambda: now)
    calls = slow_calls.SlowCalls(0.1, None)
    inline = slow_calls.InlineCall(get_number, "dependency", "/items")
    other = slow_calls.InlineCall(Page, "dependency", "/items")

    calls.took(inline, 0.05)
    calls.took(inline, 0.25)
    calls.took(other, 0.3)
    now += 30
    calls.took(inline, 0.75)
    calls.took(inline, 0.5)
    first = f"{__name__}.get_number, a dependency of route /items, held the event loop for "
    assert said(caplog) == [
        first + "0.250 s (slow_call_threshold is 0.1 s)",
        first.replace("get_number", "Page") + "0.300 s (slow_call_threshold is 0.1 s)",
    ]
    caplog.clear()
    now += 31
    calls.took(inline, 0.2)
    assert said(caplog) == [
        first + "0.200 s (slow_call_threshold is 0.1 s); since the last warning 3 of its calls "
        "were slow, the worst took 0.750 s"
    ]


def test_callables_with_one_name_are_each_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    calls = slow_calls.SlowCalls(0.1, None)
    for _ in range(2):
        for call in (lambda: 1, lambda: 2):
            calls.took(slow_calls.InlineCall(call, "dependency", "/items"), 0.2)
    assert len(said(caplog)) == 2


class Mailer:
    def send(self) -> None: ...

    def __call__(self) -> None: ...


def a_closure() -> Callable[[], None]:
    def send() -> None: ...

    return send


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: Mailer().send, f"{__name__}.Mailer.send"),
        (lambda: functools.partial(Mailer().send), f"partial({__name__}.Mailer.send)"),
        (Mailer, f"{__name__}.Mailer()"),
        (a_closure, f"{__name__}.a_closure.<locals>.send"),
    ],
    ids=["a method", "a partial", "an instance", "a closure"],
)
def test_what_is_made_for_each_request_is_warned_of_once(
    make: Callable[[], Callable[[], None]],
    name: str,
    init: Init,
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = FastAPI()

    @app.get("/")
    async def endpoint(tasks: BackgroundTasks) -> None:
        tasks.add_task(async_safe(make()) if make is a_closure else make())

    predicates = [lambda call: True]
    client, told = served(init, app, slow_call_threshold=EVERYTHING, predicates=predicates)
    for _ in range(3):
        client.get("/")
    assert len([record for record in told if record.phase == "background task"]) == 3
    (text,) = [text for text in said(caplog) if "a background task" in text]
    assert text.startswith(f"{name}, a background task of route /, ")


def test_a_hook_that_fails_is_logged_once_and_changes_nothing(
    init: Init, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(record: SlowCall) -> None:
        raise LookupError(record.name)

    app = init(whole_app(), slow_call_threshold=EVERYTHING, on_slow_call=fail)

    client = TestClient(app)
    assert client.get("/endpoint").json() == "answered"
    assert client.get("/endpoint").json() == "answered"
    failed = [record for record in caplog.records if "on_slow_call" in record.getMessage()]
    assert len(failed) == 1
    assert failed[0].exc_info is not None


# ---- asyncio's debug mode ----------------------------------------------------------------------


def on_loop(app: FastAPI, *, debug: bool, duration: float) -> None:
    async def main() -> None:
        asyncio.get_running_loop().slow_callback_duration = duration
        await Exchange("/dependencies/5").run(app)

    logging.getLogger("asyncio").setLevel(logging.ERROR)
    try:
        asyncio.run(main(), debug=debug)
    finally:
        logging.getLogger("asyncio").setLevel(logging.NOTSET)


@pytest.mark.parametrize(
    ("debug", "duration", "count"), [(True, EVERYTHING, 6), (True, NOTHING, 0), (False, 0.0, 0)]
)
def test_debug_mode_has_the_threshold_of_the_loop(
    init: Init, debug: bool, duration: float, count: int
) -> None:
    told: list[SlowCall] = []
    on_loop(init(whole_app(), on_slow_call=told.append), debug=debug, duration=duration)
    assert len(told) == count


def test_a_threshold_beats_that_of_the_loop(init: Init) -> None:
    told: list[SlowCall] = []
    app = init(whole_app(), on_slow_call=told.append, slow_call_threshold=NOTHING)
    on_loop(app, debug=True, duration=EVERYTHING)
    assert told == []


def test_on_trio_a_threshold_counts_too(init: Init) -> None:
    told: list[SlowCall] = []
    app = init(whole_app(), on_slow_call=told.append, slow_call_threshold=EVERYTHING)
    anyio.run(Exchange("/dependencies/5").run, app, backend="trio")
    assert len(told) == 6


# ---- arguments ---------------------------------------------------------------------------------


@pytest.mark.parametrize("threshold", [True, "0.1", b"1", [0.1], 1j], ids=repr)
def test_a_threshold_is_a_number(threshold: Any) -> None:
    with pytest.raises(TypeError, match="slow_call_threshold must be a number of seconds, such as"):
        init_app(FastAPI(), slow_call_threshold=threshold)


@pytest.mark.parametrize("threshold", [0, 0.0, -1, math.nan, math.inf, -math.inf], ids=repr)
def test_a_threshold_is_positive(threshold: float) -> None:
    with pytest.raises(ValueError, match="slow_call_threshold must be a positive number"):
        init_app(FastAPI(), slow_call_threshold=threshold)


async def awaited_hook(record: SlowCall) -> None: ...


@pytest.mark.parametrize("hook", [1, "print", awaited_hook], ids=["number", "text", "async def"])
def test_a_hook_is_called(hook: Any) -> None:
    with pytest.raises(TypeError, match="on_slow_call"):
        init_app(FastAPI(), on_slow_call=hook)


# ---- what is left behind -----------------------------------------------------------------------


def test_a_threshold_goes_with_its_application(init: Init) -> None:
    gc.collect()
    before = slow_calls.limits.lowest
    init(FastAPI(), slow_call_threshold=EVERYTHING)
    gc.collect()
    assert slow_calls.limits.lowest == before
    app = init(FastAPI(), slow_call_threshold=EVERYTHING)
    assert slow_calls.limits.lowest == EVERYTHING
    init(app)
    gc.collect()
    assert slow_calls.limits.lowest == before


def test_the_collector_may_take_a_threshold_while_another_one_is_noted(init: Init) -> None:
    def note() -> None:
        with counting_limits:  # where a collection may begin at any time
            gc.collect()

    init(FastAPI(), slow_call_threshold=NOTHING)
    noting = threading.Thread(target=note, daemon=True)
    noting.start()
    noting.join(timeout=10)
    assert not noting.is_alive()


def test_a_record_is_frozen_and_small() -> None:
    record = SlowCall(get_number, "name", "dependency", "/", 1.0, 0.1)
    change: Callable[..., None] = setattr
    with pytest.raises(AttributeError):
        change(record, "seconds", 2.0)
    assert sys.getsizeof(record) < 200


def test_a_loop_without_a_limit_of_its_own_has_that_of_asyncio(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop = SimpleNamespace(get_debug=lambda: True)
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: loop)
    wants = slow_calls.SlowCalls(None, None)
    wants.look_at_loop()
    assert wants.limit == 0.1


def test_an_observer_that_left_lets_nobody_read_a_clock() -> None:
    class Observer:
        def run(self, inline: Any, call: Any, /, *args: Any, **values: Any) -> Any: ...

        def took(self, inline: Any, seconds: float) -> None: ...

    observer, before = Observer(), slow_calls.limits.lowest
    slow_calls.observe(observer)
    assert slow_calls.limits.lowest == -1
    slow_calls.leave(observer)
    assert slow_calls.limits.lowest == before
    assert observer not in slow_calls.observers
