"""Customers of the shop, for locust; `docs/deployment.md` has the command.

locust -f benchmarks/deployment/locustfile.py --headless -u 50 -r 10 -t 1m --host http://127.0.0.1:8000
"""

import sys
from random import choice, randrange
from typing import Any
from urllib.request import urlopen

from locust import FastHttpUser, between, events, task
from locust.env import Environment

PASSWORD = "a long password"  # of the accounts that `create-tables` makes


@events.init.add_listener
def find_shop(environment: Environment, **_: Any) -> None:
    """End at once, with 1, where there is no shop."""
    try:
        urlopen(f"{environment.host}/alive", timeout=60).close()
    except (OSError, ValueError) as error:
        print(f"locust: no shop at --host {environment.host}: {error}", file=sys.stderr)
        sys.exit(1)


class Customer(FastHttpUser):
    """Logs in once, looks around, and now and then writes."""

    wait_time = between(0.05, 0.2)

    def on_start(self) -> None:
        """Log in."""
        form = {"username": "ada", "password": PASSWORD}
        with self.client.post("/token", data=form, catch_response=True) as answer:
            self.headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    @task(10)
    def look_at_currencies(self) -> None:
        """In memory."""
        self.client.get("/currencies?name=e", name="/currencies")

    @task(10)
    def search(self) -> None:
        """Lists, by both drivers."""
        driver = choice(("psycopg", "asyncpg"))
        query = f"name={randrange(10)}&order=price&limit=5"
        self.client.get(f"/{driver}/items?{query}", name=f"/{driver}/items")

    @task(10)
    def look_at_one(self) -> None:
        """One item, by all drivers."""
        driver = choice(("psycopg", "psycopg2", "asyncpg", "sqlalchemy-async"))
        self.client.get(f"/{driver}/items/{randrange(1, 500)}", name=f"/{driver}/items/N")

    @task(5)
    def look_at_own(self) -> None:
        """Session, current user, `def` endpoint."""
        self.client.get("/sqlalchemy/items?limit=5", headers=self.headers)

    @task(3)
    def write(self) -> None:
        """Create two items and put them together."""
        item = {"name": "by locust", "price_cents": 10}
        kept, other = (
            self.client.post("/asyncpg/items", json=item, headers=self.headers).json()["id"]
            for _ in range(2)
        )
        self.client.post(
            f"/asyncpg/items/{kept}/absorb/{other}",
            headers=self.headers,
            name="/asyncpg/items/N/absorb/M",
        )

    @task(2)
    def read_report(self) -> None:
        """A transform in a thread after a query."""
        self.client.get("/reports/prices")
