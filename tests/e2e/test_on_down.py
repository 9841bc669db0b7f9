"""What becomes of connections when the checks find their backend down, and when it is back."""

import contextlib
import time

import pytest
from support import tcp
from support.command import holdfast as run_holdfast
from support.configuration import FAST_CHECKS, web
from support.operating import backend, closed, connected_to, told
from support.waiting import wait_until


@pytest.fixture
def pair(holdfast, tcp_server, free_port):
    """pair(settings of the pool) is a balancer, its port and two servers that can refuse."""

    def start(**pool):
        port = free_port()
        servers = [tcp_server(tcp.greeter(name)) for name in ("web-1", "web-2")]
        addresses = [server.address for server in servers]
        settings = {"health": FAST_CHECKS, **pool}
        balancer = holdfast(web(f"127.0.0.1:{port}", *addresses, pool=settings))
        return balancer, port, servers

    return start


def health(balancer, name):
    return backend(balancer, name)["health"]


def is_reset(client):
    try:
        while client.recv(4096):
            pass
    except ConnectionResetError:
        return True
    return False


def test_connections_of_a_backend_that_goes_down_are_reset_at_once(pair):
    balancer, port, servers = pair(on_down="close")
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connected_to(port, "web-1")) for _ in range(5)]
        other = stack.enter_context(connected_to(port, "web-2"))
        servers[0].refuse()  # new ones; those it has would go on
        assert all(is_reset(client) for client in clients)
        assert tcp.echoes(other)
    assert closed(balancer, "backend_down", backend="web-1") == 5
    assert closed(balancer, "backend_down", backend="web-2") == 0


def test_they_go_on_where_nothing_else_is_said(pair):
    balancer, port, servers = pair()
    with connected_to(port, "web-1") as client:
        servers[0].refuse()
        wait_until(lambda: health(balancer, "web-1") == "down")
        assert tcp.echoes(client)
    assert closed(balancer, "backend_down") == 0


def test_a_reload_that_says_so_resets_those_of_a_backend_that_is_down_already(pair):
    balancer, port, servers = pair()
    with connected_to(port, "web-1") as client:
        servers[0].refuse()
        wait_until(lambda: health(balancer, "web-1") == "down")
        config = balancer.config_file.read_text(encoding="utf-8")
        named = '"name": "web", "backends"'
        balancer.config_file.write_text(
            config.replace(named, f'"on_down": "close", {named}'), encoding="utf-8"
        )
        assert "pool web: on_down keep -> close" in told(balancer, "reload").stdout
        assert is_reset(client)


def test_all_are_down_and_come_back(pair):
    balancer, port, servers = pair(on_down="close")
    with connected_to(port, "web-1") as one, connected_to(port, "web-2") as two:
        for server in servers:
            server.refuse()
        assert is_reset(one) and is_reset(two)
    wait_until(lambda: health(balancer, "web-2") == "down")
    tcp.rejected_connection(("127.0.0.1", port))
    for server in servers:
        server.listen()
    wait_until(lambda: health(balancer, "web-1") == health(balancer, "web-2") == "up")
    for name in ("web-1", "web-2"):
        with connected_to(port, name) as client:
            assert tcp.echoes(client)


def test_in_a_panic_they_go_on_until_it_is_over(pair):
    """Whoever was closed would be given a backend that is down once more."""
    checks = FAST_CHECKS | {"rise": 100}
    balancer, port, servers = pair(on_down="close", panic_threshold="60%", health=checks)
    servers[0].refuse()
    wait_until(lambda: health(balancer, "web-1") == "down")
    servers[0].listen()  # a hundred checks until it is up
    with connected_to(port, "web-1") as client:
        wait_until(lambda: balancer.metrics().value("holdfast_pool_panic", pool="web") == 1)
        now = time.monotonic()
        wait_until(lambda: time.monotonic() - now > 1)  # twice a second somebody looks
        assert tcp.echoes(client)
        text = balancer.config_file.read_text(encoding="utf-8")
        balancer.config_file.write_text(text.replace("60%", "0%"), encoding="utf-8")
        assert "pool web: panic_threshold 60% -> 0%" in told(balancer, "reload").stdout
        assert is_reset(client)
    assert closed(balancer, "backend_down", backend="web-1") == 1


def test_a_pool_without_checks_is_warned_of(tmp_path):
    file = tmp_path / "holdfast.yaml"
    file.write_text(
        "listeners: [{ name: web, bind: '127.0.0.1:80', pool: web }]\n"
        "pools:\n"
        "  - name: web\n"
        "    health: { type: none }\n"
        "    on_down: close\n"
        "    backends: [{ name: a, address: '127.0.0.1:81' }]\n",
        encoding="utf-8",
    )
    done = run_holdfast("check", "-c", file)
    assert done.returncode == 0
    assert "holdfast.yaml:5:14: warning: on_down: close does nothing without checks" in done.stderr
    file.write_text(file.read_text(encoding="utf-8").replace("close", "drop"), encoding="utf-8")
    done = run_holdfast("check", "-c", file)
    assert done.returncode == 1
    assert "holdfast.yaml:5:14: error:" in done.stderr and "keep" in done.stderr


def test_connections_of_a_higher_tier_are_closed_when_the_lower_one_is_back(
    holdfast, tcp_server, free_port
):
    port = free_port()
    here, there = (tcp_server(tcp.greeter(name)) for name in ("here", "away"))
    backends = [
        {"name": "here", "address": here.address},
        {"name": "away", "address": there.address, "tier": 1},
    ]
    pool = {"health": FAST_CHECKS, "on_up_from_lower_tier": "close", "backends": backends}
    balancer = holdfast(web(f"127.0.0.1:{port}", pool=pool))
    here.refuse()
    wait_until(lambda: health(balancer, "here") == "down")
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connected_to(port, "away")) for _ in range(10)]
        assert all(tcp.echoes(client) for client in clients)
        wait_until(lambda: balancer.metrics().value("holdfast_pool_tier", pool="web") == 1)
        here.listen()
        wait_until(lambda: closed(balancer, "lower_tier_up", backend="away") == 10, 20)
        with connected_to(port, "here") as client:
            assert tcp.echoes(client)


def test_a_pool_of_one_tier_is_warned_of(tmp_path):
    file = tmp_path / "holdfast.yaml"
    file.write_text(
        "listeners: [{ name: web, bind: '127.0.0.1:80', pool: web }]\n"
        "pools:\n"
        "  - name: web\n"
        "    on_up_from_lower_tier: close\n"
        "    backends: [{ name: a, address: '127.0.0.1:81' }]\n",
        encoding="utf-8",
    )
    done = run_holdfast("check", "-c", file)
    assert done.returncode == 0
    assert "holdfast.yaml:4:28: warning: on_up_from_lower_tier: close does nothing" in done.stderr
