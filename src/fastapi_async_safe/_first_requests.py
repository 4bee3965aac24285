"""What an `init_app` says of itself at its first requests, and then no more."""

from __future__ import annotations

import logging
from types import ModuleType
from typing import Any

from . import _backend, _fastapi
from ._core_py import CONTEXT, COROUTINE, ROOT, THREAD
from ._messages import logger, say
from ._naming import callable_name

#: After so many it is said that nothing runs inline.
COUNTED = 100


class FirstRequests:
    """Watches the plans of one `init_app` until there is nothing more to say.

    Parameters:
        core: the core that runs them.
    """

    __slots__ = (
        "_core",
        "_count",
        "_has_said",
        "_has_trips",
        "_routes",
        "_shares_trips",
        "has_inline",
    )

    def __init__(self, core: ModuleType) -> None:
        self._core = core
        self._count = 0
        self._routes: dict[Any, None] = {}  # those that were planned
        self._has_trips = False
        self._shares_trips = False
        self._has_said = False
        self.has_inline = False  # something runs inline

    def planned(self, plan: Any, dependant: _fastapi.Dependant, path: Any, request: Any) -> None:
        """Take a plan that was made, and what made it necessary."""
        if not self._is_done():  # a tool's may be without end
            self._routes[path] = None
        joining = sum(node.threaded for node in plan.nodes) + plan.joins_endpoint
        self._shares_trips = self._shares_trips or joining > 1
        for node in plan.nodes:
            if _fastapi.is_coroutine(node.used) or _fastapi.is_async_generator(node.used):
                continue
            if node.kind == ROOT:
                self.has_inline = self.has_inline or plan.inline
                self._has_trips = self._has_trips or not plan.inline
            elif node.kind in (THREAD, CONTEXT):
                self._has_trips = True
            elif node.kind != COROUTINE:
                self.has_inline = True
        try:
            if not self._has_said and logger.isEnabledFor(logging.INFO):
                self._has_said = True
                self._introduce(plan, dependant, path, request)
            if logger.isEnabledFor(logging.DEBUG):
                self._tell(plan, dependant, path, request)
        except Exception as error:  # no request fails for what is said of it
            say(logger, logging.DEBUG, "nothing can be said of route %s", path, error=error)

    def is_over(self) -> bool:
        """Take a request, and say whether the next ones need not be taken."""
        if self._is_done():
            return True
        self._count += 1
        if self._count < COUNTED:
            return False
        if self._has_trips:
            say(
                logger,
                # One trip is a gain that wants no mark.
                logging.INFO if self._shares_trips else logging.WARNING,
                "nothing of %d routes ran inline in %d requests, though there is an init_app: what "
                "is sync went to the thread pool. See where everything runs, and what may be "
                "marked: fastapi-async-safe check APP",
                len(self._routes),
                self._count,
            )
        return True

    def _is_done(self) -> bool:
        return self.has_inline or self._count >= COUNTED

    def _introduce(self, plan: Any, dependant: _fastapi.Dependant, path: Any, request: Any) -> None:
        followed, stock = _followed(plan, dependant, path, request)
        say(
            logger,
            logging.INFO,
            "fastapi-async-safe: %s core; a request to %s makes %s to the thread pool, %d fewer "
            "than on FastAPI alone",
            "python" if self._core is _backend.python_core else "compiled",
            path,
            "1 trip" if followed.trips == 1 else f"{followed.trips} trips",
            stock.trips - followed.trips,
        )

    def _tell(self, plan: Any, dependant: _fastapi.Dependant, path: Any, request: Any) -> None:
        followed, _ = _followed(plan, dependant, path, request)
        say(
            logger,
            logging.DEBUG,
            "plan of route %s: %s",
            path,
            ", ".join(f"{callable_name(step.call)} {_place_of(step)}" for step in followed.steps),
        )


def _followed(plan: Any, dependant: _fastapi.Dependant, path: Any, request: Any) -> tuple[Any, Any]:
    # NOTE: not above, as what explains applications knows of those that are initialised.
    from ._explaining.following import followed_by_fastapi, followed_by_plan

    route = _fastapi.ServedRoute(
        path,
        _fastapi.owner_of(request.scope, dependant),
        dependant,
        request.scope,
        not isinstance(request, _fastapi.Request),
    )
    overrides = None if plan.chosen is None else dict(plan.chosen)
    return followed_by_plan(plan, route), followed_by_fastapi(route, overrides)


def _place_of(step: Any) -> str:
    if step.is_cached:
        return "cached"
    if step.trip is not None:
        return f"on trip {step.trip}"
    return "inline" if step.is_inline else "awaited"
