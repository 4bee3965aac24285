"""Where the time of a request goes: `python -m benchmarks.runs.call_profile W2 compiled`."""

import asyncio
import cProfile
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

from benchmarks.runs.calls import request_calls
from benchmarks.subjects.contenders import create_app
from benchmarks.subjects.workloads import WORKLOADS

# What functions are for, by their package, file and name; the first that fits counts.
PURPOSES = {
    "dependencies, by this package": r"^fastapi_async_safe: |make_solved",
    "the app": r"^benchmarks: (?!calls\.py|client\.py)|^standard library: <string>.*__init__",
    "the benchmark itself": r"^benchmarks: ",
    "asking whether telemetry is on": (
        r"telemetry|_asgi\.py|_api\.py|contextvars|ContextVar|<frozen os>|_collections_abc"
        r"|^standard library: __init__\.py"
    ),
    "finding the route": r"matches|APIRouter|Route\.handle|get_route_path|re\.(Pattern|Match)",
    "the frame around every request": (
        r"errors\.py|exceptions\.py|_exception_handler|contextlib|asyncexitstack|_body_limit"
        r"|applications\.py|request_response"
    ),
    "the response": r"responses\.py|serialize|to_json|'encode'|MutableHeaders|datastructures\.py",
    "the request handler": r"get_request_handler|run_endpoint|models\.py|requests\.py",
}

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


def purpose(row: Row) -> str:
    """What the function is for in a request."""
    name = f"{row.package}: {row.function}"
    fitting = (what for what, pattern in PURPOSES.items() if re.search(pattern, name))
    return next(fitting, "small functions called everywhere")


def main(workload: str = "W2", contender: str = "compiled") -> None:
    """Print shares by package, by purpose and by function."""
    found = list(rows(workload, contender))
    print(f"{workload}, {contender}: share of the profiled time")
    for group in (lambda row: row.package, purpose):
        shares: dict[str, float] = {}
        for row in found:
            name = group(row)
            shares[name] = shares.get(name, 0.0) + row.share
        for name, share in sorted(shares.items(), key=lambda item: -item[1]):
            print(f"{share:7.1%}  {name}")
        print()
    print("  share  calls  function")
    for row in found[:40]:
        print(f"{row.share:7.1%} {row.calls:6.1f}  {row.package}: {row.function}")


if __name__ == "__main__":
    main(*sys.argv[1:])
