"""The shop behind real servers, each in processes of its own on a free port of the loopback."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
APP = "benchmarks.apps.production.main:app"
PATIENCE = 120
"""Seconds within which a server starts, or stops; machines may be busy."""


class ServerEndedError(Exception):
    """A server ended before it answered; the message has what it wrote."""


@dataclass(frozen=True)
class Server:
    """How a server is started, and what it does about workers that died and about a shutdown."""

    command: Callable[[int, int], list[str]]
    replaces_workers: bool = True
    finishes_requests: bool = True
    """Whether a shutdown lets the requests under way finish."""
    reloads_for_sure: bool = True
    """Whether a new worker of a reload may take long to start, as on a busy machine."""
    on_trio: bool = False
    gives_up: bool = True
    """Whether it ends where no worker can start, instead of starting those again that die late."""


def _uvicorn(port: int, workers: int) -> list[str]:
    bind = f"--host 127.0.0.1 --port {port} --workers {workers}"
    # By default a new worker of a reload has 5 seconds to import everything.
    patience = "--timeout-worker-healthcheck 20"
    return f"uvicorn {APP} {bind} {patience} --loop uvloop --no-access-log".split()


def _gunicorn(port: int, workers: int) -> list[str]:
    return (
        f"gunicorn {APP} --worker-class uvicorn_worker.UvicornWorker --workers {workers}"
        f" --bind 127.0.0.1:{port} --timeout {PATIENCE} --graceful-timeout 20 --no-control-socket"
    ).split()


def _hypercorn(worker_class: str) -> Callable[[int, int], list[str]]:
    def command(port: int, workers: int) -> list[str]:
        return (
            f"hypercorn {APP} --worker-class {worker_class} --workers {workers}"
            f" --bind 127.0.0.1:{port} --graceful-timeout 20"
        ).split()

    return command


def _granian(port: int, workers: int) -> list[str]:
    return (
        f"granian {APP} --interface asgi --host 127.0.0.1 --port {port} --workers {workers}"
        " --respawn-failed-workers --workers-kill-timeout 20"
    ).split()


def _fastapi_run(port: int, workers: int) -> list[str]:
    return (
        f"fastapi run benchmarks/apps/production/main.py --host 127.0.0.1 --port {port}"
        f" --workers {workers}"
    ).split()


SERVERS = {
    "uvicorn": Server(_uvicorn),
    "gunicorn": Server(_gunicorn),
    "gunicorn --preload": Server(lambda *bind: [*_gunicorn(*bind), "--preload"]),
    "hypercorn": Server(_hypercorn("asyncio"), replaces_workers=False, finishes_requests=False),
    "hypercorn on trio": Server(
        _hypercorn("trio"), replaces_workers=False, finishes_requests=False, on_trio=True
    ),
    "granian": Server(_granian, gives_up=False),
    # Its uvicorn gives a new worker 5 seconds, and there is no option for more.
    "fastapi run": Server(_fastapi_run, reloads_for_sure=False),
}


class Running:
    """A server that was started."""

    def __init__(self, name: str, port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.name = name
        self.port = port
        self.process = process
        self._log = log

    @property
    def log(self) -> str:
        """What it wrote so far."""
        return self._log.read_text(errors="replace")

    def descendants(self) -> list[psutil.Process]:
        """Its workers, and all that they started."""
        try:
            found: list[psutil.Process] = psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []
        return found

    def wait_until_ready(self) -> None:
        """Wait for the first answer.

        Raises:
            ServerEndedError: it ended before.
        """
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise ServerEndedError(f"{self.name} ended:\n{self.log}")
            connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
            try:
                connection.request("GET", "/ready")
                if connection.getresponse().status == 200:
                    return
            except (OSError, HTTPException):
                pass
            finally:
                connection.close()
            time.sleep(0.1)
        raise ServerEndedError(f"{self.name} did not answer in {PATIENCE} s:\n{self.log}")

    def stop(self) -> int:
        """Stop it as a supervisor would, and give its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        """Leave nothing of it behind."""
        rest = self.descendants()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for each in rest:
            try:
                each.kill()
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(rest, timeout=5)


def free_port() -> int:
    """Give a port of the loopback that nothing listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def _start(
    name: str, command: Sequence[str], environment: Mapping[str, str], directory: Path, port: int
) -> Running:
    handle, log = tempfile.mkstemp(prefix="server-", suffix=".log", dir=directory)
    full = [sys.executable, "-m", *command]
    if setpriv := shutil.which("setpriv"):
        # It must not outlive this process, whatever ends that.
        full = [setpriv, "--pdeathsig", "TERM", *full]
    with os.fdopen(handle, "wb") as output:
        process = subprocess.Popen(
            full,
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Running(name, port, process, Path(log))


@contextmanager
def serve(
    name: str, workers: int, environment: Mapping[str, str], options: Sequence[str] = ()
) -> Iterator[Running]:
    """Run one of `SERVERS` until the end of the block; it is ready at its begin.

    Raises:
        ServerEndedError: it did not start, or does not stop.
    """
    server = SERVERS[name]
    environment = dict(environment)
    if server.on_trio:
        environment["SHOP_ASYNCIO_DRIVERS"] = "false"
    port = free_port()
    with running(name, [*server.command(port, workers), *options], environment, port) as started:
        started.wait_until_ready()
        yield started


@contextmanager
def serve_rates() -> Iterator[str]:
    """Run the service that the shop asks for rates; gives its URL."""
    port = free_port()
    app = "benchmarks.apps.production.rates_service:app"
    command = f"uvicorn {app} --host 127.0.0.1 --port {port} --no-access-log".split()
    with running("rates", command, {}, port) as started:
        started.wait_until_ready()
        yield f"http://127.0.0.1:{port}"


@contextmanager
def running(
    name: str, command: Sequence[str], environment: Mapping[str, str], port: int
) -> Iterator[Running]:
    """Run `python -m command` until the end of the block, ready or not.

    Raises:
        ServerEndedError: it does not stop.
    """
    with tempfile.TemporaryDirectory(prefix="server-") as directory:
        started = _start(name, command, environment, Path(directory), port)
        try:
            yield started
            try:
                started.stop()
            except subprocess.TimeoutExpired:
                raise ServerEndedError(f"{name} does not stop:\n{started.log}") from None
        finally:
            started.kill()
