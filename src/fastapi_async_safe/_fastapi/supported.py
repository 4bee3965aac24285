"""Whether the installed FastAPI is one that is supported."""

from __future__ import annotations

import dataclasses
import inspect
import sys
from typing import Any

import fastapi
from fastapi.dependencies import models as _models
from fastapi.dependencies import utils as _utils
from fastapi.routing import APIRouter
from starlette.applications import Starlette

from .calling import ENTERING_PARAMETERS
from .dependants import ALWAYS_THERE, FIELDS, Dependant
from .parameters import annotation_is_sequence
from .results import SOLVED_FIELDS, SolvedDependency

VERSION: str = fastapi.__version__

# What is taken from these modules is that of one FastAPI. `importlib.reload` gives a module another
# spec, and an import after it was taken out of `sys.modules` another module.
_MODULES = {
    name: (sys.modules[name], sys.modules[name].__spec__)
    for name in (
        "fastapi._compat",
        "fastapi.concurrency",
        "fastapi.dependencies.models",
        "fastapi.dependencies.utils",
        "fastapi.params",
        "fastapi.routing",
        "starlette._exception_handler",
        "starlette.background",
        "starlette.concurrency",
        "starlette.datastructures",
        "starlette.requests",
        "starlette.responses",
        "starlette.routing",
        "starlette.websockets",
    )
}

# What is looked up in FastAPI's modules under one name in all releases.
_NEEDED = (
    "BackgroundTasks",
    "Response",
    "SecurityScopes",
    "SolvedDependency",
    "get_dependant",
    "request_body_to_args",
    "request_params_to_args",
    "run_in_threadpool",
)


def unusable() -> str | None:
    """Say what the installed FastAPI lacks of what is named in this module, None if nothing."""
    for name in _NEEDED:
        if not callable(getattr(_utils, name, None)):
            return f"fastapi.dependencies.utils has no {name}"
    if annotation_is_sequence(str) is None:
        return "fastapi._compat has no field_annotation_is_sequence"
    if not any(hasattr(_utils, name) for name in ("_solve_generator", "solve_generator")):
        return "fastapi.dependencies.utils has no _solve_generator"
    for name in ("_is_gen_callable", "_is_async_gen_callable", "_is_coroutine_callable"):
        older = name[1:]
        if not (hasattr(_models, name) or hasattr(Dependant, older) or hasattr(_utils, older)):
            return f"fastapi.dependencies.models has no {name}"
    fields = {field.name for field in FIELDS}
    if not (
        hasattr(_models, "_get_cache_key")
        or hasattr(Dependant, "cache_key")
        or "cache_key" in fields
    ):
        return "fastapi.dependencies.models has no _get_cache_key"
    if not (
        hasattr(_models, "_get_oauth_scopes")
        or hasattr(Dependant, "oauth_scopes")
        or "security_scopes" in fields
    ):
        return "fastapi.dependencies.models has no _get_oauth_scopes"
    for name, args, keywords in (
        ("request_params_to_args", 2, ()),
        ("request_body_to_args", 0, ("body_fields", "received_body", "embed_body_fields")),
        ("get_dependant", 0, ("path", "call", "name")),
        ("_solve_generator", 0, ENTERING_PARAMETERS),
        ("solve_generator", 0, ("call", "stack", "sub_values")),
        ("_get_request_param_names", 2, ()),
    ):
        try:
            function = getattr(_utils, name, None)
            if function is not None:
                inspect.signature(function).bind(*range(args), **dict.fromkeys(keywords))
        except TypeError:
            return f"fastapi.dependencies.utils.{name} has other parameters"
    missing = ALWAYS_THERE - fields
    if missing:
        return f"Dependant has no {', '.join(sorted(missing))}"
    if [field.name for field in dataclasses.fields(SolvedDependency)] != list(SOLVED_FIELDS):
        return "SolvedDependency has other fields"
    return None


def imported_again() -> str | None:
    """Say which module of FastAPI or Starlette is another one than when this package was imported,
    None if all are as they were.
    """
    for name, (module, spec) in _MODULES.items():
        if sys.modules.get(name) is not module or module.__spec__ is not spec:
            return (
                f"{name} was reloaded or imported again after fastapi_async_safe, which has to be "
                "imported last"
            )
    return None


def is_application(root: Any) -> bool:
    """Say whether `root` is a FastAPI application.

    NOTE: not by its class: tools put a subclass in the place of `fastapi.FastAPI`.
    """
    return isinstance(root, Starlette) and isinstance(getattr(root, "router", None), APIRouter)
