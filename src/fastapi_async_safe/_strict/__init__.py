"""Strict tests: which inline calls block or take too long, and which the tests have made."""
