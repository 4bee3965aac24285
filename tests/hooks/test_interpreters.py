"""Several interpreters in a process: where pydantic lets itself be imported, all of it works."""

import pytest

from tests.hooks.conftest import Run, of_variant
from tests.hooks.test_copies import VARIANTS
from tests.support import interpreters
from tests.support.interpreters import ORDERS
from tests.support.serving import expected_backend


@pytest.mark.slow
@pytest.mark.parametrize("kind", VARIANTS if expected_backend() == "compiled" else VARIANTS[:2])
@pytest.mark.parametrize("order", ORDERS)
def test_another_interpreter_answers_or_cannot_import_pydantic(
    kind: str, order: str, run: Run
) -> None:
    finished = run(
        f"from {interpreters.__name__} import *; run_in_several({kind!r}, {order!r})",
        **of_variant(kind),
    )
    assert finished.returncode == 0, finished.stderr
    said = finished.stdout.splitlines()
    assert len(said) == len(ORDERS[order])
    assert all(each == "nothing" or "interpreter" in each for each in said), said
    assert said[0] == "nothing" or order == "own first"
