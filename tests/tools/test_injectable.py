"""fastapi-injectable solves dependencies outside of requests, with a cache of its own."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI
from starlette.testclient import TestClient

from tests.tools.scene import Scene, check


def outside_of_requests(scene: Scene) -> Any:
    """Call injected functions, with and without cache, and get objects."""
    return asyncio.run(_outside(scene))


def _dependencies(scene: Scene) -> Any:
    @scene.marked
    class Settings:
        def __init__(self) -> None:
            scene.visit("marked Settings")
            self.name = "settings"

    @scene.marked
    def session(settings: Annotated[Settings, Depends()]) -> Iterator[str]:
        scene.visit("marked session")
        yield f"session of {settings.name}"
        scene.visit("marked session exit")

    async def client(settings: Annotated[Settings, Depends()]) -> str:
        scene.visit("client")
        return f"client of {settings.name}"

    async def opened(client: Annotated[str, Depends(client)]) -> AsyncIterator[str]:
        scene.visit("opened")
        yield f"opened {client}"
        scene.visit("opened exit")

    def in_pool() -> str:
        scene.visit("in_pool")
        return "in the pool"

    @scene.marked
    class Service:
        def __init__(
            self,
            session: Annotated[str, Depends(session)],
            client: Annotated[str, Depends(client)],
            pool: Annotated[str, Depends(in_pool)],
        ) -> None:
            scene.visit("marked Service")
            self.parts = [session, client, pool]

    return Settings, Service, opened


async def _outside(scene: Scene) -> Any:
    Settings, Service, opened = _dependencies(scene)  # noqa: N806
    app = FastAPI()
    tool: dict[str, Any] = {}

    def install() -> None:
        import fastapi_injectable

        tool.update(vars(fastapi_injectable))

    scene.install(app, install)
    await tool["register_app"](app)
    seen: list[Any] = []

    def told(
        service: Annotated[Any, Depends(Service)], settings: Annotated[Any, Depends(Settings)]
    ) -> list[Any]:
        return [*service.parts, settings.name]

    async def awaited(service: Annotated[Any, Depends(Service)], more: int = 1) -> list[Any]:
        return [*service.parts, more]

    async def within(found: Annotated[str, Depends(opened)]) -> str:
        return found

    cached = tool["injectable"](awaited)
    uncached = tool["injectable"](awaited, use_cache=False)
    for call in (cached, cached, uncached, uncached):
        seen.append(await call())
        scene.visit("--")
    seen.append(await tool["resolve_dependencies"](told))
    seen[-1] = {name: type(value).__name__ for name, value in seen[-1].items()}
    scene.visit("--")
    await tool["cleanup_all_exit_stacks"]()
    await tool["clear_dependency_cache"]()

    async with tool["injectable_scope"]():
        seen.append(await cached())
        seen.append(await cached())
        service = await tool["async_get_injected_obj"](Service)
        seen.append(service.parts)
        seen.append(await tool["injectable"](within)())

    def replaced() -> Any:
        scene.visit("replaced")
        return type("Replaced", (), {"parts": ["replaced"]})

    app.dependency_overrides[Service] = replaced
    await tool["clear_dependency_cache"]()
    seen.append(await uncached())
    return seen


def within_requests(scene: Scene) -> Any:
    """Call an injected function from an endpoint of the same application."""
    Settings, Service, opened = _dependencies(scene)  # noqa: N806
    app = FastAPI()
    tool: dict[str, Any] = {}

    def install() -> None:
        import fastapi_injectable

        tool.update(vars(fastapi_injectable))

        async def told(
            service: Annotated[Any, Depends(Service)], found: Annotated[str, Depends(opened)]
        ) -> list[str]:
            return [*service.parts, found]

        tool["told"] = fastapi_injectable.injectable(told)

    scene.install(app, install)

    @app.get("/")
    async def endpoint(settings: Annotated[Any, Depends(Settings)]) -> list[str]:
        async with tool["injectable_scope"]():
            return [settings.name, *await tool["told"]()]

    asyncio.run(tool["register_app"](app))
    with TestClient(app) as client:
        return [client.get("/").json() for _ in range(3)]


@pytest.mark.accelerated
@pytest.mark.parametrize("played", [outside_of_requests, within_requests])
def test_the_same_is_injected(played: Any, variant: str, order: str) -> None:
    check(played, variant, order)
