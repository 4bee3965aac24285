"""Random dependency trees do on both cores what they do on stock FastAPI."""

import contextlib
import copy
import io
import logging
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qsl

import fastapi.dependencies.utils
import fastapi.routing
import pytest
import starlette.datastructures
from hypothesis import given, seed
from starlette.datastructures import UploadFile

from tests.random_trees import description as description_module
from tests.random_trees import variants
from tests.random_trees.capabilities import HAS_STREAMING_ENDPOINTS
from tests.random_trees.description import Dep, Description, Endpoint, Node, Param
from tests.random_trees.driver import Request
from tests.random_trees.features import features
from tests.random_trees.oracle import compare, differences
from tests.random_trees.recorder import Recorder
from tests.random_trees.reproducer import reproducer
from tests.random_trees.source import source_of
from tests.random_trees.strategies import descriptions, exploring
from tests.support.serving import FASTAPI

# What random applications declare is often worth a warning of FastAPI's or pydantic's, but nothing
# may be left un-awaited.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.filterwarnings("error:coroutine:RuntimeWarning"),
    pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning"),
]

#: A short run, if nobody says how many and which.
EXAMPLES = int(os.environ.get("RANDOM_TREES_EXAMPLES", "300"))
SEED = int(os.environ.get("RANDOM_TREES_SEED", "0"))

#: What a full run has to have had, so that none can be green for having tried nothing.
EXPECTED_FEATURES = {
    *(f"layout {kind}" for kind in ("app", "router", "nested", "mounted")),
    *(f"{flavour} function" for flavour in ("sync", "async", "gen", "agen")),
    *(f"sync {form}" for form in ("class", "dataclass", "model", "instance", "partial", "wrapped")),
    *(f"{source} parameter" for source in ("path", "query", "header", "cookie", "body", "form")),
    *(f"{source} model" for source in ("query", "header", "cookie", "body", "form")),
    *(f"failure in {phase}" for phase in ("call", "exit", "validate", "factory", "task")),
    "event change",
    *(f"event {kind} on the loop" for kind in ("call", "exit", "caught", "task", "chunk")),
    *(f"event {kind} in a thread" for kind in ("call", "exit", "caught", "task", "chunk")),
    *(f"special {name}" for name in ("Request", "Response", "BackgroundTasks", "SecurityScopes")),
    "422 with duplicate errors",
    "all_classes_safe",
    *(f"copied by {name}" for name in ("copy", "deepcopy")),
    *(f"late mark {mark}" for mark in ("safe", "unsafe")),
    *(f"replaced {when}: {what}" for when in ("before", "after") for what in ("shouted", "pool")),
    "dependency called twice",
    "file parameter",
    "outcome type='websocket.accept'",
    "request with overrides",
    "security with scopes",
    "shared node",
    "stock beside accelerated applications",
    "use_cache=False",
}
if not HAS_STREAMING_ENDPOINTS:
    # Nothing else that is compared makes parts of a response in a thread.
    EXPECTED_FEATURES.remove("event chunk in a thread")


@pytest.fixture(autouse=True)
def leave_fastapi_as_it_was() -> Iterator[None]:
    logger = logging.getLogger("python_multipart")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(level)
    variants.close()


class FoundError(AssertionError):
    """Tells hypothesis that an example has what was looked for."""


def explore(
    examples: int,
    check: Callable[[Description], bool],
    *,
    shrink: bool = False,
    start: int = SEED,
) -> Description | None:
    """Give the first description that `check` says yes to, the smallest one if shrunk."""
    found: list[Description] = []

    @seed(start)
    @exploring(examples, shrink=shrink)
    @given(descriptions())
    def explored(description: Description) -> None:
        if check(description):
            found.append(description)
            raise FoundError

    with contextlib.suppress(FoundError):
        explored()
    return found[-1] if found else None


def test_random_trees_are_the_same_on_stock_and_on_both_cores() -> None:
    chosen = variants.variants()
    seen: Counter[str] = Counter()

    def differs(description: Description) -> bool:
        runs, differences = compare(description, chosen)
        seen.update(features(description, runs))
        return bool(differences)

    found = explore(EXAMPLES, differs, shrink=True)
    if found is not None:
        shown = "\n".join(map(str, compare(found, chosen)[1]))
        script = reproducer(found)
        pytest.fail(f"seed {SEED}\n{shown}\n--- a script that shows it:\n{script}")
    if EXAMPLES >= 2000:
        assert EXPECTED_FEATURES - set(seen) == set()


def test_stock_is_the_same_twice() -> None:
    chosen = (variants.stock(), variants.stock("stock again"))
    assert explore(150, lambda description: bool(compare(description, chosen)[1])) is None


@cache
def examples_on_stock(start: int) -> list[tuple[Description, variants.Run]]:
    """Give the examples of one seed, and what stock FastAPI does with them."""
    made: list[tuple[Description, variants.Run]] = []

    def run(description: Description) -> bool:
        (stock,) = variants.run(description, (variants.stock(),))
        made.append((description, stock))
        return False

    explore(50, run, start=start)
    return made


def solving(
    before: Callable[[Any], None] | None = None, after: Callable[[Any, Any], None] | None = None
) -> Any:
    """Patch what FastAPI's routes call to resolve dependencies."""
    original = fastapi.routing.solve_dependencies

    async def changed(**arguments: Any) -> Any:
        if before is not None:
            before(arguments)
        solved = await original(**arguments)
        if after is not None:
            after(arguments, solved)
        return solved

    return patch.object(fastapi.routing, "solve_dependencies", changed)


def drop_duplicate_errors(arguments: Any, solved: Any) -> None:
    unique = {repr(error): error for error in solved.errors}
    solved.errors[:] = unique.values()


def reverse_errors(arguments: Any, solved: Any) -> None:
    solved.errors.reverse()


def drop_background_tasks(arguments: Any, solved: Any) -> None:
    solved.background_tasks = None


def reverse_exits(arguments: Any, solved: Any) -> None:
    arguments["async_exit_stack"]._exit_callbacks.reverse()


class Forgetful(dict[Any, Any]):
    def __bool__(self) -> bool:
        return True  # FastAPI to 0.116 takes another one for an empty one

    def __contains__(self, key: object) -> bool:
        return False


def forget_results(arguments: Any) -> None:
    arguments["dependency_cache"] = Forgetful()


async def call_inline(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    return call(*args, **kwargs)


def keep_plus(query: str, **options: Any) -> list[tuple[str, str]]:
    return parse_qsl(query.replace("+", "%2B"), **options)


@contextlib.contextmanager
def raising_anew() -> Iterator[None]:
    original = fastapi.routing.solve_dependencies

    async def changed(**arguments: Any) -> Any:
        try:
            return await original(**arguments)
        except ValueError as exc:
            raise ValueError(*exc.args) from exc

    with patch.object(fastapi.routing, "solve_dependencies", changed):
        yield


def share_lists() -> Any:
    def same(value: Any, memo: Any) -> Any:
        return value

    return patch.dict(copy._deepcopy_dispatch, {list: same})  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("fault", "what"),
    [
        pytest.param(lambda: solving(after=drop_duplicate_errors), "response", id="duplicates"),
        pytest.param(lambda: solving(after=reverse_errors), "response", id="order of errors"),
        pytest.param(lambda: solving(after=drop_background_tasks), "trace", id="tasks"),
        pytest.param(lambda: solving(after=reverse_exits), "trace", id="order of exits"),
        pytest.param(lambda: solving(before=forget_results), "trace", id="cache"),
        pytest.param(
            share_lists,
            "trace",
            id="shared defaults",
            marks=pytest.mark.skipif(
                FASTAPI < (0, 148), reason="FastAPI validates defaults to 0.147, which copies lists"
            ),
        ),
        pytest.param(
            lambda: patch.object(starlette.datastructures, "parse_qsl", keep_plus),
            "trace",
            id="plus signs",
        ),
        pytest.param(raising_anew, "error", id="causes"),
        pytest.param(contextlib.nullcontext, "thread", id="marks"),
        pytest.param(
            lambda: patch.object(fastapi.dependencies.utils, "run_in_threadpool", call_inline),
            "thread",
            id="inline though unmarked",
        ),
    ],
)
def test_a_fault_is_noticed(fault: Callable[[], Any], what: str) -> None:
    faulty = variants.stock("faulty", lambda description: fault(), accelerated=what == "thread")
    chosen = (variants.stock(), faulty)

    def noticed(description: Description, stock: variants.Run) -> bool:
        runs = [stock, *variants.run(description, (faulty,))]
        return any(each.what == what for each in differences(description, chosen, runs))

    # Examples of one seed resemble each other.
    starts = range(SEED, SEED + 20)
    assert any(noticed(*example) for start in starts for example in examples_on_stock(start))


def test_a_file_is_shown_with_what_can_be_read_of_it() -> None:
    recorder = Recorder()
    upload = UploadFile(io.BytesIO(b"content"), filename="name")
    assert recorder.show([upload, upload]).count("b'content'") == 2
    upload.file.close()
    assert recorder.show(upload) == "UploadFile('name', None, None)"


def test_a_description_is_its_own_literal() -> None:
    names = {**vars(description_module), "Request": Request}

    def changed(description: Description) -> bool:
        return bool(eval(repr(description), names) != description)

    assert explore(50, changed) is None


def test_a_reproducer_shows_all_variants_without_the_test_suite(tmp_path: Path) -> None:
    description = Description(
        endpoint=Endpoint(Node(flavour="async", deps=(Dep(0, "dep0"),))),
        nodes=(Node(form="class", params=(Param("a"),), mark="safe"),),
        requests=(Request(path="/r", query=b"a=1"), Request(path="/r", query=b"a=x")),
    )
    script = tmp_path / "reproducer.py"
    script.write_text(reproducer(description), encoding="utf-8")
    command = [sys.executable, str(script)]
    shown = subprocess.run(command, check=True, capture_output=True, text=True, cwd=tmp_path).stdout
    assert shown.count("--- stock") == shown.count("--- python") == 2
    assert "thread call n0 a=1" in shown
    assert "loop   call n0 a=1" in shown
    assert "'status': 422" in shown
    assert source_of(description) in shown


def test_the_command_runs_as_many_as_asked_for() -> None:
    command = [sys.executable, "-m", "tests.random_trees", "--examples=20", "--seed=1", "--jobs=2"]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=root)
    assert "20 examples with" in done.stdout
    assert "seed 1: 0 differences" in done.stdout
