"""What a process does to itself before anything is imported that it is there to measure."""

import asyncio
import os
import sys
from typing import Any


def new_event_loop() -> asyncio.AbstractEventLoop:
    """A loop as uvicorn would take it: uvloop's if it is installed."""
    if sys.platform != "win32":
        try:
            import uvloop
        except ImportError:
            pass
        else:
            return uvloop.new_event_loop()
    return asyncio.new_event_loop()


def leave_fastapi_alone() -> None:
    """Make `init_app` do nothing in this process, for what runs on FastAPI as installed.

    Raises:
        RuntimeError: an app has been accelerated in this process already.
    """
    import fastapi_async_safe

    if "benchmarks.apps" in sys.modules:
        raise RuntimeError("the example apps were imported, and accelerated, before")

    def init_nothing(root: Any, **_options: Any) -> Any:
        return root

    fastapi_async_safe.init_app = init_nothing


def load_nothing_compiled() -> None:
    """Make this process run the package as it is where there is no compiler.

    Raises:
        RuntimeError: the package has been imported before.
    """
    if "fastapi_async_safe" in sys.modules:
        raise RuntimeError("fastapi_async_safe was imported before")
    os.environ["FASTAPI_ASYNC_SAFE_NO_EXTENSIONS"] = "1"
    os.environ.pop("FASTAPI_ASYNC_SAFE_REQUIRE_EXTENSIONS", None)
