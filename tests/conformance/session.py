"""One run of a suite: on stock or in a mode, all of it or some tests."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from time import monotonic
from typing import Any

from .environment import Environment
from .suite import Suite

_INSIDE = Path(__file__).with_name("inside")
_PLUGIN = "accelerate_every_app"
# A test that takes longer hangs; FastAPI's own limit is meant for a machine that does nothing else.
_TEST_SECONDS = 60
_LINES_TOLD = 60
# In a traceback: what pytest says of an error, or Python of one in an exception group.
_ERROR = re.compile(r"E |[\s|+-]*[\w.]*(Error|Exception|Group)\b")
# xdist appends the group of a test to its node id.
_XDIST_GROUP = re.compile(r"@\w+$")


class Mode(StrEnum):
    """What is done to every `FastAPI()` of the suite."""

    STOCK = "stock"
    CONTROL = "control"
    COMPILED = "compiled"
    COMPILED_MARKED = "compiled-marked"
    COMPILED_PROVEN = "compiled-proven"
    PYTHON = "python"
    PYTHON_MARKED = "python-marked"
    PYTHON_PROVEN = "python-proven"

    @property
    def core(self) -> str | None:
        """Which core runs the plans, if there are any."""
        return None if self in (Mode.STOCK, Mode.CONTROL) else self.value.partition("-")[0]

    @property
    def policy(self) -> str:
        """Which sync callables run inline: "marked" all, "proven" those; empty for none."""
        return self.value.partition("-")[2]


@dataclass
class Session:
    """What came out of a run."""

    outcomes: dict[str, str]  # by node id
    messages: dict[str, str]  # of what went wrong, by node id
    seconds: float
    counts: dict[str, int] = field(default_factory=dict)  # what became of the calls to resolve
    declined: dict[str, int] = field(default_factory=dict)  # calls that fell back, by test
    logged: dict[str, int] = field(default_factory=dict)  # what our logger said, how often

    @property
    def totals(self) -> Counter[str]:
        """How many tests had each outcome."""
        return Counter(self.outcomes.values())

    @property
    def pass_rate(self) -> float:
        """The share of passes among the tests that ran to a verdict."""
        ran = self.totals["passed"] + self.totals["failed"] + self.totals["error"]
        return self.totals["passed"] / ran if ran else 0.0

    def save(self, file: Path) -> None:
        """Write it as JSON."""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def load(cls, file: Path) -> Session:
        """Read what `save` wrote."""
        return cls(**json.loads(file.read_text(encoding="utf-8")))


class SessionError(Exception):
    """The run did not get to comparable results."""


@dataclass(frozen=True)
class Runner:
    """Runs a suite in its environment."""

    suite: Suite
    environment: Environment
    package: Path  # the directory where our package is installed
    workers: int
    keyword: str | None

    def run(self, mode: Mode, only: Iterable[str] = ()) -> Session:
        """Run the suite's `tests/`, freshly unpacked.

        Parameters:
            mode: what is done to every app.
            only: node ids or files to run, instead of all.

        Raises:
            SessionError: pytest did not run the tests, or the mode was not what it says.
        """
        with tempfile.TemporaryDirectory(prefix="fastapi-conformance-") as temporary:
            directory = Path(temporary, "suite")
            self.suite.unpack(directory)
            report, counts = Path(temporary, "report.jsonl"), Path(temporary, "counts")
            counts.mkdir()
            started = monotonic()
            finished = subprocess.run(
                [*self._command(mode), f"--report-log={report}", *(only or ["tests"])],
                cwd=directory,
                env=self._environ(mode, directory, counts),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
            seconds = monotonic() - started
            if finished.returncode not in (0, 1) or not report.exists():
                told = "\n".join(finished.stdout.splitlines()[-_LINES_TOLD:])
                raise SessionError(f"pytest ended with {finished.returncode}:\n{told}")
            outcomes, messages = _read_report(report)
            counted = _read_counts(counts)
            return Session(
                outcomes,
                messages,
                seconds,
                **{name: dict(counted.get(name, {})) for name in ("counts", "declined", "logged")},
            )

    def _command(self, mode: Mode) -> list[str | Path]:
        command: list[str | Path] = [self.environment.python, "-m", "pytest", "--quiet"]
        command += ["-p", "no:cacheprovider", "-p", "no:sugar"]
        # Only the test itself is timed: pytest does not survive an alarm in its own work.
        command += [f"--timeout={_TEST_SECONDS}", "--override-ini=timeout_func_only=true"]
        if self.workers > 1:
            command += [f"--numprocesses={self.workers}", "--dist=loadgroup"]
        command += self.environment.options
        if self.keyword is not None:
            command += ["-k", self.keyword]
        if mode is not Mode.STOCK:
            command += ["-p", _PLUGIN]
        return command

    def _environ(self, mode: Mode, directory: Path, counts: Path) -> dict[str, str]:
        environ = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PYTHON", "PYTEST", "FASTAPI_", "VIRTUAL_ENV"))
        }
        path = [str(directory / "docs_src")]  # as FastAPI's own script to run the tests has it
        if mode is not Mode.STOCK:
            path = [str(_INSIDE), *path]
            environ["CONFORMANCE_POLICY"] = mode.policy
            environ["CONFORMANCE_COUNTS"] = str(counts)
        if mode.core is not None:
            path = [str(self.package), *path]
            environ["CONFORMANCE_CORE"] = mode.core
            needed = "REQUIRE" if mode.core == "compiled" else "NO"
            environ[f"FASTAPI_ASYNC_SAFE_{needed}_EXTENSIONS"] = "1"
        environ["PYTHONPATH"] = os.pathsep.join(path)
        environ["PYTHONDONTWRITEBYTECODE"] = "1"
        environ["PATH"] = f"{self.environment.bin}{os.pathsep}{environ.get('PATH', '')}"
        return environ


def _read_report(report: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Read the outcome of each test, and the error if there is one, from pytest-reportlog's lines.

    A module that is skipped as a whole, or that cannot be imported, counts as a test.
    """
    outcomes: dict[str, str] = {}
    messages: dict[str, str] = {}
    with report.open(encoding="utf-8") as lines:
        for line in lines:
            entry = json.loads(line)
            if entry["$report_type"] not in ("CollectReport", "TestReport"):
                continue
            test = _XDIST_GROUP.sub("", entry["nodeid"])
            outcome = _outcome(entry)
            if outcome is not None and outcomes.get(test) != "error":
                outcomes[test] = outcome
            if entry["outcome"] == "failed":
                messages[test] = _message(entry["longrepr"])
    return dict(sorted(outcomes.items())), messages


def _outcome(entry: Mapping[str, Any]) -> str | None:
    """Say what the report of one phase makes of its test; None if nothing."""
    phase = entry.get("when", "collect")
    if entry["outcome"] == "failed":
        return "failed" if phase == "call" else "error"
    if entry["outcome"] == "skipped":
        return "xfailed" if "wasxfail" in entry else "skipped"
    if phase != "call":
        return None
    return "xpassed" if "wasxfail" in entry else "passed"


def _message(representation: Any) -> str:
    """Find the errors in pytest's representation of a failure, those in groups included."""
    if isinstance(representation, str):
        return representation
    chain = representation.get("chain") or [
        [representation["reprtraceback"], representation["reprcrash"], None]
    ]
    told = [crash["message"] for _, crash, _ in chain if crash]
    for traceback, _, _ in chain:
        for entry in traceback["reprentries"]:
            told += [line for line in entry["data"]["lines"] if _ERROR.match(line)]
    return "\n".join(told)


def _read_counts(directory: Path) -> dict[str, dict[str, int]]:
    """Add up what the processes of a run counted."""
    added: dict[str, Counter[str]] = {}
    for file in directory.iterdir():
        for name, counted in json.loads(file.read_text(encoding="utf-8")).items():
            added.setdefault(name, Counter()).update(counted)
    return {name: dict(counted) for name, counted in added.items()}
