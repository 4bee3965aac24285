"""What is logged where FastAPI's own code has to serve a route, once each."""

import logging
from typing import Annotated, Any

import fastapi
import pytest
from fastapi import Depends, FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_dependant

from fastapi_async_safe._messages import Notices
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
        notices.say_once("this is %d", number, level=logging.ERROR)
    assert said(caplog) == [f"this is {number}" for number in [*range(1001), 0]]
