"""The page about proofs says what the code does."""

from tests.proof.page import PAGE, page


def test_the_page_is_current() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page(text) == text, "write it anew: python -m tests.proof.page"
