"""Workloads without a mark: what they call runs inline by proofs."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from benchmarks.subjects.workloads import WORKLOADS
from fastapi_async_safe import init_app, is_async_safe
from fastapi_async_safe.markers import MARK


def dependency_calls(app: FastAPI) -> list[Any]:
    """List what the routes of an app depend on."""
    found: list[Any] = []
    pending = [route.dependant for route in app.routes if isinstance(route, APIRoute)]
    while pending:
        dependant = pending.pop()
        pending += dependant.dependencies
        found.append(dependant.call)
    return found


def without_marks(app: FastAPI) -> FastAPI:
    """Take the marks off everything that an app calls."""
    for each in dependency_calls(app):
        for owner in (each, *getattr(each, "__mro__", ())):
            with suppress(AttributeError, TypeError):
                if MARK in vars(owner):
                    delattr(owner, MARK)
    assert all(is_async_safe(each) is None for each in dependency_calls(app))
    return app


def proven_app(name: str) -> FastAPI:
    """Make the app of a workload, with proofs in place of marks."""
    app = without_marks(WORKLOADS[name].create_app())
    return init_app(app, accelerated=True, proven_safe=True)
