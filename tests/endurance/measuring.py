"""What there is at one time, and what of it is kept: measured in a process of its own."""

from __future__ import annotations

import gc
import json
import os
import resource
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .leaving import Value

# What may come and go by itself: a free list, a cache of the interpreter's.
_OBJECTS, _BLOCKS, _REFERENCES, _KIB = 30, 200, 10, 2048


@dataclass(frozen=True)
class Kept:
    """What there is at one time."""

    objects: int  # that the garbage collector knows
    values: int  # of them, those that dependencies gave
    blocks: int  # of the interpreter's memory
    references: int  # to the classes of the core, and of what FastAPI makes for a request
    kib: int  # of memory that the process has

    def __sub__(self, earlier: Kept) -> Kept:
        return Kept(
            *(ours - theirs for ours, theirs in zip(_numbers(self), _numbers(earlier), strict=True))
        )

    @property
    def is_nothing(self) -> bool:
        """Whether this is no more than what comes and goes by itself."""
        return (
            self.values == 0
            and self.objects <= _OBJECTS
            and self.blocks <= _BLOCKS
            and self.references <= _REFERENCES
            and self.kib <= _KIB
        )


def _numbers(kept: Kept) -> list[int]:
    return list(asdict(kept).values())


def classes_of(core: str) -> list[type]:
    """List the classes whose instances a request has."""
    from fastapi.dependencies.utils import SolvedDependency
    from starlette.background import BackgroundTasks
    from starlette.datastructures import Headers, QueryParams
    from starlette.requests import Request
    from starlette.responses import Response

    found: list[Any] = [SolvedDependency, BackgroundTasks, Headers, QueryParams, Request, Response]
    if core == "compiled":
        from fastapi_async_safe import _core

        found += [kind for kind in vars(_core).values() if isinstance(kind, type)]
    return found


def look(classes: list[type]) -> Kept:
    """See what there is now."""
    for _ in range(2):
        gc.collect()
    objects = gc.get_objects()
    values = sum(isinstance(each, Value) for each in objects)
    count = len(objects)
    del objects
    return Kept(
        count,
        values,
        sys.getallocatedblocks(),
        sum(sys.getrefcount(each) for each in classes),
        _resident(),
    )


def _resident() -> int:
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # the highest there was
    (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1])


def measured_apart(module: str, *arguments: str, seconds: float) -> Any:
    """Run a command of this folder in a process of its own.

    Parameters:
        module: by its name.
        arguments: beside `--json`, with which it prints what it found.
        seconds: many times as long as it takes.
    """
    environment = dict(os.environ)
    if "ASAN_OPTIONS" in environment:  # where AddressSanitizer else keeps 256 MB of what is freed
        environment["ASAN_OPTIONS"] += ":quarantine_size_mb=1:thread_local_quarantine_size_kb=64"
    finished = subprocess.run(
        [sys.executable, "-m", module, *arguments, "--json"],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
        timeout=seconds,
    )
    return json.loads(finished.stdout)


def say(what: str, kept: Kept) -> bool:
    """Print what was kept, and say whether it is too much."""
    print(f"{'ok  ' if kept.is_nothing else 'LEAK'} {what}: {kept}", flush=True)
    return not kept.is_nothing
