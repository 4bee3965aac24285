"""All that can be timed on a workload: its variants here, and other projects on W2's work."""

from enum import StrEnum
from importlib import import_module
from typing import cast

from benchmarks.asgi import App, call, start
from benchmarks.measurement import Level, Subject, extract_calls, request_calls, solve_calls
from benchmarks.process import UnavailableError
from benchmarks.thread_hops import counted_thread_hops
from benchmarks.workloads import WORKLOADS, Variant
from fastapi_async_safe import resolver_backend


class Peer(StrEnum):
    """Other ways to have the work of W2 done, each in a module of `benchmarks.peers`."""

    CACHE_DI = "fastapi-cache-di"
    WIREUP = "wireup"
    DISHKA = "dishka"
    LITESTAR = "Litestar"
    BLACKSHEEP = "BlackSheep"

    @property
    def module(self) -> str:
        """The name of its module."""
        return f"benchmarks.peers.with_{self.name.lower()}"


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


async def prepare(workload: str, contender: str) -> Subject:
    """Make a contender ready: ask it once for the answer, once more, warm, for its thread hops.

    Raises:
        UnavailableError: the compiled core was not built, or the peer is not installed.
    """
    app, of = create_app(workload, contender), WORKLOADS[workload]
    if contender in tuple(Peer):
        await start(app)
    answer = await call(app, of.request)
    with counted_thread_hops() as hops:
        await call(app, of.request)
    calls = {Level.REQUEST: request_calls(app, of.request)}
    if contender == Variant.BY_HAND:
        if of.extract:
            calls[Level.SOLVE] = await extract_calls(app, of.request, of.extract)
    elif contender not in tuple(Peer):
        calls[Level.SOLVE] = await solve_calls(app, of.request)
    return Subject(answer, hops.count, calls)
