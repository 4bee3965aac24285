"""Markdown tables and a plot, made from saved results."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures.results import Results
from benchmarks.runs.calls import Level
from benchmarks.subjects.contenders import Peer, label
from benchmarks.subjects.workloads import SHOWN, WORKLOADS, Variant

START, END = "<!-- figures -->", "<!-- /figures -->"

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
    return "\n\n".join(parts) + "\n"


def _title(text: str) -> str:
    return f"**{text}**"


def _timings(results: Results, level: Level) -> str:
    rows = []
    for name in SHOWN:
        if results.timing(name, Variant.STOCK) is not None:
            cells = [_cell(results, level, name, column) for column in COLUMNS]
            rows.append([f"{name}: {WORKLOADS[name].title}", *cells])
    return _table(["workload", *(column.label for column in COLUMNS)], rows)


def _cell(results: Results, level: Level, workload: str, contender: str) -> str:
    median = results.median(level, workload, contender)
    if median is None:
        return ""
    shown = f"{median * 1e6:,.1f}" if median < 1e-4 else f"{median * 1e6:,.0f}"
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
    return _table(["", "microseconds"], rows) if has_peers else ""


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
    return _table(["", "connections", "requests/s", "p50 ms", "p90 ms", "p99 ms"], rows)


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    aligned = ["---", *("---:" for _ in header[1:])]
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, aligned, *rows))


def put_into(page: Path, text: str) -> None:
    """Put `text` between the two markers in a page.

    Raises:
        ValueError: the page does not have both markers.
    """
    before, start, rest = page.read_text().partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise ValueError(f"{page} has no lines {START} and {END}")
    page.write_text(f"{before}{START}\n\n{text}\n{END}{after}")
