"""The trips that `explain` tells are those that a request makes."""

import asyncio
import warnings
from dataclasses import replace

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given, settings

with warnings.catch_warnings():
    # The example apps ask for the compiled core, which a pure build does not have.
    warnings.simplefilter("ignore", RuntimeWarning)
    from benchmarks.subjects.workloads import WORKLOADS, Workload
from benchmarks.runs.thread_trips import counted_thread_trips
from benchmarks.subjects.client import App, call
from fastapi_async_safe import RouteExplanation, explain
from tests.support.serving import Init, contexts_share
from tests.trips.test_random_trips import EXAMPLES, Scene, Tree, trees

# The request of W13 is not valid, and how many items a stream has nobody knows.
COUNTED = [workload for name, workload in WORKLOADS.items() if name not in ("W13", "stream")]
# They take long.
SLOW = ("W10/1000", "W17", "W17/64")


async def trips_of(app: App, workload: Workload) -> int:
    """Count the trips of a request after the first one."""
    await call(app, workload.request)
    with counted_thread_trips() as trips:
        await call(app, workload.request)
    return trips.count


def asked_for(routes: tuple[RouteExplanation, ...], workload: Workload) -> RouteExplanation:
    """Find the route of a workload."""
    path = workload.request.path
    return next((route for route in routes if route.path == path), routes[0])


@pytest.mark.parametrize("options", [{}, {"proven_safe": True}, {"one_trip": False}])
@pytest.mark.parametrize(
    "workload",
    [
        pytest.param(each, id=each.name, marks=[pytest.mark.slow] if each.name in SLOW else [])
        for each in COUNTED
    ],
)
def test_a_workload_makes_the_trips_that_are_told(
    workload: Workload, options: dict[str, bool], init: Init, variant: str
) -> None:
    app = init(workload.create_app(), **options)

    route = asked_for(explain(app).routes, workload)

    assert route.trips == asyncio.run(trips_of(app, workload))
    assert route.core == (None if variant == "stock" else variant)
    if variant == "stock":
        assert route.trips == route.stock_trips
    if "proven_safe" in options and variant != "stock":
        assert route.trips == route.trips_if_proven_safe


def test_what_is_told_first_is_what_happens_later(init: Init) -> None:
    workload = WORKLOADS["W16"]
    app, silent = init(workload.create_app()), init(workload.create_app())

    before = asked_for(explain(app).routes, workload)

    assert asyncio.run(trips_of(app, workload)) == asyncio.run(trips_of(silent, workload))
    assert [each.why for each in asked_for(explain(app).routes, workload).calls] == [
        each.why for each in before.calls
    ]


class WaitingScene(Scene):
    """A scene whose async calls wait for something."""

    async def happen_on_loop(self, name: str) -> None:
        """Wait, where nothing else happens."""
        await anyio.lowlevel.checkpoint()


@pytest.mark.slow
@contexts_share
@given(tree=trees())
@settings(max_examples=max(EXAMPLES // 10, 1))
def test_a_random_tree_makes_the_trips_that_are_told(tree: Tree, init: Init) -> None:
    answers = "none" if tree.response == "none" else "model"
    valid = replace(tree, event="nothing", response=answers, query=b"value=3")
    scene = WaitingScene(valid)
    app = init(scene.make_app())

    (route,) = explain(app).routes
    anyio.run(scene.serve, app)
    with counted_thread_trips() as trips:
        anyio.run(scene.serve, app)

    assert trips.count == route.trips
