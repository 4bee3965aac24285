"""Requests over HTTP: uvicorn with httptools and uvloop, driven by wrk."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.subjects.client import ClientRequest

WARM_UP_CONNECTIONS = 8
WARM_UP_SECONDS = 1
REPORT = Path(__file__).with_name("wrk_report.lua")


class MissingLoadToolError(Exception):
    """wrk is not installed."""


@dataclass(frozen=True)
class Load:
    """What wrk saw of one contender in one round; latencies in seconds.

    `refused` are answers of 400 and above, which no request here should get, and `unanswered` those
    that did not come within half a minute or on a broken connection.
    """

    requests_per_second: float
    p50: float
    p90: float
    p99: float
    refused: int
    unanswered: int


@dataclass
class HttpFigures:
    """One contender under that many connections: the median of each figure over the rounds."""

    workload: str
    contender: str
    connections: int
    requests_per_second: float
    p50: float
    p90: float
    p99: float
    refused: int
    unanswered: int


@contextmanager
def server(workload: str, contender: str) -> Iterator[int]:
    """Serve a contender in a process of its own; yields the port once it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    command = [sys.executable, "-m", "benchmarks.runs.server", workload, contender, str(port)]
    process = subprocess.Popen(command)
    try:
        _wait_until_open(port, process)
        yield port
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:  # its threads wait for each other
            process.kill()
            process.wait()


def _wait_until_open(port: int, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with exit code {process.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("the server did not open its port within 30 seconds")


def ask(port: int, request: ClientRequest) -> tuple[int, bytes]:
    """Status and body of one request over HTTP."""
    client = HTTPConnection("127.0.0.1", port, timeout=10)
    client.request(request.method, request.target, request.body, dict(request.headers))
    response = client.getresponse()
    answer = response.status, response.read()
    client.close()
    return answer


def find_wrk() -> str:
    """Give the path of wrk.

    Raises:
        MissingLoadToolError: there is no wrk on the path.
    """
    found = shutil.which("wrk")
    if found is None:
        raise MissingLoadToolError("wrk is not installed (Debian, Ubuntu: apt-get install wrk)")
    return found


def drive(port: int, request: ClientRequest, connections: int, seconds: int) -> Load:
    """Load a server with wrk.

    Raises:
        MissingLoadToolError: there is no wrk on the path.
    """
    command = [find_wrk(), "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s"]
    for name, value in request.headers.items():
        command += ["-H", f"{name}: {value}"]
    command += ["-s", str(REPORT), f"http://127.0.0.1:{port}{request.target}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return Load(**json.loads(done.stdout.splitlines()[-1]))


def compare_over_http(
    workload: str,
    request: ClientRequest,
    contenders: Sequence[str],
    *,
    connections: Sequence[int],
    rounds: int,
    seconds: int,
    progress: Callable[[str], None] = lambda text: None,
) -> list[HttpFigures]:
    """Load each contender in turn, round after round, after checking that all answer the same.

    Each round has servers of its own, one at a time: two processes that run the same code differ in
    speed for as long as they live.

    Raises:
        MissingLoadToolError: there is no wrk on the path.
        RuntimeError: two contenders did not answer the same.
    """
    allow_many_connections(max(connections))
    loads: dict[tuple[str, int], list[Load]] = {}
    right: tuple[int, Any] | None = None
    for turn in range(rounds):
        for contender in contenders:
            with server(workload, contender) as port:
                status, body = ask(port, request)
                right = right or (status, json.loads(body))
                if (status, json.loads(body)) != right:
                    raise RuntimeError(f"{workload}: {contender} answered {body!r} over HTTP")
                drive(port, request, WARM_UP_CONNECTIONS, WARM_UP_SECONDS)
                for count in connections:
                    progress(f"{contender}, {count} connections, round {turn + 1} of {rounds}")
                    load = drive(port, request, count, seconds)
                    loads.setdefault((contender, count), []).append(load)
    return [
        HttpFigures(
            workload=workload,
            contender=contender,
            connections=count,
            requests_per_second=median(each.requests_per_second for each in rounds_of),
            p50=median(each.p50 for each in rounds_of),
            p90=median(each.p90 for each in rounds_of),
            p99=median(each.p99 for each in rounds_of),
            refused=sum(each.refused for each in rounds_of),
            unanswered=sum(each.unanswered for each in rounds_of),
        )
        for (contender, count), rounds_of in loads.items()
    ]


def allow_many_connections(count: int) -> None:
    """Let this process and those it starts open that many sockets each."""
    if os.name == "posix":
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = count + 256
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
