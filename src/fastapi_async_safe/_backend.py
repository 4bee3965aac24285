"""Which core resolves the plans: the compiled one, or its Python twin."""

from __future__ import annotations

import os
import sys
import sysconfig
from importlib import import_module
from types import ModuleType
from typing import Literal

from . import _core_py

_NO_EXTENSIONS = "FASTAPI_ASYNC_SAFE_NO_EXTENSIONS"
_REQUIRE_EXTENSIONS = "FASTAPI_ASYNC_SAFE_REQUIRE_EXTENSIONS"


def _is_set(variable: str) -> bool:
    value = os.environ.get(variable, "").strip().lower()
    if value in ("", "0", "false", "no", "off"):
        return False
    if value in ("1", "true", "yes", "on"):
        return True
    raise ImportError(f"{variable} must be 1 or 0, not {value!r}")


def advice_without_core() -> str:
    """Say why there may be no compiled core here, and what brings one."""
    if _is_set(_NO_EXTENSIONS):
        return f"{_NO_EXTENSIONS} is set, unset it"
    if sys.platform == "emscripten":
        return "there is none for Pyodide"
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        return "there is none for a free-threaded CPython, on which it would switch the GIL on"
    return (
        "the installed package has none that works here. Install a wheel for this platform "
        "(pip install --upgrade pip, then pip install --force-reinstall fastapi-async-safe), or a "
        "C compiler and then pip install --no-binary fastapi-async-safe --force-reinstall "
        "fastapi-async-safe"
    )


def _compiled() -> ModuleType | None:
    refused, required = _is_set(_NO_EXTENSIONS), _is_set(_REQUIRE_EXTENSIONS)
    if refused and required:
        raise ImportError(f"{_NO_EXTENSIONS} and {_REQUIRE_EXTENSIONS} are both set; unset one")
    if refused:
        return None
    try:
        return import_module("fastapi_async_safe._core")
    except ImportError as error:
        if required:
            raise ImportError(
                f"{_REQUIRE_EXTENSIONS} is set, but fastapi-async-safe has no compiled core here "
                f"({error}): {advice_without_core()}"
            ) from error
        return None


python_core: ModuleType = _core_py
compiled_core: ModuleType | None = _compiled()
served: ModuleType = compiled_core or python_core  # which route serves a request, for both


def resolver_backend() -> Literal["compiled", "python"]:
    """Say what runs the plans of `init_app(app, accelerated=True)`.

    Returns:
        "compiled" if the compiled core was built and is not switched off, else "python".
    """
    return "python" if compiled_core is None else "compiled"
