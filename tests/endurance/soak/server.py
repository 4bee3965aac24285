"""One server under load: its workers are looked at, and one of them is made to go now and then."""

import json
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException

import psutil

from benchmarks.deployment import wrk
from benchmarks.deployment.servers import Running, free_port, running
from benchmarks.runs.http_load import ask
from benchmarks.subjects.client import ClientRequest
from benchmarks.subjects.workloads import WORKLOADS

from .clients import Client, Expected, Restarts
from .verdict import Soaked, Worker, total
from .worker import CORE, FAULT, create

LOADED = ("W2", "W4", "W5", "W13", "W15")
REFUSED = ("W13",)
CONNECTIONS = 2
CLIENTS = 6
WORKERS = 2
#: Seconds that a worker is left alone at first, as it has to import everything.
SPARED = 6
PATIENCE = 30


@contextmanager
def started(name: str, fault: str | None) -> Iterator[Running]:
    """Run a server in a variant until the end of the block; it is ready at its begin."""
    port = free_port()
    command = (
        f"uvicorn --factory {create.__module__}:{create.__name__} --host 127.0.0.1 --port {port} "
        f"--workers {WORKERS} --timeout-worker-healthcheck {PATIENCE} --loop uvloop "
        "--timeout-graceful-shutdown 10 --no-access-log --log-level warning"
    )
    environment = {CORE: name} if fault is None else {CORE: name, FAULT: fault}
    with running(name, command.split(), environment, port) as process:
        process.wait_until_ready()
        yield process


class Server:
    """A server that is loaded, with what was seen of it.

    Parameters:
        process: the server.
        expected: what clients ask.
        seconds: how long it is loaded.
        seed: of what happens to it.
    """

    def __init__(self, process: Running, expected: list[Expected], seconds: int, seed: int) -> None:
        self._process = process
        self._seconds = seconds
        self._random = random.Random(seed)
        self._workers: dict[int, Worker] = {}
        self._births: dict[int, float] = {}
        self._restarts = Restarts()
        self._going: psutil.Process | None = None
        self._done = threading.Event()
        self._stays = min(self.look())
        self._clients = [
            Client(process.port, seed * 1000 + number, expected, self._restarts, self._done)
            for number in range(CLIENTS)
        ]
        for client in self._clients:
            client.start()
        requests = {name: WORKLOADS[name].request for name in LOADED}
        self._wrks = {
            name: wrk.start(process.port, each.target, CONNECTIONS, seconds, each.headers)
            for name, each in requests.items()
        }

    def look(self) -> dict[int, psutil.Process]:
        """See what each worker takes, and whether the one that was made to go has gone.

        Returns:
            The workers that there are, by their numbers.
        """
        there = self._there()
        for number, (_, size) in there.items():
            worker = self._workers.setdefault(number, Worker(number))
            birth = self._births.setdefault(number, time.monotonic())
            worker.samples.append((time.monotonic() - birth, size))
        if self._going is not None and self._going.pid not in there:
            self._restarts.end()
            self._going = None
        return {number: process for number, (process, _) in there.items()}

    def _there(self) -> dict[int, tuple[psutil.Process, float]]:
        """Find the workers that there are, and how many MiB they take."""
        there = {}
        for process in self._process.descendants():
            try:
                # Not what multiprocessing has beside the workers.
                if any("spawn_main" in word for word in process.cmdline()):
                    there[process.pid] = process, process.memory_info().rss / 2**20
            except psutil.NoSuchProcess:
                continue
        return there

    def restart(self, by: signal.Signals) -> None:
        """Make a worker go, if one has been there for long enough; the first one stays."""
        candidates = [
            process
            for number, process in self.look().items()
            if number != self._stays and self._workers[number].seconds > SPARED
        ]
        if self._going is None and candidates:
            self._going = self._random.choice(candidates)
            self._restarts.begin()
            self._going.send_signal(by)

    def finish(self) -> Soaked:
        """End the load, and say what was seen."""
        self._done.set()
        for client in self._clients:
            client.join()
        loads = {name: wrk.result(each) for name, each in self._wrks.items()}
        seen = [client.seen for client in self._clients]
        open_contexts = self._open_contexts()
        exit_code = self._process.stop()
        return Soaked(
            name=self._process.name,
            answers=total([each.answers for each in seen]) + self._answers_to_wrk(loads),
            errors=total([each.wrong for each in seen]) + self._errors_of_wrk(loads),
            left=total([each.left for each in seen]),
            broken_by_restarts=sum(each.broken_by_restarts for each in seen),
            restarts=self._restarts.count,
            workers=list(self._workers.values()),
            workers_at_once=WORKERS,
            open_contexts=open_contexts,
            exit_code=exit_code,
            log=self._process.log,
        )

    def _answers_to_wrk(self, loads: Mapping[str, wrk.Load]) -> Counter[str]:
        return Counter(
            {
                f"{name}, wrk": load.refused
                if name in REFUSED
                else round(load.requests_per_second * self._seconds)
                for name, load in loads.items()
            }
        )

    def _errors_of_wrk(self, loads: Mapping[str, wrk.Load]) -> Counter[str]:
        found = Counter[str]()
        for name, load in loads.items():
            if name in REFUSED:
                found[f"{name}, wrk: not refused"] = round(load.requests_per_second)
            else:
                found[f"{name}, wrk: refused"] = load.refused
            # A worker that goes breaks each connection once, and perhaps its successor.
            allowed = 2 * CONNECTIONS * self._restarts.count
            found[f"{name}, wrk: unanswered"] = max(0, load.unanswered - allowed)
        return +found

    def _open_contexts(self) -> int:
        """Say how many contexts are open in the workers, when nothing is asked of them any more."""
        found: dict[int, int] = {}
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                _, body = ask(self._process.port, ClientRequest("/ready"))
            except (OSError, HTTPException):
                continue
            number, count = json.loads(body)
            found[number] = count
            # Which one answers is left to chance.
            if found.keys() >= self._there().keys() and not any(found.values()):
                break
            time.sleep(0.05)
        there = self._there()
        return sum(count for number, count in found.items() if number in there)
