"""Instructions of whole requests, counted by valgrind: steady enough to see one per cent.

Times differ from one process to the next by five to ten per cent, and more on a busy machine. What
valgrind's callgrind counts differs by less than a thousandth from run to run. It is for comparing
one state of the package with another under the same workloads, not one contender with another.
"""

import asyncio
import gc
import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

WORKLOADS_COUNTED = ("W0", "W2", "W4", "W8", "W9", "W12", "W13")
SHORT, LONG = 10, 40
WARM_UP = 50
REPEATED = 2
PACKAGES_COUNTED = ("fastapi", "starlette", "pydantic", "pydantic-core", "anyio")

# The C function at whose calls callgrind writes down what it has counted since the last one. The
# counted process calls it, by `os.getppid`, where a section of its requests begins and ends.
MARK = "getppid"


class MissingValgrindError(Exception):
    """valgrind is not installed, or could not run this Python."""


@dataclass(frozen=True)
class InstructionCounts:
    """Instructions of one request, by workload, and what ran them."""

    versions: dict[str, str]
    instructions: dict[str, float]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read saved counts."""
        return cls(**json.loads(path.read_text()))

    def save(self, path: Path) -> None:
        """Write the counts as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")

    def change(self, before: "InstructionCounts", workload: str) -> float | None:
        """How much more than before, in per cent, or None where it was not counted before."""
        was = before.instructions.get(workload)
        return (self.instructions[workload] / was - 1) * 100 if was else None


def count_instructions(
    workloads: Sequence[str],
    contender: str,
    *,
    progress: Callable[[str], None] = lambda text: None,
) -> InstructionCounts:
    """Count the instructions of one warm request to each workload.

    The hash seed is fixed, the garbage collector off, the loop asyncio's own. All processes are
    forks of one that has imported everything, because that is what takes long under valgrind.

    Raises:
        MissingValgrindError: valgrind is not there, or fails.
        RuntimeError: a workload failed in the counted process.
    """
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        raise MissingValgrindError(
            "valgrind is not installed (Debian, Ubuntu: apt-get install valgrind)"
        )
    progress("valgrind imports FastAPI and the workloads, which takes a minute or more")
    with tempfile.TemporaryDirectory() as folder:
        command = [
            *(valgrind, "--tool=callgrind", f"--dump-before={MARK}"),
            *("--quiet", f"--callgrind-out-file={folder}/%p"),
            *(sys.executable, "-m", "benchmarks.runs.instructions", contender, *workloads),
        ]
        environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
        said = Path(folder, "stderr")
        with (
            said.open("w") as stderr,
            subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=stderr, text=True, env=environment
            ) as counted,
        ):
            assert counted.stdout is not None
            found = {}
            for line in counted.stdout:
                workload, _, process = line.strip().rpartition(" ")
                found[workload] = _of_one_request(Path(folder), process)
                progress(f"{len(found)} of {len(workloads)} workloads counted, {workload} last")
        trouble = said.read_text()
    if counted.returncode:
        raise RuntimeError(f"the counted process failed: {trouble}")
    if not found:
        raise MissingValgrindError(f"valgrind could not run this Python: {trouble}")
    return InstructionCounts(_versions(), found)


def _of_one_request(folder: Path, process: str) -> float:
    """The lesser of the pairs of a short and a long section; what both have in common is gone."""
    sections = []
    # The first of the numbered files ends where the first section begins; sections follow.
    for number in range(2, 2 + 2 * REPEATED):
        text = (folder / f"{process}.{number}").read_text()
        total = re.search(r"^totals: (\d+)", text, re.MULTILINE)
        if total is None:
            raise RuntimeError(f"callgrind has written no total for section {number}")
        sections.append(int(total[1]))
    pairs = zip(sections[::2], sections[1::2], strict=True)
    return min((long - short) / (LONG - SHORT) for short, long in pairs)


def _versions() -> dict[str, str]:
    packages = {name: importlib.metadata.version(name) for name in PACKAGES_COUNTED}
    return {"python": platform.python_version(), "machine": platform.machine(), **packages}


def _main(contender: str, workloads: Sequence[str]) -> None:
    """What runs under valgrind: one fork a workload, told on stdout when it is done."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from benchmarks.subjects import contenders  # noqa: F401  (for the forks)
    for workload in workloads:
        process = os.fork()
        if not process:
            asyncio.run(_ask(contender, workload))
            return
        _, status = os.waitpid(process, 0)
        if status:
            sys.exit(f"{workload} failed")
        print(workload, process, flush=True)


async def _ask(contender: str, workload: str) -> None:
    from benchmarks.subjects.contenders import create_app
    from benchmarks.subjects.workloads import WORKLOADS

    app, request = create_app(workload, contender), WORKLOADS[workload].request

    async def ask(count: int) -> None:
        for _ in range(count):
            connection = request.connection()
            await app(request.scope(), connection.receive, connection.send)

    await ask(WARM_UP)
    gc.collect()
    gc.freeze()
    gc.disable()
    for count in (SHORT, LONG) * REPEATED:
        os.getppid()
        await ask(count)
    os.getppid()


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2:])
