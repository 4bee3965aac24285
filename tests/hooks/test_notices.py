"""What is logged where FastAPI's own code has to serve a route, once each."""

import io
import logging
import sys
import threading
from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any

import fastapi
import pytest
from fastapi import BackgroundTasks, Depends, FastAPI, Request
from fastapi.dependencies import utils
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_dependant

from fastapi_async_safe import async_safe
from fastapi_async_safe._locks import planning
from fastapi_async_safe._messages import Notices, logger, say, saying_afterwards
from fastapi_async_safe._planning import parameters
from fastapi_async_safe._planning.planner import Planner
from tests.support.serving import Exchange, Init, SameAsStock, exchange

pytestmark = [pytest.mark.accelerated, pytest.mark.declines]

FALLS_BACK = f"route /here falls back to FastAPI {fastapi.__version__}, with all its dependencies: "


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.name == "fastapi_async_safe"]


def make_app() -> FastAPI:
    app = FastAPI()

    @app.get("/here")
    async def endpoint(value: Annotated[int, Depends(lambda: 1)]) -> int:
        return value

    return app


def test_a_plan_that_cannot_be_made_is_said_with_the_exception(
    init: Init, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def plan(self: Planner, dependant: Any) -> Any:
        raise LookupError("for the test")

    monkeypatch.setattr(Planner, "plan", plan)
    app = init(make_app())
    assert [exchange(app, "/here").body for _ in range(2)] == [b"1"] * 2
    assert said(caplog) == [f"{FALLS_BACK}LookupError: for the test"]


def test_a_dependant_without_a_call_is_said(
    same_as_stock: SameAsStock, caplog: pytest.LogCaptureFixture
) -> None:
    def without_call() -> FastAPI:
        app = make_app()
        app.routes[-1].dependant.dependencies.append(Dependant(name="more"))  # type: ignore[attr-defined]
        return app

    same_as_stock(without_call, Exchange("/here"), Exchange("/here"))
    assert said(caplog) == [f"{FALLS_BACK}a dependant without a call"]


def test_a_function_that_was_replaced_is_said(
    init: Init, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(utils, "SolvedDependency", partial(utils.SolvedDependency))
    assert exchange(init(make_app()), "/here").body == b"1"
    assert said(caplog) == [
        f"{FALLS_BACK}a function was replaced that FastAPI asks about each dependency"
    ]


def test_a_kind_of_parameter_that_is_read_in_another_way_is_said(
    init: Init, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parameters, "_proven", {})
    monkeypatch.setattr(parameters, "notices", Notices())
    monkeypatch.setattr(parameters, "_prove", lambda kind: False)
    app = init(FastAPI())

    @app.get("/")
    async def endpoint(number: int, again: int) -> int:
        return number + again

    assert exchange(app, query=b"number=1&again=2").body == b"3"
    (text,) = said(caplog)
    assert text.startswith(f"FastAPI {fastapi.__version__} reads Kind(source=")


@pytest.mark.parametrize(("declared", "said_path"), [("/here", "/here"), ("", "/asked")])
def test_a_call_with_arguments_of_a_later_fastapi_is_said(
    declared: str, said_path: str, caplog: pytest.LogCaptureFixture
) -> None:
    request = Request({"type": "http", "path": "/asked"})
    dependant = get_dependant(path=declared, call=lambda: 1)
    Notices().say_that_call_is_unsupported(request, dependant, ["new", "newer"])
    assert said(caplog) == [
        FALLS_BACK.replace("/here", said_path)
        + "solve_dependencies was called with new, newer, which is not supported"
    ]


def test_the_last_thousand_are_not_said_again(caplog: pytest.LogCaptureFixture) -> None:
    notices = Notices()
    for number in [*range(1000), 0, 1000, 1, 0]:
        notices.say_once("this is %s", number, level=logging.ERROR)
    assert said(caplog) == [f"this is {number}" for number in [*range(1001), 0]]


# ---- handlers and filters of the user's -------------------------------------------------------


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> Iterator[logging.Handler]:
    """Give a handler of the package's logger, for everything that is said."""
    made = logging.Handler()
    level = logger.level
    logger.addHandler(made)
    logger.setLevel(logging.DEBUG)
    yield made
    logger.removeHandler(made)
    logger.setLevel(level)


def without_call() -> FastAPI:
    app = make_app()
    app.routes[-1].dependant.dependencies.append(Dependant(name="more"))  # type: ignore[attr-defined]
    return app


@async_safe
def marked() -> int:
    return 1


def test_no_request_fails_for_a_handler_that_does(
    init: Init,
    handler: logging.Handler,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(record: logging.LogRecord) -> None:
        raise LookupError(record.getMessage())

    monkeypatch.setattr(handler, "emit", fail)
    app = init(make_app(), slow_call_threshold=1e-9, one_trip=False)

    @app.get("/slow")
    async def slow(value: Annotated[int, Depends(marked)]) -> int:
        return value

    for path in (*["/here"] * 101, "/slow"):
        assert exchange(app, path).body == b"1"
    answer = exchange(init(without_call()), "/here")
    assert type(answer.error) is type(exchange(without_call(), "/here").error)
    printed = capsys.readouterr().err
    for text in ("nothing of 1 routes ran inline", "held the event loop", "falls back"):
        assert text in printed
    monkeypatch.setattr(logging, "raiseExceptions", False)
    assert exchange(init(make_app()), "/here").body == b"1"
    assert capsys.readouterr().err == ""


def test_no_request_fails_where_nothing_can_be_printed(
    init: Init, handler: logging.Handler, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(handler, "emit", lambda record: 1 / 0)
    monkeypatch.setattr(sys, "stderr", closed)
    assert exchange(init(make_app()), "/here").body == b"1"


def test_what_waits_is_said_even_if_a_handler_is_interrupted(handler: logging.Handler) -> None:
    told: list[str] = []

    def emit(record: logging.LogRecord) -> None:
        told.append(record.getMessage())
        if record.getMessage() != "two":
            raise KeyboardInterrupt

    handler.emit = emit  # type: ignore[method-assign]

    def say_all() -> None:
        with saying_afterwards():
            for text in ("one", "two", "three"):
                say(logger, logging.WARNING, text)
            assert told == []

    with pytest.raises(KeyboardInterrupt):
        say_all()
    assert told == ["one", "two", "three"]


def test_what_is_said_holds_up_no_other_loop(
    init: Init, handler: logging.Handler, monkeypatch: pytest.MonkeyPatch
) -> None:
    others: list[bool] = []

    def hand_over(record: logging.LogRecord) -> None:
        def take() -> None:
            others.append(planning.acquire(timeout=5))
            planning.release()

        other = threading.Thread(target=take)
        other.start()
        other.join()

    monkeypatch.setattr(handler, "emit", hand_over)
    for make in (make_app, without_call):
        exchange(init(make()), "/here")
    assert others
    assert all(others)


def test_what_cannot_be_shown_is_said_by_its_class(
    init: Init, caplog: pytest.LogCaptureFixture
) -> None:
    ran = []

    class Task:
        def __call__(self) -> None:
            ran.append(1)

        def __repr__(self) -> str:
            raise LookupError

    def fails(call: Any) -> bool:
        if isinstance(call, Task):
            raise KeyError
        return False

    app = init(FastAPI(), predicates=[fails])

    @app.get("/")
    async def endpoint(tasks: BackgroundTasks) -> int:
        tasks.add_task(Task())
        return 1

    assert exchange(app).error is None
    assert ran == [1]
    assert any("Task object at" in text for text in said(caplog))
