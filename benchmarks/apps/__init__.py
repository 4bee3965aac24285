"""Small FastAPI apps, one module a workload, that tests, documentation and benchmarks share.

Each module has `create_app()`, the app as FastAPI runs it, and `app`, the same app accelerated:

    uvicorn benchmarks.apps.query_classes:app
"""
