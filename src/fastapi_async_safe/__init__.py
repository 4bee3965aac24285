"""Run FastAPI dependencies where you say they are safe, and resolve them from a compiled plan."""

from ._backend import resolver_backend
from ._explaining import CallExplanation, Explanation, IdleMark, RouteExplanation, explain
from ._proof import Expectation, Proof, Reason, prove
from .application import init_app
from .markers import AsyncSafeMixin, async_safe, async_unsafe, is_async_safe
from .slow_calls import SlowCall

__version__ = "0.1.0"  # the one place: the build and the release read it here

__all__ = [
    "AsyncSafeMixin",
    "CallExplanation",
    "Expectation",
    "Explanation",
    "IdleMark",
    "Proof",
    "Reason",
    "RouteExplanation",
    "SlowCall",
    "__version__",
    "async_safe",
    "async_unsafe",
    "explain",
    "init_app",
    "is_async_safe",
    "prove",
    "resolver_backend",
]
