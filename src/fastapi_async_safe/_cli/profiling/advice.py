"""What to do with each callable that was measured: mark it, leave it, or look at it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ... import is_async_safe, prove
from .calls import MeasuredCall
from .waiting import COUNTS_SWITCHES, Sighting

#: Calls that have to be timed before anything is recommended.
CALLS_NEEDED = 20

#: Microseconds on the processor that the event loop can be held without harm.
SHORT = 1000.0

#: What a call may take once in a hundred times.
SHORT_AT_WORST = 5 * SHORT

# Of the timed calls, how many may give their processor away without it meaning anything: the system
# may have had to fetch a page of memory, or another thread may have held the interpreter.
_BY_CHANCE = 0.05


class Verdict(StrEnum):
    """What is recommended."""

    MARK = "mark"
    LOOK = "look"
    LEAVE = "leave"


@dataclass(frozen=True)
class Advice:
    """What is recommended for one callable, and why.

    Attributes:
        saves: microseconds a request, over all requests that were sent, that its trips to a thread
            and back take now.
        proof: the verdict of `prove`: "proven", "unknown" or "blocks".
    """

    measured: MeasuredCall
    verdict: Verdict
    reason: str
    saves: float
    proof: str


def advise(measured: list[MeasuredCall], requests: int) -> list[Advice]:
    """Recommend something for each callable.

    Parameters:
        measured: all callables that went to a thread.
        requests: how many were sent.

    Returns:
        What to mark first, then what to look at, then what to leave, each by what it would save.
    """
    found = [_advice(each, requests) for each in measured]
    risky = [each.measured for each in found if each.verdict is not Verdict.MARK]
    found = [_with_subclasses(each, risky) for each in found]
    order = list(Verdict)
    return sorted(found, key=lambda each: (order.index(each.verdict), -each.saves))


def _advice(measured: MeasuredCall, requests: int) -> Advice:
    proof = prove(measured.call)
    blocks = next((str(reason) for reason in proof.reasons if reason.blocks), None)
    verdict, reason = _judged(measured, blocks)
    if verdict is Verdict.MARK and proof.holds and not proof.expects:
        reason += "; proven"
    trip = measured.typical("waited") + measured.typical("returned")
    return Advice(measured, verdict, reason, trip * measured.calls / requests, proof.verdict)


def _judged(measured: MeasuredCall, blocks: str | None) -> tuple[Verdict, str]:
    if is_async_safe(measured.call) is False:
        return Verdict.LEAVE, "marked async_unsafe"
    seen = _seen_after_first(measured)
    if seen is not None:
        return Verdict.LEAVE, _told(seen)
    if blocks is not None:
        return Verdict.LEAVE, f"may wait: {blocks}"
    timed = len(measured.timed)
    cpu = measured.values("cpu")
    if timed and measured.typical("cpu") > SHORT:
        return Verdict.LEAVE, f"computes {measured.typical('cpu') / 1000:.1f} ms"
    waits = _waits(measured)
    if waits > _BY_CHANCE * timed:
        return Verdict.LEAVE, f"waited in {waits} of {timed} calls"
    if measured.seen:
        return Verdict.LOOK, f"its first call {_told(next(iter(measured.seen)))}"
    if timed < CALLS_NEEDED:
        few = f"{timed} timed calls are too few to tell"
        return Verdict.LOOK, f"{few}: with more --rounds there are {CALLS_NEEDED}"
    if cpu[int(0.99 * (timed - 1))] > SHORT_AT_WORST:
        return Verdict.LOOK, f"computed {cpu[-1] / 1000:.1f} ms once"
    if not measured.traced:
        return Verdict.LOOK, "was never traced"
    return Verdict.MARK, f"never waited in {timed + len(measured.traced)} calls"


def _seen_after_first(measured: MeasuredCall) -> Sighting | None:
    for sighting, requests in measured.seen.items():
        if requests != {measured.first}:
            return sighting
    return None


def _told(sighting: Sighting) -> str:
    return f"{sighting.what} ({sighting.where})" if sighting.where else sighting.what


def _waits(measured: MeasuredCall) -> int:
    """Count the timed calls that waited."""
    calls = measured.timed.values()
    if COUNTS_SWITCHES:
        return sum(each.switches > 0 for each in calls)
    # A thread that is ready, but not on a processor, looks the same here: so most of its time.
    return sum(each.run > 100_000 and each.cpu < each.run / 2 for each in calls)


def _with_subclasses(advice: Advice, risky: list[MeasuredCall]) -> Advice:
    """Look again at a class whose mark another one would inherit."""
    own = advice.measured.call
    if advice.verdict is not Verdict.MARK or not isinstance(own, type):
        return advice
    for other in risky:
        kind = other.call if isinstance(other.call, type) else type(other.call)
        if issubclass(kind, own) and is_async_safe(other.call) is None:
            reason = f"{kind.__qualname__} would inherit its mark: that one needs @async_unsafe"
            return Advice(advice.measured, Verdict.LOOK, reason, advice.saves, advice.proof)
    return advice
