"""CONTRIBUTING shows the tree as it is, and every file says what it is for."""

import pytest

from tests.packaging.tree import CONTRIBUTING, parts, tree

pytestmark = pytest.mark.skipif(
    not CONTRIBUTING.exists(), reason="the sources are not beside the tests here"
)


def test_contributing_shows_the_tree_as_it_is() -> None:
    written = parts()[1]
    assert written == tree(), "run `python -m tests.packaging.tree`"
