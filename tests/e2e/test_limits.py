"""What happens when connections or descriptors run out: it waits, says so once, and goes on."""

import contextlib
import http.client
import os
import re
import resource
import socket
import time

import pytest
from support import command, configuration, tcp
from support.metrics import Metrics
from support.waiting import wait_until

PAUSES = "holdfast_listener_accept_pauses_total"
ONE_THREAD = "threads: 1"
UNCHECKED = {"health": configuration.NO_CHECKS}  # checks need descriptors too
ALWAYS_TAKEN = 8  # descriptors below this are: the standard streams, shared memory, the loops


@pytest.fixture
def clients():
    """clients(address, count) are that many connected sockets; all are closed after the test."""
    with contextlib.ExitStack() as stack:
        yield lambda address, count: [
            stack.enter_context(socket.create_connection(address, 20)) for _ in range(count)
        ]


@pytest.fixture
def balancing(holdfast, tcp_server, free_port):
    """balancing(rest) is the balancer before an echoing backend, and its listener's address."""

    def start(rest, pool=UNCHECKED, **options):
        address = ("127.0.0.1", free_port())
        backend = tcp_server(tcp.echo, backlog=1024).address
        config = configuration.web("%s:%d" % address, backend, pool=pool, rest=rest)
        return holdfast(config, **options), address

    return start


def assert_echoes(sockets):
    for client in sockets:
        client.sendall(b"hello")
    for client in sockets:
        assert tcp.read_exactly(client, 5) == b"hello"


def assert_waits_calmly(daemon, metrics):
    """Five more pauses of the accept take their 100 ms each, and hardly any CPU."""
    pauses, cpu, began = metrics().sum(PAUSES), daemon.cpu_seconds(), time.monotonic()
    wait_until(lambda: metrics().sum(PAUSES) >= pauses + 5, interval=0.05)
    elapsed = time.monotonic() - began
    assert elapsed >= 0.4
    assert daemon.cpu_seconds() - cpu < elapsed / 4


def admin_address(daemon):
    host, port = daemon.admin.split(":")
    return host, int(port)


def pauses_logged(daemon):
    return [line for line in daemon.log if " warning accept paused " in line]


def test_whoever_comes_after_max_connections_is_served_when_somebody_leaves(balancing, clients):
    daemon, address = balancing(f"max_connections: 3\n{ONE_THREAD}")
    first = clients(address, 3)
    assert_echoes(first)
    fourth = clients(address, 1)[0]
    fourth.sendall(b"hello")
    assert_waits_calmly(daemon, daemon.metrics)
    assert daemon.metrics().value("holdfast_connections_active") == 3
    assert daemon.metrics().value("holdfast_listener_connections_total", listener="web") == 3
    first[1].close()
    assert tcp.read_exactly(fourth, 5) == b"hello"
    assert_echoes([first[0], first[2], fourth])

    logged = pauses_logged(daemon)
    assert len(logged) == 1
    assert re.search(
        r' listener=web reason="max_connections reached" connections=3 pause_ms=100 suppressed=0$',
        logged[0],
    )


# scar 29
def test_places_are_given_back_whatever_became_of_the_connection(balancing, clients):
    daemon, address = balancing("max_connections: 4\nthreads: 2")
    for _ in range(10):
        crowd = clients(address, 4)
        assert_echoes(crowd)
        tcp.reset_on_close(crowd[0])
        for client in crowd:
            client.close()
    assert_echoes(clients(address, 4))
    metrics = daemon.metrics()
    assert metrics.value("holdfast_connections_active") == 4
    assert metrics.value("holdfast_listener_connections_total", listener="web") == 44


# scar 27
def test_another_listener_waits_as_calmly_when_the_first_one_has_all_places(
    holdfast, tcp_server, free_port, clients
):
    first, second = (("127.0.0.1", free_port()) for _ in range(2))
    daemon = holdfast(f"""
listeners:
  - {{ name: first, bind: "127.0.0.1:{first[1]}", pool: web }}
  - {{ name: second, bind: "127.0.0.1:{second[1]}", pool: web }}
pools: [{{ name: web, backends: [{{ name: web-1, address: "{tcp_server(tcp.echo).address}" }}] }}]
max_connections: 2
{ONE_THREAD}
""")
    users = clients(first, 2)
    assert_echoes(users)
    late = clients(second, 1)
    assert_waits_calmly(daemon, daemon.metrics)
    assert_echoes(users)
    users[0].close()
    assert_echoes(late)


class KeptOpen:
    """Metrics over a connection that is there already: a new one needs a descriptor."""

    def __init__(self, daemon):
        self._connection = http.client.HTTPConnection(daemon.admin, timeout=20)

    def __call__(self):
        self._connection.request("GET", "/metrics")
        return Metrics.parse(self._connection.getresponse().read().decode())

    def close(self):
        self._connection.close()


@contextlib.contextmanager
def descriptors_left(daemon, count):
    """For a while, the balancer gets only so many descriptors more."""
    before = resource.prlimit(daemon.worker_pid, resource.RLIMIT_NOFILE)
    limit = ALWAYS_TAKEN
    if count > 0:
        used = {int(name) for name in os.listdir(f"/proc/{daemon.pid}/fd")}
        free = (number for number in range(before[0]) if number not in used)
        limit = next(number for place, number in enumerate(free) if place == count)
    resource.prlimit(daemon.worker_pid, resource.RLIMIT_NOFILE, (limit, before[1]))
    try:
        yield
    finally:
        resource.prlimit(daemon.worker_pid, resource.RLIMIT_NOFILE, before)


# scar 26
def test_without_descriptors_the_accept_pauses_says_so_once_and_recovers(balancing, clients):
    daemon, address = balancing(ONE_THREAD)
    old = clients(address, 2)
    assert_echoes(old)
    with contextlib.closing(KeptOpen(daemon)) as metrics:
        metrics()
        with descriptors_left(daemon, 4):  # two connections
            crowd = clients(address, 6)
            wait_until(lambda: metrics().sum(PAUSES) >= 1)
            assert_echoes(old + crowd[:2])
            assert_waits_calmly(daemon, metrics)
            assert metrics().value("holdfast_connections_active") == 4
        assert_echoes(crowd)
    logged = pauses_logged(daemon)
    assert len(logged) == 1
    assert ' reason="too many open files" connections=4 pause_ms=100 ' in logged[0]


def test_a_client_for_whom_the_last_descriptor_was_taken_is_rejected_not_forgotten(
    balancing, clients
):
    daemon, address = balancing(ONE_THREAD)
    with contextlib.closing(KeptOpen(daemon)) as metrics:
        metrics()
        with descriptors_left(daemon, 1):
            tcp.rejected_connection(address)
        labels = {"pool": "web", "backend": "web-1", "reason": "local"}
        assert metrics().value("holdfast_backend_connect_failures_total", **labels) == 1
        wait_until(lambda: metrics().value("holdfast_connections_active") == 0)
    assert_echoes(clients(address, 1))


def test_without_descriptors_no_backend_is_taken_for_dead(balancing, clients):
    checks = {"health": {"interval": "20ms", "timeout": "2s", "fall": 1}}
    daemon, address = balancing(ONE_THREAD, pool=checks)
    daemon.wait_for_log(" info backend up ")
    with contextlib.closing(KeptOpen(daemon)) as metrics:
        metrics()
        with descriptors_left(daemon, 0):
            daemon.wait_for_log(r' check inconclusive pool=web backend=web-1 reason="')
            assert metrics().value("holdfast_backend_up", pool="web", backend="web-1") == 1
    assert_echoes(clients(address, 1))
    assert not any(" backend down " in line for line in daemon.log)


# scar 26, of the admin address
@pytest.mark.parametrize("scraped_before", [False, True])
def test_without_descriptors_an_admin_client_waits_calmly(balancing, clients, scraped_before):
    daemon, _ = balancing(ONE_THREAD)
    with contextlib.closing(KeptOpen(daemon)) as metrics:
        if scraped_before:
            metrics()
        with descriptors_left(daemon, 0):
            scraper = clients(admin_address(daemon), 1)[0]
            scraper.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            cpu, began = daemon.cpu_seconds(), time.monotonic()
            wait_until(lambda: time.monotonic() > began + 0.5)
            assert daemon.cpu_seconds() - cpu < 0.15
        assert tcp.read_all(scraper).endswith(b"ok\n")


# scar 4
def test_as_many_connections_as_the_descriptors_allow_are_all_served(balancing, clients):
    daemon, address = balancing("threads: 2", before=["prlimit", "--nofile=512:512"])
    limits = daemon.wait_for_log(r" limits threads=2 max_connections=(\d+) pipes=(\d+)")
    most, pipes = int(limits[1]), int(limits[2])
    assert most > 100
    assert pipes > 0
    assert 2 * most + 2 * pipes < 512
    clients(admin_address(daemon), 100)  # admin clients have descriptors of their own
    assert_echoes(clients(address, most))
    clients(address, 1)
    wait_until(lambda: daemon.metrics().sum(PAUSES) > 0)
    assert all('reason="max_connections reached"' in line for line in pauses_logged(daemon))


def test_the_soft_limit_is_raised_to_the_hard_one(balancing):
    daemon, _ = balancing(ONE_THREAD, before=["prlimit", "--nofile=64:512"])
    assert resource.prlimit(daemon.worker_pid, resource.RLIMIT_NOFILE) == (512, 512)


@pytest.mark.parametrize(
    ("limit", "most", "needed"), [(512, "max_connections: 1000", 2146), (64, "", 148)]
)
def test_a_limit_that_cannot_do_says_what_it_takes(tmp_path, limit, most, needed):
    file = tmp_path / "holdfast.yaml"
    rest = f"admin: {{ http: off, socket: off }}\n{ONE_THREAD}\n{most}"
    file.write_text(configuration.web("127.0.0.1:0", "127.0.0.1:1", rest=rest))
    before = ["prlimit", f"--nofile={limit}:{limit}"]
    result = command.holdfast("run", "-c", file, before=before)
    assert (result.returncode, result.stdout) == (1, "")
    assert re.fullmatch(
        rf"holdfast: max_connections \d+ needs {needed} descriptors and the limit is {limit}: "
        r"raise it \(LimitNOFILE= in the unit, ulimit -n in a shell\) or lower max_connections\n",
        result.stderr,
    )
