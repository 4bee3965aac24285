"""The locks of the process, and that no fork happens while another thread holds one.

The new process would wait for that one for good.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock, local

# In the order in which they are taken, where one is taken within another.
#: Making plans, and the proofs they rest on: event loops in several threads may serve one app.
planning = RLock()
#: Putting hooks in, and taking them out.
changing_hooks = RLock()
#: Counting who wants to know of slow calls. NOTE: whoever holds it may be interrupted by the
#: garbage collection of an application, which takes it again.
counting_limits = RLock()
#: Counting slow calls.
counting_slow_calls = RLock()

_ALL = (planning, changing_hooks, counting_limits, counting_slow_calls)

#: How long, in seconds, plans of other threads are waited for. Code of the user's runs while plans
#: are made, so whoever makes them may wait for something that the one who waits here has.
PATIENCE = 30.0

#: Of each thread, what each fork that it is about to do holds.
_held = local()


@contextmanager
def planning_alone() -> Iterator[bool]:
    """Hold the lock of plans; gives False if it was not to be had within `PATIENCE`."""
    is_alone = planning.acquire(timeout=PATIENCE)
    try:
        yield is_alone
    finally:
        if is_alone:
            planning.release()


def _take_all() -> None:
    held: list[RLock] = []
    _held.by_forks = [*getattr(_held, "by_forks", ()), held]
    for lock in _ALL:
        lock.acquire()  # NOTE: a signal handler may raise here; the fork is done all the same
        held.append(lock)


def _let_go_of_all() -> None:
    for lock in reversed(_held.by_forks.pop()):
        lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_take_all, after_in_parent=_let_go_of_all, after_in_child=_let_go_of_all
    )
