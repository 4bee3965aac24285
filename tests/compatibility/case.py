"""The suite against one FastAPI release."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import BinaryIO
from xml.etree import ElementTree as ET

from filelock import AsyncFileLock
from packaging.version import Version
from uv import find_uv_bin

from .wheel import core_variable

_CHECKOUT = Path(__file__).parents[2]
_INSTALL_SECONDS = 300
# A test that takes longer has its stack written to the log; the time limit of the case ends it.
# Two thousand random trees take a few minutes.
_STUCK_TEST_SECONDS = 300
# Building wheels has nothing to do with FastAPI's release.
_MARKERS = "not build"
# How much of what failed is printed, or of the log's end: a broken release must not hide others.
_SHOWN_FAILURES = 20
_SHOWN_LINES = 8
_SHOWN_WIDTH = 200
# What the JUnit report calls a test that failed, and one that could not be set up or collected.
_BAD = ("failure", "error")
# Warnings that old releases give with current releases of what they depend on. Each names the
# module that it comes from, so that the same warning from anywhere else is an error.
_WARNINGS_OF_OLD_RELEASES = (
    # Starlette before 1.0 uses a name that anyio deprecates.
    "ignore:The anyio.abc.BlockingPortal alias:DeprecationWarning:starlette.testclient",
)


@dataclass(frozen=True)
class Failure:
    """A test that failed, and the report of it."""

    test: str
    report: str

    def __str__(self) -> str:
        lines = [line for line in self.report.splitlines() if line.strip()]
        # pytest marks the lines of the exception so, among those of the source.
        said = [line for line in lines if line.startswith("E ")] or lines
        if len(said) > _SHOWN_LINES:
            half = _SHOWN_LINES // 2
            said = [*said[:half], "...", *said[-half:]]
        return "\n".join([f"  {self.test}", *(f"    {line[:_SHOWN_WIDTH]}" for line in said)])


@dataclass(frozen=True)
class Outcome:
    """What came out of one case."""

    fastapi: Version
    log: Path
    seconds: float = 0.0
    problem: str | None = None  # why there are no results, if there are none
    starlette: str = "?"
    pydantic: str = "?"
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    failures: Sequence[Failure] = ()

    @property
    def good(self) -> bool:
        """Whether tests ran and none failed."""
        return self.problem is None and not self.failed and self.passed > 0

    def __str__(self) -> str:
        head = f"{self.fastapi!s:<10} starlette {self.starlette:<8} pydantic {self.pydantic:<8}"
        counts = f"{self.passed:>5} passed {self.failed:>4} failed {self.skipped:>4} skipped"
        line = f"{head} {counts} {self.seconds:>5.0f} s"
        if self.good:
            return line
        lines = [f"{line}  {self.problem or 'tests failed'}: see {self.log}"]
        if self.problem is not None:
            said = self.log.read_text(errors="replace").splitlines()[-_SHOWN_FAILURES:]
            lines += (f"  {each[:_SHOWN_WIDTH]}" for each in said)
        lines += map(str, self.failures[:_SHOWN_FAILURES])
        if (more := len(self.failures) - _SHOWN_FAILURES) > 0:
            lines.append(f"  and {more} more")
        return "\n".join(lines)


@dataclass(frozen=True)
class Runner:
    """Runs cases with one wheel, each in its own environment."""

    wheel: Path
    python: Path
    cache: Path
    time_limit: float  # seconds, for the tests of one case
    pytest_arguments: Sequence[str] = ()

    async def run(self, fastapi: Version) -> Outcome:
        """Run the suite against a release; what goes wrong is in the outcome."""
        directory = self.cache / f"{fastapi}-{await self._tag()}"
        directory.mkdir(parents=True, exist_ok=True)
        started = monotonic()
        async with AsyncFileLock(directory / "lock"):
            case = _Case(self, fastapi, directory)
            with case.log.open("wb") as log:
                outcome = await case.run(log)
        return replace(outcome, seconds=monotonic() - started)

    async def _tag(self) -> str:
        code = "import sys; print(sys.implementation.cache_tag)"
        return (await _output(str(self.python), "-c", code)).strip()


@dataclass(frozen=True)
class _Case:
    runner: Runner
    fastapi: Version
    directory: Path

    @property
    def log(self) -> Path:
        return self.directory / "log.txt"

    @property
    def _environment(self) -> Path:
        return self.directory / "venv"

    @property
    def _python(self) -> Path:
        return self._environment.joinpath(
            *(("Scripts", "python.exe") if sys.platform == "win32" else ("bin", "python"))
        )

    async def run(self, log: BinaryIO) -> Outcome:
        """Make the environment anew or bring it up to date, and run the tests in it."""
        outcome = Outcome(self.fastapi, self.log)
        try:
            if await self._install(log):
                return replace(outcome, problem="could not be installed")
        except TimeoutError:
            return replace(outcome, problem=f"not installed after {_INSTALL_SECONDS:.0f} s")
        starlette, pydantic = await self._versions("starlette", "pydantic")
        outcome = replace(outcome, starlette=starlette, pydantic=pydantic)
        results = self.directory / "results.xml"
        results.unlink(missing_ok=True)
        try:
            code = await self._test(results, log)
        except TimeoutError:
            return replace(outcome, problem=f"not done after {self.runner.time_limit:.0f} s")
        if code not in (0, 1) or not results.exists():
            return replace(outcome, problem=f"pytest ended with {code}")
        return _with_results(outcome, results)

    async def _install(self, log: BinaryIO) -> int:
        """Install the wheel, its test requirements and what they need, at their newest."""
        uv, environment, python = find_uv_bin(), str(self._environment), str(self._python)
        make = [uv, "venv", "--allow-existing", "--python", str(self.runner.python), environment]
        # A wheel of the same version is another wheel: the checkout has changed.
        install = [uv, "pip", "install", "--python", python, "--upgrade", "--exact"]
        install += ["--reinstall-package", "fastapi-async-safe", f"fastapi=={self.fastapi}"]
        install += [f"fastapi-async-safe[test] @ {self.runner.wheel.as_uri()}"]
        for command in (make, install):
            if code := await _run(command, log, _INSTALL_SECONDS, os.environ):
                return code
        return 0

    async def _versions(self, *names: str) -> list[str]:
        code = (
            "import sys; from importlib.metadata import version; print(*map(version, sys.argv[1:]))"
        )
        return (await _output(str(self._python), "-c", code, *names)).split()

    async def _test(self, results: Path, log: BinaryIO) -> int:
        command = [str(self._python), "-m", "pytest", "-p", "no:cacheprovider", "-m", _MARKERS]
        command += ["-o", f"faulthandler_timeout={_STUCK_TEST_SECONDS}", f"--junitxml={results}"]
        command += [part for text in _WARNINGS_OF_OLD_RELEASES for part in ("-W", text)]
        command += self.runner.pytest_arguments
        return await _run(command, log, self.runner.time_limit, self._environ())

    def _environ(self) -> dict[str, str]:
        ours = ("PYTHON", "PYTEST", "FASTAPI_", "VIRTUAL_ENV")
        environ = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        environ[core_variable(self.runner.wheel)] = "1"
        environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(self.directory / "hypothesis")
        return environ


async def _run(
    command: Sequence[str], log: BinaryIO, seconds: float, environ: Mapping[str, str]
) -> int:
    """Run a command in the checkout and end all that it started.

    Raises:
        TimeoutError: it did not end by itself.
    """
    log.write(f"$ {' '.join(command)}\n".encode())
    log.flush()
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        cwd=_CHECKOUT,
        env=environ,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(seconds):
            return await process.wait()
    finally:
        if process.returncode is None:
            if sys.platform == "win32":
                process.kill()
            else:
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


async def _output(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return printed.decode()


def _with_results(outcome: Outcome, results: Path) -> Outcome:
    """Add what pytest's JUnit report says: how many tests passed and so on, and which failed."""
    ran = failed = skipped = 0
    failures: list[Failure] = []
    for suite in ET.parse(results).getroot().iter("testsuite"):
        ran += int(suite.attrib["tests"])
        failed += int(suite.attrib["failures"]) + int(suite.attrib["errors"])
        skipped += int(suite.attrib["skipped"])
        for test in suite.iter("testcase"):
            name = "::".join(filter(None, (test.attrib["classname"], test.attrib["name"])))
            failures += [Failure(name, bad.text or "") for bad in test if bad.tag in _BAD]
    passed = ran - failed - skipped
    return replace(outcome, passed=passed, failed=failed, skipped=skipped, failures=failures)
