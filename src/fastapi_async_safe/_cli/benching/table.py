"""What `bench` found, as a table for people and as JSON for programs."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .rounds import Comparison, Outcome, Timing
from .variants import Variant


def show(outcome: Outcome, console: Console) -> None:
    """Print a table: a group of rows for each request."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("request, variant", overflow="fold")
    table.add_column("µs", justify="right", no_wrap=True)
    table.add_column("times faster", justify="right", no_wrap=True)
    table.add_column("trips", justify="right", no_wrap=True)
    for comparison in outcome.comparisons:
        note = "*" if comparison.varies else ""
        table.add_row(Text(f"{comparison.request}{note}", style="bold"))
        for variant, timing in comparison.timings.items():
            if timing.difference is not None:
                table.add_row(Text(f"  {variant}: {timing.difference}", style="red"))
                continue
            table.add_row(f"  {variant}", *_figures(comparison, timing))
    console.print(table)
    if any(comparison.varies for comparison in outcome.comparisons):
        console.print(
            "\n* Stock answers it differently each time: compared by status, names of headers and "
            "shape of the JSON.",
            style="dim",
        )
    if not outcome.is_initialised:
        console.print(
            "\nas it is: this application has no init_app, so that it is stock.", style="dim"
        )
    names = ", ".join(name for name, _, _ in outcome.recommended) or "nothing; profile tells why"
    console.print(Text(f"\nrecommended marked: {names}", style="dim"))


def _figures(comparison: Comparison, timing: Timing) -> tuple[str, str, str]:
    took, ratio = timing.microseconds, ratio_of(comparison, timing)
    return (
        "" if took is None else f"{took:,.1f}" if took < 1000 else f"{took:,.0f}",
        "" if ratio is None else f"{ratio:.2f}",
        str(timing.trips),
    )


def ratio_of(comparison: Comparison, timing: Timing) -> float | None:
    """Say how many times faster than stock it is, None where one of them was not timed."""
    stock = comparison.timings[Variant.STOCK].microseconds
    took = timing.microseconds
    return None if not stock or not took else stock / took


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Give what was found."""
    return {
        "is_initialised": outcome.is_initialised,
        "recommended": [
            {"name": name, "file": file, "line": line} for name, file, line in outcome.recommended
        ],
        "requests": [
            {
                "request": str(each.request),
                "varies": each.varies,
                "variants": {
                    str(variant): {
                        "microseconds": timing.microseconds,
                        "times_faster": ratio_of(each, timing),
                        "trips": timing.trips,
                        "difference": timing.difference,
                    }
                    for variant, timing in each.timings.items()
                },
            }
            for each in outcome.comparisons
        ],
    }
