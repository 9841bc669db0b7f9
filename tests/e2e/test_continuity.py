"""What happens to connections when the balancer's own processes die: nothing."""

import contextlib
import hashlib
import os
import random
import signal
import socket
import sys
import threading
import time

import pytest
from support import tcp
from support.clients import Clients
from support.configuration import NO_CHECKS, web
from support.continuity import (
    DEATHS,
    LOST,
    RECOVERED,
    RESTARTS,
    assert_nothing_was_lost,
    connected,
    echoes,
    kill_worker,
)
from support.daemon import children_of
from support.waiting import wait_until

IDLE = 200
KILLS = 10
MEGABYTE = 1 << 20


def test_nobody_notices_that_workers_die(balancing, tcp_server):
    daemon, address = balancing(tcp_server(tcp.echo).address)
    chance = random.Random(1)

    def on_a_connection_of_its_own(_):
        with socket.create_connection(address, 10) as client:
            assert echoes(client)
        time.sleep(0.02)  # some fifty connections a second from each client

    kept = {}

    def on_one_connection(number):
        if number not in kept:
            kept[number] = socket.create_connection(address, 10)
        assert echoes(kept[number], os.urandom(chance.randrange(1, 5000)))

    with (
        connected(address, IDLE) as idle,
        Clients(2, on_a_connection_of_its_own) as fresh,
        Clients(4, on_one_connection) as busy,
    ):
        for _ in range(KILLS):
            fresh.wait_for_answers(chance.randrange(1, 10))
            busy.wait_for_answers(chance.randrange(1, 300))
            kill_worker(daemon)
        fresh.wait_for_answers(10)
        busy.wait_for_answers(100)
        assert fresh.failures == []
        assert busy.failures == []
        assert all(echoes(client) for client in idle)
        assert daemon.metrics().value(RECOVERED) >= KILLS * IDLE
    for client in kept.values():
        client.close()
    assert_nothing_was_lost(daemon, KILLS)
    wait_until(lambda: daemon.metrics().value("holdfast_connections_active") == 0)
    assert daemon.metrics().sum("holdfast_backend_connections_active") == 0
    assert daemon.metrics().sum("holdfast_listener_connections_active") == 0


def test_streams_go_on_byte_for_byte_both_ways(balancing, tcp_server):
    """Each side sends 32 MiB and a FIN; both are throttled, so that pipes hold bytes all along."""
    data = [os.urandom(MEGABYTE) * 32 for _ in range(2)]
    received = {}

    def serve(connection):
        sender = threading.Thread(target=send, args=(connection, data[0]))
        sender.start()
        receive(connection, "backend")
        sender.join()

    def send(connection, content):
        connection.sendall(content)
        connection.shutdown(socket.SHUT_WR)

    def receive(connection, who):
        digest = hashlib.sha256()
        while part := connection.recv(128 * 1024):
            digest.update(part)
            time.sleep(0.004)  # about 32 MB/s at most
        received[who] = digest.hexdigest()

    daemon, address = balancing(tcp_server(serve).address)
    with socket.create_connection(address, 10) as client:
        # A connect that was under way is begun again: the backend would see two connections.
        wait_until(lambda: daemon.metrics().sum("holdfast_backend_connections_total") == 1)
        client.settimeout(30)
        threads = [
            threading.Thread(target=send, args=(client, data[1])),
            threading.Thread(target=receive, args=(client, "client")),
        ]
        for thread in threads:
            thread.start()
        for _ in range(KILLS):
            kill_worker(daemon)
        for thread in threads:
            thread.join(60)
    wait_until(lambda: len(received) == 2, 30)
    assert received == {
        "client": hashlib.sha256(data[0]).hexdigest(),
        "backend": hashlib.sha256(data[1]).hexdigest(),
    }
    assert_nothing_was_lost(daemon, KILLS)


def test_half_of_a_connection_may_be_over(balancing, tcp_server):
    answered = threading.Event()

    def answer_at_the_end(connection):
        question = tcp.read_all(connection)
        answered.wait(10)
        connection.sendall(question[::-1])

    daemon, address = balancing(tcp_server(answer_at_the_end).address)
    with socket.create_connection(address, 10) as client:
        client.sendall(b"abc")
        client.shutdown(socket.SHUT_WR)
        kill_worker(daemon)
        answered.set()
        assert tcp.read_all(client) == b"cba"


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS])
def test_a_crash_costs_nothing_and_shows_a_stack(balancing, tcp_server, number):
    daemon, address = balancing(tcp_server(tcp.echo).address)
    with connected(address, 3) as clients:
        kill_worker(daemon, number)
        assert all(echoes(client) for client in clients)
    assert f"holdfast: worker crashed, signal {number:02}, stack:" in daemon.log
    assert_nothing_was_lost(daemon, 1, "crashed")


def test_a_worker_that_stands_still_is_replaced(balancing, tcp_server):
    daemon, address = balancing(tcp_server(tcp.echo).address, rest="watchdog: 1500ms")
    with connected(address, 3) as clients:
        kill_worker(daemon, signal.SIGSTOP)
        assert all(echoes(client) for client in clients)
    assert_nothing_was_lost(daemon, 1, "hung")


def test_the_guardian_is_replaced_as_well(balancing, tcp_server):
    daemon, address = balancing(tcp_server(tcp.echo).address)
    with connected(address, 20) as clients:
        for number in range(3):
            daemon.kill_guardian()
            assert all(echoes(client) for client in clients)
            kill_worker(daemon)
            assert all(echoes(client) for client in clients), number
    metrics = daemon.metrics()
    assert metrics.value(RESTARTS, cause="guardian") == 3
    assert metrics.value(RESTARTS, cause="killed") == 3
    assert metrics.value(LOST) == 0


def test_a_balancer_that_is_stopping_goes_on_stopping(balancing, tcp_server):
    daemon, address = balancing(tcp_server(tcp.echo).address)
    with connected(address, 1) as (client,):
        assert echoes(client)
        daemon.send_signal(signal.SIGTERM)
        daemon.wait_for_log(r" info stopping connections=1")
        said = len(daemon.log)
        kill_worker(daemon)
        daemon.wait_for_log(r" info stopping connections=1", after=said)
        assert echoes(client)
    assert daemon.wait() == 0


@pytest.mark.parametrize("family", ["ipv6", "unix"])
def test_every_kind_of_listener_goes_on(
    holdfast, tcp_server, free_port, socket_directory, family
):
    port, path = free_port(), socket_directory / "web.sock"
    bind, address = {
        "ipv6": (f"[::1]:{port}", (socket.AF_INET6, ("::1", port))),
        "unix": (f"unix:{path}", (socket.AF_UNIX, str(path))),
    }[family]
    daemon = holdfast(web(bind, tcp_server(tcp.echo).address, pool={"health": NO_CHECKS}))
    daemon.expect_log(DEATHS)
    with contextlib.ExitStack() as stack:
        clients = []
        for _ in range(3):
            client = stack.enter_context(socket.socket(address[0]))
            client.settimeout(10)
            client.connect(address[1])
            clients.append(client)
            assert echoes(client)
            kill_worker(daemon)
        assert all(echoes(client) for client in clients)


def test_counters_and_health_are_carried_on(balancing, tcp_server, free_port):
    daemon, address = balancing(tcp_server(tcp.echo).address)
    with connected(address, 5) as clients:
        assert all(echoes(client) for client in clients)
        before = daemon.metrics()
        kill_worker(daemon)
        after = daemon.metrics()
    for name in (
        "holdfast_listener_connections_total",
        "holdfast_listener_connections_active",
        "holdfast_listener_received_bytes_total",
        "holdfast_backend_connections_total",
        "holdfast_backend_connections_active",
        "holdfast_start_time_seconds",
    ):
        assert after.sum(name) == before.sum(name), name


def test_descriptors_do_not_pile_up(balancing, tcp_server):
    daemon, address = balancing(tcp_server(tcp.echo).address)
    with connected(address, 10) as clients:
        assert all(echoes(client) for client in clients)
        kill_worker(daemon)
        first = len(os.listdir(f"/proc/{daemon.pid}/fd"))
        for _ in range(5):
            kill_worker(daemon)
        # Fewer, if the first one died with a pipe in use, which its successor had besides its own.
        assert len(os.listdir(f"/proc/{daemon.pid}/fd")) <= first
        assert all(echoes(client) for client in clients)


def test_the_kernel_short_of_memory_takes_the_worker_first(balancing, tcp_server):
    def score(pid):
        with open(f"/proc/{pid}/oom_score_adj", encoding="ascii") as file:
            return int(file.read())

    daemon, _ = balancing(tcp_server(tcp.echo).address)
    own = score("self")
    assert score(daemon.guardian_pid) == own
    assert score(daemon.worker_pid) == min(own + 100, 1000)
    daemon.kill_guardian()
    assert score(daemon.guardian_pid) == own, "though it came from a worker"
    assert score(children_of(daemon.guardian_pid)[0]) == min(own + 100, 1000)


def test_a_child_that_ended_before_the_guardian_began_is_no_zombie(holdfast, free_port):
    bearing = (
        "import os, sys\n"
        "if os.fork() == 0: os._exit(0)\n"
        "os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)\n"
        "os.execv(sys.argv[1], sys.argv[1:])\n"
    )
    web_config = web(f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}")
    daemon = holdfast(web_config, before=[sys.executable, "-c", bearing])
    assert children_of(daemon.pid) == [daemon.worker_pid]
