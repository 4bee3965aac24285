"""Proofs that a callable cannot hold up the event loop; made with plans, never on a request.

prove -> parameters: what FastAPI passes -> calls -> source of each function, held against its
code -> statements, assignments -> expressions, conditions -> variables, attributes, parts,
operations, listed built-ins -> reasons
"""

from .analysis import Reason
from .lookup import ABSENT
from .proof import Proof, prove, prove_as

__all__ = ["ABSENT", "Proof", "Reason", "prove", "prove_as"]
