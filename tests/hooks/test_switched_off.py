"""`FASTAPI_ASYNC_SAFE_DISABLE=1`: switched off without a change of code."""

import os
import subprocess
import sys

DISABLE = "FASTAPI_ASYNC_SAFE_DISABLE"
CODE = """
import logging
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
from fastapi import APIRouter, FastAPI
from fastapi.dependencies.utils import solve_dependencies
from fastapi_async_safe import init_app

code, app = solve_dependencies.__code__, FastAPI()
before = dict(vars(app))
for _ in range(2):
    assert init_app(app, accelerated=True) is app
print(solve_dependencies.__code__ is code, vars(app) == before)
for wrong in ({"root": 1}, {"root": app, "predicates": 1}, {"root": app, "accelerated": 1}):
    try:
        init_app(**wrong)
    except TypeError:
        print("TypeError")
"""


def run(value: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("FASTAPI_ASYNC_SAFE_")}
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", CODE],
        env=environment | {DISABLE: value, "FASTAPI_ASYNC_SAFE_NO_EXTENSIONS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_init_app_checks_its_arguments_says_so_once_and_does_nothing_else() -> None:
    finished = run("1")
    assert finished.stdout.split() == ["True", "True", *["TypeError"] * 3], finished.stderr
    (said,) = finished.stderr.splitlines()
    assert said.startswith("INFO ")
    assert DISABLE in said


def test_a_value_that_is_neither_yes_nor_no_is_an_import_error() -> None:
    finished = run("perhaps")
    assert finished.returncode == 1
    assert f"ImportError: {DISABLE} must be 1 or 0, not 'perhaps'" in finished.stderr
