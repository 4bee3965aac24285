"""The tables that `python -m benchmarks` prints."""

from itertools import groupby

from rich.console import Console
from rich.table import Table

from benchmarks.figures.results import Results
from benchmarks.runs.calls import Level
from benchmarks.runs.instructions import InstructionCounts
from benchmarks.runs.rounds import Timing
from benchmarks.subjects.contenders import label
from benchmarks.subjects.workloads import WORKLOADS, Variant


def print_timings(results: Results, console: Console) -> None:
    """One row a contender: microseconds, how many times faster than stock, thread trips."""
    table = Table(
        title="Microseconds per call: median (best)",
        caption="x: the time of stock divided by the time of the row. Thread trips are counted.",
    )
    table.add_column("workload")
    table.add_column("variant", no_wrap=True)
    for level in ("whole request", "solve alone"):
        table.add_column(level, justify="right", no_wrap=True)
        table.add_column("x", justify="right", no_wrap=True)
    table.add_column("thread trips", justify="right")
    for workload, group in groupby(results.timings, key=lambda timing: timing.workload):
        timings = list(group)
        stock = next((t for t in timings if t.contender == Variant.STOCK), None)
        for index, timing in enumerate(timings):
            name = f"{workload} {WORKLOADS[workload].title}" if index == 0 else ""
            table.add_row(
                name,
                label(timing.contender),
                *_cells(timing, stock),
                end_section=timing is timings[-1],
            )
    console.print(table)


def _cells(timing: Timing, stock: Timing | None) -> list[str]:
    if timing.missing:
        return [timing.missing]
    cells = []
    for level in Level:
        seconds = timing.seconds.get(level)
        if seconds is None:
            cells += ["-", ""]
            continue
        against = stock.seconds.get(level) if stock else None
        cells.append(f"{seconds.median * 1e6:,.1f} ({seconds.best * 1e6:,.1f})")
        cells.append(f"{against.median / seconds.median:.1f}" if against else "")
    return [*cells, str(timing.thread_trips)]


def print_instructions(
    counts: InstructionCounts, before: InstructionCounts | None, console: Console
) -> None:
    """One row a workload: instructions of one request, and by how much that changed."""
    table = Table(title="Instructions of one whole request, in thousands")
    table.add_column("workload")
    for column in ("now", *(("before", "change") if before else ())):
        table.add_column(column, justify="right", no_wrap=True)
    for name, now in counts.instructions.items():
        cells = [f"{now / 1e3:,.1f}"]
        if before and (change := counts.change(before, name)) is not None:
            cells += [f"{before.instructions[name] / 1e3:,.1f}", f"{change:+.2f} %"]
        table.add_row(f"{name} {WORKLOADS[name].title}", *cells)
    console.print(table)
    if before and before.versions != counts.versions:
        console.print(
            f"[bold]Not the same software:[/] now {counts.versions}, before {before.versions}"
        )
