"""One session of measuring: the lifespan is run, each request is sent many times."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..in_process import first_responses, send, started
from ..requests_given import GivenRequest
from .advice import Advice, advise
from .calls import CallRecorder

# Of so many rounds one is traced, and the very first one.
_TRACED_EVERY = 4


async def profile(
    app: Any,
    requests: list[GivenRequest],
    *,
    rounds: int,
    progress: Callable[[], None] = lambda: None,
) -> list[Advice]:
    """Measure each sync callable that goes to a thread when these requests are answered.

    Parameters:
        app: it is as before afterwards, but for what the requests themselves have changed.
        requests: sent one after the other, round after round.
        rounds: how often each is sent.
        progress: called after each request.

    Raises:
        BadInputError: a request fails.
        AppError: the application could not start, or not stop.
    """
    recorder = CallRecorder()
    async with started(app) as running:
        with recorder.recording():
            for request in requests:
                recorder.begin_request(str(request), traced=True)
                await first_responses(running, [request])
                progress()
            for number in range(1, rounds):
                for request in requests:
                    recorder.begin_request(str(request), traced=number % _TRACED_EVERY == 0)
                    await send(running, request)
                    progress()
    return advise(list(recorder.measured.values()), rounds * len(requests))
