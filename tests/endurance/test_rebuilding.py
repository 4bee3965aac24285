"""Of applications and routes that come and go no more is left than on stock."""

from dataclasses import replace

import pytest

from tests.support.serving import expected_backend

from .rebuilding import KINDS_OF_CHANGE, run

CORES = ["python"] if expected_backend() == "python" else ["python", "compiled"]


@pytest.mark.slow
@pytest.mark.parametrize("change", KINDS_OF_CHANGE)
def test_no_more_is_left_than_on_stock(change: str) -> None:
    stock = run("stock", change, 40)
    # NOTE: what two processes have of memory differs by more than 40 of these need.
    more = {core: replace(run(core, change, 40) - stock, kib=0) for core in CORES}
    assert {core: kept for core, kept in more.items() if not kept.is_nothing} == {}
