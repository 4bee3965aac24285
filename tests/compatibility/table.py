"""The table of docs/compatibility.md."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from .case import Outcome

_HEAD = ("FastAPI", "Starlette", "pydantic", "passed", "failed", "skipped")


def markdown(outcomes: Iterable[Outcome]) -> str:
    """Format outcomes as a Markdown table, neighbours with the same row in one."""
    rows = [" | ".join(_HEAD), " | ".join("---" for _ in _HEAD)]
    in_order = sorted(outcomes, key=lambda outcome: outcome.fastapi)
    for same, group in groupby(in_order, key=_row):
        versions = ", ".join(str(outcome.fastapi) for outcome in group)
        rows.append(" | ".join((versions, *same)))
    return "\n".join(f"| {row} |" for row in rows)


def _row(outcome: Outcome) -> tuple[str, ...]:
    if outcome.problem is not None:
        return (outcome.starlette, outcome.pydantic, outcome.problem, "", "")
    counts = outcome.passed, outcome.failed, outcome.skipped
    return (outcome.starlette, outcome.pydantic, *map(str, counts))
