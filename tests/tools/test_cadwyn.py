"""cadwyn solves the dependencies of a migrated request a second time, for the newest version."""

import datetime as dt
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import pytest
from fastapi import BackgroundTasks, Cookie, Depends, Header, Response
from pydantic import BaseModel
from starlette.testclient import TestClient

from tests.tools.scene import Scene, check


class Body(BaseModel):
    """What is posted: a list of names since 2002, one before."""

    names: list[str]


def migrated(scene: Scene) -> Any:
    """Serve requests of three versions, whose query, headers, cookies and bodies are migrated."""
    import cadwyn
    from cadwyn import (
        Cadwyn,
        HeadVersion,
        RequestInfo,
        ResponseInfo,
        Version,
        VersionBundle,
        VersionChange,
        VersionedAPIRouter,
    )

    router = VersionedAPIRouter()
    done: list[str] = []

    @scene.marked
    class Page:
        def __init__(self, limit: int = 10, tags: str = "none") -> None:
            scene.visit("marked Page")
            self.limit, self.tags = limit, tags

    @scene.marked
    def session(
        response: Response,
        tasks: BackgroundTasks,
        x_user: Annotated[str, Header()] = "nobody",
        session: Annotated[str, Cookie()] = "none",
    ) -> Iterator[str]:
        scene.visit("marked session")
        response.headers["x-session"] = x_user
        tasks.add_task(done.append, f"{x_user} {session}")
        yield f"{x_user} {session}"
        scene.visit("marked session exit")

    async def client() -> AsyncIterator[str]:
        scene.visit("client")
        yield "client"
        scene.visit("client exit")

    def in_pool(page: Annotated[Page, Depends()]) -> int:
        scene.visit("in_pool")
        return page.limit

    @router.post("/items/{item}")
    async def items(
        item: int,
        body: Body,
        page: Annotated[Page, Depends()],
        opened: Annotated[str, Depends(session)],
        client: Annotated[str, Depends(client)],
        pool: Annotated[int, Depends(in_pool)],
        solver: Annotated[str, Depends(cadwyn.current_dependency_solver)],
    ) -> dict[str, Any]:
        scene.visit("endpoint")
        parts = [item, page.limit, page.tags, opened, client, pool, solver]
        return {"names": body.names, "parts": parts}

    @router.get("/items")
    def synchronous(page: Annotated[Page, Depends()]) -> dict[str, Any]:
        return {"limit": page.limit}

    class NamesAreAList(VersionChange):
        description = "There may be several names."
        instructions_to_migrate_to_previous_version = (
            cadwyn.schema(Body).field("names").didnt_exist,
            cadwyn.schema(Body).field("name").existed_as(type=str),
        )

        @cadwyn.convert_request_to_next_version_for(Body)
        def list_of_one(request: RequestInfo) -> None:  # noqa: N805
            request.body["names"] = [request.body.pop("name")]
            request.headers["x-user"] = f"migrated {request.headers.get('x-user')}"
            request.cookies["session"] = "migrated"

        @cadwyn.convert_response_to_previous_version_for("/items/{item}", ["POST"])
        def first(response: ResponseInfo) -> None:  # noqa: N805
            response.body["name"] = response.body.pop("names")[0]

    class LimitIsCalledLimit(VersionChange):
        description = "What was called `size` is called `limit`."
        instructions_to_migrate_to_previous_version = ()

        @cadwyn.convert_request_to_next_version_for("/items", ["GET"])
        def renamed(request: RequestInfo) -> None:  # noqa: N805
            if "size" in request.query_params:
                request.query_params["limit"] = request.query_params["size"]

    app = Cadwyn(
        versions=VersionBundle(
            HeadVersion(),
            Version(dt.date(2003, 1, 1), LimitIsCalledLimit),
            Version(dt.date(2002, 1, 1), NamesAreAList),
            Version(dt.date(2001, 1, 1)),
        )
    )
    scene.install(app, lambda: app.generate_and_include_versioned_routers(router))
    client_ = TestClient(app, raise_server_exceptions=False)
    client_.cookies.set("session", "abc")
    answers = []
    for date, body in (
        ("2003-01-01", {"names": ["a", "b"]}),
        ("2002-01-01", {"names": ["a", "b"]}),
        ("2001-01-01", {"name": "a"}),
        ("2001-01-01", {"names": ["a"]}),
    ):
        headers = {"x-api-version": date, "x-user": "me"}
        for url in ("/items/1?limit=5&tags=x", "/items/one?limit=many"):
            for _ in range(2):
                answer = client_.post(url, json=body, headers=headers)
                answers.append([answer.status_code, answer.text, answer.headers.get("x-session")])
        for url in ("/items?limit=5", "/items?size=7", "/items?limit=many"):
            answer = client_.get(url, headers=headers)
            answers.append([answer.status_code, answer.text])
    return [answers, done]


@pytest.mark.accelerated
def test_migrated_requests_are_the_same(variant: str, order: str) -> None:
    check(migrated, variant, order)
