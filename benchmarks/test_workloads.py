"""The workloads on pytest-benchmark: `pytest benchmarks --benchmark-enable -k "W2 and request"`.

For a look at one workload while changing code. Figures to quote come from `python -m benchmarks`,
which takes its contenders in turn and gives each a process of its own.
"""

from collections.abc import Iterable

import pytest
from _pytest.mark import ParameterSet

from benchmarks.conftest import Time
from benchmarks.runs.calls import Level
from benchmarks.subjects.workloads import WORKLOADS, Variant, Workload
from fastapi_async_safe import resolver_backend

pytestmark = pytest.mark.slow

PAIRS = [
    (workload, variant)
    for workload in WORKLOADS.values()
    for variant in workload.variants()
    if variant is not Variant.COMPILED or resolver_backend() == "compiled"
]


def named(pairs: Iterable[tuple[Workload, Variant]]) -> list[ParameterSet]:
    return [pytest.param(w.name, variant, id=f"{w.name}-{variant}") for w, variant in pairs]


REQUESTS = named(PAIRS)
SOLVES = named((w, v) for w, v in PAIRS if v is not Variant.BY_HAND or w.extract)


@pytest.mark.parametrize(("workload", "variant"), REQUESTS)
def test_request(time: Time, workload: str, variant: Variant) -> None:
    time(workload, variant, Level.REQUEST)


@pytest.mark.parametrize(("workload", "variant"), SOLVES)
def test_solve(time: Time, workload: str, variant: Variant) -> None:
    time(workload, variant, Level.SOLVE)
