"""Puts the shop together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.security import OAuth2PasswordRequestForm
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from benchmarks.apps.production.resources import open_resources
from benchmarks.apps.production.routers import (
    accounts,
    currencies,
    health,
    items_by_asyncpg,
    items_by_psycopg,
    items_by_sqlalchemy,
    live,
    reports,
)
from benchmarks.apps.production.settings import Settings, StartUpError
from fastapi_async_safe import init_app

# Callables of others that only keep what they are given: these cannot be decorated here.
INLINE = frozenset({OAuth2PasswordRequestForm})


class StartUpErrorInOneLine:
    """Takes the traceback off what the server logs when the shop cannot start."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self.app(scope, receive, send)
            return

        async def send_line(message: Message) -> None:
            if message["type"] == "lifespan.startup.failed":
                kind, _, line = message["message"].strip().splitlines()[-1].partition(": ")
                if kind.endswith(StartUpError.__name__):
                    message = {**message, "message": f"The shop does not start: {line}"}
            await send(message)

        await self.app(scope, receive, send_line)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The shop; nothing is opened before its lifespan starts.

    Raises:
        StartUpError: the environment is wrong.
    """
    settings = settings or Settings.from_environment()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_resources(settings) as resources:
            app.state.resources = resources
            yield

    app = FastAPI(title="Shop", lifespan=lifespan)
    app.add_middleware(StartUpErrorInOneLine)
    for module in (health, accounts, currencies, items_by_psycopg, items_by_sqlalchemy):
        app.include_router(module.router)
    if settings.asyncio_drivers:
        app.include_router(items_by_sqlalchemy.async_router)
        for module in (items_by_asyncpg, reports, live):
            app.include_router(module.router)
    if settings.inline:
        init_app(
            app,
            predicates=[INLINE.__contains__],
            accelerated=settings.accelerated,
            one_trip=settings.one_trip,
        )
    return app
