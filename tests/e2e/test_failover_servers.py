"""Backends whose process is killed, comes back, flaps, or takes connections and does nothing good with
them: real servers, and what clients, counters and the log see."""

import contextlib
import http.client
import socket
import threading
import time

import pytest
from support import tcp
from support.clients import Clients
from support.configuration import FAST_CHECKS, NO_CHECKS, web
from support.waiting import wait_until

ACTIVE = "holdfast_backend_connections_active"


@pytest.fixture
def balancer(holdfast, address):
    """balancer(*backends' addresses, **settings of the pool) at `address`."""

    def start(*backends, listener=None, **pool):
        return holdfast(web("%s:%d" % address, *backends, listener=listener, pool=pool))

    return start


def ask(address, timeout=10):
    """Which instance answers a new client over HTTP."""
    client = http.client.HTTPConnection(*address, timeout=timeout)
    try:
        client.request("GET", "/", headers={"Connection": "close"})
        return client.getresponse().read().decode().strip()
    finally:
        client.close()


def is_refused(address):
    try:
        ask(address)
    except (ConnectionResetError, BrokenPipeError, http.client.RemoteDisconnected):
        return True
    return False


def instances(instance, count):
    return [instance(f"web-{number}") for number in range(1, count + 1)]


def addresses(servers):
    return [server.address for server in servers]


def wait_for(state, balancer, *numbers, after=0):
    for number in numbers:
        balancer.wait_for_log(f" backend {state} pool=web backend=web-{number} ", 10, after=after)


def test_a_killed_process_costs_only_the_requests_it_had_taken(balancer, instance, address):
    servers = instances(instance, 3)
    daemon = balancer(*addresses(servers), health=FAST_CHECKS)
    wait_for("up", daemon, 1, 2, 3)
    count = 8
    with Clients(count, lambda _: ask(address)) as clients:
        clients.wait_for_answers(50)
        said = len(daemon.log)
        servers[1].kill()
        gone = time.monotonic()
        clients.wait_for_answers(100)
        assert clients.failures_since(gone) == []
        wait_for("down", daemon, 2, after=said)
        servers[1] = instance("web-2", port=servers[1].port)
        wait_for("up", daemon, 2, after=said)
        wait_until(lambda: ask(address) == "web-2")
    # Each client has one request at a time, which may have been inside.
    assert len(clients.failures) <= count
    wait_until(lambda: daemon.metrics().sum(ACTIVE) == 0)


def test_flapping_every_second_costs_only_the_requests_that_were_inside(
    balancer, instance, address
):
    servers = instances(instance, 3)
    daemon = balancer(*addresses(servers), health=FAST_CHECKS)
    wait_for("up", daemon, 1, 2, 3)
    count, flaps = 4, 4
    with Clients(count, lambda _: ask(address)) as clients:
        for _ in range(flaps):
            said = len(daemon.log)
            servers[1].kill()
            wait_for("down", daemon, 2, after=said)
            gone = time.monotonic()
            wait_until(lambda since=gone: time.monotonic() - since > 1)
            assert clients.failures_since(gone) == []
            servers[1] = instance("web-2", port=servers[1].port)
            wait_for("up", daemon, 2, after=said)
            up = time.monotonic()
            wait_until(lambda since=up: time.monotonic() - since > 1)
            assert clients.failures_since(up) == []
    assert len(clients.failures) <= count * flaps
    transitions = daemon.metrics().named("holdfast_backend_health_transitions_total")
    downs = {dict(key)["backend"]: n for key, n in transitions.items() if dict(key)["to"] == "down"}
    assert downs == {"web-1": 0, "web-2": flaps, "web-3": 0}


# scar 39
def test_all_processes_killed_and_back_again(balancer, instance, address):
    servers = instances(instance, 2)
    daemon = balancer(*addresses(servers), health=FAST_CHECKS)
    wait_for("up", daemon, 1, 2)
    said = len(daemon.log)
    for server in servers:
        server.kill()
    wait_for("down", daemon, 1, 2, after=said)
    with Clients(4, lambda _: not is_refused(address) or None) as clients:
        clients.wait_for_answers(100)
        before = daemon.metrics().value("holdfast_pool_no_backend_total", pool="web")
        clients.wait_for_answers(100)
        assert daemon.metrics().value("holdfast_pool_no_backend_total", pool="web") >= before + 90
    # With nobody asking, checks of two backends ten times a second are all that is left to do.
    assert daemon.cpu_share(1) < 0.15
    for server in servers:
        instance("back", port=server.port)
    wait_for("up", daemon, 1, 2, after=said)
    with Clients(4, lambda _: ask(address)) as clients:
        clients.wait_for_answers(100)
    assert clients.failures == []


class Stalling:
    """A server that greets, and can stop taking connections out of its queue."""

    def __init__(self, greeting, port):
        self.address = f"127.0.0.1:{port}"
        self._may_accept = threading.Event()
        self._may_accept.set()
        self._stopping = False
        self._greeting = greeting
        self._listener = socket.create_server(("127.0.0.1", port), backlog=1)
        self._listener.settimeout(0.05)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stall(self):
        self._may_accept.clear()

    def go_on(self):
        self._may_accept.set()

    def stop(self):
        self._stopping = True
        self.go_on()
        self._thread.join(20)
        self._listener.close()

    def _run(self):
        while not self._stopping:
            self._may_accept.wait()
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            with connection, contextlib.suppress(OSError):
                connection.sendall(self._greeting)


@pytest.fixture
def stalling(free_port):
    """stalling(greeting) is such a server."""
    made = []

    def start(greeting):
        made.append(Stalling(greeting, free_port()))
        return made[-1]

    yield start
    for server in made:
        server.stop()


# scar 33
def test_a_server_whose_accept_queue_is_full_goes_down_and_comes_back(
    balancer, stalling, tcp_server, address
):
    stuck, fine = stalling(b"a"), tcp_server(tcp.greeter("b"))
    daemon = balancer(
        stuck.address,
        fine.address,
        health=FAST_CHECKS,
        connect={"timeout": "200ms", "attempts": 2},
    )
    wait_for("up", daemon, 1, 2)
    said = len(daemon.log)
    stuck.stall()
    # From now on it takes at most one that it is waiting for already, and as many as it has room for.
    clients = [tcp.connect(address) for _ in range(12)]
    try:
        wait_for("down", daemon, 1, after=said)
        # Those wait for it; all others are served by its neighbour.
        wait_until(lambda: sum(is_greeted(client, b"b") for client in clients) >= 6)
        assert greeting(address) == b"b"
        assert daemon.metrics().value("holdfast_pool_no_backend_total", pool="web") == 0
        stuck.go_on()
        wait_for("up", daemon, 1, after=said)
        wait_until(lambda: greeting(address) == b"a")
    finally:
        for client in clients:
            client.close()
    wait_until(lambda: daemon.metrics().sum(ACTIVE) == 0)


def is_greeted(client, name):
    client.setblocking(False)
    try:
        return client.recv(1, socket.MSG_PEEK) == name
    except BlockingIOError:
        return False


def greeting(address):
    with tcp.connect(address) as client:
        return client.recv(1)


def test_a_server_that_accepts_and_resets_fails_its_own_clients_only(
    balancer, tcp_server, address
):
    resetting, fine = tcp_server(tcp.reset), tcp_server(tcp.greeter("b"))
    daemon = balancer(resetting.address, fine.address, health=NO_CHECKS, passive="off")
    outcomes = [outcome(address) for _ in range(40)]
    resets = outcomes.count("reset")
    # A reset that comes before the connect is looked at is a connect that failed, tried elsewhere.
    early = daemon.metrics().sum("holdfast_backend_connect_failures_total", reason="reset")
    assert outcomes.count(b"b") == 40 - resets
    assert resets + early >= 20
    closed = daemon.metrics().sum(
        "holdfast_backend_connections_closed_total", backend="web-1", cause="backend_reset"
    )
    assert closed == resets
    wait_until(lambda: daemon.metrics().sum(ACTIVE) == 0)


def test_a_server_that_accepts_and_resets_is_taken_out_although_its_checks_pass(
    balancer, tcp_server, address
):
    resetting, fine = tcp_server(tcp.reset), tcp_server(tcp.greeter("b"))
    daemon = balancer(
        resetting.address,
        fine.address,
        health=FAST_CHECKS,
        passive={"failures": 3, "eject_for": "1h"},
    )
    wait_for("up", daemon, 1, 2)
    outcomes = [outcome(address) for _ in range(40)]
    assert outcomes.count("reset") <= 3
    assert outcomes.count(b"b") == 40 - outcomes.count("reset")
    daemon.wait_for_log(" backend ejected pool=web backend=web-1 ")

    def checks_passed():
        return daemon.metrics().value(
            "holdfast_backend_health_checks_total", pool="web", backend="web-1", result="passed"
        )

    passed = checks_passed()
    wait_until(lambda: checks_passed() >= passed + 3)
    assert [outcome(address) for _ in range(10)] == [b"b"] * 10
    assert not any("backend down" in line for line in daemon.log)


def outcome(address):
    try:
        return greeting(address)
    except ConnectionResetError:
        return "reset"


def test_a_server_that_accepts_and_never_answers_holds_its_own_clients_only(
    balancer, tcp_server, address
):
    silent, fine = tcp_server(tcp.silent), tcp_server(tcp.echo)
    daemon = balancer(
        silent.address,
        fine.address,
        listener={"idle_timeout": "1s"},
        balance="least_connections",
        health=NO_CHECKS,
    )
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(tcp.connect(address)) for _ in range(20)]
        for client in clients:
            client.sendall(b"hello")
        # What it holds ends when nothing has moved for idle_timeout.
        answered = [tcp.read_all(client) for client in clients].count(b"hello")
        assert answered >= 9
        wait_until(lambda: daemon.metrics().sum(ACTIVE) == 0)
        idle = daemon.metrics().sum(
            "holdfast_backend_connections_closed_total", backend="web-1", cause="idle_timeout"
        )
        assert idle == 20 - answered
