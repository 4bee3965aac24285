"""fastapi-pagination adds a dependency to routes that are there, in the lifespan once more."""

from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI
from starlette.testclient import TestClient

from tests.tools.scene import Scene, check


def pages(scene: Scene) -> Any:
    """Serve pages, of an application and a router in it, with and without a lifespan."""
    return _play(scene, late=False)


def pages_added_between_requests(scene: Scene) -> Any:
    """Serve requests before pagination is added, so that plans exist that are then outdated."""
    return _play(scene, late=True)


def _play(scene: Scene, *, late: bool) -> Any:
    from fastapi_pagination import LimitOffsetPage, Page, add_pagination, paginate
    from fastapi_pagination.customization import CustomizedPage, UseParamsFields

    app = FastAPI()
    router = APIRouter(prefix="/included")

    @scene.marked
    class Numbers:
        def __init__(self, end: int = 20) -> None:
            scene.visit("marked Numbers")
            self.all = list(range(end))

    # What reads the numbers of pages are classes of the tool, which runs on the loop here too.
    Paged = Annotated[Numbers, Depends()]  # noqa: N806

    @app.get("/pages")
    async def numbers(found: Paged) -> Page[int]:
        return paginate(found.all)

    @app.get("/sync")
    def synchronous(found: Paged) -> Page[int]:
        return paginate(found.all)

    @router.get("/offsets")
    async def offsets(found: Paged) -> LimitOffsetPage[int]:
        return paginate(found.all)

    @app.get("/small")
    async def small(found: Paged) -> CustomizedPage[Page[int], UseParamsFields(size=3)]:
        return paginate(found.all)

    @app.get("/plain")
    async def plain(found: Paged) -> list[int]:
        return found.all

    app.include_router(router)
    urls = [
        "/pages?end=7&page=2&size=3",
        "/pages?page=0",
        "/sync?size=2",
        "/included/offsets?limit=2&offset=4",
        "/included/offsets?limit=none",
        "/small",
        "/plain?end=3",
    ]

    def serve(client: TestClient) -> list[Any]:
        return [
            [(answer := client.get(url)).status_code, answer.text] for url in urls for _ in range(2)
        ]

    answers = []
    if late:
        scene.init(app, all_classes_safe=True)
        answers += serve(TestClient(app, raise_server_exceptions=False))
    scene.install(app, lambda: add_pagination(app), all_classes_safe=True)
    answers += serve(TestClient(app, raise_server_exceptions=False))
    with TestClient(app, raise_server_exceptions=False) as client:
        answers += serve(client)
    answers.append(TestClient(app).get("/openapi.json").json())
    return answers


def pages_in_a_lifespan_alone(scene: Scene) -> Any:
    """Declare routes after pagination was added, so that it comes to them in the lifespan."""
    from fastapi_pagination import Page, add_pagination, paginate

    app = FastAPI()
    scene.install(app, lambda: add_pagination(app), all_classes_safe=True)

    class Numbers:
        def __init__(self, end: int = 20) -> None:
            scene.visit("marked Numbers")
            self.all = list(range(end))

    @app.get("/pages")
    async def numbers(found: Annotated[Numbers, Depends()]) -> Page[int]:
        return paginate(found.all)

    with TestClient(app) as client:
        return [client.get(f"/pages?page={page}&size=6").json() for page in range(1, 5)]


@pytest.mark.accelerated
@pytest.mark.parametrize("played", [pages, pages_added_between_requests, pages_in_a_lifespan_alone])
def test_pages_are_the_same(played: Any, variant: str, order: str) -> None:
    check(played, variant, order)
