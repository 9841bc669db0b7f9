"""What is missing on the balancer's own side says nothing about its backends."""

import contextlib
import json
import socket

import pytest
from support import tcp
from support.configuration import NO_CHECKS, web
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
                'check inconclusive pool=web backend=web-1 reason="cannot connect to' in line
                for line in balancer.log
            )

        wait_until(a_check_finds_no_port, 20)
        assert connect(path) is None, "nor does a client"
        balancer.wait_for_log(
            f"warning connect not possible pool=web backend=web-1 bind_source=none "
            f'reason="cannot connect to {backend}: cannot assign requested address" suppressed='
        )
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


def test_a_source_that_this_host_has_lost_is_told_once_a_minute_for_each_pool(
    holdfast, network, backend, sockets
):
    lost = "10.255.0.1"
    network.run("ip", "address", "add", f"{lost}/32", "dev", "lo")
    names = ["web", "other"]
    listeners = [{"name": name, "bind": f"unix:{sockets}/{name}", "pool": name} for name in names]
    settings = {
        "health": NO_CHECKS,
        "connect": {"bind_source": lost},
        "backends": [{"name": "web-1", "address": backend}],
    }
    # Of one thread, since each says so.
    text = f"""
threads: 1
listeners: {json.dumps(listeners)}
pools: {json.dumps([{"name": name, **settings} for name in names])}
admin: {{ http: "unix:{sockets}/admin" }}
"""
    balancer = holdfast(text, before=network.before)
    connect(sockets / "web").close()
    network.run("ip", "address", "delete", f"{lost}/32", "dev", "lo")
    for _ in range(5):
        for name in names:
            assert connect(sockets / name) is None
    for name in names:
        balancer.wait_for_log(
            f"warning connect not possible pool={name} backend=web-1 bind_source={lost} "
            f'reason="cannot connect from {lost}: cannot assign requested address" suppressed=0$'
        )
    assert sum(" connect not possible " in line for line in balancer.log) == 2
    network.run("ip", "address", "add", f"{lost}/32", "dev", "lo")
    wait_until(lambda: connect(sockets / "web")).close()
