"""An SVG bar chart of how many times faster than stock each workload is."""

from html import escape

from benchmarks.figures.results import Results
from benchmarks.runs.calls import Level
from benchmarks.subjects.workloads import SHOWN, WORKLOADS, Variant

BARS = (Variant.COMPILED, Variant.PYTHON, Variant.ASYNC_BY_HAND)

LEFT, WIDTH, RIGHT = 310, 470, 60
BAR, GAP, TOP = 9, 12, 76

STYLE = """
  text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328; }
  .title { font-size: 15px; font-weight: 600; }
  .quiet { fill: #59636e; }
  .axis { stroke: #59636e; stroke-width: 1; stroke-dasharray: 3 3; }
  .compiled { fill: #0969da; }
  .python { fill: #54aeff; }
  .async_by_hand { fill: #afb8c1; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc; }
    .quiet { fill: #9198a1; }
    .axis { stroke: #9198a1; }
    .compiled { fill: #4493f8; }
    .python { fill: #1f5fb0; }
    .async_by_hand { fill: #656c76; }
  }
"""


def svg(results: Results) -> str:
    """The chart; readable on light and dark pages, since its colours follow the reader's choice."""
    names = [name for name in SHOWN if _ratios(results, name)]
    longest = max(ratio for name in names for _, ratio in _ratios(results, name))
    body, y = [], TOP
    for name in names:
        ratios = _ratios(results, name)
        middle = y + len(ratios) * BAR / 2 + 4
        title = escape(f"{name}: {WORKLOADS[name].title}")
        body.append(f'<text x="{LEFT - 10}" y="{middle:g}" text-anchor="end">{title}</text>')
        for variant, ratio in ratios:
            width = WIDTH * ratio / longest
            body.append(
                f'<rect class="{variant}" x="{LEFT}" y="{y}" width="{width:.1f}" '
                f'height="{BAR - 1}" rx="1"/>'
            )
            if variant is ratios[0][0]:
                body.append(
                    f'<text class="quiet" x="{LEFT + width + 6:.1f}" y="{y + BAR:g}">'
                    f"{ratio:.1f}</text>"
                )
            y += BAR
        y += GAP
    y += 4
    one = LEFT + WIDTH / longest
    whole = LEFT + WIDTH + RIGHT
    head = [
        '<text class="title" x="10" y="22">Times faster than stock, whole request</text>',
        *_legend(),
        f'<line class="axis" x1="{one:.1f}" x2="{one:.1f}" y1="{TOP - 6}" y2="{y - GAP + 6}"/>',
    ]
    foot = [
        f'<text class="quiet" x="10" y="{y + 10 + 16 * line}">{escape(text)}</text>'
        for line, text in enumerate((results.computer(), results.software()))
    ]
    start = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {whole} {y + 38}" role="img" '
        f'aria-label="Times faster than stock FastAPI, by workload">'
    )
    return "\n".join([start, f"<style>{STYLE}</style>", *head, *body, *foot, "</svg>\n"])


def _ratios(results: Results, workload: str) -> list[tuple[Variant, float]]:
    stock = (workload, Variant.STOCK)
    found = [
        (variant, results.ratio(Level.REQUEST, stock, (workload, variant))) for variant in BARS
    ]
    return [(variant, ratio) for variant, ratio in found if ratio is not None]


def _legend() -> list[str]:
    parts, x = [], 10
    for variant in BARS:
        parts.append(f'<rect class="{variant}" x="{x}" y="38" width="12" height="12" rx="1"/>')
        parts.append(f'<text x="{x + 18}" y="48">{escape(variant.label)}</text>')
        x += 140
    parts.append(f'<text class="quiet" x="{x}" y="48">dashed: stock</text>')
    return parts
