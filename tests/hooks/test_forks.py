"""Processes that are forked before and after the first request, and while threads make plans."""

import asyncio
import faulthandler
import os
import signal
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI

from fastapi_async_safe import _locks, async_safe, init_app
from tests.hooks.conftest import Run, of_variant
from tests.hooks.test_copies import VARIANTS
from tests.support.serving import Exchange, exchange, expected_backend

EXPECTED = [b"4", b"4"]


def make_app() -> FastAPI:
    """Make an application with dependencies of all kinds, of which each adds one."""
    app = FastAPI()

    @async_safe
    def inline(start: int) -> Iterator[int]:
        yield start + 1

    def in_thread(value: Annotated[int, Depends(inline)]) -> Iterator[int]:
        yield value + 1

    async def awaited(value: Annotated[int, Depends(in_thread)]) -> int:
        return value + 1

    @app.get("/")
    def endpoint(value: Annotated[int, Depends(awaited)]) -> int:
        return value

    @app.get("/inline")
    @async_safe
    def inline_endpoint(value: Annotated[int, Depends(awaited)]) -> int:
        return value

    return app


def ask(app: FastAPI) -> list[bytes]:
    return [exchange(app, path, query=b"start=1").body for path in ("/", "/inline")]


def forked(work: Callable[[], list[bytes]]) -> bool:
    """Say whether a forked process gets the answers."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] == 0
    faulthandler.dump_traceback_later(60, exit=True)
    try:
        os._exit(work() != EXPECTED)
    except BaseException:
        traceback.print_exc()
        os._exit(2)


def run_forks(variant: str) -> None:
    """Fork at all times."""
    warnings.simplefilter("ignore", DeprecationWarning)  # that there are threads

    def init(app: FastAPI) -> FastAPI:
        return app if variant == "stock" else init_app(app, accelerated=variant == "compiled")

    app = init(make_app())
    assert forked(lambda: ask(app))
    assert ask(app) == EXPECTED
    assert forked(lambda: ask(app))
    assert forked(lambda: ask(init(make_app())))
    assert ask(app) == EXPECTED

    def in_a_thread() -> list[bytes]:
        found: list[bytes] = []
        thread = threading.Thread(target=lambda: found.extend(ask(app)))
        thread.start()
        thread.join()
        return found

    async def within_a_loop() -> None:
        for path in ("/", "/inline"):
            assert (await Exchange(path, query=b"start=1").run(app)).body == b"4"
        assert forked(in_a_thread)

    asyncio.run(within_a_loop())

    done = threading.Event()

    def plan() -> None:
        while not done.is_set():
            ask(init(make_app()))

    threads = [threading.Thread(target=plan) for _ in range(2)]
    for thread in threads:
        thread.start()
    found: list[Any] = [forked(lambda: ask(init(make_app()))) for _ in range(2)]
    done.set()
    for thread in threads:
        thread.join()
    assert all(found)


def run_forks_while_held(variant: str) -> None:
    """Fork while another thread makes a plan, and while it puts hooks in."""
    warnings.simplefilter("ignore", DeprecationWarning)
    entered = threading.Event()

    def take_long(_: Any) -> bool:
        entered.set()
        time.sleep(0.3)
        return False

    app = make_app()
    init_app(app, predicates=[take_long], accelerated=variant == "compiled")
    for lock in (None, *_locks._ALL):
        entered.clear()

        def hold(lock: Any = lock) -> None:
            if lock is None:
                ask(app)
            else:
                with lock:
                    take_long(None)

        thread = threading.Thread(target=hold)
        thread.start()
        entered.wait()
        assert forked(lambda: ask(init_app(make_app(), slow_call_threshold=1e-9)))
        assert forked(lambda: ask(app))
        thread.join()


@pytest.mark.slow
@pytest.mark.accelerated
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
@pytest.mark.parametrize("kind", VARIANTS[1:] if expected_backend() == "compiled" else ["python"])
def test_a_process_that_is_forked_while_another_thread_makes_plans_answers(
    kind: str, run: Run
) -> None:
    finished = run(f"from {__name__} import *; run_forks_while_held({kind!r})", **of_variant(kind))
    assert finished.returncode == 0, finished.stderr


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
@pytest.mark.parametrize("kind", VARIANTS if expected_backend() == "compiled" else VARIANTS[:2])
def test_a_forked_process_answers(kind: str, run: Run) -> None:
    finished = run(f"from {__name__} import *; run_forks({kind!r})", **of_variant(kind))
    assert finished.returncode == 0, finished.stderr


def run_interrupted_fork() -> None:
    """Fork while another thread holds a lock and a signal handler raises; then ask for all."""
    warnings.simplefilter("ignore", DeprecationWarning)
    entered = threading.Event()

    def interrupt(*_: object) -> None:
        raise TimeoutError

    def hold() -> None:
        with _locks.counting_limits:
            entered.set()
            time.sleep(1)

    signal.signal(signal.SIGALRM, interrupt)
    holder = threading.Thread(target=hold)
    holder.start()
    entered.wait()
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    holder.join()
    found = []

    def take() -> None:
        found.extend([lock.acquire(timeout=1) for lock in _locks._ALL])

    taker = threading.Thread(target=take)
    taker.start()
    taker.join()
    assert found == [True] * len(_locks._ALL)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")
def test_a_fork_that_a_signal_interrupts_leaves_no_lock_taken(run: Run) -> None:
    finished = run(f"from {__name__} import *; run_interrupted_fork()", **of_variant("python"))
    assert finished.returncode == 0, finished.stderr
    assert "TimeoutError" in finished.stderr
