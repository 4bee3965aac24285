"""One request in which something goes wrong, and all that can be seen of it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
import warnings
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import anyio

from tests.random_trees.driver import TIME_LIMIT, Client, Message, Request, scope_of
from tests.random_trees.variants import Application, show_message

from .planned import Counts, Fault
from .recording import FaultRecorder, without_addresses

#: Seconds after which a cancelled task counts as one that waits for its thread.
_SETTLED = 1.0


@dataclass(frozen=True)
class Outcome:
    """All that can be seen of one request."""

    messages: tuple[str, ...]
    error: str
    events: tuple[str, ...]

    def lines(self) -> list[str]:
        """Show it."""
        return [*self.events, *self.messages, f"error: {self.error}"]


class LeavingClient(Client):
    """A client that leaves when that is planned."""

    def __init__(self, request: Request, fault: Fault, recorder: FaultRecorder) -> None:
        super().__init__(request)
        self.received = self.sent = 0
        self._fault = fault
        self._recorder = recorder
        self._is_gone = False
        self._left = asyncio.Event()
        self._farewell: Message = {"type": "http.disconnect"}
        if request.websocket:
            self._farewell = {"type": "websocket.disconnect", "code": 1006, "reason": "gone"}

    async def receive(self) -> Message:
        """Give the next message to the application."""
        await self._recorder.pause("receive")
        if self.received == self._fault.leaves_at:
            self._is_gone = True
        self.received += 1
        if self._is_gone:
            return self._farewell
        if self._fault.leaves_after is not None and self.incoming[0]["type"] == "http.disconnect":
            await self._left.wait()
            return self._farewell
        return await super().receive()

    async def send(self, message: Message) -> None:
        """Take a message of the application's."""
        await self._recorder.pause("send")
        number, self.sent = self.sent, self.sent + 1
        if self._fault.gone_at is not None and number >= self._fault.gone_at:
            raise OSError("nobody is there")
        await super().send(message)
        if number == self._fault.leaves_after:
            self._left.set()
            for _ in range(6):  # so that whoever waits for it acts before the next message
                await asyncio.sleep(0)


class _Serving:
    """One request under way."""

    def __init__(self, application: Application, request: Request, fault: Fault) -> None:
        assert isinstance(application.recorder, FaultRecorder)
        self._recorder = application.recorder
        self._fault = fault
        self._app = application.app
        application.prepare(0, replace(request, failures=fault.failures))
        self.client = LeavingClient(request, fault, self._recorder)
        self._scope = scope_of(request)
        if fault.leaves_after is not None:
            self._scope["asgi"]["spec_version"] = "2.0"
        self._cancel_scope = anyio.CancelScope()
        self._recorder.stops_at = fault.in_thread
        if fault.at:
            self._recorder.at_await = self._cancel_at
        self.error = ""

    def _cancel_at(self, number: int) -> None:
        if number in self._fault.at:
            self._cancel()

    def _cancel(self) -> None:
        if self._fault.cancelled == "scope":
            self._cancel_scope.cancel()
        else:
            self._task.cancel("planned")

    async def _run(self) -> None:
        try:
            with self._cancel_scope:
                await self._app(self._scope, self.client.receive, self.client.send)
        except BaseException as error:
            self.error = self._recorder.told(error)
        task = asyncio.current_task()
        if self._cancel_scope.cancelled_caught:
            self.error += " cancelled by its scope"
        if task is not None and task.cancelling():
            self.error += f" cancelled {task.cancelling()} times"

    async def outcome(self) -> Outcome:
        """Serve it, and give what could be seen."""
        recorder = self._recorder
        self._task = asyncio.ensure_future(self._run())
        if self._fault.in_thread is not None:
            await self._cancel_in_thread()
        done, _ = await asyncio.wait([self._task], timeout=TIME_LIMIT)
        if not done:
            self._task.cancel()
            await asyncio.wait([self._task])
            self.error = "hangs"
        if self._fault.in_thread is not None:
            await recorder.until_idle()
        messages = tuple(map(show_message, self.client.outgoing))
        events = tuple(f"{each.kind} {each.who} {each.detail}" for each in recorder.finish())
        return Outcome(messages, self.error, tuple(map(without_addresses, events)))

    async def _cancel_in_thread(self) -> None:
        recorder = self._recorder
        reached = asyncio.ensure_future(recorder.reached.wait())
        await asyncio.wait(
            [reached, self._task], timeout=TIME_LIMIT, return_when=asyncio.FIRST_COMPLETED
        )
        reached.cancel()
        self._cancel()
        if self._fault.cancelled == "task":
            # It goes on to leave its contexts beside the call, which is not waited for.
            await asyncio.wait([self._task], timeout=_SETTLED)
        recorder.let_go.set()


async def serve(application: Application, request: Request, fault: Fault) -> Outcome:
    """Make a request in which something goes wrong."""
    return await _Serving(application, request, fault).outcome()


async def counted(application: Application, request: Request) -> Counts:
    """Say what there is to go wrong in a request."""
    serving = _Serving(application, request, Fault())
    outcome = await serving.outcome()
    recorder: Any = application.recorder
    return Counts(
        len(outcome.events),
        recorder.awaits,
        recorder.in_threads,
        serving.client.received,
        serving.client.sent,
    )


@contextlib.asynccontextmanager
async def left_behind() -> AsyncIterator[list[str]]:
    """Give a list that has in the end what was never awaited, retrieved or raised."""
    found: list[str] = []
    loop = asyncio.get_running_loop()

    def unraisable(unraised: Any) -> None:
        found.append(f"unraisable {unraised.err_msg} {unraised.exc_value!r}")

    def handler(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        found.append(f"{context['message']} {context.get('exception')!r}")

    hook, sys.unraisablehook = sys.unraisablehook, unraisable
    before = loop.get_exception_handler()
    loop.set_exception_handler(handler)
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("ignore")
            warnings.simplefilter("always", ResourceWarning)
            warnings.filterwarnings("always", "coroutine|async", RuntimeWarning)
            yield found
            gc.collect()
            for _ in range(3):
                await asyncio.sleep(0)  # what was collected is closed by the loop
        found += [f"{each.category.__name__} {each.message}" for each in warned]
        found[:] = sorted(map(without_addresses, found))
    finally:
        sys.unraisablehook = hook
        loop.set_exception_handler(before)
