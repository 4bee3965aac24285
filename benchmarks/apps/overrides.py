"""W14: the app of `query_classes` with one of its classes overridden."""

from fastapi import FastAPI

from benchmarks.apps import query_classes
from fastapi_async_safe import async_safe, init_app


@async_safe
def newest_first() -> query_classes.Order:
    return query_classes.Order("date", descending=True)


def create_app() -> FastAPI:
    app = query_classes.create_app()
    app.dependency_overrides[query_classes.Order] = newest_first
    return app


app = init_app(create_app(), accelerated=True)
