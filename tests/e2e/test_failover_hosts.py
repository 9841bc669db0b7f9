"""Whole hosts that fall silent and come back, and a host whose ports run out: backends on hosts of
their own (network namespaces), so that packets can vanish."""

import contextlib
import re
import socket
import time

import pytest
from support import tcp
from support.clients import Clients
from support.configuration import FAST_CHECKS, NO_CHECKS
from support.site import PORT, Site
from support.waiting import wait_until

EPHEMERAL_PORTS = (50000, 50031)


@pytest.fixture
def site(holdfast, namespaces, socket_directory):
    """site(hosts=3, pool=...) is a support.site.Site; all backends are up, if they are checked."""

    def start(**settings):
        pool = {"health": FAST_CHECKS, **settings.pop("pool", {})}
        made = Site(holdfast, namespaces, socket_directory, pool=pool, **settings)
        if pool["health"] is not NO_CHECKS:
            made.wait_for("up", *range(1, len(made.hosts) + 1))
        return made

    return start


@pytest.mark.parametrize("outage", [("silence", "speak"), ("unplug", "plug")])
def test_no_client_is_refused_while_a_host_is_gone_and_it_serves_when_it_is_back(site, outage):
    gone, back = outage
    here = site()
    names = {"web-1", "web-2", "web-3"}
    wait_until(lambda: here.asked(6) == names)
    said = len(here.balancer.log)
    with Clients(4, lambda _: here.ask(timeout=5)) as clients:
        getattr(here.hosts[1], gone)()
        here.wait_for("down", 2, after=said)
        clients.wait_for_answers(50)
    # Whose request the host had taken already waits for its answer; nobody is refused.
    assert [what for _, what in clients.failures if not isinstance(what, TimeoutError)] == []
    assert len(clients.failures) <= 4
    # Nobody is sent there any more, so nobody waits.
    tried = here.failures(backend="web-2")
    assert here.asked(10) == names - {"web-2"}
    assert here.failures(backend="web-2") == tried
    getattr(here.hosts[1], back)()
    here.wait_for("up", 2, after=said)
    wait_until(lambda: "web-2" in here.asked(6))
    with Clients(4, lambda _: here.ask()) as clients:
        clients.wait_for_answers(50)
    assert clients.failures == []
    assert here.balancer.metrics().value("holdfast_pool_no_backend_total", pool="web") == 0


def test_no_client_waits_for_a_host_that_has_just_fallen_silent(site):
    """Nobody checks: those whose connects are late race them, and take the host out by that."""
    here = site(pool={"health": NO_CHECKS, "connect": {"timeout": "30s", "total": "30s"}})
    wait_until(lambda: here.asked(6) == {"web-1", "web-2", "web-3"})
    with Clients(4, lambda _: here.ask(timeout=5)) as clients:
        clients.wait_for_answers(100)
        here.hosts[1].silence()
        silent = time.monotonic()
        clients.wait_for_answers(200)
    # Whose request the host had taken already waits for its answer; everybody else has got one.
    assert clients.failures_since(silent) == []
    assert len(clients.failures) <= 4
    metrics = here.balancer.metrics()
    assert metrics.value("holdfast_backend_ejected", pool="web", backend="web-2") == 1
    assert metrics.value("holdfast_pool_hedges_total", pool="web", result="won") >= 3
    assert here.failures() == 0  # no connect took as long as it may
    here.hosts[1].speak()
    wait_until(lambda: here.active() == 0, 20)  # the kernel asks again when it likes


def test_an_established_connection_outlives_a_short_silence_of_its_host(site):
    here = site(hosts=1, pool={"health": FAST_CHECKS})
    with here.connect() as client:
        assert http(client) == "web-1"
        said = len(here.balancer.log)
        here.hosts[0].silence()
        here.wait_for("down", 1, after=said)
        client.sendall(REQUEST)
        here.hosts[0].speak()
        here.wait_for("up", 1, after=said)
        assert answer(client) == "web-1"  # the kernel has sent it again


def test_silent_hosts_keep_nobody_busy(site):
    """scar 39: connects that hang, and checks that fail, are waited for and not spun on."""
    here = site(hosts=2, pool={"connect": {"timeout": "2s", "attempts": 2}})
    said = len(here.balancer.log)
    for host in here.hosts:
        host.silence()
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(here.connect())
        assert here.balancer.cpu_share(1) < 0.3
        here.wait_for("down", 1, 2, after=said)
    assert here.balancer.cpu_share(1) < 0.3
    assert here.is_refused()
    for host in here.hosts:
        host.speak()
    here.wait_for("up", 1, 2, after=said)
    wait_until(lambda: here.asked(6) == {"web-1", "web-2"})


# scar 30
@pytest.mark.parametrize("source", [None, "10.77.1.1"])
def test_a_backend_to_which_no_port_is_left_is_not_down_and_others_serve(site, source):
    connect = {"bind_source": source} if source else {}
    here = site(pool={"connect": connect})
    said = len(here.balancer.log)
    here.front.limit_ports(*EPHEMERAL_PORTS)
    with contextlib.ExitStack() as stack:
        take_all_ports(here, stack, said)
        assert here.asked(12) == {"web-2", "web-3"}
        metrics = here.balancer.metrics()
        assert here.failures(backend="web-1", reason="local") > 0
        assert here.failures() == here.failures(backend="web-1", reason="local")
        assert metrics.value("holdfast_backend_up", pool="web", backend="web-1") == 1
    # As soon as there are ports again, it serves again.
    wait_until(lambda: "web-1" in here.asked(3))
    assert not any("backend down" in line for line in here.balancer.log[said:])


def take_all_ports(here, stack, said):
    """Connections of others on the balancer's host use every port there is towards web-1. A check
    may have the last one for a moment: they go on until one has found none."""

    def take_another():
        with here.front.inside():
            client = socket.socket()
        client.settimeout(20)
        try:
            client.connect((here.hosts[0].address, PORT))
        except OSError:
            client.close()
            return
        tcp.reset_on_close(client)  # an orderly end would keep the port for a minute
        stack.enter_context(client)

    def a_check_found_none():
        take_another()
        return any(
            re.search('check inconclusive .* reason="cannot connect to .*: cannot assign', line)
            for line in here.balancer.log[said:]
        )

    wait_until(a_check_found_none)


# scar 31
def test_a_dead_backend_on_an_ephemeral_port_is_not_taken_for_alive(
    holdfast, namespaces, socket_directory
):
    dead = 50000
    here = Site(
        holdfast,
        namespaces,
        socket_directory,
        hosts=1,
        backends=[f"127.0.0.1:{dead}"],
        pool={"health": NO_CHECKS, "passive": "off"},
    )
    # Some besides it: those of the last connections may still be closing.
    here.front.limit_ports(dead, dead + 5)
    # It does happen here: a connect to nobody meets itself.
    wait_until(lambda: meets_itself(here.front, dead))
    for _ in range(40):
        assert here.ask() == "web-1"
    metrics = here.balancer.metrics()
    assert metrics.value("holdfast_backend_connections_total", pool="web", backend="web-2") == 0
    refused = here.failures(backend="web-2", reason="refused")
    assert refused >= 15
    said = len(here.balancer.log)
    here.balancer.reload(here.configuration(pool={"health": FAST_CHECKS}))
    here.wait_for("down", 2, after=said)
    began = time.monotonic()
    wait_until(lambda: time.monotonic() - began > 2, 5)  # some twenty checks
    assert not any("backend up pool=web backend=web-2" in line for line in here.balancer.log)


def meets_itself(host, port):
    with host.inside(), socket.socket() as client:
        client.settimeout(20)
        try:
            client.connect(("127.0.0.1", port))
        except OSError:
            return False
        tcp.reset_on_close(client)
        return client.getsockname() == client.getpeername()


REQUEST = b"GET / HTTP/1.1\r\nHost: web\r\n\r\n"


def http(client):
    client.sendall(REQUEST)
    return answer(client)


def answer(client):
    """The name in one answer on a connection that stays open."""
    head = b""
    while b"\r\n\r\n" not in head:
        part = client.recv(1)
        assert part, head
        head += part
    length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    return tcp.read_exactly(client, length).decode().strip()
