"""What was measured: saved results, tables, the plot, the figures wanted."""

from dataclasses import asdict
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console
from typer.testing import CliRunner

from benchmarks.__main__ import cli
from benchmarks.figures import plot, report, targets
from benchmarks.figures.results import Results
from benchmarks.figures.table import print_http, print_instructions
from benchmarks.runs.calls import Level
from benchmarks.runs.http_load import HttpFigures
from benchmarks.runs.instructions import InstructionCounts
from benchmarks.runs.rounds import Seconds, Timing
from benchmarks.subjects.contenders import Peer
from benchmarks.subjects.workloads import SHOWN, WORKLOADS, Variant

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


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


@pytest.mark.skipif(
    "stream" not in WORKLOADS,
    reason="the saved results have a workload of FastAPI 0.135",
)
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
