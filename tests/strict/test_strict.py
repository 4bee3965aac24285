"""`--async-safe-strict`: what fails, and what is said of it."""

import pytest

from tests.support.strict import NO_NOISE, SHOP, TESTS, Run, findings, line_of

pytestmark = pytest.mark.slow


def test_without_the_option_nothing_fails(run: Run) -> None:
    run().assert_outcomes(passed=7)


def test_each_that_blocks_fails_with_its_name_route_call_and_line(run: Run) -> None:
    # The machine may be busy with other tests.
    result = run("--async-safe-strict", ini="async_safe_budget = 60")
    result.assert_outcomes(passed=1, failed=6)
    found = findings(result)
    sleep = line_of("time.sleep(0.001)")
    read = line_of("read_text")
    expected = {
        "get_connection, the exit of a yield dependency of route /connection": (
            "sqlite3.Connection.commit",
            line_of("connection.commit()"),
            "connection.commit()",
        ),
        "sleep, a dependency of route /sleep": ("time.sleep", sleep, "time.sleep(0.001)"),
        "Template, a dependency of route /template": (
            "io.open",
            read,
            "self.text = Path(__file__).read_text()",
        ),
        "read_endpoint, the endpoint of route /endpoint": (
            "time.sleep",
            line_of("background.add_task") + 1,
            "time.sleep(0.001)",
        ),
        "task, a background task of route /endpoint": (
            "time.sleep",
            line_of("time.sleep(0.002)"),
            "time.sleep(0.002)",
        ),
        "read_stream, an item of the stream of route /stream": (
            "time.sleep",
            line_of('yield "a"') + 1,
            "time.sleep(0.001)",
        ),
    }
    for inline, (call, line, text) in expected.items():
        assert f"shop.{inline}, blocks: {call} at shop.py:{line}: {text}" in found, found
    # Where CI is set, pytest says all of it once more in its summary.
    (computed,) = {line for line in found if line.startswith("shop.compute,")}
    assert "took longer than async_safe_budget, which is 60 ms: " in computed
    assert f"shop.py:{line_of('def compute()') - 1})" in computed
    # It is not said twice, as blocking and as long.
    assert not any("took longer" in line for line in found if "compute" not in line), found


def test_the_ini_file_can_say_it_and_give_the_budget(run: Run) -> None:
    only = TESTS.replace('"connection", "sleep", "compute", "template"', '"compute"')
    result = run(tests=only, ini="async_safe_strict = true\nasync_safe_budget = 600")
    result.assert_outcomes(passed=2, failed=2)
    assert not any("compute" in line for line in findings(result))


def test_a_test_that_fails_anyway_keeps_its_failure_and_says_what_blocked(run: Run) -> None:
    tests = """
from shop import app
from starlette.testclient import TestClient

def test_status() -> None:
    client = TestClient(app, raise_server_exceptions=False)
    assert client.get("/sleep").status_code == 418
"""
    result = run("--async-safe-strict", tests=tests)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*assert 200 == 418*", "*async-safe*", "*shop.sleep, a dep*"])


def test_the_places_are_counted(run: Run) -> None:
    tests = """
from shop import app
from starlette.testclient import TestClient

client = TestClient(app, raise_server_exceptions=False)

def test_one() -> None:
    client.get("/sleep")

def test_two() -> None:
    client.get("/sleep")
    client.get("/stream")
"""
    result = run("--async-safe-strict", tests=tests, ini="async_safe_budget = 60000")
    result.assert_outcomes(failed=2)
    held_up = "async-safe: the event loop was held up in"
    result.stdout.fnmatch_lines([f"{held_up} 1 place", f"{held_up} 2 places"])


def test_fixtures_and_websockets_count_too(run: Run) -> None:
    tests = """
from collections.abc import Iterator
import pytest
from shop import app
from starlette.testclient import TestClient

client = TestClient(app, raise_server_exceptions=False)

@pytest.fixture
def before() -> None:
    client.get("/sleep")

@pytest.fixture
def after() -> Iterator[None]:
    yield
    client.get("/sleep")

def test_before(before: None) -> None: ...

def test_after(after: None) -> None: ...

def test_between() -> None: ...

def test_websocket() -> None:
    with client.websocket_connect("/talk"):
        pass
"""
    result = run("--async-safe-strict", tests=tests)
    result.assert_outcomes(errors=2, failed=1, passed=2)
    assert any("shop.Template, a dependency of route /talk" in each for each in findings(result))


ASYNC_TESTS = """
import httpx
import pytest
from shop import app
{mark}

async def ask(path: str) -> int:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        return (await client.get(path)).status_code

async def test_sleep() -> None:
    assert await ask("/sleep") == 200

async def test_page() -> None:
    assert await ask("/page") == 200
"""


def test_httpx_and_anyio(run: Run) -> None:
    mark = """
pytestmark = pytest.mark.anyio

@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
"""
    result = run(
        "--async-safe-strict",
        tests=ASYNC_TESTS.format(mark=mark),
        ini="async_safe_budget = 600",
    )
    result.assert_outcomes(passed=1, failed=1)
    assert any("shop.sleep, a dependency" in line for line in findings(result))


def test_pytest_asyncio(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeini(
        "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n"
        "async_safe_budget = 600\n"
    )
    pytester.makepyfile(shop=SHOP, test_shop=ASYNC_TESTS.format(mark=""))
    result = pytester.runpytest_subprocess("--async-safe-strict", *NO_NOISE)
    result.assert_outcomes(passed=1, failed=1)
    assert any("shop.sleep, a dependency" in line for line in findings(result))


def test_on_trio_the_budget_counts(run: Run) -> None:
    mark = """
pytestmark = pytest.mark.anyio

@pytest.fixture
def anyio_backend() -> str:
    return "trio"
"""
    tests = ASYNC_TESTS.format(mark=mark).replace("/sleep", "/compute")
    result = run("--async-safe-strict", tests=tests)
    result.assert_outcomes(passed=1, failed=1)
    assert any("shop.compute, a dependency" in line for line in findings(result))


def test_several_processes_and_coverage(run: Run) -> None:
    result = run(
        "--async-safe-strict",
        "-n",
        "2",
        "--cov=shop",
        "--cov-report=term",
        ini="async_safe_budget = 60",
    )
    result.assert_outcomes(passed=1, failed=6)
    assert any("shop.task, a background task" in line for line in findings(result))
    result.stdout.fnmatch_lines(["shop.py * 2 * 97%*"])


def test_without_blockbuster_it_says_what_to_do(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        without="""
import sys

sys.modules["blockbuster"] = None
"""
    )
    result = run("-p", "without", "--async-safe-strict")
    assert result.ret == 2
    said = "*--async-safe-strict*blockbuster*pip install 'fastapi-async-safe[[]debug]'*"
    (result.stderr if "blockbuster" in str(result.stderr) else result.stdout).fnmatch_lines([said])
    assert "Traceback" not in str(result.stdout) + str(result.stderr)


@pytest.mark.parametrize("budget", ["0", "-1", "nan", "inf", "soon"])
def test_a_budget_is_a_positive_number(run: Run, budget: str) -> None:
    result = run("--async-safe-strict", ini=f"async_safe_budget = {budget}")
    assert result.ret == 2
    text = str(result.stdout) + str(result.stderr)
    assert "async_safe_budget must be a positive number of milliseconds" in text
    assert "Traceback" not in text


def test_off_it_imports_nothing(run: Run) -> None:
    tests = """
import sys

def test_imports() -> None:
    assert "fastapi_async_safe_pytest" in sys.modules
    assert "fastapi" not in sys.modules
    assert "blockbuster" not in sys.modules
"""
    run(tests=tests).assert_outcomes(passed=1)


UNHASHABLE = """
import gc
import weakref
from dataclasses import dataclass
from typing import Annotated

from fastapi import BackgroundTasks, Depends, FastAPI
from fastapi.testclient import TestClient

from fastapi_async_safe import async_safe, init_app


@async_safe
@dataclass
class Counter:
    count: int = 0

    def __call__(self) -> int:
        self.count += 1
        return self.count


@async_safe
class Unequal:
    def __eq__(self, other: object) -> bool:
        raise LookupError

    def __hash__(self) -> int:
        return 1

    def __call__(self) -> None: ...


def test_counted() -> None:
    app = FastAPI()
    endpoint, task = Counter(), Counter()

    @app.get("/task")
    async def with_task(background: BackgroundTasks) -> None:
        background.add_task(task)
        background.add_task(Unequal())
        background.add_task(Unequal())

    app.get("/")(endpoint)
    client = TestClient(init_app(app))
    client.get("/task")
    assert task.count == 1
    assert [client.get("/").json() for _ in range(2)] == [1, 2]


def test_kept() -> None:
    app = FastAPI()
    made = []

    @app.get("/")
    async def endpoint(background: BackgroundTasks) -> None:
        @async_safe
        def task() -> None: ...

        made.append(weakref.ref(task))
        background.add_task(task)

    TestClient(init_app(app)).get("/")
    gc.collect()
    assert [each() for each in made] == [None]
"""


@pytest.mark.parametrize("option", ["--async-safe-strict", "--async-safe-report"])
def test_what_is_called_need_have_no_hash_and_is_not_kept(
    option: str, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(test_counted=UNHASHABLE)
    result = pytester.runpytest_subprocess(
        "-p", "no:cacheprovider", *NO_NOISE, "-o", "async_safe_budget=1000", option
    )
    result.assert_outcomes(passed=2)
    if option == "--async-safe-report":
        result.stdout.fnmatch_lines(["test_counted.Counter() * 2 * endpoint, /"])
