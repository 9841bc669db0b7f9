"""Where checks go, when, how many at a time, and that reloads don't disturb them."""

import json
import threading
import time

import pytest
from support import tcp
from support.certificates import Certificate
from support.checks import QUICK, assert_goes_down, checked, wait_for_state
from support.configuration import web
from support.waiting import wait_until


@pytest.fixture
def certificate(tmp_path):
    return Certificate(tmp_path, "web.example.org")


def test_the_check_may_go_to_another_port_or_address(holdfast, tcp_server, free_port):
    front, echo = free_port(), tcp_server(tcp.echo)
    other = tcp_server(tcp.sender(b"alive"))
    keys = {"type": "send_expect", "expect": "alive"}
    daemon = holdfast(checked(front, echo.address, port=other.port, **keys))
    wait_for_state(daemon, "up")
    with tcp.connect(("127.0.0.1", front)) as client:
        assert tcp.echoes(client)
    other.stop()
    assert_goes_down(daemon, "connection refused")
    again = tcp_server(tcp.sender(b"alive"))
    # A name, which a successor of this worker asks nobody about.
    daemon.expect_log(r"worker died")
    daemon.reload(checked(front, echo.address, address=f"localhost:{again.port}", **keys))
    wait_for_state(daemon, "up")
    daemon.kill_worker()
    accepted = again.accepted
    wait_until(lambda: again.accepted > accepted)


def test_a_check_address_without_an_answer_leaves_backends_as_they_are(
    holdfast, tcp_server, free_port
):
    front, echo = free_port(), tcp_server(tcp.echo)
    daemon = holdfast(checked(front, echo.address, address="no.such.host.invalid:80"))
    daemon.wait_for_log(r"warning backends not checked pool=web reason=.*address=no\.such")
    with tcp.connect(("127.0.0.1", front)) as client:
        assert tcp.echoes(client)


def test_checks_come_sooner_while_it_is_in_doubt_and_while_it_is_down(
    holdfast, tcp_server, free_port
):
    front, other = free_port(), tcp_server(tcp.echo)
    server = tcp_server(tcp.echo)
    server.stop()
    rare = {"interval": "1h", "timeout": "2s", "rise": 3, "fall": 3}
    pools = [
        {
            "name": "web",
            "health": rare | {"fast_interval": "20ms", "down_interval": "30ms"},
            "backends": [{"name": "web-1", "address": server.address}],
        },
        {
            "name": "other",
            "health": QUICK | {"interval": "20ms"},
            "backends": [{"name": "other-1", "address": other.address}],
        },
    ]
    listeners = [
        {"name": pool["name"], "bind": f"127.0.0.1:{port}", "pool": pool["name"]}
        for pool, port in zip(pools, (front, free_port()))
    ]
    daemon = holdfast(f"listeners: {json.dumps(listeners)}\npools: {json.dumps(pools)}\n")
    # Its first check may come late in an hour; it is in doubt, though.
    wait_for_state(daemon, "down")
    server.listen()
    wait_for_state(daemon, "up")
    wait_until(lambda: server.accepted == 3)  # the kernel was quicker than the server
    accepted = other.accepted
    wait_until(lambda: other.accepted > accepted + 10)
    assert server.accepted == 3, "now that it is up, it is checked every hour"


def test_no_more_checks_are_under_way_than_there_may_be(holdfast, tcp_server, free_port):
    lock = threading.Lock()
    under_way = 0
    most = 0

    def slow(connection):
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        time.sleep(0.02)  # it takes its time
        with lock:
            under_way -= 1
        connection.sendall(b"up\n")

    servers = [tcp_server(slow) for _ in range(5)]
    keys = QUICK | {"type": "agent", "interval": "10ms"}
    config = web(
        f"127.0.0.1:{free_port()}", *(server.address for server in servers), pool={"health": keys}
    )
    daemon = holdfast(config + "\nmax_checks: 2\n")
    wait_until(lambda: all(server.accepted >= 10 for server in servers), 20)
    assert most == 2
    assert daemon.reload(config) == ["max_checks 2 -> 512"]
    wait_until(lambda: most > 2)


@pytest.mark.limit(240)
def test_reloads_find_checks_of_every_type_under_way(holdfast, tcp_server, certificate, free_port):
    """scar 35: pools and backends go while their checks hang in every stage."""

    def dripping(connection):
        with_end = threading.Event()
        while not with_end.wait(0.02):
            connection.sendall(b"x")

    silent, drips = tcp_server(tcp.silent), tcp_server(dripping)
    busy = tcp_server(certificate.handler(tcp.silent))
    kinds = {
        "tcp": {},
        "tls": {"tls": {"verify": False}},
        "http": {"type": "http"},
        "text": {"type": "send_expect", "expect": "never"},
        "agent": {"type": "agent"},
        "https": {"type": "http", "tls": {"verify": False}},
    }
    front = free_port()

    def config(turn):
        pools = []
        for number, (name, keys) in enumerate(kinds.items()):
            if turn % len(kinds) == number:
                continue  # this pool is gone
            servers = [silent, drips, busy][turn % 2 :]
            pools.append(
                {
                    "name": name,
                    "health": {"interval": "10ms", "timeout": "150ms"} | keys,
                    "backends": [
                        {"name": f"{name}-{n}-{turn % 3}", "address": server.address}
                        for n, server in enumerate(servers)
                    ],
                }
            )
        listener = {"name": "web", "bind": f"127.0.0.1:{front}", "pool": pools[0]["name"]}
        return f"listeners: [{json.dumps(listener)}]\npools: {json.dumps(pools)}\n"

    daemon = holdfast(config(0))
    worker = daemon.worker_pid
    for turn in range(1, 31):
        daemon.reload(config(turn))
        passed = "holdfast_backend_health_checks_total"
        before = daemon.metrics().sum(passed)
        wait_until(lambda: daemon.metrics().sum(passed) != before)
    assert daemon.worker_pid == worker
