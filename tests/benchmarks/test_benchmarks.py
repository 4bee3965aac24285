"""The benchmarks' own promises: same answers, counted thread trips, tables made from results."""

import asyncio
import os
import subprocess
import sys
import warnings
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console
from typer.testing import CliRunner

with warnings.catch_warnings():
    # The example apps ask for the compiled core, which a pure build does not have.
    warnings.simplefilter("ignore", RuntimeWarning)
    from benchmarks.subjects.workloads import SHOWN, WORKLOADS, Variant, Workload
from benchmarks.__main__ import cli
from benchmarks.figures import plot, report, targets
from benchmarks.figures.results import Results
from benchmarks.figures.table import print_http, print_instructions
from benchmarks.runs import call_profile
from benchmarks.runs.calls import Level
from benchmarks.runs.http_load import HttpFigures
from benchmarks.runs.instructions import InstructionCounts
from benchmarks.runs.rounds import Seconds, Timing, compare
from benchmarks.runs.subject import prepare
from benchmarks.runs.thread_trips import counted_thread_trips
from benchmarks.subjects.client import Answer, call
from benchmarks.subjects.contenders import Peer, UnavailableError, create_app, label
from fastapi_async_safe import resolver_backend

ROOT = Path(__file__).parents[2]

HAS_COMPILED_CORE = resolver_backend() == "compiled"

STOCK_TRIPS = {
    "W0": 0,
    "W1": 1,
    "W2": 4,
    "W3": 5,
    "W4": 5,
    "W5": 2,
    "W6": 3,
    "W7": 2,
    "W8": 0,
    "W9": 4,
    "W10/10": 10,
    "W10/20": 20,
    "W10/100": 100,
    "W10/1000": 1000,
    "W10/diamond": 100,
    "W11": 4,
    "W12": 2,
    "stream": 6,
    "W13": 1,
    "W14": 4,
    "W15": 7,
    "W16": 11,
    "W17": 7,
    "W17/64": 7,
    "parameters/5": 1,
    "parameters/10": 1,
    "parameters/20": 1,
    "parameters/50": 1,
    "parameters/100": 1,
    "long query": 4,
}


MARKED_CLASSES = {"W9": 0, "W15": 0, "W16": 2, "W17": 0, "W17/64": 0}
"""The workloads in which something goes to a thread, and how many of their classes do not."""


async def answer_and_trips(workload: Workload, variant: Variant) -> tuple[Answer, int]:
    app = workload.app(variant)
    with counted_thread_trips() as trips:
        return await call(app, workload.request), trips.count


@pytest.mark.parametrize("name", WORKLOADS)
def test_stock_trips_into_the_thread_pool_once_for_each_sync_call(name: str) -> None:
    answer, trips = asyncio.run(answer_and_trips(WORKLOADS[name], Variant.STOCK))

    assert answer.status == {"W11": 101, "W13": 422}.get(name, 200)
    assert trips == STOCK_TRIPS[name]


@pytest.mark.parametrize("core", [Variant.PYTHON, Variant.COMPILED])
@pytest.mark.parametrize("name", [name for name in WORKLOADS if name not in MARKED_CLASSES])
def test_what_is_marked_does_make_no_trip(name: str, core: Variant) -> None:
    _, trips = asyncio.run(answer_and_trips(WORKLOADS[name], core))

    assert trips == 0


@pytest.mark.parametrize("core", [Variant.PYTHON, Variant.COMPILED])
@pytest.mark.parametrize("name", [name for name in MARKED_CLASSES if name in WORKLOADS])
def test_what_is_not_marked_goes_to_a_thread_no_more_often_than_on_stock(
    name: str, core: Variant
) -> None:
    stock, _ = asyncio.run(answer_and_trips(WORKLOADS[name], Variant.STOCK))
    answer, trips = asyncio.run(answer_and_trips(WORKLOADS[name], core))

    assert answer == stock
    assert 0 < trips <= STOCK_TRIPS[name] - MARKED_CLASSES[name]


@pytest.mark.parametrize("submit", ["asyncio.to_thread", "anyio.to_thread.run_sync"])
def test_a_hop_is_counted_whoever_makes_it(submit: str) -> None:
    async def trip() -> int:
        import anyio.to_thread

        with counted_thread_trips() as trips:
            if submit == "asyncio.to_thread":
                await asyncio.to_thread(int)
            else:
                await anyio.to_thread.run_sync(int)
        return trips.count

    assert asyncio.run(trip()) == 1


def test_a_variant_that_does_not_apply_is_an_error() -> None:
    with pytest.raises(ValueError, match="W0 has no variant"):
        WORKLOADS["W0"].app(Variant.ASYNC_BY_HAND)


def test_a_peer_is_for_one_workload_only() -> None:
    with pytest.raises(UnavailableError):
        create_app("W1", Peer.LITESTAR)


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


@pytest.fixture
def results() -> Results:
    """A run in which everything took twice as long on stock, but W0, which was not run."""
    made = Results.here_and_now()
    for workload in WORKLOADS.values():
        for variant in workload.variants():
            if workload.name != "W0":
                seconds = 4e-5 if variant is Variant.STOCK else 2e-5
                each = {str(level): Seconds(seconds, seconds / 2, 3) for level in Level}
                made.timings.append(Timing(workload.name, variant, 1, each))
    made.timings.append(Timing("W2", Peer.LITESTAR, 0, {"request": Seconds(1e-5, 1e-5, 1)}))
    made.timings.append(Timing("W2", Peer.WIREUP, missing="not installed"))
    for variant, rate in ((Variant.STOCK, 1000.0), (Variant.COMPILED, 7000.0)):
        figures = HttpFigures("W2", variant, 64, rate, 0.01, 0.02, 0.03, refused=2, unanswered=0)
        made.http.append(asdict(figures))
    return made


def test_results_are_the_same_when_read_again(results: Results, tmp_path: Path) -> None:
    results.save(tmp_path / "results.json")

    assert Results.load(tmp_path / "results.json") == results


def test_saved_results_have_one_line_an_entry(results: Results, tmp_path: Path) -> None:
    results.save(tmp_path / "results.json")

    lines = (tmp_path / "results.json").read_text().splitlines()

    assert sum('"workload"' in line for line in lines) == len(results.timings) + len(results.http)


def test_a_figure_is_the_median_of_the_blocks() -> None:
    assert Seconds.of([3.0, 1.0, 2.0, 9.0, 1.5]) == Seconds(median=2.0, best=1.0, count=5)


def test_a_ratio_is_of_two_medians(results: Results) -> None:
    stock, ours = ("W2", Variant.STOCK), ("W2", Variant.COMPILED)

    assert results.median(Level.SOLVE, *ours) == 2e-5
    assert results.ratio(Level.REQUEST, stock, ours) == 2.0
    assert results.ratio(Level.REQUEST, ("W0", Variant.STOCK), ours) is None
    assert results.ratio(Level.REQUEST, ("W2", Peer.WIREUP), ours) is None


def test_the_tables_show_what_was_measured(results: Results) -> None:
    text = report.markdown(results)

    assert f"| W2: {WORKLOADS['W2'].title} | 40.0 | 20.0 (2.0) | 20.0 (2.0) | 20.0 (2.0) |" in text
    assert "| Litestar | 10.0 (4.0) |" in text
    assert "| W2, compiled core | 64 | 7,000 | 10.0 | 20.0 | 30.0 |" in text
    assert "W0" not in text
    assert "wireup" not in text


def test_the_tables_go_between_the_markers_of_a_page(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text("above\n<!-- some -->\nold\n<!-- /some -->\nbelow\n")

    report.put_into(page, "some", "new\n")
    report.put_into(page, "some", "newer\n")

    assert page.read_text() == "above\n<!-- some -->\n\nnewer\n\n<!-- /some -->\nbelow\n"


def test_the_summary_shows_trips_and_gain(results: Results) -> None:
    text = report.summary(results)

    title = WORKLOADS["W2"].title
    assert (
        f"| {title} | 40.0 (1 trip) | 20.0 (1 trip) | 20.0 (1 trip) | 20.0 (1 trip) | 2.0 |" in text
    )
    assert "7,000 requests a second, on stock 1,000." in text


def test_the_pages_of_this_project_show_the_saved_results(tmp_path: Path) -> None:
    pages = {name: tmp_path / Path(name).name for name in ("README.md", "docs/figures.md")}
    for name, page in pages.items():
        page.write_text((ROOT / name).read_text())

    made = CliRunner().invoke(
        cli,
        [
            *("report", "--readme", str(pages["README.md"])),
            *("--figures", str(pages["docs/figures.md"]), "--plot", str(tmp_path / "plot.svg")),
        ],
    )

    assert made.exit_code == 0
    for name, page in pages.items():
        assert page.read_text() == (ROOT / name).read_text()
    assert (tmp_path / "plot.svg").read_text() == (ROOT / "benchmarks/results.svg").read_text()


def test_profiles_name_the_functions_of_a_request() -> None:
    rows = list(call_profile.rows("W2", Variant.PYTHON, requests=20))

    assert sum(row.share for row in rows) == pytest.approx(1)
    assert {"fastapi", "starlette", "fastapi_async_safe"} <= {row.package for row in rows}
    assert rows == sorted(rows, key=lambda row: row.share, reverse=True)
    expected = {*call_profile.PURPOSES}
    if find_spec("fastapi.telemetry") is None:  # to 0.141
        expected.remove("asking whether telemetry is on")
    assert expected <= {call_profile.purpose(row) for row in rows}


def test_a_page_without_markers_is_an_error(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text("nothing\n")

    with pytest.raises(ValueError, match="has no lines"):
        report.put_into(page, "some", "new")


def test_the_plot_is_valid_svg_with_a_bar_for_each_variant_shown(results: Results) -> None:
    root = ET.fromstring(plot.svg(results))

    shown = [name for name in SHOWN if name in WORKLOADS]
    bars = [e.get("class") for e in root.iter("{http://www.w3.org/2000/svg}rect")]
    legend = 1
    assert bars.count("compiled") == len(shown) - 1 + legend
    assert "prefers-color-scheme: dark" in plot.STYLE


def test_each_figure_wanted_is_listed_with_what_was_measured(results: Results) -> None:
    rows = list(targets.rows(results))

    assert len(rows) == len(targets.TARGETS)
    assert ("request", "W2", "stock", ">= 9", "2.00", "missed") in rows
    assert ("request", "W9", "stock", ">= 3", "2.00", "missed") in rows
    assert ("request", "W0", "stock", ">= 1.2", "-", "not measured") in rows
    assert ("request", "W2", "stock W0", ">= 1.1", "-", "not measured") in rows
    assert ("HTTP, 64 connections", "W2 requests/s", "stock", ">= 6", "7.00", "reached") in rows
    growth = "W10/1000, cost of one of 1,000"
    assert ("growth", growth, "of one of 10", "<= 1.3", "0.01", "reached") in rows


def test_a_load_is_printed_with_what_was_refused(results: Results) -> None:
    console = Console(record=True, width=120)

    print_http(results, console)

    (ours,) = (line for line in console.export_text().splitlines() if "compiled core" in line)
    assert [cell.strip() for cell in ours.split("│")[1:-1]] == [
        *("W2", "compiled core", "64", "7,000", "7.0", "10.0", "30.0", "2", "0")
    ]


def test_figures_that_were_missed_are_no_failure(results: Results, tmp_path: Path) -> None:
    results.save(tmp_path / "results.json")

    shown = CliRunner().invoke(cli, ["targets", str(tmp_path / "results.json")])

    assert shown.exit_code == 0
    assert "missed" in shown.output


def test_every_contender_has_a_name_for_tables() -> None:
    assert {label(contender) for contender in [*Variant, *Peer]} >= {"stock", "compiled core"}


def test_the_table_of_figures_can_be_printed_for_an_empty_run() -> None:
    console = Console(record=True, width=120)

    targets.print_targets(Results.here_and_now(), console)

    assert "not measured" in console.export_text()


def test_instructions_are_compared_with_saved_ones(tmp_path: Path) -> None:
    before = InstructionCounts({"python": "3.13.0"}, {"W0": 200_000.0, "W2": 400_000.0})
    before.save(tmp_path / "before.json")
    now = InstructionCounts({"python": "3.13.0"}, {"W0": 203_000.0, "W4": 1.0})
    console = Console(record=True, width=120)

    read = InstructionCounts.load(tmp_path / "before.json")
    print_instructions(now, read, console)

    assert read == before
    assert now.change(read, "W0") == pytest.approx(1.5)
    assert now.change(read, "W4") is None
    printed = console.export_text()
    assert "+1.50 %" in printed
    assert "Not the same software" not in printed


def test_counts_of_other_software_are_told_apart() -> None:
    before = InstructionCounts({"python": "3.12.0"}, {"W0": 200_000.0})
    console = Console(record=True, width=120)

    print_instructions(InstructionCounts({"python": "3.13.0"}, {"W0": 1.0}), before, console)

    assert "Not the same software" in console.export_text()


def test_instructions_without_valgrind_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    shown = CliRunner().invoke(cli, ["instructions", "-w", "W0"])

    assert shown.exit_code == 2
    assert "apt-get install valgrind" in shown.output
