"""`profile`: what it measures, what it recommends, and that it leaves nothing behind."""

import ctypes
import functools
import json
import logging
import os
import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import fastapi.routing
import pytest
import starlette.background
from fastapi import BackgroundTasks, Depends, FastAPI
from fastapi.dependencies import utils
from fastapi.responses import StreamingResponse

from benchmarks.runs.thread_trips import counted_thread_trips
from fastapi_async_safe import async_safe, async_unsafe, init_app
from fastapi_async_safe._cli.in_process import run, send
from fastapi_async_safe._cli.profiling.advice import Advice
from fastapi_async_safe._cli.profiling.paste import lines_to_paste
from fastapi_async_safe._cli.profiling.session import profile
from fastapi_async_safe._cli.requests_given import GivenRequest, requests_of
from tests.cli.running import run as run_command
from tests.support.streams import app_with, events, needs_generator_endpoints, unmarked

ROOT = Path(__file__).parents[2]
SHOP = Path(__file__).with_name("mixed_shop.py")


def profiled(app: FastAPI, *requests: str, rounds: int = 40) -> dict[str, Advice]:
    """Profile an application; what is recommended, by the last part of the callable's name."""
    found = run(profile(app, requests_of(list(requests), None), rounds=rounds))
    return {each.measured.definition.name.rpartition(".")[2]: each for each in found}


def advice_for(call: Callable[..., Any], rounds: int = 40) -> Advice:
    """Profile one dependency."""
    app = FastAPI()

    @app.get("/", dependencies=[Depends(call)])
    async def read() -> None: ...

    (advice,) = profiled(app, "/", rounds=rounds).values()
    return advice


@pytest.mark.slow
def test_of_a_shop_exactly_the_parameter_class_is_recommended() -> None:
    finished = run_command(
        "profile", "tests.cli.mixed_shop:app", "--request", "/items?skip=1", "--json", cwd=ROOT
    )

    assert finished.stderr == ""
    found = {each["name"].rpartition(".")[2]: each for each in json.loads(finished.stdout)}
    verdicts = {name: each["verdict"] for name, each in found.items()}
    assert verdicts.pop("Page") == "mark"
    assert verdicts == dict.fromkeys(
        ["get_connection", "count_rows", "throttle", "compute", "Banner"], "leave"
    )
    lines = SHOP.read_text(encoding="utf-8").splitlines()
    for name, line in (
        ("get_connection", "    connection = sqlite3.connect("),
        ("count_rows", "    (count,) = connection.execute("),
        ("throttle", "    time.sleep(0.001)"),
        ("Banner", "        self.text = Path(__file__)"),
    ):
        place = found[name]["reason"].rpartition("(")[2].removesuffix(")")
        file, _, number = place.partition(":")
        assert (ROOT / file).resolve() == SHOP.resolve()
        assert lines[int(number) - 1].startswith(line)
    assert found["compute"]["reason"].startswith("computes 2")
    assert found["Page"]["paste"] == "@async_safe"
    figures = found["Page"]["microseconds"]
    assert 0 < figures["run_p50"] <= figures["run_p99"] <= figures["run_max"]
    assert figures["wait_p50"] > 0
    assert figures["saves"] > 0


@pytest.mark.slow
def test_a_table_is_readable_at_80_columns_and_ends_with_lines_to_paste() -> None:
    finished = run_command("profile", "tests.cli.mixed_shop:app", "-r", "/items", cwd=ROOT)

    assert finished.returncode == 0
    assert max(map(len, finished.stdout.splitlines())) <= 80
    table, _, paste = finished.stdout.partition("To paste:")
    assert "MARK: never waits, and is short" in table
    assert "LEAVE: waits, or is long" in table
    assert "tests.cli.mixed_shop.Page" in table
    number = SHOP.read_text(encoding="utf-8").splitlines().index("class Page:") + 1
    assert paste.split("\n\n")[1:] == [
        "  from fastapi_async_safe import async_safe",
        f"  # {Path('tests/cli/mixed_shop.py')}:{number}\n  @async_safe\n  class Page:\n",
    ]


# What is open when a call begins, or waits for nothing today, is seen by what is called.

opened: list[int] = []


@pytest.fixture(autouse=True)
def file_that_is_open() -> Iterator[None]:
    with Path(__file__).open("rb") as file:
        opened[:] = [file.fileno()]
        yield


def read_open_file() -> bytes:
    return os.pread(opened[0], 10, 0)


def look_for_file() -> bool:
    return os.path.exists(__file__)  # noqa: PTH110


def write_log() -> None:
    logger = logging.getLogger("tests.cli.profile")
    if not logger.handlers:
        logger.addHandler(logging.FileHandler(os.devnull))
    logger.warning("a line")


lock = threading.Lock()


def wait_for_lock() -> None:
    if lock.acquire(timeout=0.002):  # the test has it
        lock.release()


def sleep_in_thread() -> None:
    thread = threading.Thread(target=time.sleep, args=(0.002,))
    thread.start()
    thread.join()


@pytest.mark.parametrize(
    "call", [read_open_file, look_for_file, write_log, wait_for_lock, sleep_in_thread]
)
def test_what_touches_files_or_waits_is_left(call: Callable[..., Any]) -> None:
    with lock:
        advice = advice_for(call)

    assert advice.verdict == "leave", advice


@pytest.mark.skipif(not Path("/proc/thread-self/io").exists(), reason="nobody counts them")
def test_reads_of_what_is_no_function_of_python_are_counted() -> None:
    libc, buffer = ctypes.CDLL(None), ctypes.create_string_buffer(1)
    libc_read = libc.read

    with Path("/dev/zero").open("rb") as file:
        number = file.fileno()

        def reads() -> int:
            return int(libc_read(number, buffer, 1))

        advice = advice_for(reads)

    assert (advice.verdict, advice.reason) == ("leave", "reads or writes (1 system calls)")


def test_what_only_its_first_call_does_is_to_be_looked_at() -> None:
    @functools.lru_cache
    def settings() -> str:
        return Path(__file__).read_text(encoding="utf-8")[:3]

    # Not read by `prove`, so that only what was seen tells.
    advice = advice_for(functools.partial(settings))

    assert advice.verdict in ("look", "leave")
    assert "test_profile.py" in advice.reason


def test_too_few_calls_do_not_tell() -> None:
    def page(skip: int = 0) -> int:
        return skip

    advice = advice_for(page, rounds=5)

    assert advice.verdict == "look"
    assert advice.reason == "3 timed calls are too few to tell: with more --rounds there are 20"
    assert advice_for(page).verdict == "mark"


def test_a_mark_of_the_user_counts() -> None:
    @async_unsafe
    def legacy() -> None: ...

    @async_safe
    def safe() -> None: ...

    assert advice_for(legacy).reason == "marked async_unsafe"
    app = init_app(FastAPI(dependencies=[Depends(safe)]))

    @app.get("/")
    async def read() -> None: ...

    assert profiled(app, "/") == {}


class Base:
    def __init__(self, skip: int = 0) -> None:
        self.skip = skip


class Sleepy(Base):
    def __init__(self) -> None:
        super().__init__()
        time.sleep(0.001)


def test_a_class_whose_mark_a_blocking_one_would_inherit_is_to_be_looked_at() -> None:
    app = FastAPI()

    @app.get("/")
    async def read(one: Annotated[Base, Depends()], two: Annotated[Sleepy, Depends()]) -> None: ...

    found = profiled(app, "/")

    assert found["Sleepy"].verdict == "leave"
    assert found["Base"].verdict == "look"
    assert found["Base"].reason == "Sleepy would inherit its mark: that one needs @async_unsafe"


class Counter:
    def __init__(self, step: int) -> None:
        self.step = step

    def __call__(self, start: int = 0) -> int:
        return start + self.step


def everything() -> FastAPI:
    """An application that goes to a thread in every way there is."""

    def session() -> Iterator[int]:
        yield 1

    def endpoint(
        tasks: BackgroundTasks,
        one: Annotated[int, Depends(session)],
        two: Annotated[int, Depends(Counter(2))],
        three: Annotated[int, Depends(Counter(3))],
    ) -> dict[str, int]:
        tasks.add_task(task)
        return {"sum": one + two + three}

    def task() -> None: ...

    app = FastAPI()
    app.get("/", response_model=dict[str, int])(endpoint)
    return app


def test_everything_that_goes_to_a_thread_is_measured() -> None:
    app = everything()

    found = profiled(app, "/")

    parts = {name: each.measured.parts for name, each in found.items()}
    assert parts == {
        "session": {"enter", "exit"},
        "Counter": {"dependency"},
        "endpoint": {"endpoint", "validation"},
        "task": {"task"},
    }
    assert {name: each.measured.calls for name, each in found.items()} == {
        "session": 40,
        "Counter": 80,
        "endpoint": 40,
        "task": 40,
    }
    assert {each.verdict for each in found.values()} == {"mark"}


@pytest.mark.skipif(not hasattr(fastapi.routing, "iterate_in_threadpool"), reason="not FastAPI's")
def test_the_items_of_a_stream_are_measured() -> None:
    app = FastAPI()

    @app.get("/", response_class=StreamingResponse)
    def stream() -> Iterator[str]:
        yield "a"
        time.sleep(0.001)
        yield "b"

    found = profiled(app, "/")

    if "stream" in found:  # FastAPI iterates itself from 0.134
        assert found["stream"].verdict == "leave"
        assert found["stream"].measured.parts == {"item"}


@needs_generator_endpoints
def test_the_events_of_an_endpoint_are_measured() -> None:
    def numbers() -> Iterator[int]:
        yield 1
        time.sleep(0.001)

    found = profiled(app_with(events, numbers, unmarked), "/")

    assert list(found) == ["endpoint"]
    assert found["endpoint"].verdict == "leave"
    assert found["endpoint"].measured.parts == {"item"}
    assert found["endpoint"].measured.calls == 40 * 3  # two events, and the end


def test_nothing_is_left_behind() -> None:
    def names() -> list[Any]:
        return [
            utils.run_in_threadpool,
            utils.contextmanager_in_threadpool,
            fastapi.routing.run_in_threadpool,
            getattr(fastapi.routing, "iterate_in_threadpool", None),
            starlette.background.run_in_threadpool,
            sys.getswitchinterval(),
            sys.getprofile(),
            logging.getLogger("fastapi_async_safe").level,
        ]

    def trips() -> int:
        with counted_thread_trips() as counted:
            run(send(app, GivenRequest("GET", "/")))
        return counted.count

    app = init_app(everything())
    before, trips_before = names(), trips()

    found = profiled(app, "/")

    assert found["session"].measured.calls == 40
    assert names() == before
    assert trips() == trips_before < 8  # of which FastAPI makes one each


def test_a_terminal_sees_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    finished = run_command(
        "profile", "tests.cli.mixed_shop:app", "--request", "/items", "--rounds", "2", cwd=ROOT
    )
    assert "profile" in finished.stderr
    assert "100%" in finished.stderr


def test_the_lifespan_runs_once_around_all_requests() -> None:
    events: list[str] = []

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> Any:
        events.append("start")
        yield
        events.append("end")

    app = FastAPI(lifespan=lifespan)

    @app.get("/")
    def read() -> None:
        events.append("request")

    profiled(app, "/", rounds=3)

    assert events == ["start", *["request"] * 3, "end"]


def test_lines_to_paste_mark_where_a_callable_stands_or_is_imported() -> None:
    app = everything()
    found = profiled(app, "/")

    lines = lines_to_paste(list(found.values()))

    assert lines[0] == "from fastapi_async_safe import async_safe"
    place = next(i for i, line in enumerate(lines) if line == "class Counter:")
    assert lines[place - 1] == "@async_safe"
    assert lines[place - 2].startswith(f"# {Path('tests/cli/test_profile.py')}:")
    place = lines.index("    def session() -> Iterator[int]:")
    assert lines[place - 1] == "    @async_safe"


def test_what_is_not_of_the_project_is_marked_where_it_is_imported() -> None:
    advice = advice_for(secrets.token_hex)

    assert advice.verdict == "mark"
    assert lines_to_paste([advice])[1:] == [
        "",
        "# what is imported from elsewhere",
        "import secrets",
        "async_safe(secrets.token_hex)",
    ]


SHORT_APP = """
from contextlib import asynccontextmanager
from fastapi import FastAPI

@asynccontextmanager
async def lifespan(app):
    raise LookupError("no database")
    yield

app = FastAPI()
unstartable = FastAPI(lifespan=lifespan)

@app.get("/raises")
def raises():
    return 1 / 0

@app.get("/tired")
def tired():
    app.state.answered = getattr(app.state, "answered", 0) + 1
    if app.state.answered > 1:
        raise LookupError("not again")

@app.get("/ends")
def ends():
    raise SystemExit("the end")

@app.get("/error", status_code=503)
def error():
    return "not today"
"""


@pytest.mark.slow
@pytest.mark.parametrize("command", ["profile", "bench"])
@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ["app", "-r", "/raises"],
            "GET /raises fails with ZeroDivisionError: division by zero; ",
        ),
        (["app", "-r", "/tired"], "GET /tired fails with LookupError: not again; send what "),
        (["app", "-r", "/error"], 'GET /error is answered with 503: "not today"; '),
        (["app"], "there is no request to send: add --request"),
        (["app", "--from", "empty.har"], "empty.har is a HAR file without a request: "),
        (["missing", "-r", "/"], "short has no 'missing'"),
    ],
)
def test_a_request_that_fails_is_one_line_and_exit_code_2(
    tmp_path: Path, command: str, arguments: list[str], line: str
) -> None:
    (tmp_path / "short.py").write_text(SHORT_APP, encoding="utf-8")
    (tmp_path / "empty.har").write_text('{"log": {"entries": []}}', encoding="utf-8")
    name, *options = arguments

    finished = run_command(command, f"short:{name}", *options, cwd=tmp_path)

    assert finished.returncode == 2
    assert finished.stdout == ""
    last = finished.stderr.splitlines()
    assert len(last) == 1, finished.stderr
    assert line in last[0]


@pytest.mark.slow
def test_a_request_that_is_refused_is_told(tmp_path: Path) -> None:
    (tmp_path / "short.py").write_text(SHORT_APP, encoding="utf-8")

    finished = run_command("profile", "short:app", "-r", "/nowhere", "--rounds", "3", cwd=tmp_path)

    assert finished.returncode == 0
    assert finished.stderr == 'GET /nowhere is answered with 404: {"detail":"Not Found"}\n'


@pytest.mark.slow
@pytest.mark.parametrize("command", ["profile", "bench"])
def test_an_application_that_ends_the_process_shows_where(tmp_path: Path, command: str) -> None:
    (tmp_path / "short.py").write_text(SHORT_APP, encoding="utf-8")

    finished = run_command(command, "short:app", "-r", "/ends", cwd=tmp_path)

    assert finished.returncode == 2
    assert finished.stderr.splitlines()[-1] == "SystemExit: the end"


@pytest.mark.slow
@pytest.mark.parametrize("command", ["profile", "bench"])
def test_an_application_that_cannot_start_shows_its_own_traceback(
    tmp_path: Path, command: str
) -> None:
    (tmp_path / "short.py").write_text(SHORT_APP, encoding="utf-8")

    finished = run_command(command, "short:unstartable", "-r", "/raises", cwd=tmp_path)

    assert finished.returncode == 2
    assert finished.stderr.splitlines()[-1] == "LookupError: no database"
