"""What is timed: same answers, counted trips through the thread pool."""

import asyncio

import pytest

from benchmarks.runs.thread_trips import counted_thread_trips
from benchmarks.subjects.client import Answer, call
from benchmarks.subjects.contenders import Peer, UnavailableError, create_app, label
from benchmarks.subjects.workloads import WORKLOADS, Variant, Workload
from tests.support.serving import CLEANUP_IS_SHIELDED

STOCK_TRIPS = {
    "W0": 0,
    "W1": 1,
    "W2": 4,
    "W3": 5,
    "W4": 5,
    "W5": 2,
    "W6": 3,
    "W7": 2,
    "W8": 0,
    "W9": 4,
    "W10/10": 10,
    "W10/20": 20,
    "W10/100": 100,
    "W10/1000": 1000,
    "W10/diamond": 100,
    "W11": 4,
    "W12": 2,
    "stream": 6,
    "W13": 1,
    "W14": 4,
    "W15": 7,
    "W16": 11,
    "W17": 7,
    "W17/64": 7,
    "parameters/5": 1,
    "parameters/10": 1,
    "parameters/20": 1,
    "parameters/50": 1,
    "parameters/100": 1,
    "long query": 4,
}


OUR_TRIPS = (
    {"W9": 1, "W15": 2, "W16": 3, "W17": 2, "W17/64": 2}
    if CLEANUP_IS_SHIELDED
    # Before FastAPI 0.162 each context has trips of its own.
    else {"W9": 1, "W15": 3, "W16": 7, "W17": 3, "W17/64": 3}
)

"""The workloads in which something goes to a thread, and how often that is with this package."""


async def answer_and_trips(workload: Workload, variant: Variant) -> tuple[Answer, int]:
    app = workload.app(variant)
    with counted_thread_trips() as trips:
        return await call(app, workload.request), trips.count


@pytest.mark.parametrize("name", WORKLOADS)
def test_stock_goes_to_the_thread_pool_once_for_each_sync_call(name: str) -> None:
    answer, trips = asyncio.run(answer_and_trips(WORKLOADS[name], Variant.STOCK))

    assert answer.status == {"W11": 101, "W13": 422}.get(name, 200)
    assert trips == STOCK_TRIPS[name]


@pytest.mark.parametrize("core", [Variant.PYTHON, Variant.COMPILED])
@pytest.mark.parametrize("name", [name for name in WORKLOADS if name not in OUR_TRIPS])
def test_what_is_marked_makes_no_trip(name: str, core: Variant) -> None:
    _, trips = asyncio.run(answer_and_trips(WORKLOADS[name], core))

    assert trips == 0


@pytest.mark.parametrize("core", [Variant.PYTHON, Variant.COMPILED])
@pytest.mark.parametrize("name", [name for name in OUR_TRIPS if name in WORKLOADS])
def test_what_is_not_marked_shares_its_trips(name: str, core: Variant) -> None:
    stock, _ = asyncio.run(answer_and_trips(WORKLOADS[name], Variant.STOCK))
    answer, trips = asyncio.run(answer_and_trips(WORKLOADS[name], core))

    assert answer == stock
    assert trips == OUR_TRIPS[name]


@pytest.mark.parametrize("submit", ["asyncio.to_thread", "anyio.to_thread.run_sync"])
def test_a_trip_is_counted_whoever_makes_it(submit: str) -> None:
    async def trip() -> int:
        import anyio.to_thread

        with counted_thread_trips() as trips:
            if submit == "asyncio.to_thread":
                await asyncio.to_thread(int)
            else:
                await anyio.to_thread.run_sync(int)
        return trips.count

    assert asyncio.run(trip()) == 1


def test_a_variant_that_does_not_apply_is_an_error() -> None:
    with pytest.raises(ValueError, match="W0 has no variant"):
        WORKLOADS["W0"].app(Variant.ASYNC_BY_HAND)


def test_a_peer_is_for_one_workload_only() -> None:
    with pytest.raises(UnavailableError):
        create_app("W1", Peer.LITESTAR)


def test_every_contender_has_a_name_for_tables() -> None:
    assert {label(contender) for contender in [*Variant, *Peer]} >= {"stock", "compiled core"}
