"""Successors that die while they take over, and what waits for its turn to go on."""

import fcntl
import hashlib
import os
import random
import signal
import socket
import termios
import threading
import time
from pathlib import Path

from support import tcp
from support.clients import Clients
from support.continuity import DEATHS, assert_nothing_was_lost, connected, echoes, no_worker
from support.waiting import wait_until

MEGABYTE = 1 << 20
DEATHS_IN_A_ROW = 9  # with each further one the guardian waits longer


def kill_successors(daemon, chance):
    """Several in a row, each at any moment of its first 30 ms, in which it takes over; returns once
    one is left alone and serves."""
    for _ in range(DEATHS_IN_A_ROW):
        worker = wait_until(lambda: daemon.worker_pid, interval=0.0005)
        moment = time.monotonic() + chance.choice([0, chance.uniform(0, 0.03)])
        wait_until(lambda: time.monotonic() >= moment, interval=0.0005)
        os.kill(worker, signal.SIGKILL)
        wait_until(lambda: daemon.worker_pid != worker, interval=0.0005)

    def deaths():
        return [number for number, line in enumerate(daemon.log) if "worker died" in line]

    wait_until(lambda: len(deaths()) == DEATHS_IN_A_ROW)
    daemon.wait_for_log(r" info ready$", timeout=10, after=deaths()[-1])


def test_successors_that_die_at_once_lose_nothing(balancing, tcp_server):
    daemon, address = balancing(tcp_server(tcp.echo).address)
    chance = random.Random(2)
    kept = {}

    def on_one_connection(number):
        if number not in kept:
            kept[number] = socket.create_connection(address, 30)
        assert echoes(kept[number], os.urandom(chance.randrange(1, 100_000)))

    with connected(address, 100) as idle, Clients(4, on_one_connection) as busy:
        busy.wait_for_answers(20)
        kill_successors(daemon, chance)
        busy.wait_for_answers(50)
        assert busy.failures == []
        assert all(echoes(client) for client in idle)
    for client in kept.values():
        client.close()
    assert_nothing_was_lost(daemon, DEATHS_IN_A_ROW)
    wait_until(lambda: daemon.metrics().value("holdfast_connections_active") == 0)
    assert daemon.metrics().sum("holdfast_backend_connections_active") == 0
    assert daemon.metrics().sum("holdfast_listener_connections_active") == 0


def test_streams_outlive_successors_that_die_at_once(balancing, tcp_server):
    data = os.urandom(MEGABYTE) * 48
    digest = hashlib.sha256()
    done = threading.Event()

    def swallow(connection):
        while part := connection.recv(256 * 1024):
            digest.update(part)
            time.sleep(0.005)  # about 50 MB/s at most, so that it takes longer than the deaths
        connection.sendall(b"done")
        done.set()

    daemon, address = balancing(tcp_server(swallow).address)
    chance = random.Random(3)
    with socket.create_connection(address, 30) as client:
        sender = threading.Thread(target=tcp.send_all_and_fin, args=(client, data))
        sender.start()
        wait_until(lambda: daemon.metrics().sum("holdfast_backend_sent_bytes_total") > MEGABYTE)
        kill_successors(daemon, chance)
        sender.join(30)
        assert tcp.read_all(client) == b"done"
    assert done.is_set()
    assert digest.hexdigest() == hashlib.sha256(data).hexdigest()
    wait_until(lambda: daemon.metrics().value("holdfast_connections_active") == 0)
    assert_nothing_was_lost(daemon, DEATHS_IN_A_ROW)


def test_what_a_pipe_holds_arrives_though_its_time_is_over_when_others_go_on_first(wire):
    line = wire(listener={"idle_timeout": "10s"})
    line.balancer.expect_log(DEATHS)
    client, server = _join(line)
    sent = _send_until_some_is_held(server, client)
    others = [line.join() for _ in range(500)]
    for one, other in others:
        one.sendall(b"?")
        assert other.recv(1) == b"?"
    with no_worker(line.balancer):
        over = time.monotonic() + 10.5
        held = _held_for_good(client, sent)
        assert held > 0
        tcp.read_exactly(client, sent - held)
        wait_until(lambda: time.monotonic() > over)
    tcp.read_exactly(client, held)


def _join(line):
    """Both ends of a connection that is relayed both ways."""
    client, server = line.join()
    for sender, receiver in ((client, server), (server, client)):
        sender.sendall(b"?")
        assert receiver.recv(1) == b"?"
    return client, server


def _send_until_some_is_held(server, client):
    """All that was sent has been taken from the sender, and not all of it fits on the other side."""
    sent = 0
    while not (_held(client, sent) and _held_for_good(client, sent)):
        assert sent < 64 * MEGABYTE
        server.sendall(bytes(60_000))
        sent += 60_000
        wait_until(lambda: tcp.unacknowledged(server) + _queues(server)[1] == 0, interval=0.001)
    return sent


def _held_for_good(client, sent):
    """Bytes on their way from here to there are seen twice, or not at all."""
    looks = [_held(client, sent) for _ in range(20)]
    return looks[0] if len(set(looks)) == 1 else 0


def _held(client, sent):
    """What is neither in a socket of the balancer nor with the client."""
    unread = int.from_bytes(fcntl.ioctl(client, termios.FIONREAD, bytes(4)), "little")
    return sent - _queues(client)[0] - unread


def _queues(socket_of_ours):
    """Of the balancer's socket at its other end: bytes that weren't acknowledged, and weren't read."""
    ends = socket_of_ours.getpeername(), socket_of_ours.getsockname()
    peer, own = (f"{port:04X}" for _, port in ends)
    for text in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        _, local, remote, _, queues = text.split()[:5]
        if local.endswith(f":{peer}") and remote.endswith(f":{own}"):
            return tuple(int(queue, 16) for queue in queues.split(":"))
    raise AssertionError("the balancer has no such socket")
