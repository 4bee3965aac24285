"""The page of `report` in a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import pytest
from fastapi import APIRouter, Depends, FastAPI

from fastapi_async_safe import explain, init_app
from fastapi_async_safe._cli.report import page as page_of
from tests.cli import shop

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Open = Callable[[FastAPI], "Page"]


def large_app(routes: int) -> FastAPI:
    """Make an application with a few dependencies on each of many routes."""
    app, router = init_app(FastAPI()), APIRouter()

    def read(
        key: int, user: Annotated[str, Depends(shop.user)], page: Annotated[shop.Page, Depends()]
    ) -> str:
        return user

    for number in range(routes):
        router.get(f"/things{number}/{{key}}")(read)
    app.include_router(router, prefix="/all")
    return app


@pytest.fixture(params=["light", "dark"])
def open_report(request: pytest.FixtureRequest, browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Give what opens the report of an application; nothing may be said on its console."""
    context = browser.new_context(color_scheme=request.param)
    said: list[str] = []

    def open_it(app: FastAPI) -> Page:
        explanation = explain(app)
        file = tmp_path / "report.html"
        file.write_text(page_of("shop:app", explanation, list(explanation.routes)), "utf-8")
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on(
            "request", lambda sent: said.append(sent.url) if sent.url != file.as_uri() else None
        )
        page.goto(file.as_uri())
        return page

    yield open_it
    context.close()
    assert said == []


def shown(page: Page) -> list[str]:
    """List the routes that are seen."""
    # Not the inner text, which is empty until the browser has drawn a route that was moved.
    names = page.locator(".route:visible h3").all_text_contents()
    return [" ".join(name.split()) for name in names]


def test_the_filter_leaves_the_routes_that_have_all_words(open_report: Open) -> None:
    page = open_report(shop.app)
    count = page.get_by_role("status")
    box = page.get_by_role("searchbox", name="Filter by path, method or callable")
    assert count.inner_text() == "3 of 3 routes"

    for typed, routes in (
        ("ACCOUNT", ["GET /account"]),
        ("page items", ["GET /items"]),
        ("websocket", ["WebSocket /news"]),
        ("none", []),
        ("", ["GET /account", "GET /items", "WebSocket /news"]),
    ):
        box.fill(typed)
        assert shown(page) == routes
        assert count.inner_text() == f"{len(routes)} of 3 routes"


def test_routes_can_be_chosen_and_sorted(open_report: Open) -> None:
    page = open_report(shop.app)

    page.get_by_label("Show").select_option("to-save")
    assert shown(page) == ["GET /items"]
    page.get_by_label("Show").select_option("all")
    page.get_by_label("Sort by").select_option("order")
    assert shown(page) == ["GET /items", "GET /account", "WebSocket /news"]


def test_reasons_are_there_on_click_and_by_keyboard(open_report: Open) -> None:
    page = open_report(shop.app)
    route = page.get_by_role("region", name="GET /account")
    reason = route.get_by_text("blocks: it calls `time.sleep`")
    assert not reason.is_visible()

    route.get_by_text("Reasons").click()
    assert reason.is_visible()
    route.get_by_text("Reasons").press("Enter")
    assert not reason.is_visible()


def test_everything_is_reached_by_tab_and_has_a_name(open_report: Open) -> None:
    page = open_report(shop.app)
    reached = []
    for _ in range(20):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("document.activeElement.id || document.activeElement.localName")
        )

    assert {"filter", "show", "sort", "summary"} <= set(reached)
    pictures = page.get_by_role("img").all()
    assert len(pictures) == 3
    assert all(picture.get_attribute("aria-label") for picture in pictures)


def test_a_picture_has_a_colour_for_each_place_that_can_be_told_apart(open_report: Open) -> None:
    page = open_report(shop.app)
    fills = page.evaluate(
        "[...document.querySelectorAll('svg rect')].map("
        "(box) => [box.classList[0], getComputedStyle(box).fill])"
    )

    colours = dict(map(tuple, fills))
    assert set(colours) == {"inline", "thread", "await", "cached"}
    assert len(set(colours.values())) == 4


def test_text_of_users_is_no_markup(open_report: Open) -> None:
    app = init_app(FastAPI())
    app.get('/<img src=x onerror="document.title=1">')(shop.news)
    page = open_report(app)

    assert page.locator("img").count() == 0
    assert "<img src=x" in shown(page)[0]


def test_500_routes_are_open_in_under_a_second(open_report: Open) -> None:
    app = large_app(500)
    page = open_report(app)
    times = []
    for _ in range(5):  # other things may run on the machine
        page.reload()
        timing = page.evaluate("performance.getEntriesByType('navigation')[0].toJSON()")
        times.append(timing["loadEventEnd"])

    assert page.locator(".route").count() == 500
    assert min(times) < 1000
    page.get_by_role("searchbox").fill("things77/")
    assert shown(page) == ["GET /all/things77/{key}"]
