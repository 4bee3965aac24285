"""Runs code in several interpreters of one process; imports nothing that only one of them may."""

import importlib
import sys
import time
from pathlib import Path
from typing import Any

ANSWERS = """
import os, sys
sys.path[:0] = [{folder!r}]
refused = "nothing"
try:
    import fastapi
except ImportError as error:
    refused = f"{{error}}"
if refused == "nothing":
    from tests.hooks.test_copies import ALL_INLINE, STOCK, answers, make_app
    import fastapi_async_safe
    app = make_app(fastapi_async_safe)
    if {variant!r} == "stock":
        assert answers(app) == [*STOCK, "[]"]
    else:
        fastapi_async_safe.init_app(app, accelerated={variant!r} == "compiled")
        assert answers(app) == [*STOCK, ALL_INLINE]
    assert answers(make_app(fastapi_async_safe)) == [*STOCK, "[]"]
os.write(1, f"{{refused}}\\n".encode())
"""


def run_in_another(code: str, *, with_own_gil: bool) -> None:
    """Run code in an interpreter that is made for it."""
    try:
        interpreters: Any = importlib.import_module("_interpreters")  # CPython 3.13
    except ImportError:
        interpreters = importlib.import_module("_xxsubinterpreters")
        number = interpreters.create(isolated=with_own_gil)
        interpreters.run_string(number, code)
    else:
        number = interpreters.create("isolated" if with_own_gil else "legacy")
        failed = interpreters.exec(number, code)
        assert failed is None, failed.formatted
    # The threads of the pool end some time after their loop does, and want this one's GIL for it.
    deadline = time.monotonic() + 60
    while True:
        try:
            interpreters.destroy(number)
        except RuntimeError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


# Where the code is run, in this order: in the main interpreter, in one with a GIL of its own, in
# one that shares the GIL.
ORDERS = {
    "main first": ("main", "own", "shared", "main"),
    "own first": ("own", "main"),
    "shared first": ("shared", "shared"),
}
if sys.version_info < (3, 13):
    # With no more than `import datetime` in both of them CPython 3.12 aborts in the second one.
    del ORDERS["own first"]


def run_in_several(variant: str, order: str) -> None:
    """Run the code in several interpreters."""
    code = ANSWERS.format(folder=str(Path.cwd()), variant=variant)
    for place in ORDERS[order]:
        if place == "main":
            exec(code, {})
        else:
            run_in_another(code, with_own_gil=place == "own")
