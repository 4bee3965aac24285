"""Which core resolves the plans: the compiled one, or its Python twin."""

from __future__ import annotations

import sys
import sysconfig
from importlib import import_module
from types import ModuleType
from typing import Literal

from . import _core_py, _fastapi
from ._variables import NO_EXTENSIONS, REQUIRE_EXTENSIONS, is_set

_NAME = "fastapi_async_safe._core"  # as it was built; that of a vendored copy is another one
_TAKEN = (
    "another copy of the package, imported earlier in this process, has it; import the package once"
)

is_taken = False  # there is a compiled core, and another copy of the package has it


def advice_without_core() -> str:
    """Say why there may be no compiled core here, and what brings one."""
    if is_taken:
        return _TAKEN
    if is_set(NO_EXTENSIONS):
        return f"{NO_EXTENSIONS} is set, unset it"
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
    global is_taken  # noqa: PLW0603
    refused, required = is_set(NO_EXTENSIONS), is_set(REQUIRE_EXTENSIONS)
    if refused and required:
        raise ImportError(f"{NO_EXTENSIONS} and {REQUIRE_EXTENSIONS} are both set; unset one")
    if refused:
        return None
    try:
        core = import_module("._core", __package__)
    except ImportError as error:
        if required:
            raise ImportError(
                f"{REQUIRE_EXTENSIONS} is set, but fastapi-async-safe has no compiled core here "
                f"({error}): {advice_without_core()}"
            ) from error
        return None
    if __package__ != _NAME.rpartition(".")[0] and sys.modules.get(_NAME) is core:
        del sys.modules[_NAME]  # where Cython put it too, for the package that it was built for
    # NOTE: an extension module is there once in a process. To a copy of the package that is
    # imported later it comes as the first one left it, tied to the first one's modules.
    if core._core_py is _core_py and core._fastapi is _fastapi:
        return core
    if required:
        raise ImportError(
            f"{REQUIRE_EXTENSIONS} is set, but fastapi-async-safe cannot use its compiled core: "
            f"{_TAKEN}"
        )
    is_taken = True
    return None


python_core: ModuleType = _core_py
compiled_core: ModuleType | None = _compiled()
# The record of the current request, for both.
current_request: ModuleType = compiled_core or python_core


def resolver_backend() -> Literal["compiled", "python"]:
    """Say what runs the plans of `init_app(app, accelerated=True)`.

    Returns:
        "compiled" if the compiled core was built and is not switched off, else "python", as for a
        second copy of the package in one process.
    """
    return "python" if compiled_core is None else "compiled"
