"""W13: the app of `query_classes`, whose request has three invalid parameters."""

from benchmarks.apps.query_classes import create_app
from fastapi_async_safe import init_app

app = init_app(create_app(), accelerated=True)
