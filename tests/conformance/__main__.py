"""The command: `python -m tests.conformance`."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from dataclasses import dataclass, field
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated

import typer
from filelock import FileLock
from platformdirs import user_cache_path
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from . import session as session_module
from .comparison import Difference, differences, explained
from .environment import build_wheel, install_beside, prepare
from .session import Mode, Runner, Session, SessionError
from .suite import fetch

_CHECKOUT = Path(__file__).parents[2]
_ALL_MODES = "control,compiled,compiled-marked,compiled-proven,python,python-marked,python-proven"
_CACHE = user_cache_path("fastapi-async-safe") / "conformance"
# Below this share of passes on stock, the environment is not one the suite was written for.
_STOCK_PASS_RATE = 0.95

# The table is as wide as that; what is written into a file or a log of CI has room for it.
_WIDTH = 110

console = Console(highlight=False, soft_wrap=True)
if not console.is_terminal:
    console.width = _WIDTH


@dataclass
class Verdict:
    """One mode compared with stock."""

    mode: Mode
    session: Session
    unexplained: list[Difference] = field(default_factory=list)
    explained: list[Difference] = field(default_factory=list)
    stale: list[str] = field(default_factory=list)  # explained, but no longer different
    unsteady: list[Difference] = field(default_factory=list)  # did not differ a second time
    trouble: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether nothing but what is explained tells the mode from stock."""
        return not (self.unexplained or self.stale or self.trouble)


def main(
    fastapi: Annotated[
        list[str] | None,
        typer.Option(help="FastAPI release to test with; the installed one if not given."),
    ] = None,
    modes: Annotated[str, typer.Option(help="What to compare with stock.")] = _ALL_MODES,
    keyword: Annotated[
        str | None, typer.Option("--keyword", "-k", help="Only tests that match, as in pytest.")
    ] = None,
    wheel: Annotated[
        Path | None,
        typer.Option(exists=True, help="Wheel to test; built from the checkout if not given."),
    ] = None,
    python: Annotated[
        Path, typer.Option(exists=True, help="Interpreter to run the suite with.")
    ] = Path(sys.executable),
    workers: Annotated[int, typer.Option(min=1, help="Processes that run tests.")] = min(
        2, os.cpu_count() or 1
    ),
    fresh_stock: Annotated[
        bool, typer.Option(help="Run stock again, although its results are there.")
    ] = False,
    cache: Annotated[
        Path, typer.Option(help="Directory of sdists, environments and stock's results.")
    ] = _CACHE,
) -> None:
    """Run FastAPI's own test suite accelerated, and compare with stock test by test."""
    try:
        chosen = [Mode(mode) for mode in modes.split(",") if mode]
    except ValueError as error:
        raise typer.BadParameter(f"{error}; there are {_ALL_MODES}") from None
    good = True
    for version in fastapi or [installed_version("fastapi")]:
        cache.mkdir(parents=True, exist_ok=True)
        with FileLock(cache / "lock"):
            suite = fetch(version, cache / "sdists")
            environment = prepare(suite, python, cache / "environments")
        with tempfile.TemporaryDirectory() as temporary:
            package = Path(temporary, "package")
            if any(mode.core for mode in chosen):
                if wheel is None:
                    built = build_wheel(_CHECKOUT, environment, Path(temporary, "wheel"))
                else:
                    built = wheel
                install_beside(environment, built, package)
            runner = Runner(suite, environment, package, workers, keyword)
            good &= _compare(runner, chosen, cache / "stock", fresh_stock)
    raise typer.Exit(0 if good else 1)


def _compare(runner: Runner, modes: list[Mode], cache: Path, fresh: bool) -> bool:
    version = runner.suite.version
    console.print(f"FastAPI {version}, {runner.environment.directory.name}: stock ...")
    stock = _stock(runner, cache, fresh)
    good = stock.pass_rate >= _STOCK_PASS_RATE
    if not good:
        console.print(
            f"[red]stock passes {stock.pass_rate:.1%} only: this is no environment for the suite"
        )
    verdicts = []
    for mode in modes:
        console.print(f"FastAPI {version}: {mode} ...")
        verdict = _judge(runner, mode, stock)
        verdicts.append(verdict)
        good &= verdict.good
        _print_details(verdict)
    console.print(_table(version, stock, verdicts))
    return good


def _stock(runner: Runner, cache: Path, fresh: bool) -> Session:
    """Run stock, or take the results of the last time that everything was the same."""
    same = repr(
        (
            runner.suite.version,
            Path(session_module.__file__).read_bytes(),
            runner.environment.installed(),
            runner.environment.options,
            runner.keyword,
        )
    )
    key = hashlib.sha256(same.encode()).hexdigest()[:16]
    file = cache / f"{runner.suite.version}-{key}.json"
    if file.exists() and not fresh:
        return Session.load(file)
    session = runner.run(Mode.STOCK)
    session.save(file)
    return session


def _judge(runner: Runner, mode: Mode, stock: Session) -> Verdict:
    """Run a mode and compare it with stock; what surprises is run again before it counts."""
    try:
        session = runner.run(mode)
    except SessionError as error:
        return Verdict(mode, Session({}, {}, 0.0), trouble=[str(error)])
    verdict = Verdict(mode, session)
    if mode.core is not None and not session.counts.get("resolved"):
        verdict.trouble.append("no call was resolved by a plan: the mode did nothing")
    if mode.policy == "proven" and not session.counts.get("proven"):
        verdict.trouble.append("nothing was proven: the mode did nothing")
    listed = explained(runner.suite.version, mode.policy)
    if runner.keyword is not None:
        listed = {test: why for test, why in listed.items() if test in stock.outcomes}
    surprising = []
    for test, difference in differences(stock, session).items():
        if test in listed and listed[test].covers(difference):
            verdict.explained.append(difference)
        else:
            surprising.append(difference)
    differed = {difference.test for difference in (*verdict.explained, *surprising)}
    missing = [test for test in listed if test not in differed]
    again = _again(runner, mode, [*(difference.test for difference in surprising), *missing])
    for difference in surprising:
        kept = verdict.unexplained if difference.test in again else verdict.unsteady
        kept.append(difference)
    verdict.stale = [test for test in missing if test not in again]
    return verdict


def _again(runner: Runner, mode: Mode, tests: list[str]) -> set[str]:
    """Say which tests differ in a second run of stock and mode.

    Their whole files are run, so that what a test leaves to the next one is the same.
    """
    if not tests:
        return set()
    files = sorted({test.partition("::")[0] for test in tests})
    console.print(f"  {len(tests)} surprising: running their {len(files)} files on both again")
    stock, accelerated = runner.run(Mode.STOCK, files), runner.run(mode, files)
    return set(tests) & set(differences(stock, accelerated))


def _print_details(verdict: Verdict) -> None:
    for difference in verdict.unexplained:
        console.print(f"  [red]differs[/]: {_told(difference)}")
    for test in verdict.stale:
        console.print(f"  [red]explained, but the same as on stock[/]: {escape(test)}")
    for difference in verdict.unsteady:
        console.print(f"  [yellow]differed once, not again[/]: {_told(difference)}")
    for text in verdict.trouble:
        console.print(f"  [red]trouble[/]: {escape(text)}")
    for test, times in sorted(verdict.session.declined.items()):
        console.print(f"  fell back to FastAPI, {times} times: {escape(test)}")
    for message, times in sorted(verdict.session.logged.items()):
        console.print(f"  logged, {times} times: {escape(message)}")


def _told(difference: Difference) -> str:
    outcomes = f"{difference.stock} -> {difference.accelerated}"
    lines = difference.message.strip().splitlines()
    message = f"\n    {escape(lines[0])}" if lines else ""
    return f"{escape(difference.test)}: {outcomes}{message}"


def _table(version: str, stock: Session, verdicts: list[Verdict]) -> Table:
    columns = [Verdict(Mode.STOCK, stock), *verdicts]
    table = Table(title=f"FastAPI {version}, its own test suite", title_justify="left")
    table.add_column("")
    for verdict in columns:
        table.add_column(verdict.mode.value, justify="right", style=None if verdict.good else "red")
    for outcome in ("passed", "failed", "error", "skipped", "xfailed", "xpassed"):
        table.add_row(outcome, *(str(verdict.session.totals[outcome]) for verdict in columns))
    table.add_section()
    for row, found in (
        ("differences, explained", "explained"),
        ("differences, unexplained", "unexplained"),
        ("explained, but the same", "stale"),
        ("differed once, not again", "unsteady"),
    ):
        table.add_row(row, "", *(str(len(getattr(verdict, found))) for verdict in verdicts))
    table.add_section()
    for row, count in (
        ("apps", "apps"),
        ("resolved by a plan", "resolved"),
        ("fell back to FastAPI", "declined"),
        ("proven, when a plan was made", "proven"),
        ("not proven", "unproven"),
    ):
        table.add_row(row, *(str(verdict.session.counts.get(count, 0)) for verdict in columns))
    table.add_row("seconds", *(f"{verdict.session.seconds:.0f}" for verdict in columns))
    return table


if __name__ == "__main__":
    typer.run(main)
