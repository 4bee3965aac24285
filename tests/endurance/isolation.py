"""Requests at once that must not get each other's values: `python -m tests.endurance.isolation`.

Each request carries one number in its path, query, headers, cookies and body, and dependencies of
every kind hand it on. An event loop runs what is ready in a random order, so that requests change
places at every `await`. Several such loops run in threads of their own, while another thread adds
routes, changes overrides and calls `init_app` again. Each answer must have its own number only.
"""

import argparse
import asyncio
import json
import random
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import BackgroundTasks, Body, Cookie, Depends, FastAPI, Header, Request, Response

from benchmarks.subjects.client import ClientRequest
from benchmarks.subjects.client import call as call_app
from fastapi_async_safe import async_safe, init_app, resolver_backend

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


def application(*, threads: bool) -> FastAPI:
    """Make the application.

    Parameters:
        threads: some of its dependencies run in the thread pool.
    """
    app = FastAPI()
    slow = opened_in_threads if threads else opened

    @app.post("/{path}")
    async def endpoint(
        path: int,
        headers: Annotated[FromHeaders, Depends()],
        first: Annotated[int, Depends(opened)],
        second: Annotated[int, Depends(opened_later)],
        third: Annotated[Any, Depends(slow)],
        fourth: Annotated[list[int], Depends(from_body)],
        fifth: Annotated[int, Depends(overridden)],
        background: BackgroundTasks,
    ) -> list[Any]:
        background.add_task(change_places, path)
        return [path, *headers.numbers, first, second, third, *fourth, fifth]

    return app


def numbers_in(found: Any) -> Iterator[int]:
    """Give all numbers in lists of lists."""
    if isinstance(found, list):
        for each in found:
            yield from numbers_in(each)
    else:
        yield found


async def ask(app: FastAPI, number: int) -> None:
    """Make one request, and see that its answer has its own number only."""
    request = ClientRequest(
        f"/{number}",
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
    """What another thread does to the application meanwhile."""

    app: FastAPI
    initialise: Callable[[FastAPI], Any]
    count: int = 0

    def run(self, done: threading.Event) -> None:
        """Go on until it is done."""
        while not done.is_set():
            self.count += 1
            self.app.dependency_overrides[overridden] = instead
            self.initialise(self.app)
            if self.count < 200:  # each request looks through all routes
                self.app.add_api_route(f"/extra/{self.count}", awaited)
            time.sleep(0.01)
            self.app.dependency_overrides.pop(overridden)
            time.sleep(0.01)


def ask_in_threads(changes: Changes, requests: int, *, loops: int, seed: int) -> None:
    """Make requests in several loops, each in a thread, while the application changes.

    Raises:
        AssertionError: an answer is not that of its request.
    """
    wrong: list[BaseException] = []
    done = threading.Event()

    def run(first: int) -> None:
        try:
            ask_all(changes.app, range(first, first + requests), seed=seed + first, at_once=100)
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

        def initialise(app: FastAPI, core: str = core) -> FastAPI:
            return init_app(app, accelerated=core == "compiled")

        started = time.perf_counter()
        for threads in (False, True):
            app = initialise(application(threads=threads))
            ask_all(app, range(each // 2), seed=given.seed)
        print(f"{core}: {each} requests, {AT_ONCE} at once in a random order: each its own answer")
        changes = Changes(initialise(application(threads=False)), initialise)
        ask_in_threads(changes, each // 8, loops=8, seed=given.seed)
        print(
            f"{core}: {each} requests in 8 threads, {changes.count} changes of the application "
            f"meanwhile: each its own answer; {time.perf_counter() - started:.0f} s"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
