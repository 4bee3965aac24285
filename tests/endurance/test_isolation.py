"""Requests at once, in a random order and in several threads, each get their own answer."""

import pytest

from tests.support.serving import Init

from .isolation import Changes, application, ask_all, ask_in_threads


@pytest.mark.parametrize("threads", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_requests_at_once_keep_their_values(init: Init, *, seed: int, threads: bool) -> None:
    ask_all(init(application(threads=threads)), range(150), seed=seed)


@pytest.mark.accelerated
def test_an_application_that_changes_answers_each_request_with_its_own(init: Init) -> None:
    changes = Changes(init(application(threads=False)), init)
    ask_in_threads(changes, 100, loops=8, seed=1)
    assert changes.count
