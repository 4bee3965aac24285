"""What `profile` found, as a table for people and as JSON for programs."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from .advice import Advice, Verdict
from .paste import line_to_paste, lines_to_paste

_FIGURES = {
    "runs p50": "run_p50",
    "p99": "run_p99",
    "max": "run_max",
    "waits": "wait_p50",
    "trips": "saves",
}
_WIDTH = 9

_COLOURS = {Verdict.MARK: "green", Verdict.LOOK: "yellow", Verdict.LEAVE: "red"}
_TITLES = {
    Verdict.MARK: "never waits, and is short",
    Verdict.LOOK: "not sure",
    Verdict.LEAVE: "waits, or is long",
}


def show(advice: list[Advice], console: Console) -> None:
    """Print a table of all callables, and the lines that mark those which are recommended."""
    if not advice:
        console.print("No sync callable went to a thread: these requests leave nothing to mark.")
        return
    width = console.width - _WIDTH * len(_FIGURES)
    titles = "".join(f"{title:>{_WIDTH}}" for title in _FIGURES)
    console.print(Text(f"{'microseconds':<{width}}{titles}", style="bold"))
    verdict = None
    for each in advice:
        if each.verdict is not verdict:
            verdict = each.verdict
            title = f"{verdict.upper()}: {_TITLES[verdict]}"
            console.print(Text(title, style=f"bold {_COLOURS[verdict]}"))
        found = figures_of(each)
        figures = "".join(f"{_shown(found[key]):>{_WIDTH}}" for key in _FIGURES.values())
        name = f"  {each.measured.definition.name}"
        if len(name) >= width:
            console.print(Text(name), soft_wrap=True)
            name = ""
        console.print(Text(f"{name:<{width}}{figures}"))
        console.print(Padding(Text(each.reason, style="dim"), (0, 0, 0, 4)))
    console.print(
        "\nruns: its code, in a thread. waits: until a thread begins. trips: its ways to a thread "
        "and back, a request on the average of all that were sent. A mark saves these, unless "
        "neighbours make the trip anyway; bench shows what is left of it.",
        style="dim",
    )
    lines = lines_to_paste(advice)
    if lines:
        console.print("\nTo paste:\n", style="bold")
        for line in lines:
            console.print(Text(f"  {line}".rstrip()), soft_wrap=True)


def figures_of(advice: Advice) -> dict[str, float]:
    """Give the figures of a callable in microseconds, rounded to what they can tell."""
    measured = advice.measured
    run = measured.values("run") or [0.0]
    return {
        "run_p50": round(run[len(run) // 2], 1),
        "run_p99": round(run[int(0.99 * (len(run) - 1) + 0.5)], 1),
        "run_max": round(run[-1], 1),
        "cpu_p50": round(measured.typical("cpu"), 1),
        "wait_p50": round(measured.typical("waited"), 1),
        "return_p50": round(measured.typical("returned"), 1),
        "saves": round(advice.saves, 1),
    }


def as_json(advice: list[Advice]) -> list[dict[str, Any]]:
    """Give what was found, a record for each callable."""
    return [
        {
            "name": each.measured.definition.name,
            "file": each.measured.definition.file,
            "line": each.measured.definition.line,
            "verdict": each.verdict.value,
            "reason": each.reason,
            "proof": each.proof,
            "calls": each.measured.calls,
            "microseconds": figures_of(each),
            "requests": dict(each.measured.routes),
            "seen": [{"what": seen.what, "where": seen.where} for seen in each.measured.seen],
            "paste": line_to_paste(each),
        }
        for each in advice
    ]


def _shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
