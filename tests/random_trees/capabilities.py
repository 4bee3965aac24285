"""What the installed FastAPI can express; older releases know less of it."""

from __future__ import annotations

import inspect

import fastapi
import fastapi.dependencies.utils
from fastapi import Depends

_DEPENDS = inspect.signature(Depends).parameters

VERSION = tuple(int(part) for part in fastapi.__version__.split(".")[:2])

#: What is `async` inside a `partial`, and endpoints that are objects, are awaited.
HAS_UNWRAPPING = VERSION >= (0, 123)
#: Scopes stay as declared; before, each request with overrides adds to them once more.
HAS_STEADY_SCOPES = VERSION >= (0, 122)
#: A sync `yield` dependency is left whatever was raised; before, only the garbage collector ended
#: one after a `CancelledError` or another exception that is no `Exception`.
HAS_EXITS_ALWAYS = VERSION >= (0, 162)
#: A dependency that is a context manager fails when it is entered; before, FastAPI with unwrapping
#: went on to leave it, which failed in its turn.
HAS_EXITS_AFTER_ENTERING = VERSION >= (0, 162) or not HAS_UNWRAPPING
#: `Depends(scope=...)`
HAS_SCOPE = "scope" in _DEPENDS
#: `Depends(max_concurrency=...)`
HAS_CONCURRENCY = "max_concurrency" in _DEPENDS
#: Generator functions as endpoints that stream.
HAS_STREAMING_ENDPOINTS = hasattr(fastapi.dependencies.utils, "get_stream_item_type")
#: Parameter models beside other parameters of the same kind, and optional ones.
HAS_MIXED_MODELS = VERSION >= (0, 157)
