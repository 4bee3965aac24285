"""The environment variables of the package: each says yes or no, and nonsense is refused."""

from __future__ import annotations

import os

DISABLE = "FASTAPI_ASYNC_SAFE_DISABLE"
NO_EXTENSIONS = "FASTAPI_ASYNC_SAFE_NO_EXTENSIONS"
REQUIRE_EXTENSIONS = "FASTAPI_ASYNC_SAFE_REQUIRE_EXTENSIONS"


def is_set(variable: str) -> bool:
    """Say whether an environment variable says yes.

    Raises:
        ImportError: it says neither yes nor no; the package reads it when it is imported.
    """
    value = os.environ.get(variable, "").strip().lower()
    if value in ("", "0", "false", "no", "off"):
        return False
    if value in ("1", "true", "yes", "on"):
        return True
    raise ImportError(f"{variable} must be 1 or 0, not {value!r}")
