"""One variant in a process of its own: `python -m fastapi_async_safe._cli.benching.process`.

Each line on its standard input is a task as JSON, each line on its standard output an answer. What
the application prints goes to standard error.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO
from unittest.mock import patch

from anyio._backends import _asyncio

from ..app_loading import load_app
from ..bad_input import AppError, BadInputError
from ..in_process import Response, first_responses, run, send, started
from ..profiling.advice import Verdict
from ..profiling.session import profile
from ..requests_given import GivenRequest
from .variants import Variant, is_initialised, make_variant

# A block of requests takes about so many seconds.
_BLOCK = 0.01


class _Trips:
    """How many calls were handed to a thread by anyio, under whatever name."""

    def __init__(self) -> None:
        self.count = 0

    @contextmanager
    def counted(self) -> Iterator[None]:
        backend = _asyncio.AsyncIOBackend
        run_sync = backend.run_sync_in_worker_thread

        async def counting(*args: Any, **kwargs: Any) -> Any:
            self.count += 1
            return await run_sync(*args, **kwargs)

        with patch.object(backend, "run_sync_in_worker_thread", counting):
            yield


async def _serve(app: Any, requests: list[GivenRequest], answers: TextIO) -> None:
    async with started(app) as running:
        responses = await first_responses(running, requests)
        trips = []
        counts = []
        for request in requests:
            counted = _Trips()
            with counted.counted():
                await send(running, request)
            trips.append(counted.count)
            counts.append(max(1, int(_BLOCK / await _seconds(running, request, 2))))
        gc.collect()
        gc.freeze()
        described = {
            "responses": [_told(each) for each in responses],
            "trips": trips,
            "is_initialised": is_initialised(app),
        }
        _answer(answers, described)
        # NOTE: waiting for the next task blocks the event loop, on which nothing else is to run.
        for line in sys.stdin:
            index = json.loads(line)
            seconds = await _seconds(running, requests[index], counts[index])
            _answer(answers, seconds)


async def _seconds(app: Any, request: GivenRequest, count: int) -> float:
    begin = time.perf_counter()
    for _ in range(count):
        await send(app, request)
    return (time.perf_counter() - begin) / count


async def _profile(app: Any, requests: list[GivenRequest], rounds: int, answers: TextIO) -> None:
    found = await profile(app, requests, rounds=rounds)
    places = [each.measured.definition for each in found if each.verdict is Verdict.MARK]
    _answer(answers, [(each.name, each.file, each.line) for each in places])


def _told(response: Response) -> dict[str, Any]:
    return {
        "status": response.status,
        "headers": response.headers,
        "body": response.body.decode("latin-1"),
    }


def _answer(answers: TextIO, answer: Any) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


def _main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    task = json.loads(sys.stdin.readline())
    requests = [
        GivenRequest(
            method=each["method"],
            path=each["path"],
            query=each["query"],
            headers=tuple((name, value) for name, value in each["headers"]),
            body=each["body"].encode("latin-1"),
        )
        for each in task["requests"]
    ]
    try:
        app = load_app(task["app"])
        if task["variant"] == "profile":
            run(_profile(app, requests, task["rounds"], answers))
        else:
            recommended = [(name, file, line) for name, file, line in task["recommended"]]
            make_variant(app, Variant(task["variant"]), recommended)
            run(_serve(app, requests, answers))
    except BadInputError as error:
        _answer(answers, {"bad_input": str(error)})
    except AppError as error:
        _answer(answers, {"app_error": str(error)})


if __name__ == "__main__":
    _main()
