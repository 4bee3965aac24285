"""dependency-injector's `Depends(Provide[...])` is a call that needs no thread, and gets none."""

import sys
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, WebSocket
from starlette.testclient import TestClient

from tests.tools.scene import Scene, check, play


def provided(scene: Scene) -> Any:
    """Inject what a container provides into endpoints and dependencies."""
    from dependency_injector import containers, providers
    from dependency_injector.wiring import Provide, inject

    class Service:
        def __init__(self, name: str) -> None:
            self.name = name

    class Container(containers.DeclarativeContainer):
        config = providers.Configuration()
        settings = providers.Singleton(Service, name="settings")
        service = providers.Factory(Service, name=config.name)

    container = Container()
    container.config.name.from_value("service")
    app = FastAPI()
    router = APIRouter(prefix="/included")

    @scene.marked
    class Page:
        def __init__(self, limit: int = 10) -> None:
            scene.visit("marked Page")
            self.limit = limit

    @inject
    async def through(
        service: Annotated[Service, Depends(Provide[Container.service])],
    ) -> str:
        scene.visit("through")
        return f"through {service.name}"

    Paged = Annotated[Page, Depends()]  # noqa: N806

    @app.get("/service")
    @inject
    async def service(
        page: Paged,
        found: Annotated[Service, Depends(Provide[Container.service])],
        settings: Annotated[Service, Depends(Provide[Container.settings])],
        name: Annotated[str, Depends(Provide[Container.config.name])],
    ) -> list[Any]:
        return [page.limit, found.name, settings.name, name]

    @router.get("/through")
    @inject
    async def included(
        page: Paged,
        found: Annotated[str, Depends(through)],
        default: Service = Depends(Provide[Container.settings]),  # noqa: B008
    ) -> list[Any]:
        return [page.limit, found, default.name]

    app.include_router(router)

    @app.websocket("/socket")
    @inject
    async def socket(
        websocket: WebSocket,
        page: Paged,
        found: Annotated[Service, Depends(Provide[Container.service])],
    ) -> None:
        await websocket.accept()
        await websocket.send_json([page.limit, found.name])
        await websocket.close()

    scene.install(app, lambda: container.wire(modules=[sys.modules[__name__]]))
    client = TestClient(app, raise_server_exceptions=False)

    def serve() -> list[Any]:
        answers: list[Any] = [
            [(answer := client.get(url)).status_code, answer.text]
            for url in ("/service?limit=1", "/service?limit=x", "/included/through?limit=2")
            for _ in range(2)
        ]
        with client.websocket_connect("/socket?limit=3") as session:
            answers.append(session.receive_json())
        return answers

    answers = serve()
    with container.service.override(providers.Object(Service("overridden"))):
        answers += serve()
    return answers


@pytest.mark.accelerated
def test_the_same_is_provided(variant: str, order: str) -> None:
    check(provided, variant, order)


@pytest.mark.accelerated
def test_what_is_provided_needs_no_thread_and_no_mark(variant: str, order: str) -> None:
    assert play(provided, variant, order).hops == 0
    assert play(provided, "stock", order).hops > 40
