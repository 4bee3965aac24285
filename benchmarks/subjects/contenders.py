"""All that can be timed on a workload: its variants here, and other projects on W2's work."""

from enum import StrEnum
from importlib import import_module
from typing import cast

from benchmarks.subjects.client import App
from benchmarks.subjects.workloads import WORKLOADS, Variant
from fastapi_async_safe import resolver_backend


class UnavailableError(Exception):
    """What was to be timed cannot be had here; the message says why."""


#: The compiled core on a workload whose marks were taken off, with `proven_safe=True`.
UNMARKED = "unmarked"


class Peer(StrEnum):
    """Other ways to have the work of W2 done, each in a module of `benchmarks.subjects.peers`."""

    CACHE_DI = "fastapi-cache-di"
    WIREUP = "wireup"
    DISHKA = "dishka"
    LITESTAR = "Litestar"
    BLACKSHEEP = "BlackSheep"

    @property
    def module(self) -> str:
        """The name of its module."""
        return f"benchmarks.subjects.peers.with_{self.name.lower()}"


def label(contender: str) -> str:
    """How tables name a contender."""
    return contender if contender in tuple(Peer) else Variant(contender).label


def is_ours(contender: str) -> bool:
    """Whether a contender runs this package's resolver; all others get FastAPI untouched by it."""
    return contender in (Variant.PYTHON, Variant.COMPILED)


def create_app(workload: str, contender: str) -> App:
    """A fresh app of that contender.

    Raises:
        UnavailableError: the compiled core was not built, or the peer is not installed.
    """
    if contender == UNMARKED:
        from benchmarks.subjects.unmarked import proven_app

        return proven_app(workload)
    if contender in tuple(Peer):
        if workload != "W2":
            raise UnavailableError("only W2")
        try:
            app: App = import_module(Peer(contender).module).create_app()
        except ImportError as error:
            raise UnavailableError(f"not installed ({error.name})") from error
        return app
    if contender == Variant.COMPILED and resolver_backend() != "compiled":
        raise UnavailableError("not built")
    return cast(App, WORKLOADS[workload].app(Variant(contender)))
