"""W0: an endpoint without dependencies, which is what every request pays."""

from typing import Any

from fastapi import FastAPI

from fastapi_async_safe import init_app


def create_app() -> FastAPI:
    app = FastAPI()

    @app.get("/items")
    async def read_items() -> dict[str, Any]:
        return {"q": "book", "skip": 0, "limit": 100}

    return app


app = init_app(create_app(), accelerated=True)
