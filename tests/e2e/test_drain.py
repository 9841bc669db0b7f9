"""Backends that are taken out for maintenance, and what clients notice of it."""

import contextlib
import signal
import socket
import subprocess
import threading

import pytest
from support import tcp
from support.binary import BINARY
from support.clients import Clients
from support.command import holdfast as run_holdfast
from support.configuration import FAST_CHECKS, NO_CHECKS, web
from support.continuity import DEATHS
from support.operating import (
    ask,
    backend,
    backends,
    closed,
    connected_to,
    state,
    tell,
    told,
)
from support.upgrades import upgrade
from support.waiting import wait_until


@pytest.fixture
def trio(holdfast, tcp_server, free_port):
    """trio() is a balancer before three servers that say their names, its port, and the servers."""

    def start(health=NO_CHECKS, **options):
        port = free_port()
        servers = [tcp_server(tcp.greeter(f"web-{number}")) for number in (1, 2, 3)]
        addresses = [server.address for server in servers]
        pool = {"health": health}
        balancer = holdfast(web(f"127.0.0.1:{port}", *addresses, pool=pool), **options)
        balancer.expect_log(DEATHS)
        return balancer, port, servers

    return start


def is_over(client):
    """Whether the other side has ended the connection."""
    if not tcp.is_readable(client):
        return False
    with contextlib.suppress(ConnectionResetError):
        return client.recv(1, socket.MSG_PEEK) == b""
    return True


def test_a_drain_under_load_costs_no_request(trio):
    balancer, port, servers = trio()
    with Clients(8, lambda _: ask(port)) as clients:
        clients.wait_for_answers(100)
        tell(balancer, "drain", "web/web-2", "--wait", "30s")
        served = servers[1].accepted
        clients.wait_for_answers(200)
        assert servers[1].accepted == served
        tell(balancer, "ready", "web/web-2")
        wait_until(lambda: servers[1].accepted > served)
        clients.wait_for_answers(100)
    assert clients.failures == []


def test_connections_of_a_drained_backend_go_on(trio):
    balancer, port, _ = trio()
    with connected_to(port, "web-1") as client:
        assert tell(balancer, "drain", "web/web-1") == ["pool web: backend web-1 ready -> drain"]
        assert {ask(port) for _ in range(10)} == {"web-2", "web-3"}
        assert tcp.echoes(client)
    balancer.wait_for_log(r" info backend drain pool=web backend=web-1 by=anna connections=1$")


def test_asking_twice_changes_nothing(trio):
    balancer, port, _ = trio()
    for words in (["drain", "web/web-1"], ["maint", "web/web-2"], ["weight", "web/web-3", "4"]):
        tell(balancer, *words)
    seen, events = backends(balancer), balancer.get("/api/v1/events")[2]
    for words in (["drain", "web/web-1"], ["maint", "web/web-2"], ["weight", "web/web-3", "4"]):
        assert tell(balancer, *words) == ["done already, nothing differs"]
    assert backends(balancer) == seen
    assert balancer.get("/api/v1/events")[2] == events
    # Another time at which its connections are closed is something else.
    tell(balancer, "drain", "web/web-1", "--close-after", "1h")
    tell(balancer, "drain", "web/web-1")
    assert backend(balancer, "web-1")["closing"] is not None
    tell(balancer, "ready", "web/web-1")
    assert tell(balancer, "ready", "web/web-1") == ["done already, nothing differs"]


def test_a_drain_is_shown_with_who_set_it(trio):
    balancer, _, _ = trio()
    assert backend(balancer, "web-1")["set_by"] is None
    tell(balancer, "drain", "web/web-1")
    seen = backend(balancer, "web-1")
    assert (seen["state"], seen["set_by"], seen["weight"]) == ("drain", "anna", 1)
    metrics = balancer.metrics()
    labels = {"pool": "web", "backend": "web-1"}
    assert metrics.value("holdfast_backend_state", state="drain", **labels) == 1
    assert metrics.value("holdfast_backend_up", **labels) == 0
    assert metrics.value("holdfast_backend_weight", **labels) == 0
    assert '"event":"backend_drain"' in balancer.get("/api/v1/events")[2].replace(" ", "")
    table = told(balancer, "backends").stdout.splitlines()
    assert [line.split()[0] for line in table] == ["BACKEND", "web/web-1", "web/web-2", "web/web-3"]
    assert table[1].split()[2:5] == ["0", "unknown", "drain"] and "anna" in table[1]
    assert table[2].split()[2:5] == ["0", "unknown", "ready"]


def test_waiting_ends_when_the_last_connection_has_ended(trio):
    balancer, port, _ = trio()
    client = connected_to(port, "web-1")
    ended = []
    waiting = threading.Thread(
        target=lambda: ended.append(told(balancer, "drain", "web/web-1", "--wait", "30s"))
    )
    waiting.start()
    wait_until(lambda: state(balancer, "web-1") == "drain")
    assert not ended
    client.close()
    waiting.join(20)
    assert ended[0].returncode == 0
    assert ended[0].stdout.endswith("web/web-1 has no connections\n")


def test_waiting_ends_well_when_the_backend_is_removed_meanwhile(trio):
    """It is there for as long as it has connections."""
    balancer, port, _ = trio()
    client = connected_to(port, "web-1")
    ended = []
    waiting = threading.Thread(
        target=lambda: ended.append(told(balancer, "drain", "web/web-1", "--wait", "30s"))
    )
    waiting.start()
    wait_until(lambda: state(balancer, "web-1") == "drain")
    tell(balancer, "remove", "web/web-1")
    assert state(balancer, "web-1") == "removed"
    assert not ended
    client.close()
    waiting.join(20)
    assert (ended[0].returncode, ended[0].stderr) == (0, "")
    assert ended[0].stdout.endswith("web/web-1 has no connections\n")


def test_waiting_ends_with_what_is_left_when_the_time_is_over(trio):
    balancer, port, _ = trio()
    with connected_to(port, "web-1"), connected_to(port, "web-1"):
        done = told(balancer, "drain", "web/web-1", "--wait", "300ms")
    assert done.returncode == 1
    assert done.stderr == "holdfast: web/web-1 still has 2 connections\n"


def test_what_is_left_is_closed_later_and_not_all_at_once(trio):
    balancer, port, _ = trio()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connected_to(port, "web-1")) for _ in range(40)]
        others = [stack.enter_context(connected_to(port, "web-2")) for _ in range(3)]
        tell(balancer, "drain", "web/web-1", "--close-after", "300ms", "--spread", "3s")
        assert backend(balancer, "web-1")["closing"]["spread_ms"] == 3000
        seen = set()

        def all_are_over():
            seen.add(sum(is_over(client) for client in clients))
            return len(clients) in seen

        wait_until(all_are_over, 20)
        assert len(seen) >= 5, f"they were closed in bursts: {sorted(seen)}"
        assert all(tcp.echoes(other) for other in others)
        wait_until(lambda: backend(balancer, "web-1")["closing"] is None)
    assert closed(balancer, "drained", backend="web-1") == 40
    balancer.wait_for_log(r" info backend drained pool=web backend=web-1$")


@pytest.mark.parametrize("what", ["killed", "upgraded"])
def test_the_rest_is_closed_whatever_becomes_of_the_worker(trio, program, what):
    balancer, port, _ = trio(binary=program.path)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connected_to(port, "web-1")) for _ in range(10)]
        tell(balancer, "drain", "web/web-1", "--close-after", "500ms", "--spread", "1s")
        if what == "killed":
            balancer.kill_worker()
        else:
            program.become_another_build()
            upgrade(balancer)
        wait_until(lambda: all(is_over(client) for client in clients), 20)
    assert closed(balancer, "drained", backend="web-1") == 10


def test_who_waits_may_be_interrupted_and_the_drain_goes_on(trio):
    balancer, port, _ = trio()
    with connected_to(port, "web-1") as client:
        words = ["drain", "web/web-1", "--wait", "1m", "--close-after", "1s", "--spread", "0s"]
        waiting = subprocess.Popen([BINARY, *words, "--socket", balancer.socket])
        try:
            wait_until(lambda: state(balancer, "web-1") == "drain")
            waiting.send_signal(signal.SIGINT)
            assert waiting.wait(10) == -signal.SIGINT
        finally:
            waiting.kill()
            waiting.wait()
        assert state(balancer, "web-1") == "drain"
        wait_until(lambda: is_over(client))
    assert closed(balancer, "drained", backend="web-1") == 1


def test_the_rest_is_closed_although_the_file_has_lost_the_backend_and_the_guardian_dies(
    holdfast, tcp_server, free_port
):
    port = free_port()
    addresses = [tcp_server(tcp.greeter(f"web-{number}")).address for number in (1, 2)]
    both, one = (web(f"127.0.0.1:{port}", *names) for names in (addresses, addresses[:1]))
    balancer = holdfast(both)
    balancer.expect_log(DEATHS)
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connected_to(port, "web-2")) for _ in range(6)]
        others = [stack.enter_context(connected_to(port, "web-1")) for _ in range(2)]
        tell(balancer, "drain", "web/web-2", "--close-after", "1s", "--spread", "1s")
        balancer.reload(one)
        balancer.kill_guardian()
        wait_until(lambda: all(is_over(client) for client in clients), 20)
        assert all(tcp.echoes(other) for other in others)
    # What comes by that name later is another backend.
    balancer.reload(both)
    seen = backend(balancer, "web-2")
    assert (seen["state"], seen["closing"], seen["set_by"]) == ("ready", None, None)
    assert ask(port) in ("web-1", "web-2")


def test_who_is_ready_in_the_middle_of_it_keeps_what_is_left(trio):
    balancer, port, _ = trio()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connected_to(port, "web-1")) for _ in range(30)]
        tell(balancer, "drain", "web/web-1", "--close-after", "0s", "--spread", "20s")
        wait_until(lambda: any(is_over(client) for client in clients), 20)
        tell(balancer, "ready", "web/web-1")
        seen = backend(balancer, "web-1")
        assert (seen["state"], seen["closing"]) == ("ready", None)
        # Once a closing that was under way has reached the threads, no more are closed.
        assert "web-1" in {ask(port) for _ in range(12)}
        left = sum(not is_over(client) for client in clients)
        assert left > 10
        balancer.metrics()
        assert "web-1" in {ask(port) for _ in range(12)}
        assert sum(not is_over(client) for client in clients) == left
        assert all(tcp.echoes(client) for client in clients if not is_over(client))


def test_a_backend_that_is_ready_again_keeps_its_connections(trio):
    balancer, port, _ = trio()
    with connected_to(port, "web-1") as client:
        tell(balancer, "drain", "web/web-1", "--close-after", "1h")
        assert backend(balancer, "web-1")["closing"] is not None
        tell(balancer, "ready", "web/web-1")
        assert backend(balancer, "web-1")["closing"] is None
        assert tcp.echoes(client)
    assert {ask(port) for _ in range(12)} == {"web-1", "web-2", "web-3"}


def test_states_and_weights_outlive_reload_crash_and_upgrade(trio, program):
    balancer, port, _ = trio(binary=program.path)
    tell(balancer, "drain", "web/web-1")
    tell(balancer, "maint", "web/web-2")
    tell(balancer, "weight", "web/web-3", "7")

    def kept():
        return [
            {key: seen[key] for key in ("name", "state", "set_by", "set_at_ms", "weight")}
            for seen in backends(balancer)
        ]

    before = kept()
    assert [(seen["state"], seen["weight"]) for seen in before] == [
        ("drain", 1),
        ("maint", 1),
        ("ready", 7),
    ]
    assert balancer.tell("reload").returncode == 0
    assert kept() == before
    balancer.kill_worker()
    assert kept() == before
    program.become_another_build()
    upgrade(balancer)
    assert kept() == before
    balancer.kill_guardian()
    assert kept() == before
    assert {ask(port) for _ in range(6)} == {"web-3"}


def test_no_backend_is_left_when_all_are_drained(trio):
    balancer, port, _ = trio()
    for number in (1, 2, 3):
        tell(balancer, "drain", f"web/web-{number}")
    tcp.rejected_connection(("127.0.0.1", port))
    tell(balancer, "ready", "web/web-3")
    assert ask(port) == "web-3"


def test_a_backend_in_maintenance_is_not_checked(trio):
    balancer, port, servers = trio(health=FAST_CHECKS)
    checks = "holdfast_backend_health_checks_total"
    wait_until(lambda: backend(balancer, "web-1")["health"] == "up")
    tell(balancer, "maint", "web/web-1")
    servers[0].stop()
    before = balancer.metrics()
    others = before.sum(checks, backend="web-2") + 10
    wait_until(lambda: balancer.metrics().sum(checks, backend="web-2") >= others)
    after = balancer.metrics()
    assert after.sum(checks, backend="web-1") == before.sum(checks, backend="web-1")
    labels = {"pool": "web", "backend": "web-1"}
    assert after.value("holdfast_backend_state", state="maint", **labels) == 1
    assert {ask(port) for _ in range(6)} == {"web-2", "web-3"}
    # Nobody knows better than the first check after it.
    tell(balancer, "ready", "web/web-1")
    wait_until(lambda: backend(balancer, "web-1")["health"] == "down")
    servers[0].listen()
    wait_until(lambda: "web-1" in {ask(port) for _ in range(6)})


def test_a_weight_counts_from_the_next_connection_on(trio):
    balancer, port, _ = trio()
    assert tell(balancer, "weight", "web/web-1", "0") == ["pool web: backend web-1 weight 1 -> 0"]
    assert {ask(port) for _ in range(6)} == {"web-2", "web-3"}
    tell(balancer, "weight", "web/web-1", "4")
    served = [ask(port) for _ in range(12)]
    assert served.count("web-1") == 8


def test_a_state_ends_with_its_backend(holdfast, tcp_server, free_port):
    port, addresses = free_port(), [tcp_server(tcp.echo).address for _ in range(2)]
    both, one = web(f"127.0.0.1:{port}", *addresses), web(f"127.0.0.1:{port}", addresses[0])
    balancer = holdfast(both)
    tell(balancer, "drain", "web/web-2")
    balancer.reload(one)
    balancer.reload(both)
    assert state(balancer, "web-2") == "ready"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["drain", "web/web-22"],
            "there is no backend 'web-22' in pool 'web': did you mean 'web-2'?",
        ),
        (["maint", "wb/web-2"], "there is no pool 'wb': did you mean 'web'?"),
        (["drain", "web/web-1", "--spread", "5s"], "a spread needs close_after"),
        (["drain", "web/web-1", "--close-after", "25h"], "close_after and spread are 0 to 24h"),
    ],
)
def test_what_cannot_be_done_is_said(trio, words, message):
    balancer, _, _ = trio()
    done = told(balancer, *words)
    assert done.returncode == 1
    assert done.stderr.startswith(f"holdfast: {message}")
    assert {seen["state"] for seen in backends(balancer)} == {"ready"}


@pytest.mark.parametrize(
    "words",
    [
        ["drain"],
        ["drain", "web"],
        ["drain", "web/web-1/web-2"],
        ["drain", "web/we b"],
        ["drain", "web/web-1", "--wait", "5"],
        ["drain", "web/web-1", "--wait", "-5s"],
        ["drain", "web/web-1", "--wait", "25h"],
        ["weight", "web/web-1", "1001"],
        ["weight", "web/web-1"],
        ["backends", "-o", "xml"],
    ],
)
def test_a_command_line_that_is_wrong_changes_nothing(words):
    done = run_holdfast(*words, "--socket", "/nowhere/control.sock")
    assert done.returncode == 2, done.stderr


def test_nobody_answers_where_nobody_lives(tmp_path):
    done = run_holdfast("drain", "web/web-1", "--socket", tmp_path / "control.sock")
    assert done.returncode == 3
