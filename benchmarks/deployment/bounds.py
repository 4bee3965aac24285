"""How long a measurement may take."""

import sys
import time
from collections.abc import Iterator


class OverTimeError(Exception):
    """It takes longer than it may; the message is one line that says what to leave out."""


class Bounds:
    """Some minutes, from now on.

    Parameters:
        minutes: how many.
    """

    def __init__(self, minutes: float) -> None:
        self._minutes = minutes
        self._end = time.monotonic() + minutes * 60

    def note(self, step: str) -> None:
        """Say on standard error what comes next.

        Raises:
            OverTimeError: there is no time left for it.
        """
        left = self._end - time.monotonic()
        if left < 0:
            raise OverTimeError(
                f"not done in {self._minutes:g} minutes, before {step}: "
                "give it more --minutes, or fewer --part"
            )
        print(f"[{left:4.0f} s left] {step}", file=sys.stderr, flush=True)

    def rounds(self, most: int) -> Iterator[None]:
        """Go through rounds: one at least, the others as long as there is time for one more."""
        longest = 0.0
        for turn in range(most):
            start = time.monotonic()
            if turn and start + longest > self._end:
                return
            yield
            longest = max(longest, time.monotonic() - start)
