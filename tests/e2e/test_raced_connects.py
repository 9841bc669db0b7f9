"""Connects that are late: a second one races them, to another backend."""

import contextlib
import socket
import threading
import time

import pytest
from support import tcp
from support.clients import Clients
from support.configuration import NO_CHECKS, web
from support.continuity import standing_still
from support.waiting import wait_until

NEVER = {"failures": 1000}  # nobody is ejected
BALANCER = "127.0.0.2"  # as backends see it, where it matters


@pytest.fixture
def balancing(holdfast, free_port):
    """balancing(*addresses, **settings of the pool) is a balancer and its port."""

    def start(*addresses, weights=(), **pool):
        port = free_port()
        settings = {"health": NO_CHECKS, **pool}
        config = web(f"127.0.0.1:{port}", *addresses, pool=settings, weights=weights)
        return holdfast(config), port

    return start


def ask(port):
    with socket.create_connection(("127.0.0.1", port), 10) as client:
        client.sendall(b"hello")
        return tcp.read_exactly(client, 5)


def hedges(balancer, result):
    return balancer.metrics().value("holdfast_pool_hedges_total", pool="web", result=result)


def denied(balancer):
    return balancer.metrics().value("holdfast_pool_hedges_denied_total", pool="web")


def connecting(balancer, backend):
    return balancer.metrics().value(
        "holdfast_backend_connections_active", pool="web", backend=backend
    )


def test_a_silent_backend_costs_a_client_no_more_than_the_hedge_delay(balancing, tcp_server):
    with tcp.full_queue() as silent:
        balancer, port = balancing(
            f"127.0.0.1:{silent}",
            tcp_server(tcp.echo).address,
            connect={"timeout": "30s", "total": "30s", "hedge_after": "50ms"},
            passive=NEVER,
        )
        for _ in range(6):  # three of them meet the silent one first
            assert ask(port) == b"hello"
        metrics = balancer.metrics()
        assert hedges(balancer, "won") == 3
        assert hedges(balancer, "lost") == 0
        # Who lost a race didn't fail; it is closed and counts nowhere.
        assert metrics.sum("holdfast_backend_connect_failures_total") == 0
        assert metrics.value("holdfast_pool_failovers_total", pool="web") == 0
        wait_until(lambda: connecting(balancer, "web-1") == 0)


def test_the_delay_is_found_by_itself(balancing, tcp_server):
    with tcp.full_queue() as silent:
        balancer, port = balancing(
            f"127.0.0.1:{silent}",
            *(tcp_server(tcp.echo).address for _ in range(2)),
            weights=(1, 100, 100),
            connect={"timeout": "30s", "total": "30s"},
            passive=NEVER,
        )
        wait_until(lambda: ask(port) == b"hello" and hedges(balancer, "won") >= 1, 20)


def test_a_race_that_both_lose_ends_with_the_third(balancing, tcp_server):
    with tcp.full_queue() as one, tcp.full_queue() as two:
        balancer, port = balancing(
            f"127.0.0.1:{one}",
            f"127.0.0.1:{two}",
            tcp_server(tcp.echo).address,
            connect={"timeout": "200ms", "hedge_after": "50ms"},
            passive=NEVER,
        )
        for _ in range(3):
            assert ask(port) == b"hello"
        wait_until(lambda: balancer.metrics().sum("holdfast_backend_connections_active") == 0)


def test_the_first_connect_may_still_win(balancing):
    with tcp.full_listener() as late, tcp.full_queue() as silent:
        balancer, port = balancing(
            f"127.0.0.1:{late.getsockname()[1]}",
            f"127.0.0.1:{silent}",
            balance="first",
            connect={"timeout": "30s", "total": "30s", "hedge_after": "50ms"},
            passive={"failures": 1},
        )
        with contextlib.ExitStack() as stack:
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port), 20))
            wait_until(lambda: connecting(balancer, "web-1") == connecting(balancer, "web-2") == 1)
            late.settimeout(0.1)

            def is_served():
                with contextlib.suppress(TimeoutError):
                    stack.enter_context(late.accept()[0]).sendall(b"hello")
                return tcp.is_readable(client)

            wait_until(is_served, 20)
            assert client.recv(5) == b"hello"
        assert (hedges(balancer, "won"), hedges(balancer, "lost")) == (0, 1)
        metrics = balancer.metrics()
        ejected = "holdfast_backend_ejections_total"
        assert metrics.value(ejected, pool="web", backend="web-1") == 0
        assert metrics.value(ejected, pool="web", backend="web-2") == 1
        wait_until(lambda: balancer.metrics().sum("holdfast_backend_connections_active") == 0)


def test_who_is_done_as_well_after_a_pause_of_the_process_has_not_failed(holdfast, free_port):
    with tcp.full_listener() as one, tcp.full_listener() as two:
        port = free_port()
        backends = [f"127.0.0.1:{late.getsockname()[1]}" for late in (one, two)]
        pool = {
            "health": NO_CHECKS,
            "connect": {
                "timeout": "30s",
                "total": "30s",
                "hedge_after": "50ms",
                "bind_source": BALANCER,
            },
            "passive": {"failures": 1},
        }
        balancer = holdfast(web(f"127.0.0.1:{port}", *backends, pool=pool, rest="watchdog: off"))
        with contextlib.ExitStack() as stack:
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port), 20))
            wait_until(lambda: connecting(balancer, "web-1") == connecting(balancer, "web-2") == 1)
            with standing_still(balancer.guardian_pid, balancer.worker_pid):
                for late in (one, two):
                    late.settimeout(20)
                    peer = None
                    while peer != BALANCER:  # who filled its queue comes as well
                        server, (peer, _) = late.accept()
                        stack.enter_context(server)
                    server.sendall(b"hello")
            assert client.recv(5) == b"hello"
        wait_until(lambda: balancer.metrics().sum("holdfast_backend_connections_active") == 0)
        assert hedges(balancer, "won") + hedges(balancer, "lost") == 1
        assert balancer.metrics().sum("holdfast_backend_ejections_total") == 0


def test_off_means_that_nobody_races(balancing, tcp_server):
    with tcp.full_queue() as silent:
        balancer, port = balancing(
            f"127.0.0.1:{silent}",
            tcp_server(tcp.echo).address,
            connect={"timeout": "300ms", "hedge_after": "off"},
            passive=NEVER,
        )
        for _ in range(2):
            assert ask(port) == b"hello"
        metrics = balancer.metrics()
        assert metrics.sum("holdfast_backend_connect_failures_total", reason="timeout") == 1
        assert hedges(balancer, "won") + hedges(balancer, "lost") == 0


def test_no_more_is_begun_than_the_budget_allows(balancing, tcp_server):
    """Five in ten seconds for a pool as quiet as this one; who is denied waits as without races."""
    with tcp.full_queue() as silent:
        balancer, port = balancing(
            f"127.0.0.1:{silent}",
            tcp_server(tcp.echo).address,
            connect={"timeout": "400ms", "hedge_after": "20ms"},
            passive=NEVER,
        )
        with Clients(12, lambda _: ask(port) and False) as clients:
            wait_until(lambda: clients.failures or denied(balancer) >= 1)
            wait_until(lambda: balancer.metrics().sum("holdfast_backend_connections_active") == 0)
        assert clients.failures == []
        assert hedges(balancer, "won") == 5
        assert denied(balancer) == 1
        timeouts = balancer.metrics().sum(
            "holdfast_backend_connect_failures_total", reason="timeout"
        )
        assert timeouts == 1


def test_no_attempt_goes_on_after_the_total(balancing):
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(tcp.full_queue()) for _ in range(3)]
        balancer, port = balancing(
            *(f"127.0.0.1:{one}" for one in silent),
            connect={"timeout": "10s", "total": "1s", "hedge_after": "50ms"},
        )
        began = time.monotonic()
        tcp.rejected_connection(("127.0.0.1", port))
        assert 1 <= time.monotonic() - began < 5
        metrics = balancer.metrics()
        # Two at a time, never three.
        assert metrics.sum("holdfast_backend_connect_failures_total", reason="timeout") == 2
        assert hedges(balancer, "lost") == 1
        assert metrics.sum("holdfast_backend_connections_active") == 0


def test_a_worker_that_dies_in_a_race_leaves_no_connect_behind(balancing):
    with tcp.full_queue() as one, tcp.full_queue() as two:
        balancer, port = balancing(
            f"127.0.0.1:{one}",
            f"127.0.0.1:{two}",
            connect={"timeout": "3s", "hedge_after": "50ms"},
        )
        balancer.expect_log("worker died cause=killed")
        with socket.create_connection(("127.0.0.1", port), 10):

            def both_under_way():
                return connecting(balancer, "web-1") == connecting(balancer, "web-2") == 1

            wait_until(both_under_way)
            balancer.kill_worker()
            wait_until(both_under_way)
        wait_until(lambda: balancer.metrics().sum("holdfast_backend_connections_active") == 0)


def test_no_client_waits_for_a_silent_one_of_three(balancing, tcp_server):
    """Under 20 clients that connect anew for each request. What a request may take is generous: the
    machine may be busy."""
    with tcp.full_queue() as silent:
        balancer, port = balancing(
            f"127.0.0.1:{silent}",
            *(tcp_server(tcp.echo).address for _ in range(2)),
            connect={"timeout": "30s", "total": "30s"},
            passive={"eject_for": "1h"},
        )
        slowest = []
        lock = threading.Lock()

        def timed(_):
            began = time.monotonic()
            assert ask(port) == b"hello"
            with lock:
                slowest.append(time.monotonic() - began)

        with Clients(20, timed) as clients:
            clients.wait_for_answers(500)
        assert clients.failures == []
        assert max(slowest) < 5
        assert balancer.metrics().value(
            "holdfast_backend_ejections_total", pool="web", backend="web-1"
        ) == 1
