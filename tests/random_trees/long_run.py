"""Runs as many random trees as one likes."""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import random
import sys
import time
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fastapi
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import FlakyFailure

from . import description as description_module
from .description import Description
from .driver import Request
from .features import features
from .oracle import Difference, compare
from .reproducer import reproducer
from .strategies import descriptions
from .variants import close, variants

#: Hypothesis remembers what it tried, so a long run is made of runs of this many examples.
CHUNK = 500


@dataclass
class Result:
    """What one chunk came to."""

    examples: int = 0
    requests: int = 0
    features: Counter[str] = field(default_factory=Counter)
    script: str | None = None
    differences: list[str] = field(default_factory=list)


class _DifferenceError(AssertionError):
    """Tells hypothesis that an example differs; what to shrink is one kind of difference."""


def quiet() -> None:
    """Keep what the generated applications do from being warned about and logged."""
    warnings.simplefilter("ignore")
    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)


def run_chunk(job: tuple[int, int]) -> Result:
    """Run the examples of one seed; stop at the first difference, and shrink it."""
    number, examples = job
    quiet()
    result = Result()
    chosen = variants()
    last: list[tuple[Description, list[Difference]]] = []

    @seed(number)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    @given(descriptions())
    def differences(example: Description) -> None:
        runs, found = compare(example, chosen)
        if not last:
            result.examples += 1
            result.requests += len(example.requests)
            result.features.update(features(example, runs))
        if found:
            last[:] = [(example, found)]
            raise _DifferenceError

    try:
        differences()
    except _DifferenceError:
        example, found = last[0]
        result.script = reproducer(example)
        result.differences = [str(each) for each in found]
    except FlakyFailure:  # a race, or a machine that stood still
        example, found = last[0]
        result.script = reproducer(example)
        result.differences = [f"{each}, once and not again" for each in found]
    finally:
        close()
    return result


def check_example(path: Path) -> int:
    """Run one description, read from a file."""
    names: dict[str, Any] = {**vars(description_module), "Request": Request}
    example = eval(path.read_text(encoding="utf-8"), names)
    _, found = compare(example, variants())
    close()
    for each in found:
        print(each)
    print(f"{len(found)} differences")
    return 1 if found else 0


def main() -> int:
    """Run, and give the exit status: 1 if anything differs."""
    parser = argparse.ArgumentParser(prog="python -m tests.random_trees", description=__doc__)
    parser.add_argument("--examples", type=int, default=10_000, help="how many (%(default)s)")
    parser.add_argument("--seed", type=int, help="of the whole run; drawn and printed without it")
    parser.add_argument("--jobs", type=int, default=1, help="processes (%(default)s)")
    parser.add_argument("--keep-going", action="store_true", help="do not stop at a difference")
    parser.add_argument("--output", type=Path, help="folder for the reproducers")
    parser.add_argument("--example", type=Path, help="run the one description in this file")
    options = parser.parse_args()
    quiet()
    if options.example is not None:
        return check_example(options.example)
    whole_seed = options.seed if options.seed is not None else random.SystemRandom().getrandbits(32)
    names = ", ".join(variant.name for variant in variants())
    close()
    print(
        f"{options.examples} examples, seed {whole_seed}, {options.jobs} jobs, variants {names}, "
        f"FastAPI {fastapi.__version__}, Python {sys.version.split()[0]}",
        flush=True,
    )
    total = _run_all(options, whole_seed)
    return 1 if total.differences else 0


def _run_all(options: argparse.Namespace, whole_seed: int) -> Result:
    started = time.monotonic()
    seeds = random.Random(whole_seed)
    jobs = [
        (seeds.getrandbits(64), min(CHUNK, options.examples - first))
        for first in range(0, options.examples, CHUNK)
    ]
    total = Result()
    # Fresh processes now and then, so that nothing a chunk leaves behind can pile up.
    context = multiprocessing.get_context("spawn")
    with context.Pool(options.jobs, maxtasksperchild=2) as pool:
        for (number, _), result in zip(jobs, pool.imap(run_chunk, jobs), strict=True):
            total.examples += result.examples
            total.requests += result.requests
            total.features += result.features
            total.differences += result.differences
            seconds = time.monotonic() - started
            print(
                f"{total.examples:>8} examples, {total.requests} requests, "
                f"{len(total.differences)} differences, {seconds:.0f} s",
                flush=True,
            )
            if result.script is not None:
                _report(number, result, options.output)
                if not options.keep_going:
                    pool.terminate()
                    break
    _print_summary(total, whole_seed, time.monotonic() - started)
    return total


def _report(number: int, result: Result, output: Path | None) -> None:
    print("\n".join(result.differences))
    if output is None:
        print("--- save this as a script and run it:")
        print(result.script)
        return
    output.mkdir(parents=True, exist_ok=True)
    path = output / f"difference_{number}.py"
    path.write_text(result.script or "", encoding="utf-8")
    print(f"run {path} to see it", flush=True)


def _print_summary(total: Result, whole_seed: int, seconds: float) -> None:
    print("\nhow many examples had what:")
    for name, count in sorted(total.features.items()):
        print(f"{count:>8}  {name}")
    print(
        f"\n{total.examples} examples with {total.requests} requests, seed {whole_seed}: "
        f"{len(total.differences)} differences, {seconds:.0f} s"
    )
