"""fastapi-cache-di: W2's own app, every class inline, each route solved from its plan."""

from fastapi import FastAPI
from fastapi_cache_di import (
    patch_fastapi_resolution_plan,
    patch_fastapi_run_in_threadpool,
    patch_fastapi_solve_dependencies,
)

from benchmarks.apps import query_classes


def create_app() -> FastAPI:
    patch_fastapi_run_in_threadpool(inline_classes=True)
    patch_fastapi_solve_dependencies()
    patch_fastapi_resolution_plan()
    return query_classes.create_app()
