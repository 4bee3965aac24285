"""A plain generator as endpoint, marked, so that its JSON lines are made on the loop."""

from collections.abc import Iterator

from fastapi import FastAPI
from pydantic import BaseModel

from fastapi_async_safe import async_safe, init_app


class Reading(BaseModel):
    second: int
    celsius: float


def create_app() -> FastAPI:
    app = FastAPI()

    @app.get("/readings")
    @async_safe
    def stream_readings() -> Iterator[Reading]:
        for second in range(5):
            yield Reading(second=second, celsius=20 + second / 10)

    return app


app = init_app(create_app(), accelerated=True)
