"""Collects OpenTelemetry's spans, and describes them without what differs from run to run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter


class Spans:
    """The spans of its provider, or of one that its processor was added to."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.processor = SimpleSpanProcessor(self._exporter)
        self.provider = TracerProvider()
        self.provider.add_span_processor(self.processor)

    def described(self, *volatile: str) -> list[dict[str, Any]]:
        """Describe the spans that have ended, in the order in which they did.

        Parameters:
            volatile: parts of the names of attributes to be left out.
        """
        spans = self._exporter.get_finished_spans()
        names = {span.context.span_id: span.name for span in spans if span.context}

        def stable(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
            unwanted = ("exception.stacktrace", "thread.", *volatile)
            return {
                key: value
                for key, value in sorted((attributes or {}).items())
                if not any(part in key for part in unwanted)
            }

        return [
            {
                "name": span.name,
                "parent": names.get(span.parent.span_id) if span.parent else None,
                "status": [span.status.status_code.name, span.status.description],
                "attributes": stable(span.attributes),
                "events": [[event.name, stable(event.attributes)] for event in span.events],
            }
            for span in spans
        ]
