"""What nobody notices of reloads: connections, health, turns and queues go on."""

import os
import random
import socket
import threading
import time

import pytest
from support import tcp
from support.reloading import RELOADS, accepts, config, connect, echoes, named, refuses
from support.waiting import wait_until

MANY = 200 if os.environ.get("HOLDFAST_LONG") else 25


# scars 35, 40: checks under way, connects under way, while everything changes all the time.
@pytest.mark.limit(300)
def test_nobody_notices_many_reloads(holdfast, tcp_server, free_port):
    chance = random.Random(7)
    fixed, other = free_port(), free_port()
    servers = {f"b{n}": tcp_server(tcp.echo).address for n in range(4)}

    def any_config():
        some = dict(chance.sample(sorted(servers.items()), chance.randrange(1, 5)))
        listeners = {chance.choice(["web", "www"]): (f"127.0.0.1:{fixed}", "web")}
        if chance.random() < 0.5:
            listeners["extra"] = (f"127.0.0.1:{other}", "web")
        text = config(listeners, {"web": some}, f"threads: {chance.randrange(1, 4)}")
        return text.replace("{ type: none }", "{ interval: 20ms }")

    daemon = holdfast(any_config())
    processes = daemon.pid, daemon.worker_pid
    over = threading.Event()
    failures = []

    def keep_asking(fresh):
        try:
            client = socket.create_connection(("127.0.0.1", fixed), 10)
            while not over.is_set():
                assert echoes(client)
                if fresh:
                    client.close()
                    client = socket.create_connection(("127.0.0.1", fixed), 10)
                time.sleep(0.002)
            client.close()
        except (OSError, AssertionError) as error:
            failures.append((fresh, repr(error)))

    clients = [threading.Thread(target=keep_asking, args=(n % 2,)) for n in range(8)]
    for client in clients:
        client.start()
    try:
        for _ in range(MANY):
            daemon.reload(any_config())
    finally:
        over.set()
        for client in clients:
            client.join()
    assert failures == []
    assert (daemon.pid, daemon.worker_pid) == processes
    assert daemon.metrics().value(RELOADS, result="succeeded") == MANY
    assert daemon.metrics().sum("holdfast_listener_rejected_total") == 0
    wait_until(lambda: daemon.metrics().sum("holdfast_backend_connections_active") == 0)


def test_a_crash_goes_on_with_what_was_reloaded(holdfast, tcp_server, free_port):
    port = free_port()
    listeners = {"web": (f"127.0.0.1:{port}", "web")}
    daemon = holdfast(config(listeners, {"web": {"a": tcp_server(named(b"a")).address}}))
    daemon.expect_log(" error worker died")
    daemon.reload(config(listeners, {"web": {"b": tcp_server(named(b"b")).address}}))
    daemon.write_config("somebody is half-way through an edit")
    with connect(port, b"b") as client:
        daemon.kill_worker()
        assert echoes(client)
        with connect(port, b"b"):
            pass


def test_connections_of_a_listener_that_is_gone_outlive_workers(holdfast, tcp_server, free_port):
    port, other = free_port(), free_port()
    pools = {"web": {"a": tcp_server(named(b"a")).address}}
    daemon = holdfast(config({"web": (f"127.0.0.1:{port}", "web")}, pools))
    with connect(port, b"a") as client:
        daemon.reload(config({"www": (f"127.0.0.1:{other}", "web")}, pools))
        wait_until(lambda: refuses("127.0.0.1", port))
        daemon.expect_log(" error worker died ")
        daemon.kill_worker()
        assert echoes(client)
        assert daemon.tell("upgrade").returncode == 0
        assert echoes(client)
    wait_until(lambda: 'listener="web"' not in daemon.get("/metrics")[2])
    assert daemon.metrics().value("holdfast_connections_lost_in_recovery_total") == 0


def test_health_and_turns_survive_a_reload(holdfast, tcp_server, free_port):
    port, dead = free_port(), free_port()
    listeners = {"web": (f"127.0.0.1:{port}", "web")}
    servers = {"a": tcp_server(named(b"a")).address, "b": tcp_server(named(b"b")).address}
    checked = "{ interval: 50ms, fall: 1 }"
    text = config(listeners, {"web": servers | {"dead": f"127.0.0.1:{dead}"}})
    daemon = holdfast(text.replace("{ type: none }", checked))
    up = {"pool": "web", "backend": "dead"}
    wait_until(lambda: daemon.metrics().value("holdfast_backend_up", **up) == 0)
    daemon.wait_for_log(" warning backend down .*backend=dead")
    said = len([line for line in daemon.log if "backend=dead" in line])
    names = []
    for number in range(4):
        client = socket.create_connection(("127.0.0.1", port), 10)
        names.append(tcp.read_exactly(client, 1))
        client.close()
        daemon.reload(text.replace("{ type: none }", checked) + f"threads: {number + 1}\n")
        assert daemon.metrics().value("holdfast_backend_up", **up) == 0
    assert names in ([b"a", b"b"] * 2, [b"b", b"a"] * 2), "turns went on, reload or not"
    assert len([line for line in daemon.log if "backend=dead" in line]) == said


def test_nobody_who_waits_in_the_queue_of_a_removed_listener_is_reset(
    holdfast, tcp_server, free_port
):
    """More clients than may be served wait; their listener goes; each is served in its turn."""
    port, other = free_port(), free_port()
    pools = {"web": {"a": tcp_server(named(b"a")).address}}
    both = {"web": (f"127.0.0.1:{port}", "web"), "other": (f"127.0.0.1:{other}", "web")}
    rest = "max_connections: 2\nthreads: 1"
    daemon = holdfast(config(both, pools, rest))
    first = [connect(port, b"a") for _ in range(2)]
    waiting = [socket.create_connection(("127.0.0.1", port), 10) for _ in range(5)]
    daemon.reload(config({"other": both["other"]}, pools, rest))
    wait_until(lambda: not accepts(port))
    for client in first:
        client.close()
    for client in waiting:
        client.settimeout(20)
        assert tcp.read_exactly(client, 1) == b"a"
        client.close()
    wait_until(lambda: refuses("127.0.0.1", port))


def test_what_is_gone_is_forgotten_while_reloads_come_one_after_the_other(
    holdfast, tcp_server, free_port
):
    listeners = {"web": (f"127.0.0.1:{free_port()}", "web")}
    backend = tcp_server(tcp.echo).address
    daemon = holdfast(config(listeners, {"web": {"b": backend}}))
    counts = []
    for number in range(60):
        daemon.reload(config(listeners, {"web": {f"b{number}": backend}}))
        counts.append(len(daemon.metrics().named("holdfast_backend_connections_total")))
    assert counts != sorted(counts), counts
