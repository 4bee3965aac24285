"""wireup changes the dependants of routes that are there: their call, and what they are given."""

from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Request, WebSocket
from starlette.testclient import TestClient

from tests.tools.scene import Scene, check


def injected(scene: Scene) -> Any:
    """Inject services into endpoints that have dependencies too."""
    return _play(scene, late=False)


def injected_between_requests(scene: Scene) -> Any:
    """Serve requests before the container is set up, so that plans exist that are then outdated."""
    return _play(scene, late=True)


def injected_by_middleware(scene: Scene) -> Any:
    """Let wireup's middleware hold the scope of requests."""
    return _play(scene, late=False, middleware_mode=True)


def _play(scene: Scene, *, late: bool, **options: Any) -> Any:
    import wireup
    import wireup.integration.fastapi
    from wireup import Injected, injectable

    @injectable
    class Settings:
        name = "settings"

    @injectable(lifetime="scoped")
    class Session:
        def __init__(self, request: Request) -> None:
            self.url = request.url.path

    @injectable(lifetime="scoped")
    class SocketSession:
        def __init__(self, socket: WebSocket) -> None:
            self.url = socket.url.path

    container = wireup.create_async_container(
        injectables=[Settings, Session, SocketSession, wireup.integration.fastapi]
    )

    @scene.marked
    class Page:
        def __init__(self, limit: int = 10) -> None:
            scene.visit("marked Page")
            self.limit = limit

    @scene.marked
    def context(page: Annotated[Page, Depends()]) -> Iterator[str]:
        scene.visit("marked context")
        yield f"context of {page.limit}"
        scene.visit("marked context exit")

    async def client() -> AsyncIterator[str]:
        yield "client"

    Paged = Annotated[Page, Depends()]  # noqa: N806
    Opened = Annotated[str, Depends(context)]  # noqa: N806
    app = FastAPI()
    router = APIRouter(prefix="/included", dependencies=[Depends(context)])

    @app.get("/singleton")
    async def singleton(settings: Injected[Settings], page: Paged) -> list[Any]:
        return [settings.name, page.limit]

    @app.get("/scoped/{item}")
    async def scoped(
        item: int,
        session: Injected[Session],
        settings: Injected[Settings],
        page: Paged,
        opened: Opened,
        client: Annotated[str, Depends(client)],
    ) -> list[Any]:
        return [item, session.url, settings.name, page.limit, opened, client]

    @app.get("/sync")
    def synchronous(session: Injected[Session], page: Paged, request: Request) -> list[Any]:
        return [session.url, page.limit, request.method]

    @router.get("/scoped")
    async def included(session: Injected[Session], page: Paged) -> list[Any]:
        return [session.url, page.limit]

    @app.get("/plain")
    async def plain(page: Paged) -> int:
        return page.limit

    app.include_router(router)

    @app.websocket("/socket")
    async def socket(websocket: WebSocket, session: Injected[SocketSession], page: Paged) -> None:
        await websocket.accept()
        await websocket.send_json([session.url, page.limit])
        await websocket.close()

    def serve(client: TestClient) -> list[Any]:
        answers: list[Any] = [
            [(answer := client.get(url)).status_code, answer.text]
            for url in (
                "/singleton?limit=1",
                "/scoped/2?limit=3",
                "/scoped/two",
                "/sync?limit=4",
                "/included/scoped?limit=5",
                "/plain?limit=6",
            )
            for _ in range(2)
        ]
        try:
            with client.websocket_connect("/socket?limit=7") as session:
                answers.append(session.receive_json())
        except Exception as error:  # without wireup the endpoint lacks an argument
            answers.append(type(error).__name__)
        return answers

    answers = []
    if late:
        scene.init(app)
        answers += serve(TestClient(app, raise_server_exceptions=False))
    scene.install(app, lambda: wireup.integration.fastapi.setup(container, app, **options))
    answers += serve(TestClient(app, raise_server_exceptions=False))
    with TestClient(app, raise_server_exceptions=False) as client_:
        answers += serve(client_)
    return answers


def classes_of_endpoints(scene: Scene) -> Any:
    """Let wireup make the objects whose methods are the endpoints."""
    import wireup
    import wireup.integration.fastapi
    from wireup import injectable

    @injectable
    class Greeter:
        greeting = "hello"

    @scene.marked
    class Page:
        def __init__(self, limit: int = 10) -> None:
            scene.visit("marked Page")
            self.limit = limit

    class Endpoints:
        router = APIRouter(prefix="/class")

        def __init__(self, greeter: Greeter) -> None:
            self.greeter = greeter

        @router.get("/")
        async def get(self, page: Annotated[Page, Depends()]) -> list[Any]:
            return [self.greeter.greeting, page.limit]

    app = FastAPI()
    container = wireup.create_async_container(injectables=[Greeter])
    scene.install(
        app,
        lambda: wireup.integration.fastapi.setup(container, app, class_based_handlers=[Endpoints]),
    )
    with TestClient(app) as client:
        return [client.get(f"/class/?limit={limit}").text for limit in (1, 2, "x")]


@pytest.mark.accelerated
@pytest.mark.parametrize(
    "played",
    [injected, injected_between_requests, injected_by_middleware, classes_of_endpoints],
)
def test_the_same_is_injected(played: Any, variant: str, order: str) -> None:
    check(played, variant, order)
