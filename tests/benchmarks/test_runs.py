"""How it is timed: processes, levels, profiles, counts of instructions."""

import asyncio
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks.__main__ import cli
from benchmarks.runs import call_profile, slow_calls
from benchmarks.runs.calls import Level
from benchmarks.runs.rounds import compare
from benchmarks.runs.subject import prepare
from benchmarks.subjects.workloads import Variant
from fastapi_async_safe import resolver_backend

ROOT = Path(__file__).parents[2]


HAS_COMPILED_CORE = resolver_backend() == "compiled"


@pytest.mark.parametrize("name", ["W2", "W4", "W7", "W11"])
def test_calls_can_be_repeated_at_both_levels(name: str) -> None:
    async def repeat() -> list[float]:
        subject = await prepare(name, Variant.PYTHON)
        return [await subject.calls[level].seconds(3) for level in Level]

    assert all(seconds > 0 for seconds in asyncio.run(repeat()))


def test_processes_time_what_they_are_asked_and_say_what_is_missing() -> None:
    timings = compare(
        [("W1", [Variant.STOCK, Variant.BY_HAND, Variant.PYTHON, Variant.COMPILED])],
        list(Level),
        rounds=2,
        generations=1,
    )

    assert [timing.contender for timing in timings] == ["stock", "by_hand", "python", "compiled"]
    assert [timing.thread_trips for timing in timings] == [1, 0, 0, 0]
    assert timings[-1].missing == ("" if HAS_COMPILED_CORE else "not built")
    for timing in timings[:3]:
        assert [seconds.count for seconds in timing.seconds.values()] == [2, 2]


def test_the_command_prints_a_row_for_each_variant() -> None:
    command = [
        sys.executable,
        "-m",
        "benchmarks",
        "-w",
        "W1",
        "--rounds",
        "1",
        "--generations",
        "1",
    ]
    printed = subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )

    for variant in ("stock", "async def by hand", "Python core", "compiled core"):
        assert variant in printed.stdout
    assert ("not built" in printed.stdout) is not HAS_COMPILED_CORE
    assert "Warning" not in printed.stderr


def test_the_command_refuses_a_workload_that_there_is_not() -> None:
    result = CliRunner().invoke(cli, ["-w", "W99"])

    assert result.exit_code != 0
    assert "W99" in result.output


def test_profiles_name_the_functions_of_a_request() -> None:
    rows = list(call_profile.rows("W2", Variant.PYTHON, requests=20))

    assert sum(row.share for row in rows) == pytest.approx(1)
    assert {"fastapi", "starlette", "fastapi_async_safe"} <= {row.package for row in rows}
    assert rows == sorted(rows, key=lambda row: row.share, reverse=True)
    expected = {*call_profile.PURPOSES}
    if find_spec("fastapi.telemetry") is None:  # to 0.141
        expected.remove("asking whether telemetry is on")
    assert expected <= {call_profile.purpose(row) for row in rows}


def test_instructions_without_valgrind_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    shown = CliRunner().invoke(cli, ["instructions", "-w", "W0"])

    assert shown.exit_code == 2
    assert "apt-get install valgrind" in shown.output


def test_the_cost_of_a_threshold_is_measured_for_each_kind_of_inline_call() -> None:
    costs = asyncio.run(slow_calls.measured(1, accelerated=HAS_COMPILED_CORE))

    assert [cost.kind for cost in costs] == [name for name, _ in slow_calls.KINDS.values()]
    assert all(cost.off > 0 and cost.on > 0 for cost in costs)
