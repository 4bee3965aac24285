"""Says what an example exercised, so that a run can show what it is worth."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

from .description import Dep, Description, Node, Param
from .variants import Outcome, Run


def features(description: Description, runs: list[Run]) -> set[str]:
    """Name all that the example has and all that came of it."""
    found = {f"layout {description.layout.kind}", *_around(description)}
    endpoint = description.endpoint
    found |= {f"endpoint {endpoint.node.flavour} {endpoint.node.form}", f"reply {endpoint.reply}"}
    found |= set(_of_node(endpoint.node))
    for index in description.reachable():
        node = description.nodes[index]
        found.add(f"{node.flavour} {node.form}")
        found |= set(_of_node(node))
    found |= {f"late mark {mark}" for _, _, mark in description.late_marks}
    for number, what in description.replaced:
        found.add(f"replaced {'before' if number < 0 else 'after'}: {what or 'put back'}")
    for run in runs:
        if run.refused is not None:
            found.add("application refused")
        found |= {f"declined: {message}" for message in run.declined}
    for request, outcome in zip(description.requests, runs[0].outcomes, strict=False):
        if request.overridden:
            found.add("request with overrides")
        for _, phase, exception in request.failures:
            if phase == "change":
                found.add(f"planned change: {exception}")
            else:
                found |= {f"failure in {phase}", f"failure {exception}"}
        found |= set(_of_outcome(outcome))
    for run in runs[1:]:
        for outcome in run.outcomes:
            for event in outcome.events:
                place = "on the loop" if event.on_loop else "in a thread"
                found.add(f"event {event.kind} {place}")
    return found


def _around(description: Description) -> Iterator[str]:
    settings, layout = description.settings, description.layout
    yield f"init_app {settings.when}, on {settings.on}"
    yield f"predicate {settings.predicate}"
    if settings.all_classes_safe:
        yield "all_classes_safe"
    if settings.copied is not None:
        yield f"copied by {settings.copied}"
    if settings.beside:
        yield "stock beside accelerated applications"
    for name in ("on_app", "on_router", "on_include", "on_route"):
        if getattr(layout, name):
            yield f"dependencies {name}"
    if layout.path:
        yield "path parameters"
    size = len(description.reachable())
    yield f"nodes {'0' if not size else '1-3' if size < 4 else '4-8' if size < 9 else '9 and more'}"
    uses = Counter(dep.node for dep in _all_deps(description))
    if any(count > 1 for count in uses.values()):
        yield "shared node"


def _all_deps(description: Description) -> Iterator[Dep]:
    yield from description.top_deps()
    yield from description.endpoint.node.deps
    for index in description.reachable():
        yield from description.nodes[index].deps


def _of_node(node: Node) -> Iterator[str]:
    if node.mark is not None:
        yield f"mark {node.mark} {node.mark_at}"
    yield f"returns {node.returns}"
    if node.flavour in ("gen", "agen"):
        yield f"exit {node.exit}"
    for special in node.specials:
        yield f"special {special.type}"
    for dep in node.deps:
        yield f"depends {dep.style}"
        if dep.security:
            yield f"security with {'scopes' if dep.scopes else 'no scopes'}"
        if not dep.use_cache:
            yield "use_cache=False"
        if dep.scope is not None:
            yield f"scope {dep.scope}"
        if dep.limit is not None:
            yield "max_concurrency"
    for param in node.params:
        yield from _of_param(param)


def _of_param(param: Param) -> Iterator[str]:
    if param.is_model:
        optional = "optional " if param.type.endswith("None") else ""
        yield f"{param.source} {optional}model"
        return
    yield f"{param.source} parameter"
    yield f"type {param.type or 'none'}"
    yield f"style {param.style}"
    if param.alias is not None:
        yield f"alias by {param.alias_kind}"
    if param.default is not None:
        yield "default"
    for name in ("factory", "constraint", "validator", "embed", "validate_default"):
        if getattr(param, name):
            yield name


def _of_outcome(outcome: Outcome) -> Iterator[str]:
    yield f"outcome {outcome.status.partition(', reason=')[0].partition(', subprotocol')[0]}"
    if outcome.error != "-":
        yield f"server sees {outcome.error.partition('tuple')[0].partition('list')[0]}"
    yield from (f"event {event.kind}" for event in outcome.events)
    if any("#2" in event.detail for event in outcome.events):
        yield "dependency called twice"
    text = "".join(outcome.messages)
    if "status=422" in text:
        locations = text.count('"loc"')
        yield "422 with one error" if locations == 1 else "422 with several errors"
        for message in outcome.messages:
            _, found, body = message.partition(' body=b\'{"detail":')
            if found and _has_duplicates('{"detail":' + body.partition("' headers=")[0]):
                yield "422 with duplicate errors"


def _has_duplicates(body: str) -> bool:
    try:
        errors = json.loads(body)["detail"]
    except ValueError:
        return False
    shown = [json.dumps(error, sort_keys=True) for error in errors]
    return len(set(shown)) < len(shown)
