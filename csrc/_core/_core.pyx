# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: binding=False, embedsignature=True, embedsignature.format=clinic
# cython: auto_pickle=False, autotestdict=False, optimize.unpack_method_calls=False
"""The core, compiled: the same names in the same order as `_core_py`, topic by topic, where their
meaning is told.

It awaits nothing: awaiting in compiled code costs two to three times what it does in Python. But it
begins to run a coroutine, and is done with it if that does not suspend.
"""

include "c_api.pxi"
include "nodes.pxi"
include "seen.pxi"
include "plan.pxi"
include "containers.pxi"
include "read.pxi"
include "call.pxi"
include "overrides.pxi"
include "run.pxi"
include "solver.pxi"
include "serving.pxi"
