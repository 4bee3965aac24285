"""logfire replaces functions of `fastapi.routing`, and keeps the ones it found."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import Depends, FastAPI
from starlette.testclient import TestClient

from tests.tools import traced
from tests.tools.scene import Scene, check, play
from tests.tools.spans import Spans

_VOLATILE = ("timestamp", "logfire.metrics", "logfire.pending_parent_id", "exception.fingerprint")


def configured() -> Spans:
    """Set logfire up to give its spans to nobody else."""
    import logfire

    spans = Spans()
    logfire.configure(
        send_to_logfire=False,
        console=False,
        metrics=False,
        additional_span_processors=[spans.processor],
    )
    return spans


def requests(scene: Scene) -> Any:
    """Serve all kinds of requests under logfire, with a span for arguments and endpoint."""
    return _play(scene, extra_spans=True)


def requests_without_extra_spans(scene: Scene) -> Any:
    """Serve them with nothing but the spans of requests."""
    return _play(scene, extra_spans=False)


def _play(scene: Scene, **options: Any) -> Any:
    import logfire

    def note(place: str) -> None:
        with logfire.span("at {place}", place=place):
            logfire.info("noted")

    spans = configured()
    app = FastAPI()
    traced.declare(app, scene, note)
    scene.install(app, lambda: logfire.instrument_fastapi(app, **options))
    answers = traced.answers(app)
    logfire.force_flush()
    return {"answers": answers, "spans": spans.described(*_VOLATILE)}


@pytest.mark.accelerated
@pytest.mark.parametrize("played", [requests, requests_without_extra_spans])
def test_logfire_sees_the_same(played: Any, variant: str, order: str) -> None:
    check(played, variant, order)


def a_span_around_what_follows(scene: Scene) -> Any:
    """Open a span in a marked `yield` dependency."""
    import logfire

    spans = configured()
    app = FastAPI()

    @scene.marked
    def session() -> Iterator[None]:
        with logfire.span("session"):
            yield

    @app.get("/", dependencies=[Depends(session)])
    async def endpoint() -> None:
        logfire.info("in the endpoint")

    scene.install(app, lambda: logfire.instrument_fastapi(app))
    assert TestClient(app).get("/").status_code == 200
    logfire.force_flush()
    return {span["name"]: span["parent"] for span in spans.described()}


@pytest.mark.accelerated
def test_a_span_of_a_marked_dependency_is_around_the_endpoint(variant: str, order: str) -> None:
    # On stock its context is lost in the thread: a stack of spans as it should be is new.
    played = play(a_span_around_what_follows, variant, order)
    assert played.seen == {"in the endpoint": "session", "session": "GET /", "GET /": None}
