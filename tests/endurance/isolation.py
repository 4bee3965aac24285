"""Requests at once that must not get each other's values: `python -m tests.endurance.isolation`.

Each request carries one number in its path, query, headers, cookies and body, and dependencies of
every kind hand it on. They are those of one application, of one mounted in it and of a router, with
settings of their own, and of another application, to which some requests make one of their own. An
event loop runs what is ready in a random order, so that requests change places at every `await`.
Several such loops run in threads of their own, while another thread adds routes, changes overrides
and calls `init_app` again. Each answer must have its own number only.
"""

import argparse
import asyncio
import json
import random
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import (
    APIRouter,
    BackgroundTasks,
    Body,
    Cookie,
    Depends,
    FastAPI,
    Header,
    Request,
    Response,
)

from benchmarks.subjects.client import ClientRequest
from benchmarks.subjects.client import call as call_app
from fastapi_async_safe import async_safe, init_app, resolver_backend
from tests.support.serving import Init, Root

#: How many requests are under way at the same time in one loop.
AT_ONCE = 1000


class ShuffledLoop(asyncio.SelectorEventLoop):
    """An event loop that runs what is ready in a random order.

    Parameters:
        seed: of the order.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._order = random.Random(seed)

    def _run_once(self) -> None:
        ready: Any = self._ready  # type: ignore[attr-defined]
        # One by one: threads may add to them meanwhile.
        handles = [ready.popleft() for _ in range(len(ready))]
        self._order.shuffle(handles)
        ready.extend(handles)
        super()._run_once()  # type: ignore[misc]


async def change_places(number: int) -> None:
    """Let others run, now and then more than once."""
    for _ in range(number % 4):
        await asyncio.sleep(0)


@async_safe
def from_query(number: int) -> int:
    return number


@async_safe
class FromHeaders:
    def __init__(
        self, x_number: Annotated[int, Header()], cookie: Annotated[int, Cookie()]
    ) -> None:
        self.numbers = [x_number, cookie]


async def awaited(number: Annotated[int, Depends(from_query)]) -> int:
    await change_places(number)
    return number


@async_safe
def opened(number: Annotated[int, Depends(awaited)], response: Response) -> Iterator[int]:
    response.headers["x-opened"] = str(number)
    yield number


async def opened_later(number: Annotated[int, Depends(from_query)]) -> AsyncIterator[int]:
    await change_places(number + 1)
    yield number
    await change_places(number)


def in_a_thread(path: int, number: Annotated[int, Depends(from_query)]) -> list[int]:
    return [path, number]


def opened_in_threads(number: Annotated[list[int], Depends(in_a_thread)]) -> Iterator[list[int]]:
    yield number


async def from_body(body: Annotated[int, Body(embed=True)], request: Request) -> list[int]:
    await change_places(body)
    return [body, int(request.query_params["number"]), int(request.cookies["cookie"])]


@async_safe
def overridden(number: int) -> int:
    return number


@async_safe
def instead(number: Annotated[int, Depends(awaited)]) -> int:
    return number


@dataclass(frozen=True)
class Applications:
    """Applications that have their dependencies in common."""

    app: FastAPI
    mounted: FastAPI
    other: FastAPI


#: Below which paths the first of them has the endpoint.
PREFIXES = ("", "/mounted", "/plain", "/router")

#: From this number on requests make none of their own.
WITHIN = 10**9


def applications(initialise: Init, *, threads: bool) -> Applications:
    """Make the applications.

    Parameters:
        initialise: the applications and the router, with different settings.
        threads: some of their dependencies run in the thread pool.
    """
    made = Applications(FastAPI(), FastAPI(), FastAPI())
    plain, router = FastAPI(), APIRouter()
    slow = opened_in_threads if threads else opened

    async def within(number: Annotated[int, Depends(awaited)]) -> int:
        if number < WITHIN and number % 5 == 0:
            await ask(made.other, number + WITHIN)
        return number

    for each in (made.other, made.mounted, plain, router):
        _add_endpoint(each, slow, within)
    made.app.include_router(initialise(router, predicates=[_is_slow]), prefix="/router")
    made.app.mount("/mounted", initialise(made.mounted, one_trip=False))
    made.app.mount("/plain", plain)
    _add_endpoint(made.app, slow, within)
    initialise(made.other, all_classes_safe=True)
    initialise(made.app)
    return made


def _is_slow(call: Any) -> bool:
    return call in (in_a_thread, opened_in_threads)


def _add_endpoint(app: FastAPI | APIRouter, slow: Any, within: Any) -> None:
    @app.post("/{path}")
    async def endpoint(
        path: int,
        headers: Annotated[FromHeaders, Depends()],
        first: Annotated[int, Depends(opened)],
        second: Annotated[int, Depends(opened_later)],
        third: Annotated[Any, Depends(slow)],
        fourth: Annotated[list[int], Depends(from_body)],
        fifth: Annotated[int, Depends(overridden)],
        sixth: Annotated[int, Depends(within)],
        background: BackgroundTasks,
    ) -> list[Any]:
        background.add_task(change_places, path)
        return [path, *headers.numbers, first, second, third, *fourth, fifth, sixth]


def numbers_in(found: Any) -> Iterator[int]:
    """Give all numbers in lists of lists."""
    if isinstance(found, list):
        for each in found:
            yield from numbers_in(each)
    else:
        yield found


async def ask(app: FastAPI, number: int) -> None:
    """Make one request, and see that its answer has its own number only."""
    prefix = "" if number >= WITHIN else PREFIXES[number % len(PREFIXES)]
    request = ClientRequest(
        f"{prefix}/{number}",
        f"number={number}",
        method="POST",
        headers={
            "content-type": "application/json",
            "x-number": str(number),
            "cookie": f"cookie={number}",
        },
        body=b'{"body": %d}' % number,
    )
    answer = await call_app(app, request)
    found = list(numbers_in(json.loads(answer.body)))
    opened = dict(answer.headers).get(b"x-opened")
    assert answer.status == 200, (number, answer)
    assert set(found) == {number}, (number, found)
    assert opened == str(number).encode(), (number, answer.headers)


def ask_all(app: FastAPI, numbers: range, *, seed: int, at_once: int = AT_ONCE) -> None:
    """Make many requests in an event loop of their own, `at_once` of them at the same time."""

    async def all_of_them() -> None:
        for start in range(numbers.start, numbers.stop, at_once):
            some = range(start, min(start + at_once, numbers.stop))
            await asyncio.gather(*(ask(app, number) for number in some))

    with asyncio.Runner(loop_factory=lambda: ShuffledLoop(seed)) as runner:
        runner.run(all_of_them())


@dataclass
class Changes:
    """What another thread does to the applications meanwhile.

    Attributes:
        made: the applications.
        initialise: initialises them.
        pause: after each change, in seconds.
        count: how often all of it was changed and put back.
    """

    made: Applications
    initialise: Init
    pause: float = 0.01
    count: int = 0

    def run(self, done: threading.Event) -> None:
        """Go on until it is done."""
        while not done.is_set():
            self.count += 1
            for app in (self.made.app, self.made.mounted):
                app.dependency_overrides[overridden] = instead
                self.initialise(app, one_trip=self.count % 2 == 0)
                if self.count < 200:  # each request looks through all routes
                    app.add_api_route(f"/extra/{self.count}", awaited)
            time.sleep(self.pause)
            for app in (self.made.app, self.made.mounted):
                app.dependency_overrides.pop(overridden)
            time.sleep(self.pause)


def ask_in_threads(changes: Changes, requests: int, *, loops: int, seed: int) -> None:
    """Make requests in several loops, each in a thread, while the applications change.

    Raises:
        AssertionError: an answer is not that of its request.
    """
    wrong: list[BaseException] = []
    done = threading.Event()

    def run(first: int) -> None:
        try:
            ask_all(
                changes.made.app, range(first, first + requests), seed=seed + first, at_once=100
            )
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=run, args=(loop * requests,)) for loop in range(loops)]
    changing = threading.Thread(target=changes.run, args=(done,))
    for thread in (*threads, changing):
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    changing.join()
    if wrong:
        raise wrong[0]


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--requests", type=int, default=1_000_000, help="in all (%(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    cores = ["compiled", "python"] if resolver_backend() == "compiled" else ["python"]
    each = given.requests // len(cores) // 2
    for core in cores:

        def initialise(root: Root, core: str = core, **options: Any) -> Root:
            return init_app(root, accelerated=core == "compiled", **options)

        started = time.perf_counter()
        for threads in (False, True):
            made = applications(initialise, threads=threads)
            ask_all(made.app, range(each // 2), seed=given.seed)
        print(f"{core}: {each} requests, {AT_ONCE} at once in a random order: each its own answer")
        # After a change all plans are made anew: most requests shall find one.
        changes = Changes(applications(initialise, threads=False), initialise, pause=0.1)
        ask_in_threads(changes, each // 8, loops=8, seed=given.seed)
        print(
            f"{core}: {each} requests in 8 threads, {changes.count} changes of the applications "
            f"meanwhile: each its own answer; {time.perf_counter() - started:.0f} s"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
