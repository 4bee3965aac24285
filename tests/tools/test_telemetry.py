"""FastAPI's own telemetry: spans of operations, arguments and errors for processors, logs."""

import re
from collections.abc import Iterable
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.telemetry import get_telemetry_data
from opentelemetry import trace
from opentelemetry.sdk._logs import LoggerProvider, ReadableLogRecord
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from tests.tools import traced
from tests.tools.scene import Scene, check
from tests.tools.spans import Spans


def all_of_it(scene: Scene) -> Any:
    """Serve requests with everything on."""
    spans, metrics = Spans(), InMemoryMetricReader()
    logs: Any = InMemoryLogRecordExporter()
    logger_provider = LoggerProvider()
    logger_provider.add_log_record_processor(SimpleLogRecordProcessor(logs))
    app = FastAPI(
        telemetry={
            "tracer_provider": spans.provider,
            "logger_provider": logger_provider,
            "meter_provider": MeterProvider(metric_readers=[metrics]),
        }
    )
    captured: list[Any] = []

    def capture(place: str) -> None:
        data = get_telemetry_data()
        assert data is not None
        span = getattr(trace.get_current_span(), "name", None)
        captured.append([place, span, data.body, data.values, data.errors])

    # There is nothing to install: what comes first is the routes or this package.
    scene.install(app, lambda: traced.declare(app, scene, capture))
    return {
        "answers": traced.answers(app),
        "captured": re.sub(r" at 0x[0-9a-f]+", "", repr(captured)),
        "spans": spans.described(),
        "logs": described_logs(logs.get_finished_logs()),
        "metrics": described_metrics(metrics.get_metrics_data()),
    }


def described_logs(records: Iterable[ReadableLogRecord]) -> list[Any]:
    """Describe log records without their tracebacks."""
    return [
        [
            record.log_record.event_name,
            record.log_record.body,
            {
                key: value
                for key, value in sorted((record.log_record.attributes or {}).items())
                if key != "exception.stacktrace"
            },
        ]
        for record in records
    ]


def described_metrics(data: Any) -> list[Any]:
    """Describe metrics without their values, which are times."""
    return [
        [
            metric.name,
            sorted(repr(sorted(point.attributes.items())) for point in metric.data.data_points),
        ]
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    ]


@pytest.mark.accelerated
def test_fastapis_telemetry_sees_the_same(variant: str, order: str) -> None:
    check(all_of_it, variant, order)
