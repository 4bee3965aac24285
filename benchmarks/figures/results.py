"""Everything one run found out, as it is saved and read again."""

import json
import os
import platform
import sys
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Self

from benchmarks.runs.rounds import Seconds, Timing

PACKAGES = (
    "fastapi-async-safe",
    "fastapi",
    "starlette",
    "pydantic",
    "anyio",
    "uvloop",
    "uvicorn",
    "httptools",
    "fastapi-cache-di",
    "wireup",
    "dishka",
    "litestar",
    "blacksheep",
)


@dataclass
class Results:
    """One run. Sections that were not run are empty."""

    date: str
    machine: dict[str, str]
    versions: dict[str, str]
    timings: list[Timing] = field(default_factory=list)
    http: list[dict[str, Any]] = field(default_factory=list)
    start_up: dict[str, Any] = field(default_factory=dict)
    memory: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def here_and_now(cls) -> Self:
        """Empty results of this machine."""
        return cls(
            date=datetime.now(UTC).strftime("%Y-%m-%d"), machine=machine(), versions=versions()
        )

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read saved results."""
        saved = json.loads(path.read_text())
        for timing in saved["timings"]:
            of_level = timing["seconds"].items()
            timing["seconds"] = {level: Seconds(**seconds) for level, seconds in of_level}
        saved["timings"] = [Timing(**timing) for timing in saved["timings"]]
        return cls(**saved)

    def save(self, path: Path) -> None:
        """Write the results as JSON, one line an entry, so that two runs can be compared."""
        sections = (_section(name, content) for name, content in asdict(self).items())
        path.write_text("{\n" + ",\n".join(sections) + "\n}\n")

    def timing(self, workload: str, contender: str) -> Timing | None:
        """The timing of that contender on that workload, if it was run."""
        for timing in self.timings:
            if (timing.workload, timing.contender) == (workload, contender):
                return timing
        return None

    def median(self, level: str, workload: str, contender: str) -> float | None:
        """Median seconds a call, or None if that was not timed."""
        timing = self.timing(workload, contender)
        seconds = timing.seconds.get(level) if timing else None
        return seconds.median if seconds else None

    def ratio(self, level: str, theirs: tuple[str, str], ours: tuple[str, str]) -> float | None:
        """Their median time divided by ours; each is a workload and a contender on it."""
        their_median, our_median = self.median(level, *theirs), self.median(level, *ours)
        return their_median / our_median if their_median and our_median else None

    def http_figure(
        self, workload: str, contender: str, connections: int, figure: str
    ) -> float | None:
        """One figure of `HttpFigures`, or None if that was not run."""
        for figures in self.http:
            found = figures["workload"], figures["contender"], figures["connections"]
            if found == (workload, contender, connections):
                return float(figures[figure])
        return None

    def place(self) -> str:
        """One line on machine, versions and date."""
        return f"{self.computer()}, {self.software()}"

    def computer(self) -> str:
        """Processor, system and date."""
        machine = self.machine
        return f"{machine['processor']}, {machine['cores']} cores, {machine['system']}, {self.date}"

    def software(self) -> str:
        """Python and the packages that matter most."""
        shown = [f"{name} {self.versions[name]}" for name in PACKAGES[:6] if name in self.versions]
        return ", ".join((self.machine["python"], *shown))


def _section(name: str, content: Any) -> str:
    if isinstance(content, dict):
        entries = [f"  {json.dumps(key)}: {json.dumps(each)}" for key, each in content.items()]
        inside = "{\n" + ",\n".join(entries) + "\n }" if entries else "{}"
    elif isinstance(content, list):
        entries = [f"  {json.dumps(each)}" for each in content]
        inside = "[\n" + ",\n".join(entries) + "\n ]" if entries else "[]"
    else:
        inside = json.dumps(content)
    return f" {json.dumps(name)}: {inside}"


def machine() -> dict[str, str]:
    """What the times depend on besides the versions; `load` is that of the minute before."""
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "0"
    return {
        "load": load,
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "compiler": platform.python_compiler(),
    }


def _processor() -> str:
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """The installed versions of what takes part."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
