"""opentelemetry-instrumentation-fastapi wraps an application, or replaces the class `FastAPI`."""

from typing import Any

import fastapi
import pytest

from tests.tools import traced
from tests.tools.scene import Scene, check
from tests.tools.spans import Spans


def one_application(scene: Scene) -> Any:
    """Instrument one application."""
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

    spans = Spans()
    app = fastapi.FastAPI()
    traced.declare(app, scene, note)
    scene.install(
        app, lambda: FastAPIInstrumentor.instrument_app(app, tracer_provider=spans.provider)
    )
    return seen(app, spans)


def every_application(scene: Scene) -> Any:
    """Instrument the class, from which the application is then made."""
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

    spans = Spans()
    if scene.order == "init_app first":
        scene.init(fastapi.FastAPI())
    FastAPIInstrumentor().instrument(tracer_provider=spans.provider)
    app = fastapi.FastAPI()
    traced.declare(app, scene, note)
    scene.init(app)
    return seen(app, spans)


def application_of_the_class_before(scene: Scene) -> Any:
    """Instrument the class, and go on with an application of the class as it was before."""
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor

    spans = Spans()
    app = fastapi.FastAPI()
    traced.declare(app, scene, note)
    scene.install(app, lambda: FastAPIInstrumentor().instrument(tracer_provider=spans.provider))
    return seen(app, spans)


def note(place: str) -> str:
    """Add an event to the current span, and say which one it is."""
    from opentelemetry import trace

    span = trace.get_current_span()
    span.add_event(place)
    return str(getattr(span, "name", None))


def seen(app: fastapi.FastAPI, spans: Spans) -> Any:
    """Give the answers and the spans."""
    answers = traced.answers(app)
    # Whether a listener hears of the disconnect before it is cancelled is a matter of the schedule.
    return {"answers": answers, "spans": spans.described("asgi.event.type")}


@pytest.mark.accelerated
@pytest.mark.parametrize(
    "played", [one_application, every_application, application_of_the_class_before]
)
def test_opentelemetry_sees_the_same(played: Any, variant: str, order: str) -> None:
    check(played, variant, order)
