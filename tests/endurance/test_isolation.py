"""Requests at once, in a random order and in several threads, each get their own answer."""

import pytest

from tests.support.serving import Init

from .isolation import Changes, applications, ask_all, ask_in_threads


@pytest.mark.parametrize("threads", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_requests_at_once_keep_their_values(init: Init, *, seed: int, threads: bool) -> None:
    ask_all(applications(init, threads=threads).app, range(150), seed=seed)


# FastAPI switches it off with `warnings.catch_warnings`, which threads undo for each other: stock
# FastAPI has it too.
@pytest.mark.filterwarnings("ignore:The 'alias' attribute")
@pytest.mark.accelerated
def test_applications_that_change_answer_each_request_with_its_own(init: Init) -> None:
    changes = Changes(applications(init, threads=False), init)
    ask_in_threads(changes, 100, loops=8, seed=1)
    assert changes.count
