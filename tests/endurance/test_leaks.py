"""Requests leave nothing behind, however they end; the long form is `tests.endurance.leaks`."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.serving import Init, expected_backend

from .leaks import abandon, one, request_of, run
from .leaving import KINDS, Value, application, ways_of
from .measuring import look

CORES = ["python"] if expected_backend() == "python" else ["python", "compiled"]

ENDS: dict[str, int | str] = {
    "value": 200,
    "suspended": 200,
    "invalid": 422,
    "refused": 403,
    "failed": "RuntimeError",
    "cancelled": "CancelledError",
    "gone before its answer": "OSError",
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_request_ends_in_the_way_that_is_meant(init: Init, kind: str) -> None:
    app = init(application(kind))

    def ended(way: str) -> int | str:
        return asyncio.run(one(app, request_of(kind, way), way))

    assert {way: ended(way) for way in ENDS} == ENDS
    assert ended("failed at exit") == ("RuntimeError" if "yield" in kind else 200)
    assert ended("disconnected") == (400 if kind == "body" else 200)


@pytest.mark.accelerated
def test_an_abandoned_request_is_waiting_when_its_loop_is_closed(init: Init) -> None:
    abandon(init(application("function")), request_of("function", "abandoned"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("core", CORES)
def test_nothing_is_left(core: str, kind: str) -> None:
    found = run(core, kind, 200)
    assert list(found) == ways_of(kind)
    assert {way: kept for way, kept in found.items() if not kept.is_nothing} == {}


def test_what_is_left_is_seen() -> None:
    before = look([Value])
    kept = [Value() for _ in range(3)]
    left = look([Value]) - before
    assert (left.values, left.is_nothing) == (3, False)
    del kept
    assert (look([Value]) - before).values == 0
