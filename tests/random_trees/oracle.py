"""Compares what the variants did, and checks where they did it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .description import Description, Node
from .recorder import Event
from .variants import Outcome, Run, Variant, run


@dataclass(frozen=True)
class Difference:
    """Something that tells a variant from stock FastAPI."""

    variant: str
    request: int | None
    what: str
    stock: str
    other: str

    def __str__(self) -> str:
        where = "when built" if self.request is None else f"in request {self.request}"
        return (
            f"{self.what} of variant {self.variant!r} differs {where}\n"
            f"  stock: {self.stock}\n  {self.variant}: {self.other}"
        )


def compare(
    description: Description, chosen: tuple[Variant, ...]
) -> tuple[list[Run], list[Difference]]:
    """Run the example, and list the differences of every variant from the first one."""
    runs = run(description, chosen)
    return runs, differences(description, chosen, runs)


def differences(
    description: Description, chosen: tuple[Variant, ...], runs: Sequence[Run]
) -> list[Difference]:
    """List the differences of every variant from the first one, and what ran in a wrong place."""
    found: list[Difference] = []
    stock = runs[0]
    for number, outcome in enumerate(stock.outcomes):
        found += _misplaced(description, chosen[0], number, outcome, outcome)
    for variant, other in zip(chosen[1:], runs[1:], strict=True):
        if stock.refused != other.refused:
            found.append(
                Difference(variant.name, None, "refusal", str(stock.refused), str(other.refused))
            )
            continue
        for number, (expected, seen) in enumerate(zip(stock.outcomes, other.outcomes, strict=True)):
            found += _differences(description, variant, number, expected, seen)
    return found


def _differences(
    description: Description, variant: Variant, number: int, stock: Outcome, other: Outcome
) -> list[Difference]:
    found = []
    if stock.messages != other.messages:
        found.append(
            Difference(variant.name, number, "response", repr(stock.messages), repr(other.messages))
        )
    if stock.error != other.error:
        found.append(Difference(variant.name, number, "error", stock.error, other.error))
    if stock.history != other.history:
        found.append(
            Difference(variant.name, number, "history", repr(stock.history), repr(other.history))
        )
    if stock.trace != other.trace:
        found.append(
            Difference(variant.name, number, "trace", _show(stock.trace), _show(other.trace))
        )
        return found
    return found + _misplaced(description, variant, number, stock, other)


def _show(trace: tuple[tuple[str, str, str], ...]) -> str:
    return "".join("\n    " + " ".join(each) for each in trace)


def _misplaced(
    description: Description, variant: Variant, number: int, stock: Outcome, other: Outcome
) -> list[Difference]:
    found = []
    current = description.as_of(number)
    falls_back = description.falls_back(number)
    for reference, event in zip(stock.events, other.events, strict=True):
        expected = belongs_on_loop(
            current,
            event,
            # A background task is not among what falls back.
            accelerated=variant.accelerated and not (falls_back and event.kind != "task"),
            on_stock=reference.on_loop,
        )
        if event.on_loop != expected:
            what = "thread"
            places = ("in a thread", "on the loop")
            shown = f"{event.kind} {event.who} {event.detail}"
            found.append(
                Difference(
                    variant.name,
                    number,
                    what,
                    f"{shown} should be {places[expected]}",
                    f"{shown} was {places[event.on_loop]}",
                )
            )
    return found


def belongs_on_loop(
    description: Description, event: Event, *, accelerated: bool, on_stock: bool
) -> bool:
    """Say whether an event has to happen on the event loop, given where it did on stock."""
    kind, who = event.kind, event.who
    if kind == "task":
        return {
            "task_sync": accelerated and description.settings.predicate == "all",
            "task_safe": accelerated,
            "task_async": True,
        }[who]
    if kind == "received":
        return True
    if who == "reply" or who == "endpoint":
        endpoint = description.endpoint
        if endpoint.node.flavour in ("async", "agen") or description.websocket:
            return True
        if kind == "chunk" and endpoint.reply == "stream":
            return True
        return accelerated and is_inline(description, endpoint.node, None)
    if kind in ("validate", "factory"):
        owner = who.partition(".")[0]
        if not owner.startswith("n") or description.nodes[int(owner[1:])].form != "model":
            return on_stock
        if on_stock:
            # FastAPI validates the parameters of a model before it calls the model itself.
            return True
        who = owner
    index = int(who[1:])
    node = description.nodes[index]
    if node.flavour in ("async", "agen"):
        return True
    return accelerated and is_inline(description, node, index)


_WRAPPERS = ("wrapped", "sync_wrapped", "cached", "contextmanager")


def is_inline(description: Description, node: Node, index: int | None) -> bool:
    """Say whether the settings and the marks put a sync callable on the event loop."""
    settings = description.settings
    # A mark that `functools.wraps` copied does not count; what wraps something unsafe is unsafe.
    is_copied = node.mark_at == "inner" and node.form in _WRAPPERS
    if node.mark is not None and not (is_copied and node.mark == "safe"):
        return node.mark == "safe"
    if settings.predicate == "all":
        return True
    if settings.predicate == "some" and index in settings.predicate_nodes:
        return True
    return settings.all_classes_safe and node.form in ("class", "dataclass", "model")
