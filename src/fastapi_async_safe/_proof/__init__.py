"""Proofs that a callable cannot hold up the event loop; made with plans, never on a request.

prove -> parameters: what FastAPI passes -> calls -> source of each function, held against its
code -> statements, assignments -> expressions, comprehensions, conditions -> variables, attributes,
enumerations, parts, operations, written texts, listed built-ins -> reasons

Where a value may be anything: guesses -> kinds -> expected -> guards, which look before each call;
given: what a call gives, for the proofs of those that get it
"""

from .analysis import Reason
from .expected import Expectation
from .guards import Guard, guard_of
from .lookup import ABSENT
from .proof import Proof, prove, prove_as

__all__ = ["ABSENT", "Expectation", "Guard", "Proof", "Reason", "guard_of", "prove", "prove_as"]
