"""The examples of docs/metrics.md: slow calls arrive at Prometheus and at OpenTelemetry."""

import re
import runpy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import Depends
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from prometheus_client import REGISTRY
from starlette.testclient import TestClient

from fastapi_async_safe import SlowCall, async_safe, init_app

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"


@async_safe
def compute() -> int:
    return sum(range(100))


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> InMemoryMetricReader:
    """Read what OpenTelemetry gets."""
    reader = InMemoryMetricReader()
    provider = MeterProvider(metric_readers=[reader])
    monkeypatch.setattr(metrics, "get_meter", provider.get_meter)
    return reader


@pytest.fixture
def page(reader: InMemoryMetricReader, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """Run the examples, and give their names."""
    examples = tmp_path / "examples.py"
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    examples.write_text("\n".join(blocks))
    names = runpy.run_path(str(examples))
    yield names
    REGISTRY.unregister(names["held"])


def ask(names: dict[str, Any], hook: Callable[[SlowCall], None]) -> None:
    app = names["app"]

    @app.get("/sum")
    async def read_sum(found: Annotated[int, Depends(compute)]) -> int:
        return found

    init_app(app, accelerated=True, slow_call_threshold=1e-9, on_slow_call=hook)
    assert TestClient(app).get("/sum").json() == 4950


def test_prometheus(page: dict[str, Any]) -> None:
    ask(page, page["to_prometheus"])
    labels = {"name": f"{__name__}.compute", "phase": "dependency", "route": "/sum"}
    assert REGISTRY.get_sample_value("event_loop_held_seconds_count", labels) == 1
    assert REGISTRY.get_sample_value("event_loop_held_seconds_sum", labels) > 0  # type: ignore[operator]


def test_opentelemetry(page: dict[str, Any], reader: InMemoryMetricReader) -> None:
    ask(page, page["to_opentelemetry"])
    data: Any = reader.get_metrics_data()
    (metric,) = data.resource_metrics[0].scope_metrics[0].metrics
    (point,) = metric.data.data_points
    assert metric.name == "event_loop.held"
    assert (point.count, point.attributes["http.route"]) == (1, "/sum")
    assert point.attributes["code.function.name"] == f"{__name__}.compute"
