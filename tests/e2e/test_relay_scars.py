"""What has gone wrong in other proxies' data paths, each way through the real one."""

import os
import signal
import socket
import statistics
import threading
import time

import pytest
from support import tcp
from support.clients import Clients
from support.configuration import web
from support.waiting import wait_until

MEGABYTE = 1 << 20
ASLEEP = 0.2  # of one CPU; whoever spins uses a whole one


@pytest.fixture(params=["client", "backend"])
def ends(request):
    """ends(pair) is the pair with the client first, then with the backend first, so that every
    test goes both ways."""
    return lambda pair: pair if request.param == "client" else pair[::-1]


def send_in_background(connection, data):
    """Sends and then says FIN, while the test reads."""

    def send():
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    return thread


def fit(connection, data):
    """Sends what must fit the buffers on the way, and returns once it is out of our hands."""
    connection.sendall(data)
    wait_until(lambda: tcp.unacknowledged(connection) == 0)


# scar 14
def test_after_a_half_close_100_mb_still_come_the_other_way(wire, ends):
    line = wire()
    one, other = ends(line.join())
    one.sendall(b"all I have to say")
    one.shutdown(socket.SHUT_WR)
    assert tcp.read_all(other) == b"all I have to say"
    answer = os.urandom(MEGABYTE) * 100
    sender = send_in_background(other, answer)
    assert tcp.read_all(one) == answer
    sender.join(20)
    wait_until(lambda: line.active() == 0)
    assert line.closed("finished") == 1


# scars 12, 16
def test_a_fin_arrives_as_fin_after_all_that_was_sent_before_it(wire, ends):
    line = wire()
    one, other = ends(line.join())
    data = os.urandom(MEGABYTE)
    fit(one, data)
    one.close()
    assert tcp.read_all(other) == data
    other.close()
    wait_until(lambda: line.closed("finished") == 1)


# scars 13, 16
def test_a_reset_arrives_as_reset_after_all_that_was_sent_before_it(wire, ends):
    line = wire()
    one, other = ends(line.join())
    data = os.urandom(MEGABYTE)
    fit(one, data)
    tcp.reset_now(one)
    assert tcp.read_exactly(other, len(data)) == data
    with pytest.raises(ConnectionResetError):
        other.recv(1)
    wait_until(lambda: line.closed("client_reset") + line.closed("backend_reset") == 1)
    assert line.closed("finished") == 0


# scars 5, 10
def test_a_reset_while_everything_on_the_way_is_full_spoils_no_later_connection(wire, ends):
    line = wire()
    for _ in range(3):
        one, other = ends(line.join())
        assert tcp.fill(other, bytes(256 * MEGABYTE)) < 256 * MEGABYTE
        tcp.reset_now(one)
        with pytest.raises(ConnectionError):
            while True:
                other.send(b"x")
        wait_until(lambda: line.active() == 0)
        fresh, opposite = ends(line.join())
        data = os.urandom(4 * MEGABYTE)
        sender = send_in_background(opposite, data)
        assert tcp.read_all(fresh) == data
        sender.join(20)
        fresh.close()
        wait_until(lambda: line.active() == 0)


# scar 8
def test_nothing_is_left_to_do_once_one_side_is_shut(wire, ends):
    line = wire()
    one, other = ends(line.join())
    fit(one, os.urandom(MEGABYTE))
    one.shutdown(socket.SHUT_WR)
    other.sendall(b"still here")
    assert tcp.read_exactly(one, 10) == b"still here"
    assert line.balancer.cpu_share(0.4) < ASLEEP


# scar 18
def test_a_reset_with_nothing_on_the_way_ends_the_other_side_too(wire, ends):
    line = wire()
    one, other = ends(line.join())
    tcp.reset_now(one)
    with pytest.raises(ConnectionResetError):
        other.recv(1)
    wait_until(lambda: line.active() == 0)
    assert line.balancer.cpu_share(0.3) < ASLEEP


# scars 1, 7
def test_a_slow_reader_stops_the_sender_and_costs_neither_memory_nor_cpu(wire, ends):
    line = wire()
    one, other = ends(line.join())
    data = os.urandom(MEGABYTE) * 256
    memory = line.balancer.resident_bytes()
    sent = tcp.fill(other, data)
    assert sent < 64 * MEGABYTE, "the balancer took what nobody reads"
    assert line.balancer.cpu_share(0.3) < ASLEEP
    received = bytearray()
    for _ in range(64):
        received += tcp.read_exactly(one, 1024)
    sent += tcp.fill(other, memoryview(data)[sent:])
    assert sent < 64 * MEGABYTE
    assert line.balancer.resident_bytes() - memory < 4 * MEGABYTE
    received += tcp.read_exactly(one, sent - len(received))
    assert received == memoryview(data)[:sent]


# scar 9
def test_small_messages_are_not_held_back(holdfast, tcp_server, free_port):
    port = free_port()
    holdfast(web(f"127.0.0.1:{port}", tcp_server(answer_pairs).address))
    with socket.create_connection(("127.0.0.1", port), 10) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A delayed ACK or a corked socket costs 40 or 200 ms, a round trip well below one, or a few more
        # where others are at work too.
        assert statistics.median(round_trip(client) for _ in range(100)) < 0.03


def answer_pairs(connection):
    """Answers every two small messages with two."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while tcp.read_exactly(connection, 200):
        connection.sendall(b"a" * 100)
        connection.sendall(b"b" * 100)


def round_trip(connection):
    began = time.monotonic()
    connection.sendall(b"1" * 100)
    connection.sendall(b"2" * 100)
    assert len(tcp.read_exactly(connection, 200)) == 200
    return time.monotonic() - began


# scar 15
def test_a_half_closed_connection_is_not_waited_for_forever(wire, ends):
    line = wire(listener={"half_close_timeout": "300ms"})
    one, other = ends(line.join())
    one.shutdown(socket.SHUT_WR)
    assert other.recv(1) == b""
    with pytest.raises(ConnectionResetError):
        one.recv(1)
    wait_until(lambda: line.active() == 0)
    assert line.closed("half_close_timeout") == 1


# scar 17
def test_an_idle_connection_ends_and_one_that_is_busy_one_way_does_not(wire, ends):
    line = wire(listener={"idle_timeout": "2s"})
    one, other = ends(line.join())
    idle, _ = line.join()
    idle.setblocking(False)

    def the_idle_one_has_ended():
        one.sendall(b"busy")
        assert tcp.read_exactly(other, 4) == b"busy"
        try:
            return idle.recv(1) == b""
        except BlockingIOError:
            return False

    wait_until(the_idle_one_has_ended)
    assert line.closed("idle_timeout") == 1
    one.sendall(b"still")
    assert tcp.read_exactly(other, 5) == b"still"


# scar 20
def test_connections_that_come_and_go_never_get_each_others_bytes(
    holdfast, tcp_server, free_port
):
    port = free_port()
    balancer = holdfast(web(f"127.0.0.1:{port}", tcp_server(tcp.echo).address))

    def echo(number):
        with socket.create_connection(("127.0.0.1", port), 10) as client:
            mine = os.urandom(64 + 1000 * number)
            client.sendall(mine)
            if number % 2:
                tcp.reset_on_close(client)
            assert tcp.read_exactly(client, len(mine)) == mine

    with Clients(8, echo) as clients:
        clients.wait_for_answers(1500)
    assert clients.failures == []
    wait_until(lambda: balancer.metrics().sum("holdfast_backend_connections_active") == 0)


# scar 24
def test_a_balancer_that_was_stopped_goes_on_where_it_was(wire, ends):
    line = wire()
    one, other = ends(line.join())
    data = os.urandom(MEGABYTE) * 64
    sender = send_in_background(other, data)
    received = bytearray()
    for _ in range(5):
        received += tcp.read_exactly(one, 8 * MEGABYTE)
        line.balancer.pause()
        line.balancer.resume()
    received += tcp.read_all(one)
    assert received == data
    sender.join(20)


# scar 24
def test_what_arrived_during_a_pause_counts_before_what_ran_out_in_it(wire, ends):
    line = wire(listener={"idle_timeout": "1s"})
    one, other = ends(line.join())
    line.balancer.pause()
    one.sendall(b"still here")
    resume_at = time.monotonic() + 1.3
    wait_until(lambda: time.monotonic() > resume_at)
    line.balancer.resume()
    assert tcp.read_exactly(other, 10) == b"still here"
    wait_until(lambda: line.closed("idle_timeout") == 1)
