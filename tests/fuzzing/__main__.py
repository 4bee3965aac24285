"""Fuzzes what the cores read from requests, guided by coverage of the compiled one.

`.ci/run fuzzing` builds the compiled core for it: by clang, with the sanitizers and the counters of
a fuzzer. atheris, which is libFuzzer for Python, makes the inputs up. Nine of ten are read with
Python's own allocator. Then all those that covered anything new are read again, and others made of
them, with `PYTHONMALLOC=malloc`: so each object has its own memory, and a byte beyond it is seen.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console
from rich.table import Table

from .corpus import WORDS, seeds

LENGTH = 512  # bytes
ALLOCATORS = {"pymalloc": 0.9, "malloc": 0.1}
GUIDED = (sys.executable, "-m", "tests.fuzzing.guided")
ASAN = (
    "detect_leaks=0:quarantine_size_mb=1:thread_local_quarantine_size_kb=64"
    ":malloc_context_size=4:max_malloc_fill_size=0"
)


@dataclass(frozen=True)
class Ran:
    """What one process of the fuzzer did."""

    target: str
    allocator: str
    ended: int
    said: str
    seconds: float

    def number(self, pattern: str) -> int:
        """Give the last number that is said after something, 0 if that is not said."""
        found = re.findall(pattern + r"\s*(\d+)", self.said)
        return int(found[-1]) if found else 0

    @property
    def inputs(self) -> int:
        """How many inputs were read."""
        return self.number("stat::number_of_executed_units:")

    @property
    def coverage(self) -> str:
        """How many of the counters in the compiled core counted anything."""
        return f"{self.number('cov:')} of {self.number('modules +[(]')}"


def fuzz(target: str, allocator: str, inputs: int, given: argparse.Namespace, work: Path) -> Ran:
    """Run one process of the fuzzer.

    Parameters:
        target: what is read.
        allocator: Python's, as `PYTHONMALLOC` names it.
        inputs: how many.
        given: to the command.
        work: the folder for inputs that covered anything new, and for findings.
    """
    corpus = work / "corpus" / target
    corpus.mkdir(parents=True, exist_ok=True)
    for number, each in enumerate(seeds(target)):
        (corpus / f"seed-{number}").write_bytes(each)
    words = work / f"{target}.dict"
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in WORDS[target]))
    options = [
        *(f"-runs={inputs}", f"-seed={given.seed}", f"-dict={words}", f"-max_len={LENGTH}"),
        *(f"-artifact_prefix={work}/{target}-", "-print_final_stats=1", "-timeout=120"),
        *(f"-max_total_time={given.seconds}", "-detect_leaks=0", "-reload=0", str(corpus)),
    ]
    started = time.perf_counter()
    ran = subprocess.run(
        [*GUIDED, target, *options],
        env=_environment(allocator),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    said = ran.stdout.decode(errors="backslashreplace")
    (work / f"{target}-{allocator}.log").write_text(said)
    return Ran(target, allocator, ran.returncode, said, time.perf_counter() - started)


def again(path: Path) -> int:
    """Read one input again, by whatever build this is, and give the exit status."""
    target = path.name.partition("-")[0]
    return subprocess.run(
        [*GUIDED, target, str(path)], env=_environment("malloc"), check=False
    ).returncode


def _environment(allocator: str) -> dict[str, str]:
    # Not of this process: without the library the core that is built for this cannot be loaded.
    given = {"FASTAPI_ASYNC_SAFE_REQUIRE_EXTENSIONS": "1", "PYTHONMALLOC": allocator}
    if find_spec("atheris") is not None:
        given["LD_PRELOAD"] = str(Path(import_module("atheris").path()) / "asan_with_fuzzer.so")
        given["ASAN_OPTIONS"] = ASAN
        given["UBSAN_OPTIONS"] = "halt_on_error=1:print_stacktrace=1"
        given["PYTHONWARNINGS"] = "ignore"
    return os.environ | given


def _escaped(word: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word)


def report(all_ran: list[Ran], work: Path) -> int:
    """Say what was done and found, and give the exit status."""
    console = Console()
    table = Table("read", "allocator", "inputs", "inputs/s", "coverage", "seconds")
    for ran in all_ran:
        speed = f"{ran.inputs / ran.seconds:,.0f}"
        seconds = f"{ran.seconds:.0f}"
        table.add_row(ran.target, ran.allocator, f"{ran.inputs:,}", speed, ran.coverage, seconds)
    console.print(table)
    findings = [ran for ran in all_ran if ran.ended or not ran.inputs]
    for ran in findings:
        console.print("\n".join(ran.said.splitlines()[-60:]), markup=False, highlight=False)
    total = sum(ran.inputs for ran in all_ran)
    console.print(f"{total:,} inputs, {len(findings)} findings; corpus and logs: {work}")
    for path in sorted(work.glob("*-*-*")) if findings else ():
        console.print(f"read one again: python -m tests.fuzzing --again {path}", soft_wrap=True)
    return 1 if findings else 0


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--inputs", type=int, default=10_000_000, help="in all (%(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2, help="processes at once (%(default)s)")
    parser.add_argument("--seconds", type=int, default=0, help="at most, of one process; 0: any")
    parser.add_argument("--work", type=Path, help="folder for corpus and findings: to go on there")
    parser.add_argument("--again", type=Path, help="read this input again, by any build")
    given = parser.parse_args()
    if given.again is not None:
        return again(given.again)
    work = given.work or Path(tempfile.mkdtemp(prefix="fuzzing-"))

    def run(target: str) -> list[Ran]:
        each = given.inputs / len(WORDS)
        return [
            fuzz(target, allocator, int(each * part) + 1, given, work)
            for allocator, part in ALLOCATORS.items()
        ]

    with ThreadPoolExecutor(given.jobs) as pool:
        all_ran = [ran for some in pool.map(run, WORDS) for ran in some]
    return report(all_ran, work)


if __name__ == "__main__":
    sys.exit(main())
