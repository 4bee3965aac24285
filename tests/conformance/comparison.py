"""What differs between two runs of a suite, and which differences are explained."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from packaging.specifiers import SpecifierSet

from .session import Session

ABSENT = "absent"
_EXPLAINED = Path(__file__).with_name("explained.toml")


@dataclass(frozen=True)
class Difference:
    """A test whose outcome is not stock's."""

    test: str
    stock: str
    accelerated: str
    message: str  # of what went wrong where it is accelerated, else on stock


@dataclass(frozen=True)
class Explanation:
    """Why a test differs where more than the suite's own async code runs inline."""

    reason: str
    message: re.Pattern[str]  # of the error, by which it fails for that reason and no other

    def covers(self, difference: Difference) -> bool:
        """Say whether a test that passed on stock failed as explained."""
        failed = (difference.stock, difference.accelerated) == ("passed", "failed")
        return failed and self.message.search(difference.message) is not None


def differences(stock: Session, accelerated: Session) -> dict[str, Difference]:
    """Compare two runs test by test.

    Returns:
        The difference by node id, in stock's order; a test that one side lacks is one.
    """
    found: dict[str, Difference] = {}
    for test in {**stock.outcomes, **accelerated.outcomes}:
        here, there = (run.outcomes.get(test, ABSENT) for run in (stock, accelerated))
        if here != there:
            message = accelerated.messages.get(test) or stock.messages.get(test, "")
            found[test] = Difference(test, here, there, message)
    return found


def explained(version: str, policy: str) -> dict[str, Explanation]:
    """Read which tests assert on threads, and so differ where sync callables run inline.

    Parameters:
        version: of FastAPI; entries for other versions are left out.
        policy: that of the mode; entries for others are left out.

    Returns:
        The explanation by node id.
    """
    listed = tomllib.loads(_EXPLAINED.read_text(encoding="utf-8"))["difference"]
    return {
        test: Explanation(entry["reason"], re.compile(entry["message"]))
        for entry in listed
        if policy in entry["policies"]
        and SpecifierSet(entry["fastapi"]).contains(version, prereleases=True)
        for test in entry["tests"]
    }
