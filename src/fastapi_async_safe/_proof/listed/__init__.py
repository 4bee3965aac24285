"""The built-in functions and methods that a proven call may use, and what each asks for.

What is not listed is not proven. A rule gets the arguments (of a method with what it is called on
first) and gives what the call gives, or None if these arguments are not what it asks for.
"""

from . import containers, functions, texts  # each puts its own on the list
from .containers import item_under, viewed
from .listing import all_listed, listed

__all__ = ["all_listed", "containers", "functions", "item_under", "listed", "texts", "viewed"]
