"""A client of a shop that is served."""

import time
from collections.abc import Callable
from typing import Any, Self

import httpx

from benchmarks.apps.production.tables import DEMO_PASSWORD
from benchmarks.deployment.servers import PATIENCE, Running


def eventually(true: Callable[[], object], seconds: float = PATIENCE) -> bool:
    """Wait until something is so, and say whether it came to be."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.05)
    return False


class Shop:
    """One server, and a connection to it."""

    def __init__(self, running: Running) -> None:
        self.running = running
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{running.port}", timeout=PATIENCE, trust_env=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def token(self, account: str = "ada", scope: str = "") -> str:
        """Log in."""
        form = {"username": account, "password": DEMO_PASSWORD, "scope": scope}
        return str(self.client.post("/token", data=form).raise_for_status().json()["access_token"])

    def headers(self, account: str = "ada", scope: str = "") -> dict[str, str]:
        """Log in, and give the header that says so."""
        return {"Authorization": f"Bearer {self.token(account, scope)}"}

    def in_use(self) -> dict[str, Any]:
        """Say what of its pools is in use."""
        found: dict[str, Any] = self.client.get("/in-use").raise_for_status().json()
        return found

    def is_idle(self) -> bool:
        """Say whether every thread and every connection went back."""
        found = self.in_use()
        return not any(
            found[each]
            for each in ("threads", "connections", "async_connections", "orm_connections")
        )
