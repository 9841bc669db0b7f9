"""After traffic that a test has counted itself, the metrics say exactly that."""

import socket

import pytest
from support import configuration, tcp
from support.waiting import wait_until

# Nothing but the test's own connections.
UNCHECKED = {"health": configuration.NO_CHECKS, "passive": "off"}
L = "holdfast_listener_"
P = "holdfast_pool_"
B = "holdfast_backend_"


@pytest.fixture
def balancing(holdfast, free_port):
    """balancing(*backends) is the balancer and the address of its listener."""

    def start(*backends, pool=UNCHECKED):
        address = ("127.0.0.1", free_port())
        config = configuration.web("%s:%d" % address, *backends, pool=pool, rest="threads: 2")
        return holdfast(config), address

    return start


def metrics_at_rest(daemon):
    wait_until(lambda: daemon.metrics().value("holdfast_connections_active") == 0)
    return daemon.metrics()


def talk(address, data):
    """Says all of it, half-closes, and hears the answer to its end."""
    with socket.create_connection(address, 20) as client:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        return tcp.read_all(client)


def test_every_series_is_there_from_the_start_with_0(balancing, free_port):
    daemon, _ = balancing(f"127.0.0.1:{free_port()}")
    metrics = daemon.metrics()
    counted = {
        name: sum(metrics.named(name).values())
        for name, _ in metrics
        if name.endswith(("_total", "_count", "_sum", "_active"))
    }
    assert len(counted) > 15
    assert set(counted.values()) == {0}
    causes = {dict(labels)["cause"] for labels in metrics.named(f"{B}connections_closed_total")}
    assert causes >= {"finished", "client_reset", "backend_reset", "idle_timeout", "shutdown"}


def test_connections_and_bytes_of_both_directions(balancing, tcp_server):
    daemon, address = balancing(tcp_server(answer_twice).address, tcp_server(answer_twice).address)
    sizes = [1, 1000, 70_000, 0, 300_000, 5]
    for size in sizes:
        assert len(talk(address, b"x" * size)) == 2 * size
    metrics = metrics_at_rest(daemon)

    count, total = len(sizes), sum(sizes)
    assert metrics.value(f"{L}connections_total", listener="web") == count
    assert metrics.value(f"{L}received_bytes_total", listener="web") == total
    assert metrics.value(f"{L}sent_bytes_total", listener="web") == 2 * total
    assert metrics.sum(f"{L}rejected_total") == 0
    assert metrics.value(f"{P}connect_duration_seconds_count", pool="web") == count
    assert metrics.value(f"{P}connection_duration_seconds_count", pool="web") == count
    assert metrics.value(f"{P}failovers_total", pool="web") == 0
    # Round robin: they took turns.
    for backend, mine in (("web-1", sizes[0::2]), ("web-2", sizes[1::2])):
        labels = {"pool": "web", "backend": backend}
        assert metrics.value(f"{B}connections_total", **labels) == len(mine)
        assert metrics.value(f"{B}connections_active", **labels) == 0
        assert metrics.value(f"{B}sent_bytes_total", **labels) == sum(mine)
        assert metrics.value(f"{B}received_bytes_total", **labels) == 2 * sum(mine)
        finished = metrics.value(f"{B}connections_closed_total", cause="finished", **labels)
        assert finished == len(mine)
    assert metrics.sum(f"{B}connections_closed_total") == count
    assert metrics.sum(f"{B}connect_failures_total") == 0


def answer_twice(connection):
    data = tcp.read_all(connection)
    connection.sendall(data + data)


def test_open_connections_are_active(balancing, tcp_server):
    daemon, address = balancing(tcp_server(tcp.echo).address)
    clients = [socket.create_connection(address, 20) for _ in range(7)]
    wait_until(lambda: daemon.metrics().value("holdfast_connections_active") == 7)
    wait_until(lambda: daemon.metrics().sum(f"{B}connections_total") == 7)
    metrics = daemon.metrics()
    assert metrics.value(f"{L}connections_active", listener="web") == 7
    assert metrics.value(f"{B}connections_active", pool="web", backend="web-1") == 7
    for client in clients:
        client.close()
    assert metrics_at_rest(daemon).sum(f"{B}connections_active") == 0


def test_a_dead_backend_costs_a_failover_each_time_it_is_its_turn(
    balancing, tcp_server, free_port
):
    daemon, address = balancing(f"127.0.0.1:{free_port()}", tcp_server(tcp.echo).address)
    for _ in range(10):
        assert talk(address, b"hello") == b"hello"
    metrics = metrics_at_rest(daemon)
    failures = metrics.named(f"{B}connect_failures_total")
    refused = metrics.value(
        f"{B}connect_failures_total", pool="web", backend="web-1", reason="refused"
    )
    assert refused == metrics.value(f"{P}failovers_total", pool="web") > 0
    assert sum(failures.values()) == refused
    assert metrics.value(f"{B}connections_total", pool="web", backend="web-1") == 0
    assert metrics.value(f"{B}connections_total", pool="web", backend="web-2") == 10
    assert metrics.value(f"{L}connections_total", listener="web") == 10


def test_a_client_that_got_no_backend_is_rejected(balancing, free_port):
    daemon, address = balancing(*(f"127.0.0.1:{free_port()}" for _ in range(2)))
    for _ in range(4):
        tcp.rejected_connection(address)
    metrics = metrics_at_rest(daemon)
    assert metrics.value(f"{L}connections_total", listener="web") == 4
    assert metrics.value(f"{L}rejected_total", listener="web", reason="no_backend") == 4
    assert metrics.value(f"{P}no_backend_total", pool="web") == 4
    assert metrics.value(f"{P}failovers_total", pool="web") == 4
    assert metrics.sum(f"{B}connect_failures_total", reason="refused") == 8
    assert metrics.sum(f"{B}connections_total") == 0
    assert metrics.value(f"{P}connection_duration_seconds_count", pool="web") == 0


def test_resets_are_told_apart_by_who_sent_them(balancing, tcp_server):
    daemon, address = balancing(tcp_server(echo_once_and_reset).address)
    with socket.create_connection(address, 20) as client:
        client.sendall(b"go")
        assert tcp.read_exactly(client, 2) == b"go"
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    with socket.create_connection(address, 20) as client:
        client.sendall(b"me")
        assert tcp.read_exactly(client, 2) == b"me"
        tcp.reset_on_close(client)
    closed = metrics_at_rest(daemon).named(f"{B}connections_closed_total")
    by_cause = {dict(labels)["cause"]: value for labels, value in closed.items() if value}
    assert by_cause == {"backend_reset": 1, "client_reset": 1}


def echo_once_and_reset(connection):
    """Resets whoever says go; waits for the other side to do it otherwise."""
    word = tcp.read_exactly(connection, 2)
    connection.sendall(word)
    if word == b"go":
        tcp.reset_on_close(connection)
    else:
        tcp.wait_for_end(connection)


def test_checks_are_counted_and_the_change_of_health_with_its_time(
    balancing, tcp_server, free_port
):
    checks = {"health": {"interval": "50ms", "timeout": "2s"}}
    daemon, _ = balancing(tcp_server(tcp.silent).address, f"127.0.0.1:{free_port()}", pool=checks)
    wait_until(lambda: daemon.metrics().sum(f"{B}health_transitions_total") == 2)
    metrics = daemon.metrics()
    up, down = ({"pool": "web", "backend": f"web-{number}"} for number in (1, 2))
    assert metrics.value(f"{B}up", **up) == metrics.value(f"{B}state", state="up", **up) == 1
    assert metrics.value(f"{B}up", **down) == metrics.value(f"{B}state", state="up", **down) == 0
    assert metrics.value(f"{B}state", state="down", **down) == 1
    assert metrics.value(f"{B}health_transitions_total", to="up", **up) == 1
    assert metrics.value(f"{B}health_transitions_total", to="down", **down) == 1
    assert metrics.value(f"{B}health_checks_total", result="failed", **down) >= 1
    assert metrics.value(f"{B}health_checks_total", result="passed", **down) == 0
    assert metrics.value(f"{B}health_checks_total", result="failed", **up) == 0
    assert metrics.value(f"{P}backends", pool="web", state="up") == 1
    assert metrics.value(f"{P}backends", pool="web", state="down") == 1
    started = metrics.value("holdfast_start_time_seconds")
    assert metrics.value(f"{B}last_state_change_timestamp_seconds", **down) >= started
    # A scrape may fall between the two.
    wait_until(lambda: every_check_is_timed(daemon.metrics()))


def every_check_is_timed(metrics):
    timed = metrics.value(f"{P}health_check_duration_seconds_count", pool="web")
    return timed == metrics.sum(f"{B}health_checks_total")
