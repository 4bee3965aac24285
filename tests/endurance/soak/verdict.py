"""What has to hold after a soak, said of what was seen."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

#: How much memory a worker may take on after it has warmed up.
LIMIT_MIB = 8.0

_VARYING = re.compile(r"0x[0-9a-fA-F]+|\d+")


@dataclass
class Worker:
    """A worker's resident memory in MiB, by seconds since the first look at it."""

    number: int
    samples: list[tuple[float, float]] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """How long it was looked at."""
        return self.samples[-1][0] if self.samples else 0.0

    def between(self, since: float, until: float) -> list[float]:
        """List what it took within a time."""
        return [size for at, size in self.samples if since <= at <= until]

    def growth(self, warm: float) -> "Growth | None":
        """Say how it grew, None if it did not live long enough.

        Parameters:
            warm: seconds within which it may grow. From then on it has to live as long again.

        NOTE: what it takes goes up and down by what is under way. So it is the lowest of the last
        sixth of the time, held against the highest of as long a time after it was warm.
        """
        if self.seconds < 2 * warm:
            return None
        window = (self.seconds - warm) / 6
        at_start = self.samples[0][1]
        warmed_up = self.between(warm, warm + window)
        at_end = min(self.between(self.seconds - window, self.seconds))
        return Growth(at_start, max(warmed_up), at_end) if warmed_up else None


@dataclass(frozen=True)
class Growth:
    """Resident memory of a worker, in MiB."""

    at_start: float
    at_warm: float
    at_end: float

    @property
    def is_flat(self) -> bool:
        """Whether it takes no more than it did when it was warm, but for the limit."""
        return self.at_end - self.at_warm <= LIMIT_MIB


@dataclass
class Soaked:
    """What was seen of one server."""

    name: str
    answers: Counter[str]  # that were right, by what was asked
    errors: Counter[str]  # that clients met, by kind
    left: Counter[str]  # clients that left, by where they did
    broken_by_restarts: int  # connections
    restarts: int
    workers: list[Worker]
    workers_at_once: int
    open_contexts: int
    exit_code: int
    log: str


def kinds_in(log: str) -> set[str]:
    """Find the kinds of lines in a log: without what varies, and without the lines of stacks."""
    return {
        _VARYING.sub("N", line.strip())
        for line in log.splitlines()
        if line.strip() and not line.startswith((" ", "\t"))
    }


def problems(stock: Soaked, soaked: Soaked, *, warm: float) -> list[str]:
    """List what does not hold of a server, held against stock in the same time.

    Parameters:
        stock: what was seen of stock FastAPI.
        soaked: what was seen of the other.
        warm: seconds within which memory may grow.
    """
    found = [
        f"clients met what stock did not give: {kind} ({count:,} times)"
        for kind, count in soaked.errors.items()
        if kind not in stock.errors
    ]
    new = kinds_in(soaked.log) - kinds_in(stock.log)
    found += [f"its log has what stock's has not: {kind}" for kind in sorted(new)]
    if (alone := len(soaked.workers) - soaked.workers_at_once - soaked.restarts) > 0:
        found.append(f"{alone} workers ended by themselves")
    grown = [(worker, worker.growth(warm)) for worker in soaked.workers]
    found += [
        f"worker {worker.number} took {growth.at_warm:.1f} MiB when it was warm, "
        f"and {growth.at_end:.1f} MiB at the end"
        for worker, growth in grown
        if growth is not None and not growth.is_flat
    ]
    if all(growth is None for _, growth in grown):
        found.append("no worker lived long enough to see whether its memory grows")
    if soaked.open_contexts:
        found.append(f"{soaked.open_contexts} contexts were entered and never left")
    if soaked.exit_code != stock.exit_code:
        found.append(f"it ended with {soaked.exit_code}, stock with {stock.exit_code}")
    found += [
        f"there were no {what}"
        for what, some in (
            ("answers", soaked.answers),
            ("disconnects", soaked.left),
            ("restarts", soaked.restarts),
        )
        if not some
    ]
    return found


def total(counters: Sequence[Counter[str]]) -> Counter[str]:
    """Add counters up."""
    return sum(counters, Counter[str]())
