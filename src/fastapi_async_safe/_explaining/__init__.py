"""`explain`: where everything of an application runs, and why; nothing of it is run."""

from .explain import explain
from .records import CallExplanation, Explanation, IdleMark, RouteExplanation

__all__ = ["CallExplanation", "Explanation", "IdleMark", "RouteExplanation", "explain"]
