"""`bench`: variants of one application, compared and timed in turns."""

import json
from pathlib import Path
from typing import Any

import pytest

from fastapi_async_safe._cli.bad_input import AppError
from fastapi_async_safe._cli.benching.comparison import difference
from fastapi_async_safe._cli.benching.rounds import _Process
from fastapi_async_safe._cli.benching.variants import Variant
from tests.cli.running import run as run_command

pytestmark = pytest.mark.slow

APP = """
import itertools
import threading
import time
from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi.staticfiles import StaticFiles
from fastapi_async_safe import init_app

numbers = itertools.count()
print("an application may print")


class Page:
    def __init__(self, skip: int = 0) -> None:
        self.skip = skip


def get_thread() -> int:
    return threading.get_ident()


def wait() -> None:
    time.sleep(0.001)


def make() -> FastAPI:
    app = FastAPI()
    app.mount("/files", StaticFiles(directory="."))

    @app.get("/pages")
    async def pages(page: Annotated[Page, Depends()]) -> int:
        return page.skip

    @app.get("/slow", dependencies=[Depends(wait)])
    async def slow(page: Annotated[Page, Depends()]) -> int:
        return page.skip

    @app.get("/threads")
    async def threads(thread: Annotated[int, Depends(get_thread)]) -> bool:
        return thread == threading.main_thread().ident

    @app.get("/times")
    async def times() -> dict[str, float]:
        return {"time": time.time()}

    @app.post("/numbers")
    async def number() -> dict[str, int]:
        return {"number": next(numbers)}

    return app


plain = make()
initialised = init_app(make(), accelerated=True, all_classes_safe=True)
"""


def bench(tmp_path: Path, name: str, *requests: str) -> dict[str, Any]:
    (tmp_path / "several.py").write_text(APP, encoding="utf-8")
    given = [part for request in requests for part in ("--request", request)]
    finished = run_command(
        "bench", f"several:{name}", *given, "--rounds", "3", "--json", cwd=tmp_path
    )
    assert finished.returncode == 0, finished.stderr
    found: dict[str, Any] = json.loads(finished.stdout)
    return found


def test_each_variant_is_timed_with_its_trips(tmp_path: Path) -> None:
    found = bench(tmp_path, "plain", "/pages?skip=3", "/slow", "POST /numbers", "/times")

    assert found["is_initialised"] is False
    assert [each["name"] for each in found["recommended"]] == ["several.Page"]
    pages, slow, number, times = found["requests"]
    assert trips_of(pages) == [1, 1, 0, 0]
    assert trips_of(slow) == [2, 2, 1, 1]
    assert pages["request"] == "GET /pages?skip=3"
    for request in found["requests"]:
        for variant in request["variants"].values():
            assert variant["difference"] is None
            assert variant["microseconds"] > 0
            assert variant["times_faster"] > 0
        assert request["variants"]["stock"]["times_faster"] == 1
    # The numbers of each process begin anew; the time does not.
    assert (number["varies"], times["varies"]) == (False, True)


def test_a_process_that_has_ended_is_told_when_it_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ends.py").write_text("import os\nos._exit(3)\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with _Process("ends:app", Variant.STOCK, []) as process:
        process._process.wait(timeout=60)
        with pytest.raises(AppError, match="ended early"):
            process.ask(0)


def trips_of(request: dict[str, Any]) -> list[int]:
    names = ["stock", "as it is", "proven_safe", "recommended marked"]
    assert list(request["variants"]) == names
    return [request["variants"][name]["trips"] for name in names]


def test_an_initialised_application_is_compared_with_stock_and_keeps_what_it_said(
    tmp_path: Path,
) -> None:
    found = bench(tmp_path, "initialised", "/slow")

    assert found["is_initialised"] is True
    assert found["recommended"] == []
    assert trips_of(found["requests"][0]) == [2, 1, 1, 1]


def test_a_difference_is_shown_in_place_of_a_time(tmp_path: Path) -> None:
    # This one tells where it runs, and so cannot be marked.
    found = bench(tmp_path, "plain", "/threads")

    assert [each["name"] for each in found["recommended"]] == ["several.get_thread"]
    variants = found["requests"][0]["variants"]
    assert variants["stock"]["difference"] is None
    assert variants["recommended marked"]["microseconds"] is None
    assert variants["recommended marked"]["difference"].startswith("headers differ: ")


def test_a_table_is_readable_at_80_columns(tmp_path: Path) -> None:
    (tmp_path / "several.py").write_text(APP, encoding="utf-8")

    finished = run_command(
        "bench",
        "several:plain",
        *("-r", "/pages?skip=3", "-r", "/threads", "-r", "/times", "--rounds", "2"),
        cwd=tmp_path,
    )

    assert finished.stderr == ""
    lines = finished.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["request,", "variant", "µs", "times", "faster", "trips"]
    assert lines[1].strip() == "GET /pages?skip=3"
    name, microseconds, ratio, trips = lines[2].split()
    assert (name, ratio, trips) == ("stock", "1.00", "1")
    assert float(microseconds.replace(",", "")) > 0
    assert "recommended marked: headers differ" in " ".join(finished.stdout.split())
    assert "GET /times*" in finished.stdout
    assert "this application has no init_app" in " ".join(finished.stdout.split())


def response(body: str, status: int = 200, **headers: str) -> dict[str, Any]:
    return {"status": status, "headers": [[*each] for each in headers.items()], "body": body}


@pytest.mark.parametrize(
    ("given", "varies", "expected"),
    [
        (response('{"a": 1}'), False, None),
        (response('{"a": 2}'), False, "body differs: '{\"a\": 2}' in place of '{\"a\": 1}'"),
        (response('{"a": 2}'), True, None),
        (response('{"a": "2"}'), True, "body differs: "),
        (response('{"b": 1}'), True, "body differs: "),
        (response('{"a": 1}', 201), True, "status 201 in place of 200"),
        (response('{"a": 1}', etag="x"), True, "headers differ: ['etag']"),
    ],
)
def test_what_varies_on_stock_is_compared_by_its_shape(
    given: dict[str, Any], varies: bool, expected: str | None
) -> None:
    found = difference(response('{"a": 1}'), given, varies=varies)

    assert found == expected if expected is None else str(found).startswith(expected)
