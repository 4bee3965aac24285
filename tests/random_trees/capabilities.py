"""What the installed FastAPI can express; older releases know less of it."""

from __future__ import annotations

import inspect

import fastapi
import fastapi.dependencies.utils
from fastapi import Depends

_DEPENDS = inspect.signature(Depends).parameters

VERSION = tuple(int(part) for part in fastapi.__version__.split(".")[:2])

#: `Depends(scope=...)`
HAS_SCOPE = "scope" in _DEPENDS
#: `Depends(max_concurrency=...)`
HAS_CONCURRENCY = "max_concurrency" in _DEPENDS
#: Generator functions as endpoints that stream.
HAS_STREAMING_ENDPOINTS = hasattr(fastapi.dependencies.utils, "get_stream_item_type")
#: Parameter models beside other parameters of the same kind, and optional ones.
HAS_MIXED_MODELS = VERSION >= (0, 157)
