"""Backends that refuse, stay silent, go and come: what clients, the log and the metrics see."""

import socket
import time

import pytest
from support import tcp
from support.clients import Clients
from support.configuration import FAST_CHECKS, NO_CHECKS, web
from support.waiting import wait_until


@pytest.fixture
def balancing(holdfast, free_port):
    """balancing(*addresses, **settings of the pool) is a balancer and its port."""

    def start(*addresses, **pool):
        port = free_port()
        settings = {"health": NO_CHECKS, "passive": "off", **pool}
        return holdfast(web(f"127.0.0.1:{port}", *addresses, pool=settings)), port

    return start


@pytest.fixture
def nobody(free_port):
    """nobody() is an address where nobody listens."""
    return lambda: f"127.0.0.1:{free_port()}"


def ask(port):
    """What a new client is answered; one that gets no service raises ConnectionResetError."""
    with socket.create_connection(("127.0.0.1", port), 10) as client:
        client.sendall(b"hello")
        return tcp.read_exactly(client, 5)


def is_reset(port):
    try:
        ask(port)
    except (ConnectionResetError, BrokenPipeError):
        return True
    return False


def failures(balancer, **labels):
    return balancer.metrics().sum("holdfast_backend_connect_failures_total", **labels)


def test_a_client_never_sees_that_a_backend_refuses(balancing, tcp_server, nobody):
    balancer, port = balancing(nobody(), tcp_server(tcp.echo).address, nobody())
    for _ in range(30):
        assert ask(port) == b"hello"
    metrics = balancer.metrics()
    refused = failures(balancer, reason="refused")
    assert refused >= 30
    assert failures(balancer) == refused
    assert metrics.value("holdfast_pool_failovers_total", pool="web") == refused
    assert metrics.value("holdfast_pool_no_backend_total", pool="web") == 0
    assert metrics.value("holdfast_backend_connections_total", pool="web", backend="web-2") == 30


def test_a_client_is_served_by_another_backend_when_one_does_not_answer(balancing, tcp_server):
    with tcp.full_queue() as silent:
        balancer, port = balancing(
            f"127.0.0.1:{silent}",
            tcp_server(tcp.echo).address,
            connect={"timeout": "100ms", "attempts": 2},
        )
        for _ in range(4):
            assert ask(port) == b"hello"
        timeouts = failures(balancer, backend="web-1", reason="timeout")
        assert timeouts > 0
        assert failures(balancer) == timeouts
        # Both of its connects were given up; none is left half-made.
        assert balancer.metrics().sum("holdfast_backend_connections_active", backend="web-1") == 0


def test_no_more_backends_are_tried_than_attempts_allow(balancing, nobody):
    balancer, port = balancing(
        *(nobody() for _ in range(4)), connect={"timeout": "1s", "attempts": 2}
    )
    assert is_reset(port)
    assert failures(balancer, reason="refused") == 2
    assert balancer.metrics().value("holdfast_pool_failovers_total", pool="web") == 1
    balancer.wait_for_log(r"connection rejected .* cause=no_backend attempts=2 ")


def test_a_client_without_a_backend_is_reset_counted_and_logged(balancing, nobody):
    balancer, port = balancing(nobody(), nobody())
    own = tcp.rejected_connection(("127.0.0.1", port))
    balancer.wait_for_log(
        rf"warning connection rejected listener=web client={own} pool=web backend=none "
        r"cause=no_backend attempts=2 duration_ms=\d+\.\d received=0 sent=0 suppressed=0$"
    )
    metrics = balancer.metrics()
    assert metrics.value("holdfast_pool_no_backend_total", pool="web") == 1
    assert (
        metrics.value("holdfast_listener_rejected_total", listener="web", reason="no_backend") == 1
    )
    assert metrics.value("holdfast_listener_connections_active", listener="web") == 0


def test_every_change_of_health_is_one_line_of_the_log(balancing, tcp_server):
    servers = [tcp_server(tcp.echo) for _ in range(3)]
    balancer, _ = balancing(*(server.address for server in servers), health=FAST_CHECKS)
    for number in (1, 2, 3):
        balancer.wait_for_log(
            rf'info backend up pool=web backend=web-{number} reason="first check passed" '
            r"check_ms=\d+\.\d up=3/3$"
        )
    servers[1].stop()
    balancer.wait_for_log(
        r'warning backend down pool=web backend=web-2 reason="connection refused" '
        r"check_ms=\d+\.\d up=2/3$"
    )
    servers[2].stop()
    balancer.wait_for_log(r"backend down pool=web backend=web-3 .* up=1/3$")
    servers[1].listen()
    balancer.wait_for_log(
        r'info backend up pool=web backend=web-2 reason="checks passed" check_ms=\d+\.\d up=2/3$'
    )
    assert sum(" backend " in line for line in balancer.log) == 6


def test_a_backend_that_does_not_answer_checks_goes_down_for_that_reason(balancing):
    with tcp.full_queue() as silent:
        balancer, _ = balancing(f"127.0.0.1:{silent}", health=FAST_CHECKS)
        took = balancer.wait_for_log(
            r"backend down pool=web backend=web-1 reason=timeout check_ms=(\d+\.\d) up=0/1$"
        )[1]
        assert float(took) >= 100


def test_a_backend_that_goes_down_keeps_its_connections(balancing, tcp_server):
    server = tcp_server(tcp.echo)
    balancer, port = balancing(server.address, health=FAST_CHECKS)
    with socket.create_connection(("127.0.0.1", port), 10) as client:
        client.sendall(b"before")
        assert tcp.read_exactly(client, 6) == b"before"
        server.refuse()
        balancer.wait_for_log("backend down pool=web backend=web-1 ")
        client.sendall(b"while down")
        assert tcp.read_exactly(client, 10) == b"while down"
        server.listen()
        balancer.wait_for_log('backend up .*reason="checks passed"')
        client.sendall(b"after")
        assert tcp.read_exactly(client, 5) == b"after"


# scar 39
def test_clients_that_go_on_asking_for_dead_backends_cost_next_to_nothing(balancing, nobody):
    balancer, port = balancing(nobody(), nobody(), health=FAST_CHECKS)
    for number in (1, 2):
        balancer.wait_for_log(f"backend down pool=web backend=web-{number} ")
    tried = failures(balancer)
    asks = 300
    before = balancer.cpu_seconds()
    assert all(is_reset(port) for _ in range(asks))
    assert balancer.cpu_seconds() - before < asks * 0.001
    assert balancer.cpu_share(0.5) < 0.2
    # Backends known to be down are not even asked.
    assert failures(balancer) == tried
    assert balancer.metrics().value("holdfast_pool_no_backend_total", pool="web") == asks


def test_no_client_notices_a_backend_that_comes_and_goes(balancing, tcp_server):
    steady, flapping = tcp_server(tcp.greeter("a")), tcp_server(tcp.greeter("b"))
    balancer, port = balancing(steady.address, flapping.address, health=FAST_CHECKS)
    balancer.wait_for_log("backend up pool=web backend=web-2 ")

    def greeting(_):
        with socket.create_connection(("127.0.0.1", port), 10) as client:
            assert client.recv(1) in (b"a", b"b")

    with Clients(2, greeting) as clients:
        for _ in range(3):
            said = len(balancer.log)
            flapping.refuse()  # resets who is in its queue, which is nobody's to mend
            gone_since = time.monotonic()
            balancer.wait_for_log("backend down pool=web backend=web-2 ", after=said)
            clients.wait_for_answers(20)
            flapping.listen()
            balancer.wait_for_log("backend up pool=web backend=web-2 ", after=said)
            clients.wait_for_answers(20)
            assert clients.failures_since(gone_since) == []
    transitions = balancer.metrics().named("holdfast_backend_health_transitions_total")
    changes = {
        (labels["backend"], labels["to"]): count
        for labels, count in ((dict(key), count) for key, count in transitions.items())
        if count
    }
    assert changes == {("web-1", "up"): 1, ("web-2", "up"): 4, ("web-2", "down"): 3}
    wait_until(lambda: balancer.metrics().sum("holdfast_backend_connections_active") == 0)
