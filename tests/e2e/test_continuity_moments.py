"""The worker dies at the worst moment: while something begins, ends or waits."""

import contextlib
import hashlib
import os
import socket
import threading
import time

import pytest
from support import tcp
from support.continuity import (
    DEATHS,
    LOST,
    RESTARTS,
    assert_nothing_was_lost,
    connected,
    echoes,
    kill_worker,
    no_worker,
    standing_still,
)
from support.waiting import wait_until

MEGABYTE = 1 << 20
LAST_WORDS = os.urandom(50_000)  # fit any socket's buffer, whether somebody reads or not


class Line:
    """A connection that is being relayed, both ends in the test's hands: `one` is the client or the
    backend, `other` the opposite. `reset` is what a reset by `one` counts as."""

    def __init__(self, wire, one_is_client):
        self.wire = wire
        self.daemon = wire.balancer
        self.daemon.expect_log(DEATHS)
        client, server = wire.join()
        for sender, receiver in ((client, server), (server, client)):
            sender.sendall(b"?")
            assert receiver.recv(1) == b"?"  # a connect under way would be begun again
        self.one, self.other = (client, server) if one_is_client else (server, client)
        self.reset = "client_reset" if one_is_client else "backend_reset"

    def ends_as(self, cause):
        wait_until(lambda: self.wire.active() == 0)
        assert self.wire.closed(cause) == 1
        assert self.daemon.metrics().value(LOST) == 0


@pytest.fixture(params=["client", "backend"])
def line(request, wire):
    return Line(wire(), request.param == "client")


def is_reset(connection):
    try:
        return connection.recv(1) and False
    except ConnectionResetError:
        return True


# While no worker is there


# scars 12, 14
def test_half_a_close_while_nobody_is_there_is_half_a_close(line):
    with no_worker(line.daemon):
        line.one.sendall(LAST_WORDS)
        line.one.shutdown(socket.SHUT_WR)
    assert tcp.read_all(line.other) == LAST_WORDS
    line.other.sendall(LAST_WORDS[::-1])
    assert tcp.read_exactly(line.one, len(LAST_WORDS)) == LAST_WORDS[::-1]
    line.other.close()
    assert line.one.recv(1) == b""
    line.ends_as("finished")


# scars 12, 16
def test_a_close_while_nobody_is_there_arrives_as_fin_after_all_bytes(line):
    with no_worker(line.daemon):
        line.one.sendall(LAST_WORDS)
        line.one.close()
    assert tcp.read_all(line.other) == LAST_WORDS
    line.other.close()
    line.ends_as("finished")


# scars 13, 16
def test_a_reset_while_nobody_is_there_arrives_as_reset_after_all_bytes(line):
    with no_worker(line.daemon):
        line.one.sendall(LAST_WORDS)
        tcp.reset_now(line.one)
    assert tcp.read_exactly(line.other, len(LAST_WORDS)) == LAST_WORDS
    assert is_reset(line.other)
    line.ends_as(line.reset)


# scars 16, 18
def test_a_reset_with_bytes_for_the_dead_end_arrives_too(line):
    with no_worker(line.daemon):
        line.other.sendall(LAST_WORDS)
        line.one.sendall(b"never mind")
        tcp.reset_now(line.one)
    assert tcp.read_exactly(line.other, 10) == b"never mind"
    assert is_reset(line.other)
    line.ends_as(line.reset)


# scars 5, 16
def test_a_reset_while_everything_is_full_and_nobody_is_there(line):
    assert tcp.fill(line.other, bytes(256 * MEGABYTE)) < 256 * MEGABYTE
    with no_worker(line.daemon):
        tcp.reset_now(line.one)
    with pytest.raises(ConnectionError):
        while True:
            line.other.send(b"x")
    line.ends_as(line.reset)


def test_both_ends_close_while_nobody_is_there(line):
    with no_worker(line.daemon):
        line.one.sendall(LAST_WORDS)
        line.one.shutdown(socket.SHUT_WR)
        line.other.sendall(LAST_WORDS[::-1])
        line.other.shutdown(socket.SHUT_WR)
    assert tcp.read_all(line.one) == LAST_WORDS[::-1]
    assert tcp.read_all(line.other) == LAST_WORDS
    line.ends_as("finished")


# scar 15
def test_a_half_closed_connection_waits_for_its_timeout_across_workers(wire):
    line = Line(wire(listener={"half_close_timeout": "1s"}), True)
    line.one.shutdown(socket.SHUT_WR)
    assert line.other.recv(1) == b""
    _kill_until_it_is_over(line)
    assert is_reset(line.one)
    line.ends_as("half_close_timeout")


# scar 17
def test_an_idle_connection_waits_for_its_timeout_across_workers(wire):
    line = Line(wire(listener={"idle_timeout": "1s"}), True)
    _kill_until_it_is_over(line)
    assert line.one.recv(1) == b""
    line.ends_as("idle_timeout")


def _kill_until_it_is_over(line):
    """No worker lives for half of the second that the connection has."""
    deadline = time.monotonic() + 20
    while line.wire.active():
        assert time.monotonic() < deadline, "its time begins again with each worker"
        kill_worker(line.daemon)


def test_clients_wait_in_the_queue_while_nobody_is_there(balancing, tcp_server):
    received = []

    def echo(connection):
        data = connection.recv(65536)
        received.append(data)
        while data:
            connection.sendall(data)
            data = connection.recv(65536)

    daemon, address = balancing(tcp_server(echo).address)
    with contextlib.ExitStack() as stack:
        with no_worker(daemon):
            clients = stack.enter_context(connected(address, 50))
            for number, client in enumerate(clients):
                client.sendall(b"number %2d" % number)
            with socket.create_connection(address, 10) as brief:
                brief.sendall(b"just this")
            tcp.reset_now(socket.create_connection(address, 10))
        for number, client in enumerate(clients):
            assert tcp.read_exactly(client, 9) == b"number %2d" % number
            assert echoes(client)
        wait_until(lambda: b"just this" in received)
    assert_nothing_was_lost(daemon, 1)


# scar 33
def test_a_connect_under_way_is_begun_again(balancing, free_port):
    port = free_port()
    with contextlib.ExitStack() as stack:
        backend = stack.enter_context(socket.create_server(("127.0.0.1", port), backlog=0))
        backend.settimeout(10)
        fillers = {_connect_without_waiting(stack, port) for _ in range(3)}
        wait_until(lambda: tcp.is_readable(backend))  # the queue is full
        daemon, address = balancing(f"127.0.0.1:{port}", timeout="30s")
        client = stack.enter_context(socket.create_connection(address, 20))
        client.sendall(b"patience")
        active = "holdfast_backend_connections_active"
        wait_until(lambda: daemon.metrics().sum(active) == 1)
        with no_worker(daemon):
            pass
        assert daemon.metrics().sum("holdfast_backend_connections_total") == 0
        assert daemon.metrics().sum(active) == 1
        arrived = None
        while arrived is None:
            accepted, peer = backend.accept()
            stack.enter_context(accepted)
            if peer not in fillers:
                arrived = accepted
        arrived.settimeout(10)
        assert tcp.read_exactly(arrived, 8) == b"patience"
        arrived.sendall(b"here I am")
        assert tcp.read_exactly(client, 9) == b"here I am"
        assert daemon.metrics().sum("holdfast_backend_connections_total") == 1
        assert daemon.metrics().sum("holdfast_backend_connect_failures_total") == 0
    assert_nothing_was_lost(daemon, 1)


def _connect_without_waiting(stack, port):
    """The own address of a client that takes a place in the port's queue, or waits for one."""
    filler = stack.enter_context(socket.socket())
    filler.setblocking(False)
    filler.connect_ex(("127.0.0.1", port))
    return filler.getsockname()


def test_a_failover_under_way_still_finds_the_backend_that_answers(balancing, tcp_server):
    with tcp.full_queue() as silent:
        good = tcp_server(tcp.greeter("good "))
        daemon, address = balancing(f"127.0.0.1:{silent}", good.address, timeout="1s")
        with connected(address, 8) as clients:
            for _ in range(3):
                kill_worker(daemon)
            for client in clients:
                assert tcp.read_exactly(client, 5) == b"good "
                assert echoes(client)
    assert_nothing_was_lost(daemon, 3)


# Long enough to be noticed


def test_an_upload_waits_while_nobody_is_there_and_arrives_whole(balancing, tcp_server):
    data = os.urandom(MEGABYTE) * 64
    digest = hashlib.sha256()
    received = [0]

    def swallow(connection):
        while part := connection.recv(256 * 1024):
            digest.update(part)
            received[0] += len(part)
            time.sleep(0.002)
        connection.sendall(digest.hexdigest().encode())

    daemon, address = balancing(tcp_server(swallow).address)
    with socket.create_connection(address, 30) as client:
        sender = threading.Thread(target=tcp.send_all_and_fin, args=(client, data))
        sender.start()
        for part in range(1, 5):
            wait_until(lambda: received[0] > part * 8 * MEGABYTE)
            with no_worker(daemon):
                _wait_until_nothing_comes(received)
                assert received[0] < len(data)
        sender.join(30)
        assert tcp.read_all(client) == hashlib.sha256(data).hexdigest().encode()
    assert_nothing_was_lost(daemon, 4)


def _wait_until_nothing_comes(received):
    def is_still():
        before = received[0]
        time.sleep(0.05)
        return received[0] == before

    wait_until(is_still)


def test_a_pause_of_the_machine_is_nobodys_fault(balancing, tcp_server):
    daemon, address = balancing(tcp_server(tcp.echo).address, rest="watchdog: 1500ms")
    worker = daemon.worker_pid
    with connected(address, 10) as clients:
        assert all(echoes(client) for client in clients)
        for first, second in ((daemon.pid, worker), (worker, daemon.pid)):
            with standing_still(first, second):
                for number, client in enumerate(clients):
                    client.sendall(b"during the pause %d" % number)
                until = time.monotonic() + 3.5  # the pause is what is tested
                wait_until(lambda: time.monotonic() > until)
            for number, client in enumerate(clients):
                assert tcp.read_exactly(client, 18) == b"during the pause %d" % number
        until = time.monotonic() + 2.3  # the watchdog's time, and half of it
        while time.monotonic() < until:
            assert all(echoes(client) for client in clients)
    assert daemon.worker_pid == worker
    assert daemon.metrics().sum(RESTARTS) == 0
    assert not any("hangs" in line for line in daemon.log)
