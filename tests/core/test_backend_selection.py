"""Which core is chosen when the package is imported, each time in a process of its own."""

import importlib.util
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

NO_EXTENSIONS = "FASTAPI_ASYNC_SAFE_NO_EXTENSIONS"
REQUIRE_EXTENSIONS = "FASTAPI_ASYNC_SAFE_REQUIRE_EXTENSIONS"
SET = ["1", "true", "yes", "on", "TRUE", " On "]
NOT_SET = ["", "0", "false", "no", "off", "OFF"]
UNKNOWN = ["2", "y", "none", "1 0", "yes!"]

CORE = "fastapi_async_safe._core"
WITHOUT_CORE = f"import sys; sys.modules[{CORE!r}] = None\n"
BACKEND = "from fastapi_async_safe import resolver_backend; print(resolver_backend())\n"
INIT_TWICE = """
import warnings
from fastapi import FastAPI
from fastapi_async_safe import init_app

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    for _ in range(2):
        init_app(FastAPI(), accelerated=True)
for warning in caught:
    print(warning.category.__name__, warning.message)
"""


def run(code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the code in a new interpreter that sees just these of the package's variables."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("FASTAPI_ASYNC_SAFE_")}
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=environment | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def output_of(code: str, **variables: str) -> str:
    finished = run(code, **variables)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.strip()


def import_error_of(code: str, **variables: str) -> str:
    finished = run(code, **variables)
    last_line = finished.stderr.strip().splitlines()[-1]
    assert finished.returncode == 1
    assert last_line.startswith("ImportError: "), finished.stderr
    return last_line


@pytest.fixture(scope="module")
def default() -> str:
    """Give the backend of this installation: the compiled one if its file is there."""
    return "python" if importlib.util.find_spec(CORE) is None else "compiled"


def test_the_compiled_core_is_used_where_it_was_built(default: str) -> None:
    assert output_of(BACKEND) == default


@pytest.mark.parametrize("value", SET)
def test_no_extensions_never_loads_the_compiled_core(value: str) -> None:
    code = f"{BACKEND}import sys; print({CORE!r} in sys.modules)"
    assert output_of(code, **{NO_EXTENSIONS: value}).split() == ["python", "False"]


@pytest.mark.parametrize("value", NOT_SET)
@pytest.mark.parametrize("variable", [NO_EXTENSIONS, REQUIRE_EXTENSIONS])
def test_a_variable_that_says_no_changes_nothing(variable: str, value: str, default: str) -> None:
    assert output_of(BACKEND, **{variable: value}) == default


def test_without_the_compiled_core_the_python_core_is_used() -> None:
    assert output_of(WITHOUT_CORE + BACKEND) == "python"


@pytest.mark.parametrize("value", SET)
def test_required_extensions_that_are_missing_are_an_import_error(value: str) -> None:
    error = import_error_of(WITHOUT_CORE + BACKEND, **{REQUIRE_EXTENSIONS: value})
    assert REQUIRE_EXTENSIONS in error
    assert "pip install" in error


def test_required_extensions_are_found_exactly_where_they_were_built(default: str) -> None:
    finished = run(BACKEND, **{REQUIRE_EXTENSIONS: "1"})
    assert (finished.returncode == 0) == (default == "compiled")
    assert finished.stdout.strip() == ("compiled" if default == "compiled" else "")


def test_both_variables_are_an_import_error() -> None:
    error = import_error_of(BACKEND, **{NO_EXTENSIONS: "1", REQUIRE_EXTENSIONS: "1"})
    assert NO_EXTENSIONS in error
    assert REQUIRE_EXTENSIONS in error


def test_one_variable_that_says_yes_and_one_that_says_no_are_no_contradiction() -> None:
    assert output_of(BACKEND, **{NO_EXTENSIONS: "1", REQUIRE_EXTENSIONS: "0"}) == "python"


@pytest.mark.parametrize("value", UNKNOWN)
@pytest.mark.parametrize("variable", [NO_EXTENSIONS, REQUIRE_EXTENSIONS])
def test_a_value_that_is_neither_yes_nor_no_is_an_import_error(variable: str, value: str) -> None:
    error = import_error_of(BACKEND, **{variable: value})
    assert variable in error
    assert repr(value) in error


def test_accelerating_without_the_compiled_core_warns_once_and_says_how_to_get_it() -> None:
    lines = output_of(WITHOUT_CORE + INIT_TWICE).splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("RuntimeWarning ")
    assert lines[0].endswith(
        ": the installed package has none that works here. Install a wheel for this platform (pip "
        "install --upgrade pip, then pip install --force-reinstall fastapi-async-safe), or a C "
        "compiler and then pip install --no-binary fastapi-async-safe --force-reinstall "
        "fastapi-async-safe"
    )


def test_accelerating_with_the_compiled_core_switched_off_warns_once() -> None:
    lines = output_of(INIT_TWICE, **{NO_EXTENSIONS: "1"}).splitlines()
    assert len(lines) == 1
    assert lines[0].endswith(f": {NO_EXTENSIONS} is set, unset it")


@pytest.mark.parametrize(
    ("place", "word"),
    [
        ("sys.platform = 'emscripten'", "Pyodide"),
        ("import sysconfig; sysconfig.get_config_vars()['Py_GIL_DISABLED'] = 1", "free-threaded"),
    ],
)
def test_where_there_is_no_compiled_core_nobody_is_told_to_get_a_compiler(
    place: str, word: str
) -> None:
    said = output_of(f"{WITHOUT_CORE}import fastapi, fastapi_async_safe\n{place}\n{INIT_TWICE}")
    assert said.startswith("RuntimeWarning ")
    assert word in said
    assert "compiler" not in said
