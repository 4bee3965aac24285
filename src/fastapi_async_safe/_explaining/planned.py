"""The plan that a request would get, made for none: it leaves no trace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import _fastapi
from .._backend import python_core
from .._messages import SilentNotices
from .._planning.planner import DeclinedError, Planner
from .._planning.proofs import SilentProofs
from ..policy import DependencyCall, Policy, Ruling


class AskedOnce(Policy):
    """Decides as a policy does, asks its predicates once for each callable, and logs nothing.

    Parameters:
        policy: whose rules these are.
        rulings: what was decided so far.
        proven_safe: in place of what the policy says.
    """

    __slots__ = ("_rulings",)

    def __init__(
        self,
        policy: Policy,
        rulings: dict[tuple[int, bool], tuple[Any, Ruling]],
        *,
        proven_safe: bool,
    ) -> None:
        super().__init__(
            all_classes_safe=policy.all_classes_safe,
            predicates=policy.predicates,
            proven_safe=proven_safe,
        )
        self._notices = SilentNotices()
        self._rulings = rulings

    def ruling(self, call: DependencyCall, *, classes: bool = True) -> Ruling:
        """Say which rule decides, as it was when this was first asked."""
        key = (id(call), classes)
        if key not in self._rulings:
            # With the callable, so that nothing else gets its identity.
            self._rulings[key] = call, super().ruling(call, classes=classes)
        return self._rulings[key][1]


class Planned:
    """Makes plans as a resolver would, for as long as one explanation takes.

    Parameters:
        policy: of the resolver, or the default one.
        one_trip: of the resolver.
    """

    def __init__(self, policy: Policy, *, one_trip: bool) -> None:
        rulings: dict[tuple[int, bool], tuple[Any, Ruling]] = {}
        self.policy = AskedOnce(policy, rulings, proven_safe=policy.proven_safe)
        self._proving = AskedOnce(policy, rulings, proven_safe=True)
        self.proofs = SilentProofs()
        self._one_trip = one_trip

    def plan(self, route: _fastapi.ServedRoute, *, proving: bool = False) -> Any:
        """Make the plan of a route.

        Parameters:
            route: that a request would be for.
            proving: as with `proven_safe=True`.

        Raises:
            DeclinedError: the route falls back to FastAPI.
        """
        try:
            planner = Planner(
                self._proving if proving else self.policy,
                python_core,
                _fastapi.WebSocket if route.is_websocket else _fastapi.Request,
                overrides_of(route),
                one_trip=self._one_trip,
                proofs=self.proofs,
                owner=route.owner,
            )
            return planner.plan(route.dependant)
        except DeclinedError:
            raise
        except Exception as error:  # as when a request comes
            raise DeclinedError(f"{type(error).__name__}: {error}") from error


def overrides_of(route: _fastapi.ServedRoute) -> Mapping[Any, Any] | None:
    """Give the `dependency_overrides` of a route, None if there are none.

    Raises:
        DeclinedError: they may notice that they are asked.
    """
    provider = route.overrides_provider
    if provider is None or not _fastapi.Declaration(route.dependant).dependencies:
        return None
    overrides = getattr(provider, "dependency_overrides", None)
    if overrides is not None and type(overrides) is not dict:
        raise DeclinedError(f"dependency_overrides are a {type(overrides).__qualname__}, no dict")
    return overrides or None
