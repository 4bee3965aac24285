"""Change one line of the package at a time, and see whether a test notices: `just mutate`.

A random sample of mutants is tried on the Python core, the same one for the same seed. Each is
tried in a fork, with the fast tests that call the changed function, until one fails; in a copy of
the sources, with all fast tests, where what the function gives may be used at import or in another
process. Nothing is written to the sources. A mutant that survives is in `explained.toml`, with the
reason why nobody can tell, or fails the command. It takes CPython 3.12 or later, and a system that
can fork.
"""

import argparse
import json
import os
import queue
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Container, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from .copies import PACKAGE, ROOT, TESTS, copy_sources, tests_fail
from .forks import Forks, Verdict
from .mutants import Mutant, sample

_HERE = Path(__file__).parent
_WORDS = ("caught", "timed out", "explained", "survived", "untried")
_LEFT = ("passed", "imported")  # what there are more tests for
# Of one test, in seconds: it only has to tell one that waits for ever, on a busy machine too, as
# in a copy it counts as a test that noticed.
_LIMIT = 300


class Results:
    """What became of mutants, kept in a file.

    Parameters:
        file: is read first, so that a run can be gone on with.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._verdicts: dict[str, Verdict] = {}
        if file.exists():
            for line in file.read_text("utf-8").splitlines():
                key, *verdict = json.loads(line)
                self._verdicts[key] = (verdict[0], verdict[1])
        # pytest takes the other one away.
        self._terminal = os.fdopen(os.dup(1), "w", buffering=1)

    def report(self, mutant: Mutant, verdict: Verdict) -> None:
        """Keep what became of a mutant, and print it."""
        self._verdicts[mutant.key] = verdict
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps([mutant.key, *verdict]) + "\n")
        print(f"{mutant.module}:{mutant.line}", *verdict, file=self._terminal)

    def word(self, mutant: Mutant) -> str:
        """Say in a word what became of a mutant."""
        return self._verdicts.get(mutant.key, ("untried", ""))[0]


def try_in_copies(mutants: Sequence[Mutant], results: Results, jobs: int, until: float) -> None:
    """Try mutants that show where the package is imported."""
    copies: queue.Queue[Path] = queue.Queue()

    def tried(mutant: Mutant) -> None:
        if time.monotonic() > until:
            return
        copy = copies.get()
        first = tests_first(mutant.module)
        failed = tests_fail(copy, mutant.module, mutant.after, first, _LIMIT)
        copies.put(copy)
        results.report(mutant, ("survived", "") if failed is None else ("caught", failed))

    with tempfile.TemporaryDirectory() as directory, ThreadPoolExecutor(jobs) as pool:
        for number in range(jobs):
            copies.put(Path(directory, str(number)))
            copy_sources(Path(directory, str(number)))
        list(pool.map(tried, mutants))


def say(mutants: Sequence[Mutant], results: Results, explained: Container[str]) -> bool:
    """Print what was found by module, then what survived, and say whether that is explained."""
    found: dict[str, Counter[str]] = {}
    survived = []
    for mutant in mutants:
        word = results.word(mutant)
        if word in ("survived", *_LEFT) and mutant.key in explained:
            word = "explained"
        elif word in _LEFT:
            word = "untried"  # by all tests
        if word in ("explained", "survived"):
            survived.append((word, mutant))
        found.setdefault(mutant.module, Counter())[word] += 1
    found["all"] = sum(found.values(), Counter())
    print(f"{'module':32}", *(f"{word:>10}" for word in _WORDS))
    for module, counts in found.items():
        print(f"{module:32}", *(f"{counts[word]:>10}" for word in _WORDS))
    noticed = found["all"]["caught"] + found["all"]["timed out"]
    print(f"\n{noticed / max(1, noticed + found['all']['survived']):.1%} of what anybody can tell")
    for word, mutant in survived:
        print(f"\n{word}: {mutant.module}:{mutant.line}\n{mutant.change}")
    return found["all"]["survived"] == 0


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sample", type=int, default=400, help="how many (%(default)s)")
    parser.add_argument("--all", action="store_true", help="every one there is")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="modules whose path begins with that")
    parser.add_argument("--jobs", type=int, default=2, help="how many at once (%(default)s)")
    parser.add_argument("--minutes", type=float, default=600, help="begin no more then")
    parser.add_argument(
        "--results", type=Path, help="a file: a run is gone on with by it, on the same sources"
    )
    parser.add_argument("--again", action="store_true", help="try again what survived")
    given = parser.parse_args()
    until = time.monotonic() + 60 * given.minutes
    os.environ["FASTAPI_ASYNC_SAFE_NO_EXTENSIONS"] = "1"
    package = ROOT / PACKAGE
    names = names_of_modules(package, given.only)
    mutants = sample(package, names, None if given.all else given.sample, given.seed)
    explained = {
        f"{each['module']}\n{each['change'].strip()}"
        for each in tomllib.loads((_HERE / "explained.toml").read_text("utf-8"))["survivor"]
    }
    with tempfile.TemporaryDirectory() as directory:
        file = given.results or Path(directory, "results")
        results = Results(file)
        words = ("untried", "passed", "survived") if given.again else ("untried", "passed")
        fresh = [mutant for mutant in mutants if results.word(mutant) in words]
        options = ["-q", "-p", "no:cacheprovider", f"--timeout={_LIMIT}", *TESTS]
        forks = Forks(
            package,
            fresh,
            explained=explained,
            tests=file.with_suffix(".tests"),
            report=results.report,
            jobs=given.jobs,
            until=until,
        )
        if fresh and pytest.main(options, plugins=[forks]):
            return 1
        left = [
            mutant
            for mutant in mutants
            if results.word(mutant) == "imported" and mutant.key not in explained
        ]
        try_in_copies(left, results, given.jobs, until)
    return 0 if say(mutants, results, explained) else 1


def names_of_modules(package: Path, beginning: str) -> list[str]:
    """Name the modules that have mutants, in the order in which they are tried."""
    chosen: list[str] = tomllib.loads((_HERE / "modules.toml").read_text("utf-8"))["modules"]
    names = []
    for each in chosen:
        path = package / each
        found = sorted(path.rglob("*.py")) if path.is_dir() else [path]
        names += [file.relative_to(package).as_posix() for file in found]
    return [name for name in names if name.startswith(beginning)]


def tests_first(module: str) -> list[str]:
    """Name the folders whose tests a module of the package is tried with first."""
    folders = tomllib.loads((_HERE / "modules.toml").read_text("utf-8"))["first"].items()
    return next((each for name, each in folders if module.startswith(name)), [])


if __name__ == "__main__":
    sys.exit(main())
