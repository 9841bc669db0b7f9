"""GET /api/v1/events: what happened to the balancer and its backends, in order; it outlives every
process that it happened to."""

import json
import re
import signal

import pytest
from support import tcp
from support.configuration import FAST_CHECKS, NO_CHECKS, web
from support.program import PASSES
from support.upgrades import rolled_back, upgrade
from support.waiting import wait_until

CAPACITY = 512
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def events(daemon):
    status, headers, body = daemon.get("/api/v1/events")
    assert status == 200
    assert headers["Content-Type"] == "application/json"
    return json.loads(body)


def kinds(daemon):
    return [event["event"] for event in events(daemon)]


def wait_for(daemon, *last):
    """Until these are the last events; their fields."""

    def are_last():
        found = events(daemon)[-len(last) :]
        return [event["event"] for event in found] == list(last) and found

    try:
        return [event["fields"] for event in wait_until(are_last)]
    except AssertionError:
        raise AssertionError(f"there are {kinds(daemon)}") from None


def assert_in_order(daemon):
    """Numbers without a gap, and times that never go back."""
    found = events(daemon)
    first = found[0]["number"]
    assert [event["number"] for event in found] == list(range(first, first + len(found)))
    assert all(TIME.fullmatch(event["time"]) for event in found)
    times = [event["time"] for event in found]
    assert times == sorted(times)


def test_everything_that_happens_is_told_in_order(echoing, program, address, tcp_server):
    echoing.expect_log(r" error (worker died|guardian died|reload failed|upgrade rolled back)")
    assert events(echoing)[0]["number"] == 1
    (started,) = wait_for(echoing, "started")
    assert started == {"threads": started["threads"], "listeners": "1"}

    client = tcp.connect(address)
    assert tcp.echoes(client)
    echoing.kill_worker()
    died, recovered = wait_for(echoing, "worker_died", "worker_recovered")
    assert (died["cause"], died["signal"], died["connections"]) == ("killed", "9", "1")
    assert (recovered["cause"], recovered["connections"]) == ("killed", "1")
    assert int(recovered["took_ms"]) >= 0

    echoing.kill_worker(signal.SIGSEGV)
    died, recovered = wait_for(echoing, "worker_died", "worker_recovered")
    assert (died["cause"], died["signal"]) == ("crashed", "11")
    assert recovered["cause"] == "crashed"

    other = tcp_server(tcp.echo).address
    echoing.reload(web("%s:%d" % address, other, pool={"health": NO_CHECKS}))
    (reloaded,) = wait_for(echoing, "reloaded")
    assert int(reloaded["changes"]) > 0

    echoing.write_config("listeners: nonsense")
    assert echoing.tell("reload").returncode == 1
    (failed,) = wait_for(echoing, "reload_failed")
    assert "holdfast.yaml" in failed["reason"]

    program.become_another_build()
    upgrade(echoing)
    upgraded, recovered = wait_for(echoing, "upgraded", "worker_recovered")
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*", upgraded["version"])
    assert (recovered["cause"], recovered["connections"]) == ("upgrade", "1")

    program.become(f"{PASSES}exit 3\n".encode())
    rolled_back(echoing, "it ended before it served", 3)
    back, recovered = wait_for(echoing, "upgrade_rolled_back", "worker_recovered")
    assert back["reason"] == "it ended before it served"
    assert recovered["cause"] == "upgrade"

    echoing.kill_guardian()
    replaced, recovered = wait_for(echoing, "guardian_replaced", "worker_recovered")
    assert replaced == {"pid": str(echoing.guardian_pid), "connections": "1"}
    assert recovered["cause"] == "guardian"

    assert kinds(echoing) == [
        "started",
        "worker_died",
        "worker_recovered",
        "worker_died",
        "worker_recovered",
        "reloaded",
        "reload_failed",
        "upgraded",
        "worker_recovered",
        "upgrade_rolled_back",
        "worker_recovered",
        "guardian_replaced",
        "worker_recovered",
    ]
    assert_in_order(echoing)
    assert tcp.echoes(client)
    client.close()


def test_a_worker_that_stands_still_is_told(holdfast, tcp_server, free_port):
    backend = tcp_server(tcp.echo).address
    daemon = holdfast(web(f"127.0.0.1:{free_port()}", backend, rest="watchdog: 1500ms\nthreads: 2"))
    daemon.expect_log(r" error worker (hangs|died)")
    daemon.kill_worker(signal.SIGSTOP)
    hung, died, _ = wait_for(daemon, "worker_hung", "worker_died", "worker_recovered")
    assert hung.pop("thread") in ("control", "relay-0", "relay-1")
    assert hung == {"watchdog_ms": "1500"}
    assert died["cause"] == "hung"


def test_backends_that_come_and_go_are_told(holdfast, tcp_server, free_port):
    server = tcp_server(tcp.echo)
    text = web(f"127.0.0.1:{free_port()}", server.address, pool={"health": FAST_CHECKS})
    daemon = holdfast(text)
    backend = {"pool": "web", "backend": "web-1"}
    (up,) = wait_for(daemon, "backend_up")
    assert up == {**backend, "reason": "first check passed"}
    server.refuse()
    (down,) = wait_for(daemon, "backend_down")
    assert down == {**backend, "reason": "connection refused"}
    server.listen()
    (up,) = wait_for(daemon, "backend_up")
    assert up == {**backend, "reason": "checks passed"}
    assert kinds(daemon) == ["started", "backend_up", "backend_down", "backend_up"]


def test_that_it_stops_is_told_while_it_stops(echoing, address):
    client = tcp.connect(address)
    assert tcp.echoes(client)
    echoing.send_signal(signal.SIGTERM)
    (stopping,) = wait_for(echoing, "stopping")
    assert stopping == {"connections": "1"}
    client.close()


@pytest.mark.limit(240)
def test_only_the_last_ones_are_kept(echoing, program):
    """And they are the same after a death and after an upgrade."""
    echoing.expect_log(r" error worker died")
    reloads = CAPACITY + 10
    for _ in range(reloads):
        assert echoing.post("/api/v1/reload") == 200
    kept = events(echoing)
    assert len(kept) == CAPACITY
    assert {event["event"] for event in kept} == {"reloaded"}
    assert kept[-1]["number"] == 1 + reloads
    assert_in_order(echoing)
    for disturb in echoing.kill_worker, lambda: (program.become_another_build(), upgrade(echoing)):
        before = events(echoing)
        disturb()
        after = events(echoing)
        assert after[:-2] == before[2:]
        assert len(after) == CAPACITY
    assert_in_order(echoing)


def test_there_is_an_answer_while_events_are_written(echoing):
    """As long as they come one after the other, each answer is whole and in order."""
    for _ in range(50):
        echoing.send_signal(signal.SIGHUP)
        assert_in_order(echoing)
