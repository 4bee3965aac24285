"""What an application does while something goes wrong, and what goes wrong in it."""

from __future__ import annotations

import asyncio
import queue
import re
import sys
import threading
import traceback
from collections.abc import Callable
from contextvars import ContextVar
from types import FrameType

from fastapi import HTTPException
from fastapi.exceptions import RequestValidationError

from tests.random_trees.description import Description
from tests.random_trees.oracle import is_inline
from tests.random_trees.recorder import EXCEPTIONS, Recorder

#: What is raised. No GeneratorExit: where one comes from a thread, asyncio closes the coroutines
#: that wait for it, and stock leaves cancel scopes behind that break the next request.
FAILURES: dict[str, Callable[[], BaseException]] = {
    **EXCEPTIONS,
    "KeyboardInterrupt": lambda: KeyboardInterrupt("planned"),
    "SystemExit": lambda: SystemExit("planned"),
    "BaseExceptionGroup": lambda: BaseExceptionGroup(
        "planned", [GeneratorExit(1), ExceptionGroup("inner", [HTTPException(409), ValueError(2)])]
    ),
    "InvalidRequest": lambda: RequestValidationError([], body={"a": 1}),
}

#: And how: as it is, while another one is handled, from another one, the one that is being handled
#: once more, the one that others of the request raise as well.
WAYS = ("", "handling", "from", "again", "shared")

_set_by: ContextVar[str] = ContextVar("_set_by", default="nobody")

#: Seconds that a call in a thread waits at most until it is let go.
_PATIENCE = 10


def _inline_names(description: Description) -> set[str]:
    """List who runs inline: what one of these sets in the context, the rest of the request sees."""
    found = {"task_safe"}
    if description.settings.predicate == "all":
        found.add("task_sync")
    nodes = {f"n{index}": (node, index) for index, node in enumerate(description.nodes)}
    for name, (node, index) in nodes.items():
        if node.flavour in ("sync", "gen") and is_inline(description, node, index):
            found.add(name)
    endpoint = description.endpoint.node
    if endpoint.flavour in ("sync", "gen") and is_inline(description, endpoint, None):
        found.add("endpoint")
    return found


class FaultRecorder(Recorder):
    """Tells more of exceptions and of the context, and lets go wrong what is planned.

    Parameters:
        description: of the application.
    """

    def __init__(self, description: Description) -> None:
        self._inline = _inline_names(description)
        #: Who exits where it handles what it was left with.
        self._handling = {
            f"n{index}"
            for index, node in enumerate(description.nodes)
            if node.exit in ("finally", "reraise")
        }
        self._lock = threading.Lock()
        super().__init__()

    def start(self, failures: tuple[tuple[str, str, str], ...]) -> None:
        """Forget the last request."""
        super().start(failures)
        #: What is called at each await; may cancel the request.
        self.at_await: Callable[[int], None] = lambda number: None
        #: At which call in a thread the thread waits; who waits for it is told by `reached`.
        self.stops_at: int | None = None
        self.reached = asyncio.Event()
        self.let_go = threading.Event()
        self.awaits = self.in_threads = 0
        self._stopped: int | None = None
        self._numbered: list[BaseException] = []
        self._shared: BaseException | None = None
        self._loop = asyncio.get_running_loop() if _is_running() else None

    def record(self, kind: str, who: str, detail: str) -> None:
        """Add an event, and who set the context variable."""
        super().record(kind, who, f"{detail} [{_set_by.get()}]")
        if kind in ("validate", "factory"):
            return
        if who not in self._inline:
            _set_by.set(f"{kind} of {who}")
        if threading.get_ident() != self.loop_thread:
            with self._lock:
                number, self.in_threads = self.in_threads, self.in_threads + 1
            if number == self.stops_at and self._loop is not None:
                self._stopped = threading.get_ident()
                self._loop.call_soon_threadsafe(self.reached.set)
                assert self.let_go.wait(_PATIENCE)

    async def until_idle(self) -> None:
        """Wait until the thread that was stopped waits for its next call."""
        while self._stopped is not None:
            frame = sys._current_frames().get(self._stopped)
            while frame is not None and frame.f_code.co_filename != queue.__file__:
                frame = frame.f_back
            if frame is not None:
                return
            await asyncio.sleep(0.001)

    async def pause(self, who: str) -> None:
        """Be suspended, and cancelled if that is planned."""
        self.record("pause", who, "")
        number, self.awaits = self.awaits, self.awaits + 1
        self.at_await(number)
        await asyncio.sleep(0)

    def caught(self, who: str, exc: BaseException) -> None:
        """Record the exception that a `yield` dependency was given."""
        if _is_collected(exc):
            raise exc
        self.record("caught", who, self.told(exc))

    def exit(self, who: str) -> None:
        """Record the exit of a `yield` dependency, and what is handled there."""
        handled = self._handled(who, sys._getframe(1))
        if _is_collected(handled):
            return
        self.record("exit", who, self.told(handled))
        self.fail(who, "exit")

    def fail(self, who: str, phase: str) -> None:
        """Raise what was planned for `who` in `phase`, in the way that was planned."""
        planned = self.failures.get((who, phase))
        if planned is None:
            return
        name, _, way = planned.partition(" ")
        error = FAILURES[name]()
        if way == "handling":
            try:
                raise LookupError("handled")
            except LookupError:
                raise error  # noqa: B904
        if way == "from":
            raise error from LookupError("the cause")
        if way == "again":
            handled = self._handled(who, sys._getframe(2 if phase == "exit" else 1))
            raise error if handled is None else handled
        if way == "shared":
            self._shared = self._shared or error
            raise self._shared
        raise error

    def show_exception(self, exc: BaseException | None, depth: int = 0) -> str:
        """Describe an exception; of anyio's cancellations not which task's they are."""
        if isinstance(exc, asyncio.CancelledError) and str(exc).startswith("Cancelled via"):
            return "CancelledError of a scope"
        return super().show_exception(exc, depth)

    def told(self, exc: BaseException | None) -> str:
        """Tell an exception by its identity, with its causes and contexts."""
        seen: list[BaseException] = []

        def tell(each: BaseException | None) -> str:
            if each is None:
                return "-"
            name = f"#{self._number(each)}"
            if any(each is other for other in seen):
                return name
            seen.append(each)
            text = f"{name} {self.show_exception(each, depth=8)}"
            if each.__cause__ is not None:
                text += f" from ({tell(each.__cause__)})"
            if each.__context__ is not each.__cause__:
                text += f" in ({tell(each.__context__)})"
            return text + (" suppressed" if each.__suppress_context__ else "")

        return without_addresses(tell(exc))

    def _handled(self, who: str, frame: FrameType) -> BaseException | None:
        """Give what is handled in a frame.

        What runs inline on the event loop has among what is handled also what FastAPI handles
        further out while it leaves its contexts; in a thread it has not.
        """
        handled = sys.exception()
        if handled is None or who not in self._inline:
            return handled
        if who not in self._handling:
            return None
        frames = (each for each, _ in traceback.walk_tb(handled.__traceback__))
        return handled if any(each is frame for each in frames) else None

    def _number(self, exc: BaseException) -> int:
        with self._lock:
            for number, other in enumerate(self._numbered):
                if other is exc:
                    return number
            self._numbered.append(exc)
            return len(self._numbered) - 1


def without_addresses(text: str) -> str:
    """Leave out where something is in memory, which differs from run to run."""
    return re.sub(r"(0x|Task-)[0-9a-f]+", r"\1...", text)


def _is_running() -> bool:
    return asyncio._get_running_loop() is not None


def _is_collected(exc: BaseException | None) -> bool:
    # Nobody leaves a context whose request was cancelled while it was entered.
    return isinstance(exc, GeneratorExit) and not exc.args
