"""Why a callable runs where it runs: the rule, the words for it, and what is proven of it."""

from __future__ import annotations

from typing import Any, NamedTuple

from .._naming import callable_name
from .._planning.proofs import arguments_of
from .._proof import Proof
from ..markers import bearer_of_mark, is_async_safe
from ..policy import Ruling
from .following import Step
from .planned import Planned
from .records import Rule


class Reason(NamedTuple):
    """Why a callable runs where it does."""

    rule: Rule
    why: str
    proof: Proof | None  # None for what is awaited


class Reasons:
    """Gives the reasons of the routes of one `init_app`.

    Parameters:
        planned: what the plans of these routes are made by.
    """

    def __init__(self, planned: Planned) -> None:
        self._policy = planned.policy
        self._proofs = planned.proofs

    def reason(
        self, step: Step, *, is_awaited: bool, is_planned: bool, is_initialised: bool
    ) -> Reason:
        """Give the reason of one step.

        Parameters:
            step: of a request that was followed.
            is_awaited: it is awaited on the event loop.
            is_planned: it was followed through a plan, not through FastAPI's own code.
            is_initialised: there is an `init_app` for the route.
        """
        call = step.call
        mark = is_async_safe(call)
        marked = {True: "marked async_safe", False: "marked async_unsafe", None: ""}[mark]
        if is_awaited:
            return Reason(
                "async def", _joined("async def", marked and "its mark changes nothing"), None
            )
        proof = self._proofs.found_about(call, arguments_of(step.dependant, _results_of(step)))
        if not is_initialised:
            return Reason("no init_app", _joined(marked, "no init_app"), proof)
        if not is_planned:
            return Reason("declined", _joined(marked, "FastAPI's own code runs this route"), proof)
        ruling = self._policy.ruling(call)
        if ruling.rule == "unmarked" and self._policy.asks_for_proof(call):
            if step.is_inline:
                return Reason("proven", _proven(proof), proof)
            return Reason("not proven", _not_proven(proof), proof)
        return Reason(ruling.rule, _why(ruling, call), proof)


def _results_of(step: Step) -> dict[str, Any]:
    return {each.name: each.call for each in step.below if each.name is not None}


def _proven(proof: Proof) -> str:
    text = "proven not to hold up the event loop"
    if proof.expects:
        text += f" as long as {', '.join(map(str, proof.expects))}"
    return text


def _not_proven(proof: Proof) -> str:
    if proof.holds:
        # A `yield` dependency, or an endpoint whose response is not plain.
        return "proven itself, but not what belongs to it"
    return f"not proven: {proof.reasons[0]}" if proof.reasons else "not proven"


def _why(ruling: Ruling, call: Any) -> str:
    match ruling.rule:
        case "marked":
            bearer = bearer_of_mark(call)
            return "marked async_safe" + (
                "" if bearer is None else f", inherited from {callable_name(bearer)}"
            )
        case "unsafe":
            return "marked async_unsafe"
        case "copied mark":
            return (
                "its mark was copied by functools.wraps from what it wraps, which does not count: "
                "mark the outermost wrapper"
            )
        case "predicate":
            return f"the predicate {callable_name(ruling.predicate)} says so"
        case "failed predicate":
            return f"the predicate {callable_name(ruling.predicate)} failed on it"
        case "extension":
            return "Provide of dependency_injector"
        case "all_classes_safe":
            return "a class, with all_classes_safe=True"
        case _:
            return "unmarked"


def _joined(first: str, second: str) -> str:
    return f"{first}; {second}" if first and second else first or second
