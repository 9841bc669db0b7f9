"""Backends that their own connections tell to be out of order get no new ones for a while."""

import contextlib
import json
import re
import socket
import threading

import pytest
from support import tcp
from support.clients import Clients
from support.configuration import NO_CHECKS, web
from support.operating import backend, tell
from support.waiting import wait_until

RARE_CHECKS = {"interval": "1h", "timeout": "1s"}
EJECTED = r"warning backend ejected pool=web backend=web-1 "


@pytest.fixture
def balancing(holdfast, free_port):
    """balancing(*addresses, **settings of the pool) is a balancer and its port."""

    def start(*addresses, **pool):
        port = free_port()
        settings = {"health": NO_CHECKS, **pool}
        return holdfast(web(f"127.0.0.1:{port}", *addresses, pool=settings)), port

    return start


def ask(port):
    with socket.create_connection(("127.0.0.1", port), 10) as client:
        client.sendall(b"hello")
        return tcp.read_exactly(client, 5)


def is_answered(port):
    with contextlib.suppress(ConnectionResetError, BrokenPipeError):
        return ask(port) == b"hello"
    return False


def value(balancer, name, backend="web-1"):
    return balancer.metrics().value(f"holdfast_backend_{name}", pool="web", backend=backend)


def failures(balancer):
    return balancer.metrics().sum("holdfast_backend_connect_failures_total")


def events(balancer, kind):
    told = json.loads(balancer.get("/api/v1/events")[2])
    return [event for event in told if event["event"] == kind]


def test_a_backend_that_refuses_is_taken_out_after_three_failures(
    balancing, tcp_server, free_port
):
    balancer, port = balancing(f"127.0.0.1:{free_port()}", tcp_server(tcp.echo).address)
    for _ in range(20):
        assert ask(port) == b"hello"
    assert failures(balancer) == 3
    assert value(balancer, "ejections_total") == 1
    assert value(balancer, "ejected") == 1
    assert value(balancer, "up") == 0
    assert value(balancer, "ejected", "web-2") == 0
    balancer.wait_for_log(EJECTED + r'reason="connection refused" for_ms=10000 up=1/2$')


def test_operators_see_who_is_ejected_for_how_long_and_how_often(
    balancing, tcp_server, free_port
):
    balancer, port = balancing(
        f"127.0.0.1:{free_port()}",
        tcp_server(tcp.echo).address,
        passive={"failures": 1, "eject_for": "1h"},
    )
    assert backend(balancer, "web-1")["ejected"] is None
    for _ in range(2):
        assert ask(port) == b"hello"
    ejected = backend(balancer, "web-1")["ejected"]
    assert ejected["times"] == 1
    assert 0 < ejected["left_ms"] <= 3_600_000
    assert backend(balancer, "web-2")["ejected"] is None
    table = tell(balancer, "backends")
    assert re.search(r" ejected \d+s +ready ", table[1]), table
    assert re.search(r" unknown +ready ", table[2]), table


def hear_and_reset(connection):
    connection.recv(5)
    tcp.reset_on_close(connection)


def hear_and_close(connection):
    connection.recv(5)


@pytest.mark.parametrize(
    ("handler", "reason"),
    [
        (hear_and_reset, "reset before its first byte"),
        (hear_and_close, "closed before its first byte"),
    ],
)
def test_a_backend_that_accepts_and_ends_at_once_is_taken_out(
    balancing, tcp_server, handler, reason
):
    balancer, port = balancing(tcp_server(handler).address, tcp_server(tcp.echo).address)
    answers = [is_answered(port) for _ in range(20)]
    assert answers.count(False) == 3
    balancer.wait_for_log(EJECTED + f'reason="{reason}"')


def test_a_silent_host_is_taken_out_for_the_races_it_loses(balancing, tcp_server):
    with tcp.full_queue() as silent:
        balancer, port = balancing(
            f"127.0.0.1:{silent}",
            tcp_server(tcp.echo).address,
            connect={"timeout": "30s", "total": "30s", "hedge_after": "30ms"},
        )
        for _ in range(20):
            assert ask(port) == b"hello"
        assert value(balancer, "ejections_total") == 1
        assert failures(balancer) == 0
        balancer.wait_for_log(EJECTED + 'reason="another backend connected first"')


def test_clients_that_wait_for_a_backend_leave_it_when_it_is_taken_out(balancing, tcp_server):
    """For nothing: the budget is spent by then."""
    with tcp.full_queue() as silent:
        balancer, port = balancing(
            f"127.0.0.1:{silent}",
            tcp_server(tcp.echo).address,
            connect={"timeout": "30s", "total": "30s", "hedge_after": "50ms"},
        )
        with Clients(40, lambda _: ask(port) and False) as clients:
            wait_until(lambda: value(balancer, "connections_total", "web-2") == 40)
        assert clients.failures == []
        metrics = balancer.metrics()
        hedges = metrics.sum("holdfast_pool_hedges_total")
        assert 3 <= hedges <= 5
        failovers = metrics.value("holdfast_pool_failovers_total", pool="web")
        assert hedges + failovers <= 40


def test_a_backend_that_was_asked_when_time_was_up_is_not_blamed(balancing, tcp_server):
    """The second attempt has a few milliseconds of the `total`, whatever its host is like."""
    with tcp.full_queue() as silent, tcp.full_queue() as as_silent:
        balancer, port = balancing(
            f"127.0.0.1:{silent}",
            f"127.0.0.1:{as_silent}",
            tcp_server(tcp.echo).address,
            balance="first",
            connect={"timeout": "200ms", "total": "210ms", "hedge_after": "30s"},
            passive={"failures": 1, "max_ejected": "100%"},
        )
        tcp.rejected_connection(("127.0.0.1", port))
        assert value(balancer, "ejections_total", "web-1") == 1
        assert value(balancer, "ejections_total", "web-2") == 0
        assert failures(balancer) == 1
        assert balancer.metrics().sum("holdfast_backend_connections_active") == 0


def test_a_success_in_between_starts_the_count_anew(balancing, tcp_server):
    lock, number = threading.Lock(), [0]

    def every_third_answers(connection):
        with lock:
            number[0] += 1
            answers = number[0] % 3 == 0
        if answers:
            tcp.echo(connection)
        else:
            tcp.reset_on_close(connection)

    balancer, port = balancing(
        tcp_server(every_third_answers).address, tcp_server(tcp.echo).address
    )
    for _ in range(24):
        is_answered(port)
    assert value(balancer, "ejections_total") == 0


def test_a_backend_that_is_only_asked_whether_it_is_there_is_not_blamed(balancing, tcp_server):
    """As by checks of a balancer before this one, which say nothing."""
    servers = [tcp_server(tcp.echo) for _ in range(2)]
    balancer, port = balancing(*(server.address for server in servers))
    for _ in range(12):
        with socket.create_connection(("127.0.0.1", port), 10) as client:
            client.shutdown(socket.SHUT_WR)
            assert client.recv(1) == b""
    assert balancer.metrics().sum("holdfast_backend_ejections_total") == 0


def test_a_backend_that_accepts_and_never_answers_is_not_late(balancing, tcp_server):
    """Connected is connected: what the application does with it is for checks to find."""
    balancer, port = balancing(
        tcp_server(tcp.silent).address,
        tcp_server(tcp.echo).address,
        connect={"hedge_after": "20ms"},
    )
    with contextlib.ExitStack() as stack:
        clients = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port), 10))
            for _ in range(8)
        ]
        wait_until(lambda: balancer.metrics().sum("holdfast_backend_connections_total") == 8)
        for client in clients:
            client.sendall(b"hello")
        assert balancer.metrics().sum("holdfast_pool_hedges_total") == 0
        for client in clients:
            tcp.reset_now(client)
        wait_until(lambda: balancer.metrics().value("holdfast_connections_active") == 0)
    assert balancer.metrics().sum("holdfast_backend_ejections_total") == 0


def test_the_last_backend_is_never_taken_out(balancing, free_port):
    balancer, port = balancing(
        f"127.0.0.1:{free_port()}", passive={"failures": 1, "max_ejected": "100%"}
    )
    for _ in range(5):
        tcp.rejected_connection(("127.0.0.1", port))
    assert failures(balancer) == 5
    assert value(balancer, "ejections_total") == 0


def test_no_more_are_taken_out_than_max_ejected_allows(balancing, tcp_server, free_port):
    balancer, port = balancing(
        *(f"127.0.0.1:{free_port()}" for _ in range(3)),
        tcp_server(tcp.echo).address,
        passive={"failures": 1, "max_ejected": "50%"},
        connect={"attempts": 4},
    )
    for _ in range(20):
        assert ask(port) == b"hello"
    assert balancer.metrics().sum("holdfast_backend_ejected") == 2


def test_a_trial_brings_a_backend_back_where_nobody_checks(balancing, tcp_server):
    server = tcp_server(tcp.echo)
    server.refuse()
    balancer, port = balancing(
        server.address,
        tcp_server(tcp.echo).address,
        passive={"failures": 2, "eject_for": "150ms"},
    )
    for _ in range(6):
        assert ask(port) == b"hello"
    balancer.wait_for_log(EJECTED + ".* for_ms=150 ")
    # Each trial that fails takes one eject_for longer.
    wait_until(lambda: ask(port) == b"hello" and value(balancer, "ejections_total") == 2)
    balancer.wait_for_log(EJECTED + ".* for_ms=300 ")
    refused = failures(balancer)
    assert refused == 3
    server.listen()
    wait_until(lambda: ask(port) == b"hello" and value(balancer, "ejected") == 0)
    assert failures(balancer) == refused
    balancer.wait_for_log(
        r'info backend readmitted pool=web backend=web-1 reason="a connection was answered" up=2/2$'
    )
    reasons = [event["fields"] for event in events(balancer, "backend_ejected")]
    assert [one["for_ms"] for one in reasons] == ["150", "300"]
    assert reasons[0]["backend"] == "web-1" and reasons[0]["reason"] == "connection refused"
    assert len(events(balancer, "backend_readmitted")) == 1


def test_a_check_brings_a_backend_back_as_soon_as_its_time_is_over(balancing, tcp_server):
    server = tcp_server(tcp.echo)
    balancer, port = balancing(
        server.address,
        tcp_server(tcp.echo).address,
        health={"interval": "200ms", "timeout": "200ms", "fall": 100},
        passive={"failures": 2, "eject_for": "600ms"},
    )
    balancer.wait_for_log("backend up pool=web backend=web-1 ")
    server.refuse()
    wait_until(lambda: ask(port) == b"hello" and value(balancer, "ejected") == 1)
    server.listen()
    # Checks pass meanwhile; but it must sit its time out.
    passed = balancer.metrics().value(
        "holdfast_backend_health_checks_total", pool="web", backend="web-1", result="passed"
    )
    wait_until(
        lambda: balancer.metrics().value(
            "holdfast_backend_health_checks_total", pool="web", backend="web-1", result="passed"
        )
        > passed
    )
    balancer.wait_for_log(
        r'info backend readmitted pool=web backend=web-1 reason="check passed" up=2/2$'
    )
    times = [
        re.match(r"\d+-\d+-\d+T(\d+):(\d+):([\d.]+)Z", line)
        for line in balancer.log
        if "backend ejected" in line or "backend readmitted" in line
    ]
    ejected, back = (int(at[1]) * 3600 + int(at[2]) * 60 + float(at[3]) for at in times)
    assert (back - ejected) % 86400 >= 0.599


def test_it_needs_no_wait_for_the_next_check(balancing, tcp_server):
    server = tcp_server(tcp.echo)
    server.refuse()
    balancer, port = balancing(
        server.address,
        tcp_server(tcp.echo).address,
        health=RARE_CHECKS,
        passive={"failures": 1, "eject_for": "100ms"},
    )
    wait_until(lambda: ask(port) == b"hello" and value(balancer, "ejections_total") == 1)
    server.listen()
    wait_until(lambda: value(balancer, "ejected") == 0)


def test_an_ejection_outlives_the_worker(balancing, tcp_server, free_port):
    balancer, port = balancing(f"127.0.0.1:{free_port()}", tcp_server(tcp.echo).address)
    balancer.expect_log("worker died cause=killed")
    wait_until(lambda: ask(port) == b"hello" and value(balancer, "ejected") == 1)
    refused = failures(balancer)
    balancer.kill_worker()
    assert value(balancer, "ejected") == 1
    for _ in range(10):
        assert ask(port) == b"hello"
    assert failures(balancer) == refused


def test_off_takes_nobody_out_and_takes_back_in_who_is(balancing, tcp_server, free_port):
    dead, alive = f"127.0.0.1:{free_port()}", tcp_server(tcp.echo).address
    balancer, port = balancing(dead, alive)
    wait_until(lambda: ask(port) == b"hello" and value(balancer, "ejected") == 1)
    off = {"health": NO_CHECKS, "passive": "off"}
    balancer.reload(web(f"127.0.0.1:{port}", dead, alive, pool=off))
    refused = failures(balancer)
    assert value(balancer, "ejected") == 0
    for _ in range(10):
        assert ask(port) == b"hello"
    assert failures(balancer) == refused + 5


def test_a_backend_that_flaps_is_out_longer_each_time(balancing, tcp_server):
    server = tcp_server(tcp.echo)
    balancer, port = balancing(
        server.address,
        tcp_server(tcp.echo).address,
        passive={"failures": 1, "eject_for": "100ms"},
    )
    for number in range(1, 4):
        server.refuse()
        wait_until(lambda: ask(port) == b"hello" and value(balancer, "ejections_total") >= number)
        server.listen()
        wait_until(lambda: ask(port) == b"hello" and value(balancer, "ejected") == 0)
    times = [int(event["fields"]["for_ms"]) for event in events(balancer, "backend_ejected")]
    assert len(times) >= 3 and all(time % 100 == 0 and time <= 1000 for time in times)
