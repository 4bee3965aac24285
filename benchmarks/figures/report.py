"""Markdown tables and a plot, made from saved results."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures.results import Results
from benchmarks.runs import memory
from benchmarks.runs.calls import Level
from benchmarks.subjects.contenders import Peer, label
from benchmarks.subjects.workloads import SHOWN, WORKLOADS, Variant

TRIPS = (
    "A trip is one to the thread pool and back, counted. Where no number of trips is given, there "
    "was none."
)
SUMMARY = ("W0", "W1", "W2", "W4", "W12", "W15")
COLUMNS = (Variant.STOCK, Variant.ASYNC_BY_HAND, Variant.PYTHON, Variant.COMPILED)


def markdown(results: Results) -> str:
    """All tables, and where and how they were made."""
    parts = [
        f"Measured on {results.place()}. In brackets: how many times faster than stock.",
        _title("Whole request, in-process, microseconds"),
        _timings(results, Level.REQUEST),
        _title("`solve_dependencies` alone, microseconds"),
        _timings(results, Level.SOLVE),
    ]
    if peers := _peers(results):
        parts += [_title("W2 beside other projects, whole request, microseconds"), peers]
    if results.http:
        parts += [_title("Over HTTP: uvicorn, httptools, uvloop, wrk"), _http(results)]
    if start_up := _start_up(results):
        parts += [_title("Start and memory"), start_up]
    return "\n\n".join(parts) + "\n"


def summary(results: Results) -> str:
    """A few workloads for people in a hurry, with trips and gain, and a sentence on HTTP."""
    rows = [row for name in SUMMARY if (row := _summary_row(results, name))]
    header = ["whole request, microseconds", *(column.label for column in COLUMNS), "times faster"]
    parts = [table(header, rows), TRIPS]
    rates = [
        results.http_figure("W2", variant, 64, "requests_per_second")
        for variant in (Variant.COMPILED, Variant.STOCK)
    ]
    if rates[0] and rates[1]:
        parts.append(
            f"Over HTTP, with 64 connections, {WORKLOADS['W2'].title}: {rates[0]:,.0f} requests "
            f"a second, on stock {rates[1]:,.0f}."
        )
    return "\n\n".join(parts) + "\n"


def _summary_row(results: Results, workload: str) -> list[str]:
    """The cells of one workload, or none where it was not timed."""
    stock, ours = (workload, Variant.STOCK), (workload, Variant.COMPILED)
    gain = results.ratio(Level.REQUEST, stock, ours)
    if gain is None:
        return []
    cells = []
    for column in COLUMNS:
        timing = results.timing(workload, column)
        median = results.median(Level.REQUEST, workload, column)
        trips = timing.thread_trips if timing else 0
        cells.append((_microseconds(median) if median else "") + _trips(trips))
    return [WORKLOADS[workload].title, *cells, f"{gain:.1f}"]


def _trips(count: int) -> str:
    return f" ({count} trip{'s' if count > 1 else ''})" if count else ""


def _microseconds(seconds: float) -> str:
    return f"{seconds * 1e6:,.1f}" if seconds < 1e-4 else f"{seconds * 1e6:,.0f}"


def _start_up(results: Results) -> str:
    """Import, plans and memory, as far as they were measured."""
    found = []
    if results.start_up:
        plans = results.start_up["plans"].get("compiled") or results.start_up["plans"]["python"]
        import_milliseconds = results.start_up["import_seconds"] * 1e3
        found.append(f"Importing the package takes {import_milliseconds:.0f} ms beside FastAPI.")
        found.append(
            f"The plans of 1,000 routes with 10 dependencies each take {plans['seconds']:.1f} s "
            "together, made when a route is first requested, and "
            f"{plans['bytes_per_route'] / 1024:.0f} KiB a route."
        )
    if points := results.memory.get("compiled"):
        found.append(
            f"After a tenth of {memory.REQUESTS:,} requests the process had "
            f"{points[0] / 2**20:.1f} MiB, after all of them {points[-1] / 2**20:.1f}."
        )
    return " ".join(found)


def _title(text: str) -> str:
    return f"**{text}**"


def _timings(results: Results, level: Level) -> str:
    rows = []
    for name in SHOWN:
        if results.timing(name, Variant.STOCK) is not None:
            cells = [_cell(results, level, name, column) for column in COLUMNS]
            rows.append([f"{name}: {WORKLOADS[name].title}", *cells])
    return table(["workload", *(column.label for column in COLUMNS)], rows)


def _cell(results: Results, level: Level, workload: str, contender: str) -> str:
    median = results.median(level, workload, contender)
    if median is None:
        return ""
    shown = _microseconds(median)
    ratio = results.ratio(level, (workload, Variant.STOCK), (workload, contender))
    if contender == Variant.STOCK or ratio is None:
        return shown
    return f"{shown} ({ratio:.1f})"


def _peers(results: Results) -> str:
    contenders = [Variant.COMPILED, Variant.PYTHON, Variant.BY_HAND, *Peer, Variant.STOCK]
    rows = [
        [label(contender), _cell(results, Level.REQUEST, "W2", contender)]
        for contender in contenders
        if results.median(Level.REQUEST, "W2", contender) is not None
    ]
    has_peers = any(results.median(Level.REQUEST, "W2", peer) is not None for peer in Peer)
    return table(["", "microseconds"], rows) if has_peers else ""


def _http(results: Results) -> str:
    rows = [
        [
            f"{figures['workload']}, {label(figures['contender'])}",
            f"{figures['connections']:,}",
            f"{figures['requests_per_second']:,.0f}",
            *(f"{figures[name] * 1e3:,.1f}" for name in ("p50", "p90", "p99")),
        ]
        for figures in results.http
    ]
    return table(["", "connections", "requests/s", "p50 ms", "p90 ms", "p99 ms"], rows)


def table(header: Sequence[str], rows: Sequence[Sequence[str]], texts: int = 1) -> str:
    """A table in Markdown; the first columns, so many, are text, the others figures."""
    aligned = ["---"] * texts + ["---:"] * (len(header) - texts)
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, aligned, *rows))


def put_into(page: Path, name: str, text: str) -> None:
    """Put `text` between the two comments in a page that have that name.

    Raises:
        ValueError: the page does not have both.
    """
    first, last = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, start, rest = page.read_text(encoding="utf-8").partition(first)
    _, end, after = rest.partition(last)
    if not start or not end:
        raise ValueError(f"{page} has no lines {first} and {last}")
    page.write_text(f"{before}{first}\n\n{text}\n{last}{after}", encoding="utf-8")
