"""Which wheel a build makes, by compiler and environment variables.

Each test builds the checkout, so they run on request only: `python -m pytest -m build`.
"""

import os
import subprocess
import sys
import tomllib
import venv
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.build

ROOT = Path(__file__).parents[2]
NO_EXTENSIONS = "FASTAPI_ASYNC_SAFE_NO_EXTENSIONS"
REQUIRE_EXTENSIONS = "FASTAPI_ASYNC_SAFE_REQUIRE_EXTENSIONS"
SET = ["1", "true", "yes", "on", "TRUE", " On "]
NOT_SET = ["", "0", "false", "no", "off", "OFF"]
UNKNOWN = ["2", "y", "none", "1 0", "yes!"]
NO_COMPILER = {"CC": os.devnull}
NO_PROGRAMS = {"PATH": "/nonexistent"}
# One for which the package index has no CMake.
OTHER_PLATFORM = {"_PYTHON_HOST_PLATFORM": "freebsd-14-amd64"}


@dataclass(frozen=True)
class Build:
    """What came out of one build: the wheel's file names, none if it failed, and the output."""

    tag: str | None
    files: frozenset[str]
    output: str

    @property
    def last_words(self) -> str:
        """The project's own message, with which a build ends."""
        lines = [line.strip() for line in self.output.splitlines()]
        return [line for line in lines if line.startswith("fastapi-async-safe: ")][-1]


Builder = Callable[..., Build]


@pytest.fixture(scope="session")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the interpreter of an environment with all that a build needs."""
    home = tmp_path_factory.mktemp("builder")
    venv.create(home, with_pip=True)
    python = home / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    requirements = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    install = ["-m", "pip", "install", "--quiet", *requirements, "cmake", "ninja"]
    subprocess.run([python, *install], check=True)
    return python


@pytest.fixture
def build(builder: Path, tmp_path_factory: pytest.TempPathFactory) -> Builder:
    """Give a function that builds a wheel under the given environment variables."""

    def run(variables: dict[str, str], *options: str, isolated: bool = False) -> Build:
        wheels_path = tmp_path_factory.mktemp("wheels")
        environment = {
            k: v for k, v in os.environ.items() if not k.startswith("FASTAPI_ASYNC_SAFE")
        }
        command: list[str | Path] = [builder, "-m", "pip", "wheel", "--verbose", "--no-deps"]
        if not isolated:
            command.append("--no-build-isolation")
        finished = subprocess.run(
            [*command, "--wheel-dir", wheels_path, *options, ROOT],
            env=environment | {"NO_COLOR": "1"} | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        wheels = list(wheels_path.glob("*.whl"))
        assert len(wheels) == (finished.returncode == 0), finished.stdout
        if not wheels:
            return Build(None, frozenset(), finished.stdout)
        with zipfile.ZipFile(wheels[0]) as wheel:
            files = frozenset(wheel.namelist())
        return Build(wheels[0].stem.split("-", 2)[2], files, finished.stdout)

    return run


def compiled_modules(build: Build) -> list[str]:
    return [name for name in build.files if name.endswith((".so", ".pyd"))]


def test_with_a_compiler_the_wheel_has_the_compiled_core_and_no_sources(build: Builder) -> None:
    built = build({})
    modules = sorted(name.partition(".")[0] for name in compiled_modules(built))
    assert modules == ["fastapi_async_safe/_core"], built.output
    assert "with the compiled core" in built.last_words
    assert "fastapi_async_safe/py.typed" in built.files
    sources = (".c", ".h", ".pyx", ".pxd", ".pxi", ".cmake", ".txt")
    files = [name for name in built.files if ".dist-info/" not in name]
    assert not [name for name in files if name.endswith(sources)]


@pytest.mark.parametrize("value", NOT_SET)
def test_without_a_compiler_the_wheel_is_pure_and_the_build_ends_by_saying_so(
    build: Builder, value: str
) -> None:
    built = build(NO_COMPILER | {NO_EXTENSIONS: value, REQUIRE_EXTENSIONS: value})
    assert built.tag == "py3-none-any", built.output
    assert not compiled_modules(built)
    assert "could not be built" in built.last_words


def test_a_core_that_does_not_compile_makes_the_wheel_pure(build: Builder) -> None:
    built = build(
        {"CFLAGS": "-include no_such_header.h"}, "-Ccmake.define.CMAKE_C_COMPILER_WORKS=1"
    )
    assert built.tag == "py3-none-any", built.output
    assert "could not be built" in built.last_words


@pytest.mark.skipif(sys.platform == "win32", reason="platforms cannot be told another name there")
def test_where_neither_cmake_nor_a_compiler_can_be_had_the_wheel_is_pure(build: Builder) -> None:
    built = build(NO_COMPILER | NO_PROGRAMS | OTHER_PLATFORM, isolated=True)
    assert built.tag == "py3-none-any", built.output
    assert "there is no CMake" in built.last_words


@pytest.mark.parametrize("value", SET)
def test_no_extensions_makes_the_wheel_pure_and_the_build_ends_by_saying_so(
    build: Builder, value: str
) -> None:
    built = build({NO_EXTENSIONS: value})
    assert built.tag == "py3-none-any", built.output
    assert not compiled_modules(built)
    assert NO_EXTENSIONS in built.last_words


def test_pure_wheels_have_the_same_files_whatever_made_them_pure(build: Builder) -> None:
    assert build({NO_EXTENSIONS: "1"}).files == build(NO_COMPILER).files


@pytest.mark.parametrize("value", SET)
def test_required_extensions_that_cannot_be_built_are_an_error(build: Builder, value: str) -> None:
    built = build(NO_COMPILER | {REQUIRE_EXTENSIONS: value})
    assert built.tag is None
    assert REQUIRE_EXTENSIONS in built.last_words


def test_both_variables_are_an_error(build: Builder) -> None:
    built = build({NO_EXTENSIONS: "1", REQUIRE_EXTENSIONS: "1"})
    assert built.tag is None
    assert "exclude each other" in built.last_words


@pytest.mark.parametrize("value", UNKNOWN)
@pytest.mark.parametrize("variable", [NO_EXTENSIONS, REQUIRE_EXTENSIONS])
def test_a_value_that_is_neither_yes_nor_no_is_an_error(
    build: Builder, variable: str, value: str
) -> None:
    built = build({variable: value})
    assert built.tag is None
    assert variable in built.last_words
