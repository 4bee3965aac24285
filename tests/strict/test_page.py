"""The example of docs/strict-tests.md, and the output that the page shows of it."""

import re
from pathlib import Path

import pytest

from tests.support.strict import NO_NOISE

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[2] / "docs" / "strict-tests.md"
BLOCKS = re.compile(r"^```(python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_output_is_that_of_the_example(pytester: pytest.Pytester) -> None:
    (_, example), (_, failure), (_, report) = BLOCKS.findall(PAGE.read_text())
    pytester.makepyfile(test_shop=example)
    options = ["--async-safe-strict", "--async-safe-report", "-p", "no:asyncio", *NO_NOISE]

    result = pytester.runpytest_subprocess(*options)

    result.assert_outcomes(passed=1, failed=1)
    lines = list(result.outlines)
    start = lines.index(failure.splitlines()[0])
    assert lines[start : start + 4] == failure.splitlines()
    start = lines.index(report.splitlines()[0])
    shown = [re.sub(r"[\d.]+(?=  \w)", "-", line) for line in report.splitlines()]
    assert [re.sub(r"[\d.]+(?=  \w)", "-", line) for line in lines[start : start + 4]] == shown
