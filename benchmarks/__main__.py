"""`python -m benchmarks`: the table. `python -m benchmarks --help`: the rest."""

import warnings
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.status import Status

with warnings.catch_warnings():
    # The example apps ask for the compiled core; where there is none, the table says so.
    warnings.simplefilter("ignore", RuntimeWarning)
    from benchmarks.subjects.workloads import WORKLOADS, Variant
from benchmarks.figures import plot, report
from benchmarks.figures.results import Results
from benchmarks.figures.table import print_http, print_instructions, print_timings
from benchmarks.figures.targets import print_targets
from benchmarks.runs import memory, start_up
from benchmarks.runs.calls import Level
from benchmarks.runs.http_load import MissingLoadToolError, compare_over_http
from benchmarks.runs.instructions import (
    WORKLOADS_COUNTED,
    InstructionCounts,
    MissingValgrindError,
    count_instructions,
)
from benchmarks.runs.rounds import compare
from benchmarks.subjects.contenders import Peer
from fastapi_async_safe import resolver_backend

USUAL_WORKLOADS = ("W0", "W1", "W2", "W4", "W8", "W15")
USUAL_VARIANTS = (Variant.STOCK, Variant.ASYNC_BY_HAND, Variant.PYTHON, Variant.COMPILED)
HTTP_CONNECTIONS = {
    **dict.fromkeys(("W0", "W2"), (64, 1000)),
    **dict.fromkeys(("W9", "W15", "W16", "W17", "W17/64"), (64,)),
}
HTTP_ROUNDS, HTTP_SECONDS = 5, 5
# A pool of connections that has run out says so after 30 seconds.
POOL_ROUNDS, POOL_SECONDS = 1, 30
RESULTS = Path(__file__).with_name("results.json")
PLOT = Path(__file__).with_name("results.svg")
README = Path(__file__).parents[1] / "README.md"
FIGURES = Path(__file__).parents[1] / "docs" / "figures.md"

cli = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

Rounds = Annotated[int, typer.Option(min=1, help="Blocks of each variant in each process.")]
Generations = Annotated[int, typer.Option(min=1, help="How often to start all processes.")]
SavedResults = Annotated[Path, typer.Argument(exists=True, dir_okay=False)]


@cli.callback(invoke_without_command=True)
def table(
    context: typer.Context,
    workload: Annotated[
        list[str] | None, typer.Option("--workload", "-w", help="Only these; may be repeated.")
    ] = None,
    every_workload: Annotated[
        bool, typer.Option("--all", help=f"All workloads instead of {', '.join(USUAL_WORKLOADS)}.")
    ] = False,
    every_variant: Annotated[
        bool, typer.Option("--variants", help="Hand-written endpoints and wrappers, too.")
    ] = False,
    peers: Annotated[bool, typer.Option("--peers", help="Other projects on W2, too.")] = False,
    rounds: Rounds = 8,
    generations: Generations = 3,
) -> None:
    """Time the workloads in-process and print a table."""
    if context.invoked_subcommand:
        return
    names = workload or list(WORKLOADS if every_workload else USUAL_WORKLOADS)
    _refuse_unknown(names)
    screen, results = _screen(), Results.here_and_now()
    _introduce(results, screen)
    contenders = [(name, _contenders(name, every_variant, peers)) for name in names]
    with screen.status("starting") as status:
        results.timings = compare(
            contenders,
            list(Level),
            rounds=rounds,
            generations=generations,
            progress=status.update,
        )
    print_timings(results, screen)


@cli.command()
def run(
    save: Annotated[Path, typer.Option(help="Where to write the results.")] = RESULTS,
    rounds: Rounds = 8,
    generations: Generations = 5,
    peers: Annotated[bool, typer.Option(help="Other projects on W2.")] = True,
    http: Annotated[bool, typer.Option(help="uvicorn under wrk.")] = True,
    start: Annotated[bool, typer.Option("--start-up/--no-start-up", help="Import, plans.")] = True,
    requests: Annotated[int, typer.Option(help="Requests of the memory run.")] = memory.REQUESTS,
) -> None:
    """Run everything there is, save it as JSON, and print it with the figures wanted."""
    screen, results = _screen(), Results.here_and_now()
    _introduce(results, screen)
    with screen.status("starting") as status:
        results.timings = compare(
            [(name, _contenders(name, True, peers)) for name in WORKLOADS],
            list(Level),
            rounds=rounds,
            generations=generations,
            progress=status.update,
        )
        if http:
            _run_http(results, list(HTTP_CONNECTIONS), screen, status)
        if start:
            _run_start_up(results, status)
        if requests:
            _run_memory(results, requests, status)
    results.save(save)
    print_timings(results, screen)
    print_http(results, screen)
    print_targets(results, screen)
    screen.print(f"Saved as {save}")


@cli.command("http")
def show_http(
    workload: Annotated[
        list[str] | None, typer.Option("--workload", "-w", help="Only these; may be repeated.")
    ] = None,
    rounds: Annotated[int | None, typer.Option(min=1, help="Servers of each variant.")] = None,
    seconds: Annotated[int | None, typer.Option(min=1, help="How long each load lasts.")] = None,
) -> None:
    """Load some workloads over HTTP with wrk and print a table."""
    names = workload or [name for name in HTTP_CONNECTIONS if name in WORKLOADS]
    _refuse_unknown(names)
    screen, results = _screen(), Results.here_and_now()
    _introduce(results, screen)
    with screen.status("starting") as status:
        _run_http(results, names, screen, status, rounds, seconds)
    print_http(results, screen)


@cli.command("report")
def write_report(
    results: SavedResults = RESULTS,
    readme: Annotated[Path, typer.Option(help="The page with the summary.")] = README,
    figures: Annotated[Path, typer.Option(help="The page with all tables.")] = FIGURES,
    chart: Annotated[Path, typer.Option("--plot", help="Where to write the plot.")] = PLOT,
) -> None:
    """Write the tables of README.md and docs/figures.md, and the plot, from saved results."""
    saved = Results.load(results)
    report.put_into(readme, "summary", report.summary(saved))
    report.put_into(figures, "figures", report.markdown(saved))
    chart.write_text(plot.svg(saved), encoding="utf-8")


@cli.command("targets")
def show_targets(results: SavedResults = RESULTS) -> None:
    """Hold saved results against the figures wanted."""
    print_targets(Results.load(results), _screen())


@cli.command("instructions")
def show_instructions(
    workload: Annotated[
        list[str] | None, typer.Option("--workload", "-w", help="Only these; may be repeated.")
    ] = None,
    variant: Annotated[Variant, typer.Option(help="Which variant is counted.")] = Variant.COMPILED,
    save: Annotated[Path | None, typer.Option("--json", help="Where to save the counts.")] = None,
    against: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Saved counts to compare with."),
    ] = None,
    at_most: Annotated[
        float | None, typer.Option(help="End with 1 if a count grew by more per cent than this.")
    ] = None,
) -> None:
    """Count the instructions of a whole request with valgrind, and compare with saved counts."""
    names = workload or WORKLOADS_COUNTED
    _refuse_unknown(names)
    before = InstructionCounts.load(against) if against else None
    screen = _screen()
    try:
        with screen.status("starting") as status:
            counts = count_instructions(names, variant, progress=status.update)
    except MissingValgrindError as reason:
        screen.print(f"[bold]Nothing was counted:[/] {reason}")
        raise typer.Exit(2) from None
    if save:
        counts.save(save)
    print_instructions(counts, before, screen)
    if before and at_most is not None:
        changes = [counts.change(before, name) for name in counts.instructions]
        if any(change is not None and change > at_most for change in changes):
            raise typer.Exit(1)


def _refuse_unknown(names: Sequence[str]) -> None:
    if unknown := [name for name in names if name not in WORKLOADS]:
        raise typer.BadParameter(f"no workload {unknown[0]!r}; there are {', '.join(WORKLOADS)}")


def _screen() -> Console:
    """A console that is wide enough for the tables where there is no terminal."""
    screen = Console()
    return screen if screen.is_terminal else Console(width=118)


def _introduce(results: Results, screen: Console) -> None:
    screen.print(results.place(), highlight=False)
    if (load := float(results.machine.get("load", 0))) > 0.5:
        screen.print(
            f"[bold]The machine is busy[/] (load {load:g}): only ratios mean something, and those "
            "to what uses threads little."
        )
    if resolver_backend() != "compiled":
        screen.print(
            "[bold]The compiled core was not built here:[/] its rows are empty, all else is timed. "
            "A C compiler and `pip install .` make it."
        )


def _contenders(workload: str, every_variant: bool, peers: bool) -> list[str]:
    """Who is timed on a workload, stock first."""
    variants = WORKLOADS[workload].variants()
    chosen: list[str] = [v for v in variants if every_variant or v in USUAL_VARIANTS]
    return chosen + list(Peer) if peers and workload == "W2" else chosen


def _cores() -> Sequence[str]:
    if resolver_backend() == "compiled":
        return (Variant.PYTHON, Variant.COMPILED)
    return (Variant.PYTHON,)


def _run_http(
    results: Results,
    workloads: Sequence[str],
    screen: Console,
    status: Status,
    rounds: int | None = None,
    seconds: int | None = None,
) -> None:
    contenders = (Variant.STOCK, Variant.ASYNC_BY_HAND, *_cores())
    try:
        for name in workloads:
            if name not in WORKLOADS:
                screen.print(f"[bold]{name} is left out:[/] what it needs is not installed")
                continue
            pool = name.startswith("W17")
            found = compare_over_http(
                name,
                WORKLOADS[name].request,
                [c for c in contenders if c in WORKLOADS[name].variants()],
                connections=HTTP_CONNECTIONS.get(name, (64,)),
                rounds=rounds or (POOL_ROUNDS if pool else HTTP_ROUNDS),
                seconds=seconds or (POOL_SECONDS if pool else HTTP_SECONDS),
                progress=status.update,
            )
            results.http += [asdict(figures) for figures in found]
    except MissingLoadToolError as reason:
        screen.print(f"[bold]HTTP is left out:[/] {reason}")


def _run_start_up(results: Results, status: Status) -> None:
    status.update("start-up")
    results.start_up = {
        "import_seconds": start_up.import_seconds(),
        "plans": {core: asdict(start_up.plans(core)) for core in _cores()},
    }


def _run_memory(results: Results, requests: int, status: Status) -> None:
    for core in _cores():
        results.memory[core] = memory.resident_bytes(
            core, requests=requests, progress=status.update
        )


if __name__ == "__main__":
    cli()
