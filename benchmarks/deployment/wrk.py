"""Load by wrk, for so many seconds and no longer."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.runs.http_load import find_wrk

REPORT = Path(__file__).with_name("wrk_latency.lua")
TIMEOUT_SECONDS = 60


class LoadToolError(Exception):
    """wrk failed; the message has what it said."""


@dataclass(frozen=True)
class Load:
    """What wrk saw; latencies in seconds, of answered requests only.

    `refused` are answers of 400 and above, `unanswered` requests on connections that broke or timed
    out. A request that is still waiting when the time is over is neither.
    """

    requests_per_second: float
    p50: float
    p95: float
    p99: float
    refused: int
    unanswered: int


def start(
    port: int, path: str, connections: int, seconds: int, headers: Mapping[str, str] | None = None
) -> "subprocess.Popen[str]":
    """Start wrk on one route of a server on the loopback."""
    command = [find_wrk(), "-t1", f"-c{connections}", f"-d{seconds}s"]
    command += ["--timeout", f"{TIMEOUT_SECONDS}s", "-s", str(REPORT)]
    for name, value in (headers or {}).items():
        command += ["-H", f"{name}: {value}"]
    return subprocess.Popen(
        [*command, f"http://127.0.0.1:{port}{path}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def result(wrk: "subprocess.Popen[str]") -> Load:
    """Wait for it to end.

    Raises:
        LoadToolError: wrk failed.
    """
    output, _ = wrk.communicate()
    if wrk.returncode != 0:
        raise LoadToolError(f"wrk failed: {' '.join(output.split())}")
    return Load(**json.loads(output.splitlines()[-1]))


def load(
    port: int, path: str, connections: int, seconds: int, headers: Mapping[str, str] | None = None
) -> Load:
    """Load one route, and say how it went."""
    return result(start(port, path, connections, seconds, headers))
