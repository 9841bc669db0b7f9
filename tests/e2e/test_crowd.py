"""A crowd of connections of every kind, and whatever the balancer can do to itself: none is lost.

With HOLDFAST_LONG=1 the crowd is whole (2,000 idle connections, 64 MiB transfers) and more happens.
"""

import contextlib
import json
import os
import random
import re
import signal
import socket
import threading

import pytest
from support import tcp
from support.clients import Clients
from support.command import run
from support.configuration import NO_CHECKS
from support.crowd import LONG
from support.program import PASSES
from support.redis import Client, command
from support.upgrades import assert_upgrades, pair, rolled_back, upgrade
from support.waiting import accepts_connections, wait_until

KILLS = 50 if LONG else 10
HANGS = 3 if LONG else 1
GUARDIAN_KILLS = 10 if LONG else 2
RELOADS = 200 if LONG else 20
UPGRADES = 20 if LONG else 3
ROLLBACKS = 5 if LONG else 1
LIMIT = 900 if LONG else 240
# Of a worker that was killed by the test, and of its guardian.
DEATHS = r" error (worker died|guardian died|worker hangs)"
PIPELINE = 40


class Pipeline:
    """Redis clients that ask in pipelines and know every answer, each over one connection."""

    def __init__(self, port, count):
        self._clients = [Client(port) for _ in range(count)]
        self._done = [0] * count

    def ask(self, number):
        client, done = self._clients[number].socket, self._done[number]
        counts = range(done + 1, done + PIPELINE + 1)
        client.sendall(
            b"".join(
                command("INCR", f"count-{number}") + command("ECHO", f"{number}:{count}")
                for count in counts
            )
        )
        answers = b"".join(
            b":%d\r\n$%d\r\n%s\r\n" % (count, len(echo), echo)
            for count in counts
            for echo in (b"%d:%d" % (number, count),)
        )
        assert tcp.read_exactly(client, len(answers)) == answers
        self._done[number] += PIPELINE

    def close(self):
        for client in self._clients:
            client.__exit__()


class Transactions:
    """pgbench again and again, until the `with` block ends; no run may lose a client. At the end
    the server must have done each transaction once."""

    def __init__(self, pgbench, psql, port):
        self._command = pgbench(port, "-n", "-c", 3, "-j", 1, "-T", 2)
        self._psql = psql
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.processed = 0
        self.failures = []

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ending.set()
        self._thread.join(60)
        assert not self._thread.is_alive(), "pgbench hangs"

    def _run(self):
        while not self._ending.is_set():
            done = run(self._command, timeout=50)
            found = re.search(r"transactions actually processed: (\d+)", done.stdout)
            if done.returncode != 0 or "aborted" in done.stderr or not found:
                self.failures.append(f"exit {done.returncode}: {done.stderr}")
                return
            self.processed += int(found[1])

    def assert_all_were_done_once(self):
        assert self.failures == []
        assert self.processed > 0
        assert self._psql("SELECT count(*) FROM pgbench_history") == str(self.processed)
        sums = self._psql(
            "SELECT (SELECT sum(delta) FROM pgbench_history), (SELECT sum(abalance) FROM"
            " pgbench_accounts), (SELECT sum(tbalance) FROM pgbench_tellers),"
            " (SELECT sum(bbalance) FROM pgbench_branches)"
        )
        assert len(set(sums.split("|"))) == 1, sums


class Town:
    """The balancer with four listeners, and all that goes through them at once."""

    def __init__(self, daemon, config, crowd, redis_clients):
        self.daemon = daemon
        self.config = config
        self.crowd = crowd
        self.chance = random.Random(1)
        self._redis_clients = redis_clients

    def wait_a_moment(self):
        """A random number of answers, which takes a random time."""
        self._redis_clients.wait_for_answers(self.chance.randrange(1, 150))

    def kill_worker(self, number=signal.SIGKILL):
        """Returns once its successor serves."""
        worker = self.daemon.worker_pid
        said = len(self.daemon.log)
        self.crowd.event(signal.Signals(number).name)
        os.kill(worker, number)
        self.daemon.wait_for_log(r" info ready$", timeout=20, after=said)
        assert self.daemon.worker_pid not in (None, worker)

    def kill_guardian(self):
        self.crowd.event("guardian")
        self.daemon.kill_guardian()

    def reload(self, rest):
        """With another rest of the configuration."""
        self.crowd.event("reload")
        return self.daemon.reload(self.config + rest)

    def upgrade(self):
        self.crowd.event("upgrade")
        upgrade(self.daemon)

    def roll_back(self, reason, ends_with):
        """An upgrade that is going to be."""
        self.crowd.event("rollback")
        rolled_back(self.daemon, reason, ends_with)

    def connections(self, pool):
        return self.daemon.metrics().sum("holdfast_backend_connections_active", pool=pool)

    def restarts(self, cause):
        return self.daemon.metrics().value("holdfast_worker_restarts_total", cause=cause)

    def assert_nothing_was_lost(self):
        self._redis_clients.wait_for_answers(10)
        assert self._redis_clients.failures == []
        self.crowd.finish().assert_nothing_lost()
        metrics = self.daemon.metrics()
        assert metrics.value("holdfast_connections_lost_in_recovery_total") == 0
        assert metrics.value("holdfast_connections_quarantined_total") == 0
        assert metrics.sum("holdfast_listener_rejected_total") == 0


def configuration(ports, addresses):
    """A listener and a pool of one backend for each name."""
    listeners = [
        {"name": name, "bind": f"127.0.0.1:{port}", "pool": name} for name, port in ports.items()
    ]
    pools = [
        {
            "name": name,
            "connect": {"timeout": "10s"},
            "health": NO_CHECKS,
            "backends": [{"name": f"{name}-1", "address": address}],
        }
        for name, address in addresses.items()
    ]
    return f"listeners: {json.dumps(listeners)}\npools: {json.dumps(pools)}\n"


@pytest.fixture
def town(
    holdfast, crowd_services, crowd, redis, postgres, postgres_cluster, fill, pgbench, free_port
):
    """`with town(rest of the configuration) as it:` gives a Town whose clients work until the
    block ends, and looks then whether anything was lost."""
    services, store, database = crowd_services(), redis(), postgres()
    fill(database)
    ports = {name: free_port() for name in ("web", "bulk", "redis", "postgres")}
    addresses = {
        "web": services.address,
        "bulk": services.bulk_address,
        "redis": store.address,
        "postgres": database.address,
    }

    def psql(query):
        program = postgres_cluster.program("psql")
        options = ["-h", "127.0.0.1", "-p", database.port, "-U", "postgres", "-At", "-c", query]
        done = run([program, *options])
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    @contextlib.contextmanager
    def start(rest="", **options):
        config = configuration(ports, addresses)
        daemon = holdfast(config + rest, **options)
        daemon.expect_log(DEATHS)
        made = crowd(f"127.0.0.1:{ports['web']}", f"127.0.0.1:{ports['bulk']}")
        with (
            contextlib.closing(Pipeline(ports["redis"], 3)) as pipeline,
            Clients(3, pipeline.ask) as redis_clients,
            Transactions(pgbench, psql, ports["postgres"]) as transactions,
        ):
            town = Town(daemon, config, made, redis_clients)
            wait_until(lambda: town.connections("postgres") > 0)
            yield town
            town.assert_nothing_was_lost()
        transactions.assert_all_were_done_once()

    yield start


@pytest.mark.limit(LIMIT)
def test_nothing_is_lost_when_workers_are_killed(town):
    with town() as it:
        for _ in range(KILLS):
            it.wait_a_moment()
            it.kill_worker()
        assert it.restarts("killed") == KILLS


@pytest.mark.limit(LIMIT)
def test_nothing_is_lost_when_workers_stand_still(town):
    with town("watchdog: 1500ms") as it:
        for _ in range(HANGS):
            it.wait_a_moment()
            it.kill_worker(signal.SIGSTOP)
        # A machine that is busy enough may make a worker look as if it stood still.
        assert it.restarts("hung") >= HANGS


@pytest.mark.limit(LIMIT)
def test_nothing_is_lost_when_guardian_and_worker_are_killed_in_turn(town):
    with town() as it:
        for _ in range(GUARDIAN_KILLS):
            it.wait_a_moment()
            it.kill_guardian()
            it.wait_a_moment()
            it.kill_worker()
        assert it.restarts("guardian") == GUARDIAN_KILLS
        assert it.restarts("killed") == GUARDIAN_KILLS


@pytest.mark.limit(LIMIT)
def test_nothing_is_lost_when_the_configuration_changes(town):
    with town("threads: 2") as it:
        processes = pair(it.daemon)
        for number in range(RELOADS):
            it.wait_a_moment()
            threads = 1 + (number + 2) % 4
            changes = it.reload(f"threads: {threads}\nmax_connections: {4000 + number}\n")
            assert len(changes) == 2
        assert pair(it.daemon) == processes


@pytest.mark.limit(LIMIT)
def test_nothing_is_lost_when_the_program_is_upgraded(town, program):
    with town(binary=program.path) as it:
        for _ in range(UPGRADES):
            it.wait_a_moment()
            program.become_another_build()
            it.upgrade()
            assert program.is_run_by(*pair(it.daemon))
        assert_upgrades(it.daemon, succeeded=UPGRADES)


@pytest.mark.limit(LIMIT)
def test_nothing_is_lost_when_upgrades_are_rolled_back(town, program):
    with town(binary=program.path) as it:
        for _ in range(ROLLBACKS):
            it.wait_a_moment()
            program.become(f"{PASSES}exit 3\n".encode())
            it.roll_back("it ended before it served", 3)
            it.wait_a_moment()
            program.become(f"{PASSES}exec sleep 1000\n".encode())
            it.roll_back("it didn't serve in time", -signal.SIGKILL)
        it.wait_a_moment()
        program.become_another_build()
        it.upgrade()
        assert_upgrades(it.daemon, rolled_back=2 * ROLLBACKS, succeeded=1)


def test_a_crowd_notices_what_is_lost(holdfast, crowd_services, crowd, free_port):
    """All of the rest means nothing if it would say so of a balancer that loses everything."""
    services = crowd_services()
    ports = {"web": free_port(), "bulk": free_port()}
    addresses = {"web": services.address, "bulk": services.bulk_address}
    daemon = holdfast(configuration(ports, addresses))
    # Larger than what can be on the way already, which would arrive all the same.
    made = crowd(f"127.0.0.1:{ports['web']}", f"127.0.0.1:{ports['bulk']}", bulk_size=64)
    made.event("all is lost")
    daemon.kill()
    daemon.expected_exit = -signal.SIGKILL
    wait_until(lambda: not accepts_connections(ports["web"]))
    result = made.finish()
    for kind, losses in result.data["established"].items():
        assert losses["lost"] > 0, kind
    with pytest.raises(AssertionError, match="connections lost"):
        result.assert_nothing_lost()


def test_a_crowd_notices_one_wrong_byte(crowd_services, crowd, tcp_server):
    services = crowd_services()
    host, port = services.bulk_address.rsplit(":", 1)

    def spoil(connection):
        """Relays both ways, and changes one byte each way."""
        with socket.create_connection((host, int(port)), 10) as backend:
            back = threading.Thread(target=relay, args=(backend, connection), daemon=True)
            back.start()
            relay(connection, backend)
            back.join(30)

    def relay(source, sink):
        passed = 0
        with contextlib.suppress(OSError):
            while data := bytearray(source.recv(65536)):
                if passed <= 1_000_000 < passed + len(data):
                    data[1_000_000 - passed] ^= 1
                passed += len(data)
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    counts = {"idle": 3, "busy": 2, "downloads": 1, "uploads": 1, "bulk_rate": 8}
    result = crowd(services.address, tcp_server(spoil).address, **counts).finish()
    for kind in ("download", "upload"):
        losses = result.data["established"][kind]
        assert losses["lost"] == losses["opened"] > 0
        assert losses["wrong_bytes"] > losses["lost"]  # the byte, and the checksum after it
        assert losses["reasons"] == {"wrong bytes": losses["lost"]}
    with pytest.raises(AssertionError, match="download connections lost"):
        result.assert_nothing_lost()
