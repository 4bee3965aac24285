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


def print_http(results: Results, console: Console) -> None:
    """One row a contender and number of connections: answers a second, latencies, what failed."""
    if not results.http:
        return
    table = Table(
        title="Over HTTP: uvicorn, httptools, uvloop, wrk",
        caption="x: requests/s divided by those of stock. Refused: status 400 and above, such as "
        "no connection in the pool.",
    )
    for column in ("workload", "variant"):
        table.add_column(column, no_wrap=True)
    for column in ("connections", "requests/s", "x", "p50 ms", "p99 ms", "refused", "unanswered"):
        table.add_column(column, justify="right", no_wrap=True)
    for figures in results.http:
        workload, connections = figures["workload"], figures["connections"]
        stock = results.http_figure(workload, Variant.STOCK, connections, "requests_per_second")
        rate = figures["requests_per_second"]
        table.add_row(
            workload,
            label(figures["contender"]),
            f"{connections:,}",
            f"{rate:,.0f}",
            f"{rate / stock:.1f}" if stock else "",
            *(f"{figures[name] * 1e3:,.1f}" for name in ("p50", "p99")),
            f"{figures['refused']:,}",
            f"{figures['unanswered']:,}",
        )
    console.print(table)


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
