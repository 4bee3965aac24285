"""Holds what an example does in all variants against what it does on stock."""

from __future__ import annotations

import difflib
import functools
from collections import Counter
from dataclasses import dataclass, field
from types import CodeType

from tests.random_trees.description import Description
from tests.random_trees.driver import Request
from tests.random_trees.source import source_of
from tests.random_trees.variants import Application, Variant, forget, logged, without_marks

from .planned import Counts, Example, Fault
from .recording import FaultRecorder
from .serving import Outcome, counted, left_behind, serve


@dataclass(frozen=True)
class Difference:
    """Something that tells a variant from stock FastAPI."""

    variant: str
    fault: Fault | None  # None: in what all of them left behind
    text: str

    def __str__(self) -> str:
        return f"{self.variant} differs, {self.fault or 'in what is left behind'}\n{self.text}"


@dataclass
class Compared:
    """What came of an example."""

    differences: list[Difference] = field(default_factory=list)
    #: How many requests had what.
    seen: Counter[str] = field(default_factory=Counter)


@dataclass
class _Run:
    refused: str | None = None
    request: Request | None = None
    counts: Counts = field(default_factory=lambda: Counts(0, 0, 0, 0, 0))
    outcomes: list[tuple[Fault, Outcome]] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


async def _run(
    variant: Variant,
    example: Example,
    faults: list[Fault] | None = None,
    request: Request | None = None,
    *,
    limit: int | None,
    marked: bool,
) -> _Run:
    description = example.description
    if not marked:
        description, variant = example.unmarked(), without_marks(variant)
    made = _Run()
    async with left_behind() as made.left:
        with variant.surroundings(description), logged():
            try:
                recorder = FaultRecorder(description)
                application = Application(variant, _compiled(description), recorder)
            except Exception as error:
                made.refused = repr(error)
                return made
            if request is None:
                request = await _most_telling(application, example)
            made.request = request
            made.counts = await counted(application, request)
            if faults is None:
                faults = example.faults(made.counts, limit)
                if not marked:
                    faults += example.faults_in_threads(made.counts, limit)
            # In the end nothing goes wrong, so that what a fault holds on to would be missed.
            for fault in (*faults, Fault()):
                made.outcomes.append((fault, await serve(application, request, fault)))
            del application, recorder
    return made


async def _most_telling(application: Application, example: Example) -> Request:
    """Give the request in which the most happens, and so the most can go wrong."""
    requests = example.requests()
    counts = [await counted(application, request) for request in requests]
    return requests[max(range(len(requests)), key=lambda number: counts[number].events)]


@functools.lru_cache(8)
def _compiled(description: Description) -> CodeType:
    return compile(source_of(description), "<random tree>", "exec", dont_inherit=True)


async def compare(example: Example, variants: tuple[Variant, ...], limit: int | None) -> Compared:
    """Run an example in all variants, the first of which is stock.

    Parameters:
        example: which one.
        variants: at least two.
        limit: how many faults of each kind at most, None for all.
    """
    compared = Compared()
    for marked in (True, False):
        stock = await _run(variants[0], example, limit=limit, marked=marked)
        faults = [fault for fault, _ in stock.outcomes[:-1]]
        compared.seen.update(_seen(stock))
        for variant in variants[1:]:
            other = await _run(variant, example, faults, stock.request, limit=limit, marked=marked)
            compared.differences += _differences(variant.name, stock, other)
    forget()
    return compared


def _differences(name: str, stock: _Run, other: _Run) -> list[Difference]:
    if stock.refused != other.refused:
        return [Difference(name, None, f"refused: {stock.refused}, {other.refused}")]
    found = []
    for (fault, expected), (_, given) in zip(stock.outcomes, other.outcomes, strict=True):
        if expected != given:
            text = difflib.unified_diff(
                expected.lines(), given.lines(), "stock", name, lineterm="", n=100
            )
            found.append(Difference(name, fault, "\n".join(text)))
    if stock.left != other.left:
        found.append(Difference(name, None, f"stock: {stock.left}\n{name}: {other.left}"))
    return found


def _seen(run: _Run) -> Counter[str]:
    seen: Counter[str] = Counter()
    for fault, outcome in run.outcomes:
        seen["requests"] += 1
        if fault.in_thread is not None:
            seen[f"cancelled in a thread by its {fault.cancelled}"] += 1
        elif fault.cancelled:
            seen[f"cancelled by its {fault.cancelled}, {len(fault.at)} times"] += 1
        for name in ("leaves_at", "gone_at", "leaves_after"):
            seen[name] += getattr(fault, name) is not None
        for _, phase, failure in fault.failures:
            seen[f"{len(fault.failures)} failing"] += 1
            seen[f"fails in {phase}"] += 1
            seen[f"raises {failure.partition(' ')[0]}"] += 1
            seen[f"raised: {failure.partition(' ')[2] or 'as it is'}"] += 1
        if outcome.error:
            seen["error reaches the server"] += 1
        for event in outcome.events:
            if event.startswith("caught"):
                seen["caught"] += 1
    return seen
