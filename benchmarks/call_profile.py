"""Where the time of a request goes: `python -m benchmarks.call_profile W2 compiled`."""

import asyncio
import cProfile
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

from benchmarks.contenders import create_app
from benchmarks.measurement import request_calls
from benchmarks.workloads import WORKLOADS

PACKAGES = ("fastapi_async_safe", "fastapi", "starlette", "pydantic", "anyio", "benchmarks")


@dataclass(frozen=True)
class Row:
    """One function; `share` is that of its own time in the whole."""

    package: str
    function: str
    calls: float
    share: float


def rows(workload: str, contender: str, requests: int = 2000) -> Iterator[Row]:
    """The functions of one whole request, most expensive first.

    A profiler slows down calls of Python functions more than what happens within C, so shares of
    small Python functions are too large.
    """
    profile = cProfile.Profile()
    asyncio.run(_profile(profile, workload, contender, requests))
    entries = profile.getstats()
    whole = sum(entry.inlinetime for entry in entries)
    found = [
        Row(
            *_name(entry.code),
            calls=entry.callcount / requests,
            share=entry.inlinetime / whole,
        )
        for entry in entries
    ]
    yield from sorted(found, key=lambda row: row.share, reverse=True)


async def _profile(profile: cProfile.Profile, workload: str, contender: str, requests: int) -> None:
    calls = request_calls(create_app(workload, contender), WORKLOADS[workload].request)
    await calls.run([calls.make() for _ in range(100)])
    made = [calls.make() for _ in range(requests)]
    profile.enable()
    await calls.run(made)
    profile.disable()


def _name(code: CodeType | str) -> tuple[str, str]:
    if isinstance(code, str):
        return ("fastapi_async_safe" if "fastapi_async_safe" in code else "built in"), code
    path = Path(code.co_filename)
    package = next((part for part in PACKAGES if part in path.parts), "standard library")
    if code.co_filename.startswith("<fastapi-async-safe"):
        package = "fastapi_async_safe"
    return package, f"{path.name}:{code.co_firstlineno} {code.co_qualname}"


def main(workload: str = "W2", contender: str = "compiled") -> None:
    """Print shares by package and by function."""
    found = list(rows(workload, contender))
    packages: Counter[str] = Counter()
    for row in found:
        packages[row.package] += round(row.share * 1000)
    print(f"{workload}, {contender}: share of the profiled time")
    for package, share in packages.most_common():
        print(f"{share / 10:6.1f} %  {package}")
    print("\n  share  calls  function")
    for row in found[:40]:
        print(f"{row.share:7.1%} {row.calls:6.1f}  {row.package}: {row.function}")


if __name__ == "__main__":
    main(*sys.argv[1:])
