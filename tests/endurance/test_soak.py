"""What a soak says of what it saw; the soak itself is `python -m tests.endurance.soak`."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from .soak.clients import GRACE, Restarts
from .soak.verdict import LIMIT_MIB, Soaked, Worker, kinds_in, problems

WARM = 60


def worker(size: Callable[[int], float], seconds: int = 600) -> Worker:
    """Make a worker that takes so many MiB in each second."""
    return Worker(1, [(second, size(second)) for second in range(seconds)])


def soaked(size: Callable[[int], float] = lambda second: 60.0) -> Soaked:
    """Make what is seen of a server of which everything holds."""
    return Soaked(
        name="",
        answers=Counter(W2=1),
        errors=Counter(),
        left=Counter(stream=1),
        broken_by_restarts=0,
        restarts=1,
        workers=[worker(size), worker(lambda second: 60.0, seconds=5), worker(size, seconds=5)],
        workers_at_once=2,
        open_contexts=0,
        exit_code=0,
        log="",
    )


def test_nothing_is_said_of_what_holds() -> None:
    assert problems(soaked(), soaked(), warm=WARM) == []


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        (replace(soaked(), errors=Counter({"W2: 500": 1})), "W2: 500 (1 times)"),
        (replace(soaked(), log="KeyError: 1\n"), "its log has what stock's has not: KeyError: N"),
        (replace(soaked(), open_contexts=1), "1 contexts were entered and never left"),
        (replace(soaked(), exit_code=-11), "it ended with -11, stock with 0"),
        (replace(soaked(), left=Counter()), "there were no disconnects"),
        (replace(soaked(), answers=Counter()), "there were no answers"),
        (replace(soaked(), workers=soaked().workers * 2), "3 workers ended by themselves"),
        (replace(soaked(), workers=soaked().workers[1:]), "no worker lived long enough"),
        (soaked(lambda second: 60 + second / 20), "worker 1 took 67.5 MiB when it was warm"),
    ],
)
def test_what_does_not_hold_is_said(seen: Soaked, said: str) -> None:
    (problem,) = problems(soaked(), seen, warm=WARM)
    assert said in problem


def test_what_stock_has_too_is_no_problem() -> None:
    seen = replace(soaked(), errors=Counter({"W2: 500": 1}), log="KeyError: 2\n  a stack\n")
    assert problems(replace(seen, log="KeyError: 13\n  another"), seen, warm=WARM) == []


def test_lines_of_a_log_are_told_apart_by_their_words() -> None:
    assert kinds_in("Task 0x7f12 failed\n  File 1\nTask 0x8a failed\n\n") == {"Task N failed"}


@pytest.mark.parametrize(
    ("size", "flat"),
    [
        (lambda second: 60 + min(second, WARM) / 3, True),  # while it warms up
        (lambda second: 60 + 30 * (second % 20 == 0), True),  # for a moment
        (lambda second: 60 + second * 2 * LIMIT_MIB / 600, False),
        (lambda second: 60 + 2 * LIMIT_MIB * (second > 300), False),
    ],
)
def test_memory_is_flat_when_what_stays_does_not_grow(
    size: Callable[[int], float], *, flat: bool
) -> None:
    growth = worker(size).growth(WARM)
    assert growth is not None
    assert growth.is_flat is flat


def test_a_connection_that_breaks_while_a_worker_goes_is_told_apart() -> None:
    restarts, before = Restarts(), time.monotonic()
    assert not restarts.overlap(before)
    restarts.begin()
    assert restarts.overlap(before)
    assert restarts.overlap(time.monotonic() + 2 * GRACE)
    restarts.end()
    assert restarts.overlap(time.monotonic())
    assert not restarts.overlap(time.monotonic() + 2 * GRACE)
