"""Real servers with several workers: traffic, a worker that is killed, reload, shutdown."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import httpx
import psutil
import psycopg
import pytest

from benchmarks.deployment.servers import PATIENCE, SERVERS, Running, serve
from tests.deployment.shop import Shop, eventually
from tests.deployment.test_connections import items_locked
from tests.deployment.traffic import Traffic, traffic

WORKERS = {"uvicorn": 4, "gunicorn": 4, "gunicorn --preload": 4}


# These go through everything even in a hurry. The others take as long again, each of them.
FIRST = ("uvicorn", "gunicorn", "granian")
EACH_SERVER = [
    pytest.param(name, marks=() if name in FIRST else pytest.mark.slow) for name in SERVERS
]


@pytest.fixture(params=EACH_SERVER, scope="module")
def name(request: pytest.FixtureRequest) -> str:
    """Give each server in turn."""
    return str(request.param)


@pytest.fixture(scope="module")
def served(name: str, environment: dict[str, str], best: dict[str, str]) -> Iterator[Running]:
    """Give a server that goes through all tests below, up to its shutdown."""
    with serve(name, WORKERS.get(name, 2), {**environment, **best}) as running:
        yield running


def workers_seen(seen: Traffic, count: int) -> bool:
    return eventually(lambda: len(seen.workers) >= count)


def missing(database: str, names: list[str]) -> set[str]:
    with psycopg.connect(database) as connection:
        found = connection.execute("select name from item where name = any(%s)", [names]).fetchall()
    return set(names) - {name for (name,) in found}


def test_all_workers_answer(name: str, served: Running) -> None:
    with traffic(served.port, keep_alive=False) as seen:
        assert workers_seen(seen, WORKERS.get(name, 2)), served.log
    assert seen.failures == []


def kill_one(running: Running, seen: Traffic) -> int:
    assert eventually(lambda: len(seen.created) >= 20), running.log
    victim = min(seen.workers)
    os.kill(victim, signal.SIGKILL)
    return victim


def test_a_killed_worker_loses_only_what_it_was_doing(
    name: str, served: Running, environment: dict[str, str], best: dict[str, str], database: str
) -> None:
    with Shop(served) as shop:
        token = shop.token()
    if not SERVERS[name].replaces_workers:
        # It stops as a whole, for its supervisor to start it again.
        with serve(name, 2, {**environment, **best}) as other:
            with traffic(other.port, token) as seen:
                kill_one(other, seen)
                other.process.wait(PATIENCE)
            assert missing(database, seen.created) == set()
        return
    with traffic(served.port, token) as seen:
        victim = kill_one(served, seen)
        answers = seen.answers
        assert eventually(lambda: seen.answers >= answers + 100), served.log
    # A connection without an answer so far may have been the victim's, too.
    known = [each for each in seen.failures if each.answered or each.worker is not None]
    assert [each for each in known if each.worker != victim] == []
    assert missing(database, seen.created) == set()
    with traffic(served.port, keep_alive=False) as seen:
        assert workers_seen(seen, WORKERS.get(name, 2)), served.log
    assert victim not in seen.workers
    assert seen.failures == []


def has_ended(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_reload_replaces_all_workers(name: str, served: Running) -> None:
    count, aborted = WORKERS.get(name, 2), 0
    with traffic(served.port, keep_alive=False) as seen:
        assert workers_seen(seen, count), served.log
        before = set(seen.workers)
        served.process.send_signal(signal.SIGHUP)

        def replaced() -> bool:
            # uvicorn keeps the old workers where a new one takes long, as on a busy machine.
            nonlocal aborted
            if served.log.count("aborting the restart") > aborted:
                aborted += 1
                served.process.send_signal(signal.SIGHUP)
            return len(seen.workers - before) >= count

        def kept() -> bool:
            return not SERVERS[name].reloads_for_sure and aborted >= 3

        assert eventually(lambda: replaced() or kept(), seconds=3 * PATIENCE), served.log
    # A worker that stops closes what it has accepted and not read yet; no answer was wrong.
    assert [each for each in seen.failures if each.answered] == []
    if SERVERS[name].finishes_requests:
        assert [each for each in seen.failures if not each.before_answer] == []
    assert kept() or eventually(lambda: all(map(has_ended, before))), served.log


def test_a_shutdown_lets_requests_finish_and_leaves_nothing_behind(
    name: str, served: Running, database: str
) -> None:
    processes = [psutil.Process(served.process.pid), *served.descendants()]
    item_name = f"the last one of {name}"
    item = {"name": item_name, "price_cents": 1}
    with Shop(served) as shop, ThreadPoolExecutor() as threads:
        headers = shop.headers()
        with items_locked(database) as waiting:
            last = threads.submit(shop.client.post, "/psycopg/items", json=item, headers=headers)
            assert eventually(lambda: waiting() == 1)
            served.process.send_signal(signal.SIGTERM)
            # A worker that has nothing to finish goes at once, but for those of hypercorn.
            eventually(lambda: any(has_ended(each.pid) for each in processes[1:]), seconds=5)
        if SERVERS[name].finishes_requests:
            assert last.result().status_code == 201
        else:
            with suppress(httpx.RemoteProtocolError):
                last.result()
    assert served.process.wait(PATIENCE) in (0, -signal.SIGTERM)
    _, alive = psutil.wait_procs(processes[1:], timeout=PATIENCE)
    assert alive == []
    assert not SERVERS[name].finishes_requests or missing(database, [item_name]) == set()


@pytest.mark.parametrize("name", [name for name in SERVERS if name not in FIRST])
def test_each_other_server_answers_and_stops(
    name: str, environment: dict[str, str], best: dict[str, str]
) -> None:
    with serve(name, 2, {**environment, **best}) as running, Shop(running) as shop:
        processes = running.descendants()
        assert shop.client.get("/psycopg/items/3").json()["id"] == 3
        assert shop.client.get("/sqlalchemy/items", headers=shop.headers()).status_code == 200
    assert running.process.returncode in (0, -signal.SIGTERM)
    # hypercorn ends before the last of its workers has.
    assert eventually(lambda: all(has_ended(each.pid) for each in processes))


@pytest.mark.slow
def test_processes_of_a_pool_end_with_their_worker(
    environment: dict[str, str], best: dict[str, str]
) -> None:
    with serve("uvicorn", 2, {**environment, **best}) as running, Shop(running) as shop:
        worker = psutil.Process(shop.client.get("/alive").json()["worker"])
        assert shop.client.get("/reports/primes?below=1000").json() == {"count": 168}
        children = worker.children(recursive=True)
        assert any("spawn_main" in " ".join(child.cmdline()) for child in children)
        worker.kill()
        _, alive = psutil.wait_procs(children, timeout=PATIENCE)
        assert alive == []


@pytest.mark.slow
def test_a_worker_that_hangs_is_replaced_by_gunicorn(
    environment: dict[str, str], best: dict[str, str]
) -> None:
    # The time is that of starting, too, for which `--preload` leaves little to do.
    impatient = ["--timeout", "5"]
    with serve("gunicorn --preload", 2, {**environment, **best}, impatient) as running:
        with traffic(running.port, keep_alive=False) as seen:
            assert workers_seen(seen, 2)
        victim = min(seen.workers)
        os.kill(victim, signal.SIGSTOP)
        assert eventually(lambda: f"WORKER TIMEOUT (pid:{victim})" in running.log)
        with traffic(running.port, keep_alive=False) as seen:
            assert eventually(lambda: seen.workers - {victim} and len(seen.workers) >= 2)
        assert victim not in seen.workers
