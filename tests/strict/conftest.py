"""Runs pytest on the shop."""

from functools import partial

import pytest

from tests.support.strict import Run, run_pytest


@pytest.fixture
def run(pytester: pytest.Pytester) -> Run:
    """Give what runs pytest on the shop, in a process of its own."""
    return partial(run_pytest, pytester)
