"""`init_app`: ties a policy and a resolver to an application or a router."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from functools import cache
from typing import TypeVar

from fastapi import APIRouter, FastAPI

from . import _backend, _fastapi, _hooks, _registry
from ._messages import notices
from ._resolver import Resolver
from ._variables import DISABLE, is_set
from .policy import Policy, Predicate
from .slow_calls import SlowCallHook, SlowCalls

Root = TypeVar("Root", FastAPI, APIRouter)

_IS_DISABLED = is_set(DISABLE)


def init_app(
    root: Root,
    *,
    all_classes_safe: bool = False,
    predicates: Sequence[Predicate] | None = None,
    proven_safe: bool = False,
    accelerated: bool = False,
    one_trip: bool = True,
    slow_call_threshold: float | None = None,
    on_slow_call: SlowCallHook | None = None,
) -> Root:
    """Run the marked dependencies of an application or a router inline, by a plan made per route.

    May be called before or after routes are added and again (the last call wins), needs no
    lifespan, and reaches included routers, WebSockets and mounted FastAPI applications that were
    not initialised themselves. A copy of what was initialised is served as that is, until it is
    initialised itself; an unpickled one has to be.

    What of the installed FastAPI is not supported falls back to FastAPI's own code, with one
    warning on the logger `fastapi_async_safe` that says what and why. With
    `FASTAPI_ASYNC_SAFE_DISABLE=1` in the environment when the package is imported, this checks its
    arguments, says so on that logger at INFO, and does nothing else.

    Parameters:
        root: a `FastAPI` or an `APIRouter`. What was said for a router goes for its routes,
            whatever is said for the application that includes it.
        all_classes_safe: run every class used as a dependency inline, unless it was marked
            `async_unsafe`.
        predicates: callables that get a dependency and return True if it is to run inline. They
            are asked about `def` endpoints, background tasks and the endpoints of sync streams
            too, each once a plan. What one fails on stays in the thread pool; this is logged once,
            with the predicate, the callable and the traceback.
        proven_safe: run inline, without a mark, what is proven not to hold up the event loop (see
            `prove`): dependencies, and `def` endpoints whose response is validated without code of
            the user's. A mark, also `async_unsafe`, comes first. When something changes that a
            proof rests on, the plan is made anew.
        accelerated: run the plans by the compiled core instead of the one in Python. Where there
            is none the Python core runs, and a RuntimeWarning says once what brings one.
        one_trip: neighbours that go to the thread pool, which is what nobody marked, go there
            together: sync dependencies, the `def` endpoint after them, and the validation of its
            response. False makes a trip for each, as FastAPI does.
        slow_call_threshold: in seconds. What holds up the event loop longer is warned of on the
            logger `fastapi_async_safe`, at most once a minute for each callable: inline
            dependencies, entering and leaving inline `yield` dependencies, inline endpoints, stream
            items and background tasks. None: only in asyncio's debug mode, with the loop's
            `slow_callback_duration`.
        on_slow_call: is called with a `SlowCall` for each of them, on the event loop, for metrics.
            What it raises is logged, once.

    Returns:
        `root`.

    Raises:
        TypeError: an argument has a wrong type, or a predicate or `on_slow_call` is an `async def`.
        ValueError: the threshold is not positive, or not finite.
    """
    if not (isinstance(root, _fastapi.APIRouter) or _fastapi.is_application(root)):
        again = _fastapi.imported_again()
        raise TypeError(
            f"init_app expects a FastAPI or an APIRouter, not {root!r}"
            + ("" if again is None else f"; {again}")
        )
    if not isinstance(accelerated, bool):
        raise TypeError(f"accelerated must be True or False, not {accelerated!r}")
    if not isinstance(one_trip, bool):
        raise TypeError(f"one_trip must be True or False, not {one_trip!r}")
    policy = Policy(
        all_classes_safe=all_classes_safe, predicates=predicates, proven_safe=proven_safe
    )
    slow_calls = SlowCalls(slow_call_threshold, on_slow_call)
    if _IS_DISABLED:
        notices.say_once(
            "fastapi-async-safe is switched off by %s: everything runs as on FastAPI alone",
            DISABLE,
            level=logging.INFO,
        )
        return root
    core = _backend.python_core
    if accelerated:
        if _backend.compiled_core is not None:
            core = _backend.compiled_core
        else:
            _say_once_without_core()
    if _hooks.install():
        _registry.register(root, Resolver(policy, core, one_trip=one_trip, slow_calls=slow_calls))
    else:
        _registry.forget(root)
    return root


@cache
def _say_once_without_core() -> None:
    text = (
        "fastapi-async-safe runs its Python core instead of the compiled one, which is several "
        f"times faster: {_backend.advice_without_core()}"
    )
    if _backend.is_taken:  # by a test suite that isolates imports, perhaps: nothing to fail for
        notices.say_once("%s", text)
        return
    warnings.warn(
        text,
        RuntimeWarning,
        stacklevel=3,
    )
