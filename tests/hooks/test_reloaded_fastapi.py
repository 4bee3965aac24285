"""FastAPI that was reloaded or imported again: `init_app` says so, and leaves FastAPI alone.

Each case runs in a process of its own. What was initialised before answers as it did, or as FastAPI
does now; what `init_app` refuses, and what nobody ever gave it, is as on FastAPI alone.
"""

import importlib.util
import logging
import sys
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest

from tests.hooks import test_copies
from tests.hooks.conftest import Run, of_variant
from tests.hooks.test_copies import ALL_INLINE, PACKAGE, STOCK, VARIANTS, answers, modules_of
from tests.support.serving import expected_backend

SAID = "was reloaded or imported again after fastapi_async_safe"


def reload(*names: str) -> None:
    for name in names:
        importlib.reload(sys.modules[name])


def import_again(*packages: str) -> None:
    for package in packages:
        for name in modules_of(package):
            del sys.modules[name]
    importlib.import_module(packages[0])


UTILS, ROUTING = "fastapi.dependencies.utils", "fastapi.routing"

CHANGES: dict[str, Callable[[], None]] = {
    "utils": lambda: reload(UTILS),
    "routing": lambda: reload(ROUTING),
    "both": lambda: reload(UTILS, ROUTING),
    "all": lambda: reload(*modules_of("fastapi")),
    "all, last first": lambda: reload(*modules_of("fastapi")[::-1]),
    "imported again": lambda: import_again("fastapi", "starlette"),
}


class Said(logging.Handler):
    """Keeps what the package says, but for what it says of itself."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []
        logging.getLogger(PACKAGE).addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


def init(variant: str, app: Any) -> Any:
    """Initialise an application as the variant under test has it."""
    package: Any = importlib.import_module(PACKAGE)
    return package.init_app(app, accelerated=variant == "compiled")


def make_app() -> Any:
    """Make an application of the FastAPI that there is now."""
    spec = importlib.util.spec_from_file_location("applications", test_copies.__file__)
    assert spec is not None
    assert spec.loader is not None
    applications = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(applications)
    return applications.make_app(importlib.import_module(PACKAGE))


def is_refused(variant: str, change: str) -> None:
    """See what becomes of applications when FastAPI changes."""
    said, app, untouched = Said(), make_app(), make_app()
    assert answers(init(variant, app)) == [*STOCK, ALL_INLINE]
    CHANGES[change]()
    now = answers(untouched)
    assert answers(app)[:-1] in (STOCK, now[:-1])
    assert said.messages == []
    assert answers(init(variant, app)) == now
    (message,) = said.messages
    assert SAID in message
    made = make_app()
    # But for one, it is of a class that was not there before.
    with nullcontext() if change == "utils" else pytest.raises(TypeError, match=SAID):
        init(variant, made)
    assert answers(made) == answers(make_app())
    assert answers(untouched) == now


def is_served_by_another_copy(variant: str) -> None:
    """See that this package serves a FastAPI that was imported again, when it was so too."""
    app = make_app()
    init(variant, app)
    import_again("fastapi", "starlette", PACKAGE)
    for _ in range(2):
        assert answers(init(variant, make_app())) == [*STOCK, ALL_INLINE]
        assert answers(make_app()) == [*STOCK, "[]"]
    assert answers(app)[:-1] == STOCK


@pytest.fixture(params=VARIANTS[1:] if expected_backend() == "compiled" else VARIANTS[1:2])
def kind(request: pytest.FixtureRequest) -> str:
    """Give each core in turn."""
    return str(request.param)


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES)
def test_another_fastapi_than_at_first_is_refused(kind: str, change: str, run: Run) -> None:
    finished = run(
        f"from {__name__} import *; is_refused({kind!r}, {change!r})", **of_variant(kind)
    )
    assert finished.returncode == 0, finished.stderr


@pytest.mark.slow
def test_another_fastapi_is_served_by_another_copy(kind: str, run: Run) -> None:
    finished = run(
        f"from {__name__} import *; is_served_by_another_copy({kind!r})", **of_variant(kind)
    )
    assert finished.returncode == 0, finished.stderr
