"""Writes what `docs/proof.md` says of the code: `python -m tests.proof.page`."""

from __future__ import annotations

from pathlib import Path

from fastapi_async_safe._proof.analysis import BUDGET, DEPTH
from fastapi_async_safe._proof.blocking import CLASSES, FUNCTIONS
from fastapi_async_safe._proof.listed import all_listed
from fastapi_async_safe._proof.values import ROUNDS, TEXT_CLAIMED

PAGE = Path(__file__).parents[2] / "docs" / "proof.md"


def tables() -> dict[str, str]:
    """Give the generated parts of the page, by name."""
    by_rule: dict[tuple[str, str], list[str]] = {}
    for each in all_listed():
        owner = each.name.rpartition(".")[0]
        by_rule.setdefault((owner, each.asks), []).append(f"`{each.name}`")
    builtins = ["| built-in | proven with |", "| --- | --- |"]
    builtins += [f"| {', '.join(names)} | {asks} |" for (_, asks), names in by_rule.items()]
    by_reason: dict[str, list[str]] = {}
    for name, reason in {**FUNCTIONS, **CLASSES}.items():
        by_reason.setdefault(reason, []).append(f"`{name}`")
    blocking = ["| known to block | because it |", "| --- | --- |"]
    blocking += [
        f"| {', '.join(sorted(names))} | {reason} |" for reason, names in by_reason.items()
    ]
    size = f"{TEXT_CLAIMED:,}"
    limits = [
        f"- A loop goes round {ROUNDS} times at most.",
        f"- Calls of Python functions stand within each other {DEPTH} deep at most.",
        f"- All of a call is counted, in steps of about 50 ns; more than {BUDGET:,} are too many.",
        f"- Texts are counted as {size} characters long; a longer one takes linearly longer.",
    ]
    return {
        "built-ins": "\n".join(builtins),
        "known to block": "\n".join(blocking),
        "limits": "\n".join(limits),
    }


def page(text: str) -> str:
    """Give the page with its generated parts as they are now."""
    for name, table in tables().items():
        begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = f"{before}{begin}\n\n{table}\n\n{end}{after}"
    return text


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
