"""What is left of applications that come and go: `python -m tests.endurance.rebuilding`.

Applications are made, asked and dropped, one gets routes and loses them, and one is initialised
again and again. What remains is no more than what stock FastAPI keeps.
Each is measured in a process of its own.
"""

import argparse
import asyncio
import json
import logging
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.dependencies import models

from benchmarks.subjects.client import ClientRequest
from benchmarks.subjects.client import call as call_app
from fastapi_async_safe import init_app, resolver_backend
from tests.support.serving import forget_endpoints

from .leaving import KINDS, Value
from .measuring import Kept, classes_of, look, measured_apart, say

# At least: the memory of a process settles late.
WARM = 20

Init = Callable[[FastAPI], FastAPI]


def router() -> APIRouter:
    """Make a router with a route for each kind of dependency, whose functions are its own."""
    made = APIRouter()
    for number, kind in enumerate(KINDS.values()):
        dependency = kind("value")

        async def endpoint(value: Annotated[Any, Depends(dependency)]) -> int:
            return isinstance(value, Value)

        made.add_api_route(f"/{number}", endpoint, methods=["POST"])
    return made


def ask(app: FastAPI) -> None:
    """Ask each route."""

    headers = {"content-type": "application/json"}

    async def ask_each() -> None:
        for number in range(len(KINDS)):
            request = ClientRequest(f"/{number}", method="POST", headers=headers, body=b"{}")
            answer = await call_app(app, request)
            assert answer.status == 200, answer

    asyncio.run(ask_each())


def applications(init: Init) -> Callable[[], None]:
    """Make applications and drop them."""

    def again() -> None:
        app = FastAPI()
        app.include_router(router())
        ask(init(app))

    return again


def routes(init: Init) -> Callable[[], None]:
    """Give one application routes, and take them away again."""
    app = init(FastAPI())
    count = len(app.router.routes)

    def again() -> None:
        # NOTE: of a router that was included FastAPI keeps the lifespan, and so all of it.
        app.router.routes += router().routes
        ask(app)
        del app.router.routes[count:]

    return again


def initialising(init: Init) -> Callable[[], None]:
    """Initialise one application again and again."""
    app = FastAPI()
    app.include_router(router())

    def again() -> None:
        ask(init(app))

    return again


KINDS_OF_CHANGE = {"applications": applications, "routes": routes, "init_app": initialising}


def forget_callables() -> None:
    """Make FastAPI forget the callables that it keeps up to a number."""
    forget_endpoints()
    for each in vars(models).values():
        if hasattr(each, "cache_clear"):
            each.cache_clear()


def measure(core: str, change: str, times: int) -> Kept:
    """Say what so many changes left behind, in this process."""

    def init(app: FastAPI) -> FastAPI:
        return app if core == "stock" else init_app(app, accelerated=core == "compiled")

    again = KINDS_OF_CHANGE[change](init)
    classes = classes_of(core)
    for _ in range(max(WARM, times // 5)):
        again()
    forget_callables()
    before = look(classes)
    for _ in range(times):
        again()
    forget_callables()
    return look(classes) - before


def run(core: str, change: str, times: int) -> Kept:
    """Measure in a process of its own."""
    arguments = ["--core", core, "--change", change, "--times", str(times)]
    return Kept(**measured_apart(__spec__.name, *arguments, seconds=120 + times))


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--core", action="append", choices=["stock", "python", "compiled"])
    parser.add_argument("--change", action="append", choices=list(KINDS_OF_CHANGE))
    parser.add_argument("--times", type=int, default=1000, help="of each change (%(default)s)")
    parser.add_argument("--json", action="store_true", help="of one of each, in this process")
    given = parser.parse_args()
    cores = ["compiled", "python"] if resolver_backend() == "compiled" else ["python"]
    changes = given.change or list(KINDS_OF_CHANGE)
    if given.json:
        logging.disable()
        print(json.dumps(asdict(measure(given.core[0], changes[0], given.times))))
        return 0
    leaks = 0
    for change in changes:
        stock = run("stock", change, given.times)
        print(f"     stock, {change}: {stock}", flush=True)
        for core in given.core or cores:
            more = run(core, change, given.times) - stock
            leaks += say(f"{core}, {change}, more", more)
    print(f"{leaks} leaks; {given.times} changes of each kind")
    return 1 if leaks else 0


if __name__ == "__main__":
    sys.exit(main())
