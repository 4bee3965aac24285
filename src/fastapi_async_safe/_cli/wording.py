"""The words for an explanation, for terminals, pages and JSON."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import fastapi

from .. import CallExplanation, Explanation, IdleMark, RouteExplanation
from ..markers import may_block
from .totals import Totals, core_of, totals_of


def title(route: RouteExplanation) -> str:
    """Give the methods and the path of a route."""
    return f"{','.join(route.methods) or 'WebSocket'} {route.path}"


def short_name(name: str) -> str:
    """Give a name without its module and the functions around it."""
    if name.endswith(")"):  # an instance or a partial
        head, _, _ = name.partition("(")
        return f"{short_name(head)}()" if name.endswith("()") else name
    return name.rpartition("<locals>.")[2].rpartition(".")[2]


def place(call: CallExplanation) -> str:
    """Say in a word or two where a callable runs."""
    if call.is_cached:
        return "cached"
    if call.place == "event loop":
        return "await"
    if call.place == "inline":
        return "inline"
    return "thread" if call.trip is None else f"thread {call.trip}"


def why(call: CallExplanation) -> str:
    """Say why it runs there, and what the prover knows of it that the rule does not say."""
    hint = ""
    if call.proof is not None and call.rule not in ("proven", "not proven"):
        if call.proof.verdict == "blocks":
            reason = next(reason for reason in call.proof.reasons if reason.blocks)
            if call.place == "thread pool":
                hint = f"blocks: it {reason.text}"
            elif may_block(call.call):
                where = source(f"{reason.file}:{reason.line}")
                hint = f"but it blocks: it {reason.text} ({where})"
        elif call.proof.holds and call.place == "thread pool" and call.rule != "unsafe":
            if not call.proof.expects:
                hint = "proven, so it can be marked"
            elif call.role == "dependency":  # a mark would run it inline whatever it gets
                hint = "proven for what is annotated"
    return f"{call.why}; {hint}" if hint else call.why


def source(text: str) -> str:
    """Give a file and its line, as seen from the working directory if it is below that."""
    path, _, line = text.rpartition(":")
    try:
        return f"{Path(path).relative_to(Path.cwd())}:{line}"
    except ValueError:
        return text


def trips(count: int) -> str:
    """Say a number of trips."""
    return f"{count} trip{'' if count == 1 else 's'}"


def counted(totals: Totals) -> list[str]:
    """Say the totals, in lines."""
    names = {
        "compiled": "by the compiled core",
        "python": "by the Python core",
        "declined": "declined",
        "FastAPI": "without init_app",
    }
    cores = [f"{totals.cores[key]} {name}" for key, name in names.items() if key in totals.cores]
    where = [f"{count} {name}" for name, count in sorted(totals.places.items())]
    made = [
        f"{totals.trips} now",
        f"{totals.stock_trips} on FastAPI alone",
        f"{totals.trips_if_proven_safe} with proven_safe=True",
    ]
    callables = sum(totals.places.values())
    return [
        f"{totals.routes} route{'' if totals.routes == 1 else 's'}: {', '.join(cores) or 'none'}",
        f"{callables} callable{'' if callables == 1 else 's'}: {', '.join(where) or 'none'}",
        f"trips, one request to each: {', '.join(made)}",
    ]


def as_json(name: str, explanation: Explanation, routes: list[RouteExplanation]) -> dict[str, Any]:
    """Give an explanation as JSON has it.

    Parameters:
        name: of the application.
        explanation: of it.
        routes: those of them that are asked for.
    """
    return {
        "app": name,
        "fastapi": fastapi.__version__,
        "routes": [_route(route) for route in routes],
        "idle_marks": [_idle(mark) for mark in explanation.idle_marks],
        "totals": asdict(totals_of(routes)),
    }


def _route(route: RouteExplanation) -> dict[str, Any]:
    return {
        "path": route.path,
        "methods": route.methods,
        "kind": route.kind,
        "core": core_of(route),
        "declined": route.declined,
        "is_initialised": route.is_initialised,
        "trips": route.trips,
        "stock_trips": route.stock_trips,
        "trips_if_proven_safe": route.trips_if_proven_safe,
        "calls": [_call(call) for call in route.calls],
    }


def _call(call: CallExplanation) -> dict[str, Any]:
    proof = call.proof
    return {
        "name": call.name,
        "source": call.source,
        "role": call.role,
        "parameter": call.parameter,
        "place": call.place,
        "rule": call.rule,
        "why": call.why,
        "verdict": None if proof is None else proof.verdict,
        "reasons": [] if proof is None else [asdict(reason) for reason in proof.reasons],
        "expects": [] if proof is None else [str(each) for each in proof.expects],
        "trip": call.trip,
        "yields": call.yields,
        "is_cached": call.is_cached,
        "depth": call.depth,
        "parent": call.parent,
    }


def _idle(mark: IdleMark) -> dict[str, Any]:
    return {"name": mark.name, "source": mark.source, "why": mark.why}
