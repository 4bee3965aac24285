"""Records the spans of FastAPI's own telemetry with nothing but the OpenTelemetry API it needs."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace


class RecordedSpan(trace.NonRecordingSpan):
    """A span that keeps what was said of it."""

    def __init__(self, name: str, attributes: Any) -> None:
        super().__init__(trace.INVALID_SPAN_CONTEXT)
        self.name, self.attributes = name, dict(attributes or {})
        self.status: str | None = None

    def is_recording(self) -> bool:
        return True

    def set_attribute(self, key: str, value: Any) -> None:
        self.attributes[key] = value

    def update_name(self, name: str) -> None:
        self.name = name

    def set_status(self, status: Any, description: str | None = None) -> None:
        self.status = getattr(status, "name", str(status))


class SpanRecorder(trace.TracerProvider, trace.Tracer):
    """A provider of tracers that is the tracer itself; keeps the spans in the order they began."""

    def __init__(self) -> None:
        self.spans: list[tuple[str | None, RecordedSpan]] = []

    def get_tracer(self, *arguments: Any, **keywords: Any) -> trace.Tracer:
        return self

    def start_span(self, name: str, *arguments: Any, **keywords: Any) -> trace.Span:
        parent = trace.get_current_span()
        span = RecordedSpan(name, keywords.get("attributes"))
        self.spans.append((getattr(parent, "name", None), span))
        return span

    @contextmanager
    def start_as_current_span(  # type: ignore[override]
        self, name: str, *arguments: Any, **keywords: Any
    ) -> Iterator[trace.Span]:
        with trace.use_span(
            self.start_span(name, *arguments, **keywords),
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            yield span

    def described(self) -> list[Any]:
        """Say of each span: name, parent, the function it is for, kind of the error, status."""
        return [
            (
                span.name,
                parent,
                span.attributes.get("code.function.name"),
                span.attributes.get("error.type"),
                span.status,
            )
            for parent, span in self.spans
        ]
