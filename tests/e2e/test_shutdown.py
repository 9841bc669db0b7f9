"""The end: no new connections, time for those that are open, exit code 0."""

import re
import signal
import socket

import pytest
from support import configuration, tcp
from support.continuity import standing_still
from support.waiting import wait_until

LONG = "shutdown_timeout: 10m"
SHORT = "shutdown_timeout: 300ms"


@pytest.fixture
def balancing(holdfast, tcp_server, free_port):
    """balancing(rest) is a balancer, with an echoing backend unless another one is given, and the
    address of its listener."""

    def start(rest, handler=tcp.echo, **options):
        address = ("127.0.0.1", free_port())
        backend = tcp_server(handler).address
        config = configuration.web("%s:%d" % address, backend, rest=rest)
        return holdfast(config, **options), address

    return start


@pytest.fixture
def connect():
    """connect(address) is a client's socket."""
    clients = []

    def start(address):
        clients.append(socket.create_connection(address, 20))
        return clients[-1]

    yield start
    for client in clients:
        client.close()


def echoes(client):
    client.sendall(b"hello")
    return tcp.read_exactly(client, 5) == b"hello"


def begin_to_stop(daemon, number=signal.SIGTERM):
    daemon.send_signal(number)
    daemon.wait_for_log(r" info stopping connections=")


def test_while_stopping_it_takes_no_more_connections_and_those_it_has_go_on(balancing, connect):
    daemon, address = balancing(LONG)
    client = connect(address)
    assert echoes(client)
    assert daemon.get("/readyz")[::2] == (200, "ready\n")

    begin_to_stop(daemon)
    wait_until(lambda: is_refused(address))
    assert daemon.get("/readyz")[::2] == (503, "stopping\n")
    assert daemon.get("/healthz")[::2] == (200, "ok\n")
    assert daemon.metrics().value("holdfast_connections_active") == 1
    assert echoes(client)

    client.close()
    assert daemon.wait() == 0


def is_refused(address):
    with socket.socket() as probe:
        probe.settimeout(20)
        try:
            probe.connect(address)
        except ConnectionRefusedError:
            return True
        except ConnectionResetError:
            pass  # came between the last look into the queue and its end
        return False


def test_a_download_is_finished_first(balancing, connect):
    data = bytes(range(256)) * (64 << 10)
    daemon, address = balancing(LONG, handler=tcp.sender(data))
    client = connect(address)
    beginning = tcp.read_exactly(client, 1000)
    begin_to_stop(daemon)
    assert beginning + tcp.read_all(client) == data
    client.close()
    assert daemon.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_at_once_when_nobody_is_connected(balancing, connect, number):
    daemon, address = balancing(LONG)
    with connect(address) as client:
        assert echoes(client)
    wait_until(lambda: daemon.metrics().value("holdfast_connections_active") == 0)
    daemon.send_signal(number)
    assert daemon.wait() == 0
    assert re.search(r" info stopping connections=0 ", daemon.tail())
    assert daemon.log[-1].endswith(" info stopped")


def test_whoever_is_idle_when_shutdown_timeout_is_over_is_closed(balancing, connect):
    # Idle means that nothing has moved for a second.
    daemon, address = balancing("shutdown_timeout: 1500ms")
    client = connect(address)
    assert echoes(client)
    daemon.send_signal(signal.SIGTERM)
    assert client.recv(1) == b""
    assert daemon.wait() == 0
    daemon.wait_for_log(r" info stopping .* timeout_ms=1500$")
    daemon.wait_for_log(r" warning shutdown_timeout reached connections=1$")


def send_for_ever(connection):
    while True:
        connection.sendall(bytes(1 << 16))


def test_what_was_cut_off_does_not_look_complete(balancing, connect):
    daemon, address = balancing(SHORT, handler=send_for_ever)
    client = connect(address)
    tcp.read_exactly(client, 1000)
    daemon.send_signal(signal.SIGTERM)
    with pytest.raises(ConnectionResetError):
        tcp.read_all(client)
    assert daemon.wait() == 0


def test_a_client_that_waits_for_a_backend_is_told_at_the_end(holdfast, free_port, connect):
    address = ("127.0.0.1", free_port())
    with tcp.full_queue() as port:
        patient = {"connect": {"timeout": "1m"}}
        backend = f"127.0.0.1:{port}"
        daemon = holdfast(configuration.web("%s:%d" % address, backend, pool=patient, rest=SHORT))
        client = connect(address)
        wait_until(lambda: daemon.metrics().value("holdfast_connections_active") == 1)
        daemon.send_signal(signal.SIGTERM)
        with pytest.raises(ConnectionResetError):
            client.recv(1)
        assert daemon.wait() == 0
        daemon.wait_for_log(r" warning connection rejected .* cause=shutdown ")


def test_a_second_signal_ends_it_at_once(balancing, connect):
    daemon, address = balancing(LONG)
    client = connect(address)
    wait_until(lambda: daemon.metrics().value("holdfast_connections_active") == 1)
    begin_to_stop(daemon)
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait() == 0
    assert client.recv(1) == b""
    # A thread that looks for another client at this moment counts as one.
    daemon.wait_for_log(r" warning stopping at once connections=[1-9]$")


# scar 40
def test_whoever_waited_to_be_accepted_is_served(balancing, connect):
    daemon, address = balancing(LONG)
    with standing_still(daemon.guardian_pid, daemon.worker_pid):
        clients = [connect(address) for _ in range(50)]
        for client in clients:
            client.sendall(b"hello")
        daemon.send_signal(signal.SIGTERM)
    for client in clients:
        assert tcp.read_exactly(client, 5) == b"hello"
        client.close()
    assert daemon.wait() == 0


# scar 44
def test_an_admin_client_does_not_hold_up_the_end(balancing, connect):
    daemon, _ = balancing(LONG)
    host, port = daemon.admin.split(":")
    admin_client = connect((host, int(port)))
    admin_client.sendall(b"GET /metrics HTTP/1.1\r\n")
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait() == 0


def test_sighup_ends_nothing(balancing, connect):
    daemon, address = balancing(LONG)
    client = connect(address)
    daemon.send_signal(signal.SIGHUP)
    daemon.wait_for_log(r" info reloaded ")
    assert echoes(client)
    client.close()


def test_systemd_hears_of_it_while_connections_are_finishing(balancing, connect, systemd):
    daemon, address = balancing(LONG, environment=systemd.environment)
    systemd.next_with("READY=1")
    client = connect(address)
    assert echoes(client)
    daemon.send_signal(signal.SIGTERM)
    message = systemd.next_with("STOPPING=1")
    assert "STATUS=stopping, 1 connections, 1 of 1 backends up" in message
    assert echoes(client)
    client.close()
    assert daemon.wait() == 0
