"""The figures that the project wants to reach, each with what a run measured."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from benchmarks.figures.results import Results
from benchmarks.runs.calls import Level
from benchmarks.subjects.contenders import Peer, label
from benchmarks.subjects.workloads import Variant


@dataclass(frozen=True)
class Target:
    """One figure and its bound; `measure` gives None where the run did not include it."""

    level: str
    what: str
    against: str
    bound: float
    measure: Callable[[Results], float | None]
    at_most: bool = False
    unit: str = ""

    def reached(self, results: Results) -> bool | None:
        """Whether the bound holds, or None if that was not measured."""
        measured = self.measure(results)
        if measured is None:
            return None
        return measured <= self.bound if self.at_most else measured >= self.bound


def faster(
    level: Level,
    workload: str,
    against: str,
    bound: float,
    *,
    ours: Variant = Variant.COMPILED,
    their_workload: str = "",
) -> Target:
    """Their time by ours."""
    theirs = their_workload or workload
    return Target(
        level,
        workload if ours is Variant.COMPILED else f"{workload}, {label(ours)}",
        label(against) + (f" {theirs}" if theirs != workload else ""),
        bound,
        lambda results: results.ratio(level, (theirs, against), (workload, ours)),
    )


def growth(family: str, start: int, end: str, size: int) -> Target:
    """Solve time by dependency or parameter at `size`, by the same at `start`."""

    def measure(results: Results) -> float | None:
        ratio = results.ratio(
            Level.SOLVE,
            (f"{family}/{end}", Variant.COMPILED),
            (f"{family}/{start}", Variant.COMPILED),
        )
        return ratio and ratio * start / size

    what = f"{family}/{end}, cost of one of {size:,}"
    return Target("growth", what, f"of one of {start}", 1.3, measure, at_most=True)


def over_http(
    figure: str, connections: int, against: str, bound: float, *, workload: str = "W2"
) -> Target:
    """How much better our figure is than theirs."""

    def measure(results: Results) -> float | None:
        ours = results.http_figure(workload, Variant.COMPILED, connections, figure)
        theirs = results.http_figure(workload, against, connections, figure)
        if not ours or not theirs:
            return None
        return ours / theirs if figure == "requests_per_second" else theirs / ours

    shown = figure.replace("_per_", "/").replace("requests/second", "requests/s")
    level = f"HTTP, {connections:,} connections"
    return Target(level, f"{workload} {shown}", label(against), bound, measure)


def no_refusal(workload: str, connections: int) -> Target:
    """Requests that got an error for an answer, or none."""

    def measure(results: Results) -> float | None:
        refused, unanswered = (
            results.http_figure(workload, Variant.COMPILED, connections, figure)
            for figure in ("refused", "unanswered")
        )
        return None if refused is None or unanswered is None else refused + unanswered

    level = f"HTTP, {connections:,} connections"
    return Target(level, f"{workload} failed requests", "", 0, measure, at_most=True)


def trips(workload: str, bound: int = 0) -> Target:
    """Counted trips through the thread pool."""

    def measure(results: Results) -> float | None:
        timing = results.timing(workload, Variant.COMPILED)
        return None if timing is None or timing.missing else timing.thread_trips

    return Target("thread trips", workload, "", bound, measure, at_most=True)


def plans(core: str, figure: str, bound: float, scale: float, unit: str) -> Target:
    """What the plans of many routes cost."""

    def measure(results: Results) -> float | None:
        found: dict[str, float] | None = results.start_up.get("plans", {}).get(core)
        return found[figure] / scale if found else None

    what = {
        "seconds": "plans of 1,000 routes, 10 dependencies each",
        "bytes_per_route": "memory of the plan of one such route",
    }[figure]
    return Target("start-up", what, "", bound, measure, at_most=True, unit=unit)


def import_time(results: Results) -> float | None:
    seconds: float | None = results.start_up.get("import_seconds")
    return seconds and seconds * 1e3


def memory_growth(results: Results) -> float | None:
    """Mebibytes between the second of ten points and the last."""
    points = results.memory.get(Variant.COMPILED)
    return (points[-1] - points[1]) / 2**20 if points else None


SOLVE, REQUEST = Level.SOLVE, Level.REQUEST
STOCK, ASYNC, BY_HAND = Variant.STOCK, Variant.ASYNC_BY_HAND, Variant.BY_HAND

TARGETS = (
    faster(SOLVE, "W2", STOCK, 100),
    faster(SOLVE, "W2", ASYNC, 35),
    faster(SOLVE, "W2", BY_HAND, 2.0),
    faster(SOLVE, "W2", ASYNC, 8, ours=Variant.PYTHON),
    faster(REQUEST, "W0", STOCK, 1.2),
    faster(REQUEST, "W1", STOCK, 3.7),
    faster(REQUEST, "W2", STOCK, 9),
    faster(REQUEST, "W2", ASYNC, 3.6),
    faster(REQUEST, "W2", STOCK, 1.1, their_workload="W0"),
    faster(REQUEST, "W2", Peer.CACHE_DI, 2.7),
    faster(REQUEST, "W2", Peer.LITESTAR, 2.2),
    faster(REQUEST, "W2", Peer.BLACKSHEEP, 1.0),
    faster(REQUEST, "W3", STOCK, 5),
    faster(REQUEST, "W4", STOCK, 8),
    faster(REQUEST, "W5", STOCK, 4.4),
    faster(REQUEST, "W6", STOCK, 6.5),
    faster(REQUEST, "W7", STOCK, 3.2),
    faster(REQUEST, "W8", STOCK, 3),
    faster(REQUEST, "W9", STOCK, 3.0),
    faster(REQUEST, "W10/20", STOCK, 25),
    faster(REQUEST, "W12", STOCK, 4.2),
    faster(REQUEST, "W13", STOCK, 2.8),
    faster(REQUEST, "W14", STOCK, 35),
    faster(REQUEST, "W15", STOCK, 2.5),
    faster(REQUEST, "W16", STOCK, 2.5),
    over_http("requests_per_second", 64, STOCK, 6),
    over_http("requests_per_second", 64, ASYNC, 2.7),
    over_http("p90", 1000, STOCK, 18),
    over_http("requests_per_second", 64, STOCK, 2.2, workload="W9"),
    over_http("requests_per_second", 64, STOCK, 20, workload="W17"),
    over_http("requests_per_second", 64, STOCK, 1.3, workload="W17/64"),
    no_refusal("W17", 64),
    growth("W10", 10, "100", 100),
    growth("W10", 10, "1000", 1000),
    growth("W10", 10, "diamond", 100),
    growth("parameters", 5, "100", 100),
    faster(REQUEST, "long query", STOCK, 1.0),
    trips("W12"),
    trips("stream"),
    trips("W9", 1),
    trips("W15", 2),
    trips("W16", 3),
    Target("start-up", "import beside FastAPI's", "", 30, import_time, at_most=True, unit="ms"),
    plans("compiled", "seconds", 1.0, 1.0, "s"),
    plans("compiled", "bytes_per_route", 24, 1024, "KiB"),
    Target("memory", "growth, 1,000,000 requests", "", 1, memory_growth, at_most=True, unit="MiB"),
)


def print_targets(results: Results, console: Console) -> None:
    """One row a figure. It reports and judges nothing: a slow machine is no failure."""
    table = Table(title=f"Figures: {results.place()}", title_justify="left")
    table.add_column("level", no_wrap=True)
    table.add_column("what")
    table.add_column("against")
    table.add_column("target", justify="right", no_wrap=True)
    table.add_column("measured", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for row in rows(results):
        table.add_row(*row)
    console.print(table)


def rows(results: Results) -> Iterator[tuple[str, ...]]:
    """Level, what, against, target, measured and verdict of each figure."""
    verdicts = {True: "reached", False: "missed", None: "not measured"}
    for target in TARGETS:
        measured = target.measure(results)
        bound = f"{'<=' if target.at_most else '>='} {target.bound:g} {target.unit}".rstrip()
        shown = "-" if measured is None else f"{measured:.2f} {target.unit}".rstrip()
        verdict = verdicts[target.reached(results)]
        yield target.level, target.what, target.against, bound, shown, verdict
