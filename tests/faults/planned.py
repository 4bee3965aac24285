"""What goes wrong in one request, and the requests of an example in which something does."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from tests.random_trees.description import Description
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

    awaits: int
    in_threads: int
    received: int
    sent: int


@dataclass(frozen=True, repr=False)
class Example(Short):
    """An application, and by which number its faults are chosen."""

    description: Description
    number: int = 0

    def request(self) -> Request:
        """Give the request that is made."""
        return replace(self.description.requests[0], failures=())

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
            limit: so many of them, None for all.
        """
        found = [*self._cancellations(counts), *self._departures(counts), *self._failures()]
        return self._chosen(found, limit)

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
        places = places_of(self.description)
        exits = [place for place in places if place[1] == "exit"]
        number = self.number
        for who, phase in places:
            number += 1
            first = (who, phase, self._failure(number))
            yield Fault(failures=(first,))
            for leaving in exits:
                if leaving != (who, phase):
                    number += 1
                    yield Fault(failures=(first, (*leaving, self._failure(number))))

    def _failure(self, number: int) -> str:
        way = WAYS[number // len(FAILURES) % len(WAYS)]
        return f"{list(FAILURES)[number % len(FAILURES)]} {way}".strip()


@st.composite
def examples(draw: st.DrawFn) -> Example:
    """Draw one."""
    description = draw(descriptions())
    number = draw(st.integers(0, 2**16))
    # Some contexts let nothing through, no cancellation either.
    keeping = random.Random(number)
    nodes = tuple(
        replace(node, exit="keep") if node.exit == "swallow" and keeping.random() < 0.5 else node
        for node in description.nodes
    )
    return Example(replace(description, nodes=nodes, late_marks=(), replaced=()), number)
