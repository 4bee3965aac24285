"""Requests that are made to hurt have the answer of stock; what they cost is in `hostile`."""

import asyncio

import pytest

from tests.support.serving import Init

from .hostile import Hostile, application, hostile_requests


@pytest.mark.parametrize("hostile", hostile_requests(20_000), ids=lambda each: each.name)
def test_it_has_the_answer_of_stock(init: Init, hostile: Hostile) -> None:
    expected = asyncio.run(hostile.ask(application()))
    assert asyncio.run(hostile.ask(init(application()))) == expected
