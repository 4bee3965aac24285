"""What goes wrong in one request, and the requests of an example in which something does."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from tests.random_trees.description import FORMS, Description, Node
from tests.random_trees.driver import Request, Short
from tests.random_trees.strategies import descriptions, places_of

from .recording import FAILURES, WAYS


@dataclass(frozen=True, repr=False)
class Fault(Short):
    """What goes wrong in one request; nothing if nothing is said."""

    #: Who raises, in which phase, and what: see `recording.FAILURES` and `recording.WAYS`.
    failures: tuple[tuple[str, str, str], ...] = ()
    #: By what it is cancelled, "task" or "scope".
    cancelled: str = ""
    #: At which awaits of the application's and of the server's; more than one is once more.
    at: tuple[int, ...] = ()
    #: Instead: while which call in a thread is under way.
    in_thread: int | None = None
    #: Which message of the client's is its farewell instead.
    leaves_at: int | None = None
    #: Which message cannot be sent to it any more.
    gone_at: int | None = None
    #: After which message it leaves, with a server that has to be asked whether it is there.
    leaves_after: int | None = None


@dataclass(frozen=True)
class Counts:
    """How often something happens in a request in which nothing goes wrong."""

    events: int
    awaits: int
    in_threads: int
    received: int
    sent: int


@dataclass(frozen=True, repr=False)
class Example(Short):
    """An application, and by which number its faults are chosen."""

    description: Description
    number: int = 0

    def requests(self) -> list[Request]:
        """Give the requests of which one is made."""
        return [replace(request, failures=()) for request in self.description.requests]

    def unmarked(self) -> Description:
        """Give the application without marks: a marked call is no place to be cancelled at."""
        description = self.description
        endpoint = replace(description.endpoint, node=replace(description.endpoint.node, mark=None))
        settings = replace(description.settings, all_classes_safe=False, predicate=None)
        nodes = tuple(replace(node, mark=None) for node in description.nodes)
        return replace(description, endpoint=endpoint, settings=settings, nodes=nodes)

    def faults(self, counts: Counts, limit: int | None) -> list[Fault]:
        """List what goes wrong.

        Parameters:
            counts: what there is to go wrong.
            limit: so many of each kind, None for all.
        """
        kinds = [
            list(self._cancellations(counts)),
            list(self._departures(counts)),
            list(self._failures()),
            list(self._failures_at_exit()),
        ]
        return [fault for kind in kinds for fault in self._chosen(kind, limit)]

    def faults_in_threads(self, counts: Counts, limit: int | None) -> list[Fault]:
        """List the calls in threads in which the request is cancelled."""
        found = [
            Fault(cancelled=by, in_thread=number)
            for number in range(counts.in_threads)
            for by in ("task", "scope")
        ]
        return self._chosen(found, limit)

    def _chosen(self, found: list[Fault], limit: int | None) -> list[Fault]:
        if limit is None or len(found) <= limit:
            return found
        numbers = random.Random(self.number).sample(range(len(found)), limit)
        return [found[number] for number in sorted(numbers)]

    def _cancellations(self, counts: Counts) -> Iterator[Fault]:
        for number in range(counts.awaits):
            for by in ("task", "scope"):
                yield Fault(cancelled=by, at=(number,))
            yield Fault(cancelled="task", at=(number, number + 1))

    def _departures(self, counts: Counts) -> Iterator[Fault]:
        for number in range(counts.received):
            yield Fault(leaves_at=number)
        for number in range(counts.sent):
            yield Fault(gone_at=number)
            if not self.description.websocket:
                yield Fault(leaves_after=number)

    def _failures(self) -> Iterator[Fault]:
        for number, place in enumerate(places_of(self.description), start=self.number):
            yield Fault(failures=((*place, self._failure(number)),))

    def _failures_at_exit(self) -> Iterator[Fault]:
        """Fail at an exit after something else failed."""
        places = places_of(self.description)
        number = self.number
        for leaving in (place for place in places if place[1] == "exit"):
            for place in places:
                if place != leaving:
                    number += 3
                    first = (*place, self._failure(number))
                    yield Fault(failures=(first, (*leaving, self._failure(number + 1))))

    def _failure(self, number: int) -> str:
        way = WAYS[number // len(FAILURES) % len(WAYS)]
        return f"{list(FAILURES)[number % len(FAILURES)]} {way}".strip()


@st.composite
def examples(draw: st.DrawFn) -> Example:
    """Draw one of a few dependencies, many of which are left in the end."""
    description = draw(descriptions().filter(_is_small))
    number = draw(st.integers(0, 2**16))
    choice = random.Random(number)
    nodes = tuple(_to_be_left(node, choice) for node in description.nodes)
    return Example(replace(description, nodes=nodes, late_marks=(), replaced=()), number)


def _is_small(description: Description) -> bool:
    return 1 <= len(description.reachable()) <= 7


#: Some contexts let nothing through, no cancellation either.
_EXITS = {"swallow": ("swallow", "keep"), "plain": ("plain", "finally", "reraise", "keep")}


def _to_be_left(node: Node, choice: random.Random) -> Node:
    yields = {"sync": "gen", "async": "agen"}.get(node.flavour)
    if yields is not None and node.form in FORMS[yields] and choice.random() < 0.6:
        node = replace(node, flavour=yields, exit="plain")
    # FastAPI refuses a context that outlives what it depends on.
    deps = tuple(replace(dep, scope=None, limit=None) for dep in node.deps)
    return replace(node, exit=choice.choice(_EXITS.get(node.exit, (node.exit,))), deps=deps)
