"""The hook in `solve_dependencies`: where a request comes in."""

from __future__ import annotations

import inspect
from types import FunctionType

from .. import _fastapi, _registry
from .._backend import current_request
from .._messages import notices
from .exchange import Hook, handed_on


def solving(function: FunctionType) -> Hook:
    names = list(inspect.signature(function).parameters)
    known = (*_fastapi.SOLVE_PARAMETERS, *_fastapi.IGNORED_PARAMETERS)
    # An argument that is not supported may mean anything: FastAPI's own code gets the call.
    new = [name for name in names if name not in known]
    guard = " and ".join(f'{name} is {{default_of}}("{name}")' for name in new) or "True"
    # What the resolver gives is a `SolvedDependency`, a coroutine that gives one, or None.
    return Hook(
        function,
        f"    if {guard}:\n"
        f"        resolver = {{resolver_of}}(request.scope)\n"
        f"        if resolver is not None:\n"
        f"            solved = resolver.solve({', '.join(_fastapi.SOLVE_PARAMETERS)})\n"
        f"            if solved.__class__ is {{solved}}:\n"
        f"                return solved\n"
        f"            if solved is not None:\n"
        f"                return await solved\n"
        f"    else:\n"
        f"        {{unknown}}(request, dependant, {new})\n"
        f"    {{clear}}()\n"
        f"    return await {{stock}}({handed_on(function)})\n",
        says=_registry.depth_of_router,
        resolver_of=_registry.resolver_of,
        clear=current_request.clear,
        solved=_fastapi.SolvedDependency,
        default_of=dict(function.__kwdefaults__ or {}).__getitem__,
        unknown=notices.say_that_call_is_unsupported,
    )
