"""What an exception carries with it."""

from typing import Any


def told(error: BaseException | None, depth: int = 0) -> Any:
    """Tell an exception with its contexts and causes."""
    if error is None or depth > 12:
        return None
    return (
        repr(error),
        told(error.__context__, depth + 1),
        told(error.__cause__, depth + 1),
        error.__suppress_context__,
    )
