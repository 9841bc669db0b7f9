"""A backend that is gone before its first byte: another one gets what the client has sent."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
from support import tcp
from support.clients import Clients
from support.configuration import NO_CHECKS, web
from support.ports import free_port
from support.waiting import wait_until

REPLAY = {"up_to": "16KiB"}

# Answers requests of one line each, after a while in which it can be killed.
SERVER = """
import socketserver, sys, time
class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        line = self.rfile.readline()
        time.sleep(0.005)
        self.wfile.write(b"HTTP/1.0 200 OK\\r\\n\\r\\n" + line)
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128
Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@pytest.fixture
def balancing(holdfast, free_port):
    """balancing(*addresses, **settings of the pool) is a balancer and its address."""

    def start(*addresses, **pool):
        address = ("127.0.0.1", free_port())
        settings = {"health": NO_CHECKS, "passive": "off", "replay": REPLAY, **pool}
        return holdfast(web("%s:%d" % address, *addresses, pool=settings)), address

    return start


class OneShot:
    """Takes requests of so many bytes and ends each connection like this, without an answer."""

    def __init__(self, size, end):
        self.heard = []
        self._size = size
        self._end = end

    def __call__(self, connection):
        self.heard.append(tcp.read_exactly(connection, self._size))
        if self._end == "reset":
            tcp.reset_now(connection)


def replays(balancer):
    return balancer.metrics().value("holdfast_pool_replays_total", pool="web")


def exchange(address, request):
    with socket.create_connection(address, 10) as client:
        client.sendall(request)
        return tcp.read_exactly(client, len(request))


@pytest.mark.parametrize("end", ["reset", "close"])
@pytest.mark.parametrize("size", [1, 10_000, 16 * 1024])
def test_another_backend_gets_the_same_bytes(balancing, tcp_server, size, end):
    request = os.urandom(size)
    failing = OneShot(size, end)
    balancer, address = balancing(tcp_server(failing).address, tcp_server(tcp.echo).address)
    for _ in range(2):
        assert exchange(address, request) == request
    assert failing.heard == [request]
    assert replays(balancer) == 1
    metrics = balancer.metrics()

    def counted():
        metrics = balancer.metrics()
        return (
            metrics.sum("holdfast_listener_received_bytes_total"),
            metrics.sum("holdfast_listener_sent_bytes_total"),
            metrics.sum("holdfast_backend_sent_bytes_total", backend="web-1"),
            metrics.sum("holdfast_backend_sent_bytes_total", backend="web-2"),
        )

    wait_until(lambda: counted() == (2 * size, 2 * size, size, 2 * size))
    assert metrics.sum("holdfast_listener_rejected_total") == 0


def test_a_client_that_speaks_late_is_replayed_as_well(balancing, tcp_server):
    failing = OneShot(5, "close")
    balancer, address = balancing(tcp_server(failing).address, tcp_server(tcp.echo).address)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(socket.create_connection(address, 10)) for _ in range(2)]
        wait_until(
            lambda: balancer.metrics().sum("holdfast_backend_connections_total") == len(clients)
        )
        for client in clients:
            client.sendall(b"hello")
            assert tcp.read_exactly(client, 5) == b"hello"
    assert replays(balancer) == 1


def test_bytes_that_come_in_pieces_are_all_kept(balancing, tcp_server):
    failing = OneShot(9, "reset")
    _, address = balancing(tcp_server(failing).address, tcp_server(tcp.echo).address)
    with socket.create_connection(address, 10) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in (b"one", b"two", b"six"):
            client.sendall(part)
        assert tcp.read_exactly(client, 9) == b"onetwosix"


def test_a_client_that_has_said_fin_is_replayed_with_it(balancing, tcp_server):
    def until_the_end(connection):
        tcp.read_all(connection)
        tcp.reset_now(connection)

    balancer, address = balancing(
        tcp_server(until_the_end).address, tcp_server(tcp.echo).address
    )
    for _ in range(2):
        with socket.create_connection(address, 10) as client:
            client.sendall(b"all of it")
            client.shutdown(socket.SHUT_WR)
            assert tcp.read_all(client) == b"all of it"
    assert replays(balancer) == 1


def test_two_backends_that_fail_cost_two_attempts(balancing, tcp_server):
    failing = [OneShot(5, "reset"), OneShot(5, "close")]
    balancer, address = balancing(
        *(tcp_server(one).address for one in failing), tcp_server(tcp.echo).address
    )
    for _ in range(3):
        assert exchange(address, b"hello") == b"hello"
    assert replays(balancer) >= 2
    assert all(heard == b"hello" for one in failing for heard in one.heard)


def test_no_backend_gets_the_same_bytes_twice(balancing, tcp_server):
    failing = [OneShot(5, "reset"), OneShot(5, "close")]
    balancer, address = balancing(
        *(tcp_server(one).address for one in failing), connect={"attempts": 8}
    )
    with socket.create_connection(address, 10) as client:
        client.sendall(b"hello")
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    assert [one.heard for one in failing] == [[b"hello"], [b"hello"]]
    assert balancer.metrics().sum("holdfast_listener_rejected_total", reason="no_backend") == 1


def test_a_backend_that_fails_is_taken_out_and_no_client_has_noticed(balancing, tcp_server):
    failing = OneShot(5, "reset")
    balancer, address = balancing(
        tcp_server(failing).address, tcp_server(tcp.echo).address, passive={"failures": 3}
    )
    for _ in range(20):
        assert exchange(address, b"hello") == b"hello"
    assert failing.heard == [b"hello"] * 3
    assert replays(balancer) == 3
    ejected = "holdfast_backend_ejected"
    assert balancer.metrics().value(ejected, pool="web", backend="web-1") == 1


def test_a_client_that_is_gone_is_not_replayed(balancing, tcp_server):
    came, go = threading.Semaphore(0), threading.Event()

    def reset_when_told(connection):
        tcp.read_exactly(connection, 5)
        came.release()
        go.wait(20)
        tcp.reset_now(connection)

    servers = [tcp_server(reset_when_told) for _ in range(2)]
    balancer, address = balancing(*(server.address for server in servers))
    client = socket.create_connection(address, 10)
    client.sendall(b"hello")
    assert came.acquire(timeout=10)
    tcp.reset_now(client)
    wait_until(lambda: balancer.metrics().value("holdfast_connections_active") == 0)
    go.set()
    closed = "holdfast_backend_connections_closed_total"
    assert balancer.metrics().sum(closed, cause="client_reset") == 1
    assert balancer.metrics().sum("holdfast_backend_connections_total") == 1
    assert replays(balancer) == 0


def test_what_is_more_than_up_to_is_not_replayed(balancing, tcp_server):
    failing = OneShot(16 * 1024 + 1, "reset")
    balancer, address = balancing(
        tcp_server(failing).address, tcp_server(tcp.echo).address, replay=REPLAY
    )
    with socket.create_connection(address, 10) as client:
        client.sendall(os.urandom(16 * 1024 + 1))
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    assert replays(balancer) == 0


def test_nothing_is_replayed_after_the_first_byte(balancing, tcp_server):
    def half_an_answer(connection):
        connection.sendall(tcp.read_exactly(connection, 5)[:1])
        while tcp.unacknowledged(connection) > 0:
            time.sleep(0.001)
        tcp.reset_now(connection)

    balancer, address = balancing(*(tcp_server(half_an_answer).address for _ in range(2)))
    with socket.create_connection(address, 10) as client:
        client.sendall(b"hello")
        assert client.recv(1) == b"h"
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    assert replays(balancer) == 0


def test_nothing_is_replayed_unless_it_is_asked_for(balancing, tcp_server):
    failing = OneShot(5, "reset")
    balancer, address = balancing(
        tcp_server(failing).address, tcp_server(tcp.echo).address, replay="off"
    )
    with socket.create_connection(address, 10) as client:
        client.sendall(b"hello")
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    assert replays(balancer) == 0


def test_a_client_that_came_to_say_nothing_is_let_go(balancing, tcp_server):
    """As checks of a balancer before this one do."""
    balancer, address = balancing(*(tcp_server(tcp.echo).address for _ in range(2)))
    with socket.create_connection(address, 10) as client:
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""
    assert replays(balancer) == 0


def test_keeping_costs_an_idle_connection_no_pipe(balancing, tcp_server):
    balancer, address = balancing(*(tcp_server(tcp.echo).address for _ in range(2)))
    with contextlib.ExitStack() as stack:
        clients = [
            stack.enter_context(socket.create_connection(address, 10)) for _ in range(100)
        ]
        for client in clients:
            client.sendall(b"hello")
            assert tcp.read_exactly(client, 5) == b"hello"
        balancer.metrics()
        assert balancer.open_pipes() < 50


@pytest.mark.parametrize("says_fin", [False, True])
def test_a_worker_that_dies_before_the_answer_keeps_what_was_kept(
    balancing, tcp_server, says_fin
):
    came, go = threading.Semaphore(0), threading.Event()

    def reset_when_told(connection):
        tcp.read_exactly(connection, 5)
        came.release()
        go.wait(20)
        tcp.reset_now(connection)

    balancer, address = balancing(
        tcp_server(reset_when_told).address, tcp_server(tcp.echo).address
    )
    balancer.expect_log("worker died cause=killed")
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(socket.create_connection(address, 10)) for _ in range(2)]
        for client in clients:
            client.sendall(b"hello")
            if says_fin:
                client.shutdown(socket.SHUT_WR)
        assert came.acquire(timeout=10)
        balancer.kill_worker()
        go.set()
        for client in clients:
            assert tcp.read_exactly(client, 5) == b"hello"
            if says_fin:
                assert client.recv(1) == b""
    assert replays(balancer) >= 1  # the other client may have to begin again as well


def test_a_backend_that_is_killed_under_load_costs_no_request(balancing):
    ports = [free_port() for _ in range(3)]

    def start(port):
        server = subprocess.Popen([sys.executable, "-c", SERVER, str(port)])

        def is_up():
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 20):
                return True
            return False

        wait_until(is_up, 20)
        return server

    servers = [start(port) for port in ports]
    try:
        balancer, address = balancing(
            *(f"127.0.0.1:{port}" for port in ports),
            passive={"failures": 3, "eject_for": "200ms"},
        )

        def get(number):
            request = b"GET /%d HTTP/1.0\r\n" % number
            with socket.create_connection(address, 10) as client:
                client.sendall(request)
                assert tcp.read_all(client) == b"HTTP/1.0 200 OK\r\n\r\n" + request
            return True

        with Clients(20, get) as clients:
            clients.wait_for_answers(100)
            for number in (0, 1, 2):
                servers[number].send_signal(signal.SIGKILL)
                servers[number].wait(10)
                clients.wait_for_answers(150)
                servers[number] = start(ports[number])
                clients.wait_for_answers(50)
        assert clients.failures == []
        assert replays(balancer) > 0
    finally:
        for server in servers:
            server.kill()
            server.wait(10)
