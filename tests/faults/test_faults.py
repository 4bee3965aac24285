"""Requests that are cancelled, left by their client, and fail, end as on stock on both cores."""

import logging
import os
from collections.abc import Iterator

import pytest

from tests.random_trees import variants
from tests.random_trees.long_run import quiet
from tests.support.serving import CLEANUP_IS_SHIELDED

from .exploring import explore
from .recording import FAILURES, WAYS

pytestmark = [
    pytest.mark.slow,
    # What is never awaited is compared, as is what cannot be raised.
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(
        not CLEANUP_IS_SHIELDED, reason="before FastAPI 0.162 cancelled contexts are not left"
    ),
]

#: A short run, if nobody says how many; `python -m tests.faults` is the long one.
EXAMPLES = int(os.environ.get("FAULTS_EXAMPLES", "60"))

#: So many faults of each kind are chosen of an application's.
LIMIT = 5

#: What a run has to have had, so that none can be green for having tried nothing.
EXPECTED = {
    *(f"cancelled in a thread by its {by}" for by in ("task", "scope")),
    *(f"cancelled by its {by}, 1 times" for by in ("task", "scope")),
    "cancelled by its task, 2 times",
    *("leaves_at", "gone_at", "leaves_after"),
    *("1 failing", "2 failing", "caught", "error reaches the server"),
    *(f"fails in {phase}" for phase in ("call", "exit", "task")),
    *(f"raises {name}" for name in FAILURES),
    *(f"raised: {way or 'as it is'}" for way in WAYS),
}


@pytest.fixture(autouse=True)
def leave_everything_as_it_was() -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in ("asyncio", "python_multipart")]
    levels = [logger.level for logger in loggers]
    quiet()
    yield
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
    variants.close()


def test_faults_are_the_same_on_stock_and_on_both_cores() -> None:
    found = explore(EXAMPLES, variants.variants(), start=0, limit=LIMIT, shrink=False)
    assert found.example is None, str(found)
    assert EXPECTED - set(+found.seen) == set()


def test_stock_is_the_same_twice() -> None:
    chosen = (variants.stock(), variants.stock("stock again"))
    found = explore(10, chosen, start=1, limit=LIMIT, shrink=False)
    assert found.example is None, str(found)
    assert found.examples == 10
