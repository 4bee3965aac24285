"""What a report says of the inline calls of a test run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Row(NamedTuple):
    """One inline call, as it goes from one process to another."""

    name: str
    phase: str
    route: str
    times: int
    worst: float  # in seconds


def merged(of_processes: Iterable[Iterable[Row]]) -> list[Row]:
    """Make one list of those of several processes, by name, phase and route."""
    found: dict[tuple[str, str, str], Row] = {}
    for rows in of_processes:
        for row in rows:
            known = found.get(row[:3], Row(*row[:3], 0, 0.0))
            found[row[:3]] = Row(*row[:3], known.times + row.times, max(known.worst, row.worst))
    return sorted(found.values())


def lines_of(rows: list[Row]) -> list[str]:
    """Give the lines of a report: what was called, the slowest first, then what never was."""
    if not rows:
        return ["No application of these tests has anything that runs inline."]
    called = sorted((row for row in rows if row.times), key=lambda row: -row.worst)
    lines = []
    if called:
        width = max(len(row.name) for row in called)
        lines.append(f"{'called':<{width}}  {'times':>7}  {'worst, ms':>9}  phase, route")
        lines += [
            f"{row.name:<{width}}  {row.times:>7}  {row.worst * 1e3:>9.3f}  "
            f"{row.phase}, {row.route}"
            for row in called
        ]
    known = {row.name for row in called}
    for row in rows:
        if not row.times and row.phase != "exit":  # which follows on being entered
            where = " on this route" if row.name in known else ""
            lines.append(f"never called{where}: {row.name} ({row.phase}, {row.route})")
    return lines
