"""Accelerates every FastAPI app of the process, and counts what came of it.

Loaded by pytest with `-p accelerate_every_app`, and by `sitecustomize` in interpreters that tests
start. What to do is in the environment:

- `CONFORMANCE_CORE`: "compiled" or "python"; unset, apps stay stock, and only this module is there.
- `CONFORMANCE_POLICY`: "marked" marks every sync callable, "proven" runs inline what is proven.
- `CONFORMANCE_COUNTS`: a directory into which each process writes what it counted.
"""

from __future__ import annotations

import atexit
import json
import logging
import os
from collections import Counter
from collections.abc import Callable
from functools import cache, wraps
from pathlib import Path
from typing import Any, cast

import pytest

_CORE = os.environ.get("CONFORMANCE_CORE")
_POLICY = os.environ["CONFORMANCE_POLICY"]
_COUNTS = Path(os.environ["CONFORMANCE_COUNTS"])

counts: Counter[str] = Counter()
declined: Counter[str] = Counter()  # by the test that was running
logged: Counter[str] = Counter()


def accelerate_every(application: Any) -> None:
    """Make a class call `init_app` on each of its instances, as soon as it is constructed.

    A constructor wrapped like this keeps its signature, and subclasses keep theirs.
    """
    stock_init: Callable[..., None] = application.__init__

    @wraps(stock_init)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        stock_init(self, *args, **kwargs)
        counts["apps"] += 1
        if _CORE is not None:
            _accelerate(self)

    application.__init__ = init


def _accelerate(app: Any) -> None:
    init_app = _counted_init_app()
    predicates = [lambda call: True] if _POLICY == "marked" else None
    init_app(
        app,
        predicates=predicates,
        accelerated=_CORE == "compiled",
        proven_safe=_POLICY == "proven",
    )


@cache
def _counted_init_app() -> Callable[..., Any]:
    """Import the package, and count what its resolvers answer FastAPI."""
    from fastapi_async_safe import init_app
    from fastapi_async_safe._resolver import Resolver

    initialise = Resolver.__init__

    @wraps(initialise)
    def initialise_and_count(self: Any, *args: Any, **kwargs: Any) -> None:
        initialise(self, *args, **kwargs)
        solve = self.solve

        def counted(*arguments: Any) -> Any:
            solved = solve(*arguments)
            counts["declined" if solved is None else "resolved"] += 1
            if solved is None:
                declined[os.environ.get("PYTEST_CURRENT_TEST", "outside pytest")] += 1
            return solved

        self.solve = counted

    Resolver.__init__ = initialise_and_count  # type: ignore[method-assign]
    _count_proofs()
    logging.getLogger("fastapi_async_safe").addHandler(_Logged(logging.WARNING))
    return init_app


def _count_proofs() -> None:
    from fastapi_async_safe._planning.proofs import Proofs

    proof_of = Proofs.proof_of

    @wraps(proof_of)
    def counted(*arguments: Any) -> Any:
        proof = proof_of(*arguments)
        counts["unproven" if proof is None else "proven"] += 1
        return proof

    Proofs.proof_of = cast(Any, counted)  # type: ignore[method-assign]


class _Logged(logging.Handler):
    """Counts what the package logs: why a route falls back to FastAPI."""

    def emit(self, record: logging.LogRecord) -> None:
        """Count one."""
        logged[record.getMessage()] += 1


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to run where the core is not the one of the mode."""
    if _CORE is None:
        return
    from fastapi_async_safe import resolver_backend

    if resolver_backend() != _CORE:
        raise pytest.UsageError(f"the {_CORE} core was asked for, not {resolver_backend()}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    """Write the counts of pytest's own process, or of a worker, which ends without `atexit`."""
    _write_counts()


@atexit.register
def _write_counts() -> None:
    if _COUNTS.is_dir():
        told = json.dumps({"counts": counts, "declined": declined, "logged": logged})
        Path(_COUNTS, f"{os.getpid()}.json").write_text(told, encoding="utf-8")
