"""What is missing on the balancer's own side says nothing about its backends."""

import contextlib
import socket

import pytest
from support import tcp
from support.configuration import web
from support.binary import BINARY
from support.network import Network
from support.process import Process
from support.waiting import wait_until

EPHEMERAL_PORTS = (50000, 50031)


@pytest.fixture
def network():
    with contextlib.closing(Network(EPHEMERAL_PORTS)) as network:
        yield network


@pytest.fixture
def backend(network):
    """The address of a server in the network."""
    command = [BINARY, "instance", "--listen", "127.0.0.1:8080", "--name", "web-1"]
    server = Process([*network.before, *command])
    try:
        server.wait_for_output("listening")
        yield "127.0.0.1:8080"
    finally:
        server.kill()


@pytest.fixture
def sockets(tmp_path_factory):
    """Where Unix sockets are: they reach into the network, and need none of its ports."""
    return tmp_path_factory.mktemp("s")


def connect(path):
    """A connection through the balancer that was answered; None when it was reset."""
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(10)
    client.connect(str(path))
    try:
        client.sendall(b"GET / HTTP/1.1\r\nHost: web\r\n\r\n")
        if tcp.read_exactly(client, 12) == b"HTTP/1.1 200":
            return client
    except (ConnectionResetError, BrokenPipeError):
        pass
    client.close()
    return None


# scar 30
def test_running_out_of_ports_counts_against_no_backend(holdfast, network, backend, sockets):
    path = sockets / "web"
    checks = {"interval": "300ms", "timeout": "2s", "rise": 1, "fall": 1}
    balancer = holdfast(
        web(
            f"unix:{path}",
            backend,
            pool={"health": checks},
            rest=f'admin: {{ http: "unix:{sockets}/admin" }}',
        ),
        before=network.before,
    )
    balancer.wait_for_log("backend up pool=web backend=web-1 ")

    with contextlib.ExitStack() as stack:

        def a_check_finds_no_port():
            """Takes another port, until a check that is due has none."""
            if client := connect(path):
                stack.enter_context(client)
            return any(
                'check inconclusive pool=web backend=web-1 reason="cannot assign' in line
                for line in balancer.log
            )

        wait_until(a_check_finds_no_port, 20)
        assert connect(path) is None, "nor does a client"
        metrics = balancer.metrics()
        labels = {"pool": "web", "backend": "web-1"}
        failures = metrics.sum("holdfast_backend_connect_failures_total")
        assert failures > 0
        assert failures == metrics.value(
            "holdfast_backend_connect_failures_total", reason="local", **labels
        )
        assert metrics.value("holdfast_backend_up", **labels) == 1
        assert (
            metrics.value("holdfast_backend_health_checks_total", result="failed", **labels) == 0
        )
    # As soon as there are ports again, there is service again.
    wait_until(lambda: connect(path)).close()
    assert not any("backend down" in line for line in balancer.log)
