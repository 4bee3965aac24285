"""Resident memory of a process that answers a million requests, at ten points on the way."""

import asyncio
import gc
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.runs.isolation import new_event_loop

REQUESTS = 1_000_000
POINTS = 10
STATM = Path("/proc/self/statm")


def resident_bytes(
    core: str,
    *,
    workload: str = "W2",
    requests: int = REQUESTS,
    progress: Callable[[str], None] = lambda text: None,
) -> list[int]:
    """Resident bytes after each tenth of the requests, in a process of its own.

    Raises:
        NotImplementedError: this system has no `/proc`.
    """
    if not STATM.exists():
        raise NotImplementedError("resident memory is read from /proc, which is not here")
    command = [sys.executable, "-m", "benchmarks.runs.memory", workload, core, str(requests)]
    points = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            points.append(int(line))
            progress(f"memory, {core}: {len(points)} of {POINTS} points")
    if process.returncode:
        raise RuntimeError(f"the process ended with exit code {process.returncode}")
    return points


async def _main(workload: str, core: str, requests: int) -> None:
    from benchmarks.subjects.contenders import create_app
    from benchmarks.subjects.workloads import WORKLOADS

    app, request = create_app(workload, core), WORKLOADS[workload].request
    for _ in range(POINTS):
        for _ in range(requests // POINTS):
            connection = request.connection()
            await app(request.scope(), connection.receive, connection.send)
        gc.collect()
        pages = int(STATM.read_text().split()[1])
        print(pages * os.sysconf("SC_PAGE_SIZE"), flush=True)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(_main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
