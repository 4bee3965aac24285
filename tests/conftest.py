"""Serves the applications of tests in all variants: stock FastAPI, Python core, compiled core.

Stock FastAPI is the specification, so what a test says of an application should hold in all of
them. What is said of marked code alone has the mark `accelerated` and is left out on stock.
"""

from collections.abc import Callable, Iterator
from importlib import metadata

import anyio
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, settings
from starlette.testclient import TestClient

from fastapi_async_safe import _hooks, init_app, resolver_backend
from tests.support.serving import (
    Answer,
    AsgiApp,
    Exchange,
    Init,
    Root,
    SameAsStock,
    Serve,
    expected_backend,
    forget_endpoints,
)

VARIANTS = ("stock", "python", "compiled")

# How long an example takes says nothing: the machine may be busy. `init` gives each example what it
# gave the first one.
settings.register_profile(
    "unhurried",
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("unhurried")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "accelerated: says nothing of stock FastAPI")
    config.addinivalue_line("markers", "declines: something falls back to FastAPI, and logged")


def pytest_report_header() -> str:
    versions = (f"{name} {metadata.version(name)}" for name in ("fastapi", "starlette", "pydantic"))
    return f"resolver backend: {resolver_backend()}; {', '.join(versions)}"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "variant" not in metafunc.fixturenames:
        return
    variants: tuple[str, ...] = VARIANTS if expected_backend() == "compiled" else VARIANTS[:2]
    if metafunc.definition.get_closest_marker("accelerated") is not None:
        variants = variants[1:]
    metafunc.parametrize("variant", variants)


@pytest.fixture(autouse=True)
def without_what_is_known_of_other_endpoints() -> None:
    forget_endpoints()


@pytest.fixture
def init(
    variant: str, request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> Iterator[Init]:
    """Give what initialises an application in the variant under test."""
    if variant == "compiled" and resolver_backend() != "compiled":
        pytest.fail("there is a compiled core to be tested, but it is not in use")
    if variant == "stock":
        _hooks.remove()

    def initialised(root: Root, **options: object) -> Root:
        if variant == "stock":
            return root
        return init_app(root, accelerated=variant == "compiled", **options)  # type: ignore[arg-type]

    yield initialised
    if request.node.get_closest_marker("declines") is None:
        records = [*caplog.get_records("setup"), *caplog.get_records("call")]
        said = [record.getMessage() for record in records if record.name == "fastapi_async_safe"]
        assert said == [], "this fell back to FastAPI"


@pytest.fixture
def same_as_stock(init: Init) -> SameAsStock:
    """Give what compares an application with the same one on stock, request by request."""

    async def answers(app: AsgiApp, exchanges: tuple[Exchange, ...]) -> list[Answer]:
        return [await each.run(app) for each in exchanges]

    def compared(make_app: Callable[[], FastAPI], *exchanges: Exchange) -> list[Answer]:
        expected = anyio.run(answers, make_app(), exchanges)
        given = anyio.run(answers, init(make_app()), exchanges)
        for each, theirs, ours in zip(exchanges, expected, given, strict=True):
            assert (each, ours.shown()) == (each, theirs.shown())
        return given

    return compared


@pytest.fixture
def serve(init: Init) -> Serve:
    """Give what serves an application in the variant under test."""

    def served(app: FastAPI, *, backend: str = "asyncio", **options: object) -> TestClient:
        return TestClient(init(app, **options), backend=backend)  # type: ignore[arg-type]

    return served
