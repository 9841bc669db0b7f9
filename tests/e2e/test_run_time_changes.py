"""Backends that are added and removed while everything runs, and how the file and they get along."""

import json
import os

import pytest
from support import tcp
from support.checks import checked, state, wait_for_state
from support.command import holdfast
from support.configuration import NO_CHECKS, web
from support.continuity import DEATHS
from support.operating import backend, backends, connected_to, tell, told
from support.upgrades import upgrade
from support.waiting import wait_until


@pytest.fixture
def servers(tcp_server):
    return [tcp_server(tcp.greeter(f"web-{number}")) for number in (1, 2, 3)]


@pytest.fixture
def pair(holdfast, servers, free_port):
    """pair() is a balancer before the first two servers, its port, and its configuration."""

    def start(**options):
        port = free_port()
        addresses = [server.address for server in servers[:2]]
        config = web(f"127.0.0.1:{port}", *addresses, pool={"health": NO_CHECKS})
        balancer = holdfast(config, **options)
        balancer.expect_log(DEATHS)
        return balancer, port, config

    return start


def names(balancer):
    return [seen["name"] for seen in backends(balancer) if seen["state"] != "removed"]


def served_by(port, asks=9):
    found = set()
    for _ in range(asks):
        with tcp.connect(("127.0.0.1", port)) as client:
            found.add(tcp.read_exactly(client, 5).decode())
    return found


def test_an_added_backend_serves(pair, servers):
    balancer, port, _ = pair()
    said = tell(balancer, "add", "web", "web-3", servers[2].address, "--weight", "2")
    assert said == [f"pool web: backend web-3 added ({servers[2].address})"]
    assert served_by(port) == {"web-1", "web-2", "web-3"}
    assert backend(balancer, "web-3")["weight"] == 2
    balancer.wait_for_log(r" info backend added pool=web backend=web-3 by=anna$")
    events = json.loads(balancer.get("/api/v1/events")[2])
    assert events[-1]["event"] == "backend_added"
    assert events[-1]["fields"] == {"pool": "web", "backend": "web-3", "by": "anna"}


def test_an_added_backend_has_a_tier_and_a_limit(pair, servers, program):
    balancer, port, _ = pair(binary=program.path)
    tell(balancer, "remove", "web/web-2")
    limited = ("web", "web-3", servers[2].address, "--tier", "1", "--max-connections", "1")
    tell(balancer, "add", *limited)

    def assert_in_force():
        assert backend(balancer, "web-3")["tier"] == 1
        assert backend(balancer, "web-3")["max_connections"] == 1
        assert served_by(port) == {"web-1"}
        tell(balancer, "drain", "web/web-1")
        with connected_to(port, "web-3"):
            tcp.rejected_connection(("127.0.0.1", port))
        wait_until(lambda: backend(balancer, "web-3")["connections"] == 0)
        tell(balancer, "ready", "web/web-1")

    assert_in_force()
    assert balancer.tell("reload").returncode == 0
    assert_in_force()
    balancer.kill_worker()
    assert_in_force()
    program.become_another_build()
    upgrade(balancer)
    assert_in_force()
    assert tell(balancer, "add", *limited) == ["done already, nothing differs"]


def test_an_added_backend_that_leaves_a_gap_between_tiers_is_refused(pair, servers):
    balancer, _, _ = pair()
    refused = told(balancer, "add", "web", "web-3", servers[2].address, "--tier", "2")
    assert refused.returncode == 1
    assert refused.stderr == (
        "holdfast: pool 'web' has no backend in tier 1: "
        "write tier: 1, or give tier 1 a backend\n"
    )
    assert names(balancer) == ["web-1", "web-2"]


@pytest.mark.parametrize(
    ("option", "value", "range"),
    [
        ("--tier", "16", "0 to 15"),
        ("--max-connections", "0", "1 to 10000000"),
        ("--weight", "1001", "0 to 1000"),
        ("--weight", "010", "0 to 1000"),  # eight, to some
        ("--weight", "1e2", "0 to 1000"),
        ("--weight", "-1", "0 to 1000"),
    ],
)
def test_a_number_that_cannot_be_is_a_wrong_command_line(pair, servers, option, value, range):
    balancer, _, _ = pair()
    done = told(balancer, "add", "web", "web-3", servers[2].address, option, value)
    assert done.returncode == 2
    assert f"{option}: '{value}' is no whole number from {range}" in done.stderr


def test_connections_of_a_removed_backend_go_on(pair):
    balancer, port, _ = pair()
    with connected_to(port, "web-2") as client:
        assert tell(balancer, "remove", "web/web-2") == ["pool web: backend web-2 removed"]
        assert served_by(port) == {"web-1"}
        assert tcp.echoes(client)
        assert backend(balancer, "web-2")["state"] == "removed"
    wait_until(lambda: backend(balancer, "web-2") is None)


def test_changes_outlive_reload_crash_and_upgrade(pair, servers, program):
    balancer, port, _ = pair(binary=program.path)
    tell(balancer, "add", "web", "web-3", servers[2].address)
    tell(balancer, "remove", "web/web-1")

    def assert_in_force():
        assert names(balancer) == ["web-2", "web-3"] or names(balancer) == ["web-3", "web-2"]
        assert served_by(port) == {"web-2", "web-3"}

    assert_in_force()
    done = balancer.tell("reload")
    assert done.returncode == 0
    assert "holdfast: pool web: backend web-1 stays removed, by anna at run time" in done.stderr
    assert "holdfast: pool web: backend web-3 stays, added by anna at run time" in done.stderr
    assert_in_force()
    balancer.kill_worker()
    assert_in_force()
    program.become_another_build()
    upgrade(balancer)
    assert_in_force()
    balancer.kill_guardian()
    assert_in_force()
    tell(balancer, "remove", "web/web-3")
    tell(balancer, "add", "web", "web-1", servers[0].address)
    balancer.kill_worker()
    assert served_by(port) == {"web-1", "web-2"}


def test_the_file_has_the_last_word(pair, servers):
    balancer, port, config = pair()
    tell(balancer, "remove", "web/web-2")
    tell(balancer, "add", "web", "web-3", servers[2].address)
    # It moves web-2, and has a web-3 of its own.
    moved = config.replace(servers[1].address, servers[2].address)
    balancer.reload(
        moved.replace(
            '{"name": "web-2"',
            f'{{"name": "web-3", "address": "{servers[1].address}"}}, {{"name": "web-2"',
        )
    )
    assert backend(balancer, "web-2")["address"] == servers[2].address
    assert backend(balancer, "web-3")["address"] == servers[1].address
    # From here on only the file counts.
    balancer.reload(config)
    assert names(balancer) == ["web-1", "web-2"]
    assert served_by(port) == {"web-1", "web-2"}


def test_a_file_that_does_not_go_with_what_was_added_is_refused(pair, servers, free_port):
    balancer, port, config = pair()
    balancer.expect_log("reload failed")
    other = free_port()
    tell(balancer, "add", "web", "web-3", f"127.0.0.1:{other}")
    before = backends(balancer)
    balancer.write_config(config.replace(f"127.0.0.1:{port}", f"127.0.0.1:{other}"))
    refused = balancer.tell("reload")
    assert refused.returncode == 1
    assert (
        "error: with what was added and removed at run time, "
        "backend 'web-3' is its own listener 'web'"
    ) in refused.stderr
    assert "holdfast remove" in refused.stderr
    assert backends(balancer) == before
    balancer.wait_for_log("error reload failed reason=.*is its own listener")
    tell(balancer, "remove", "web/web-3")
    assert balancer.tell("reload").returncode == 0
    assert served_by(other) == {"web-1", "web-2"}


def test_a_file_that_leaves_a_gap_below_an_added_backend_is_warned_of(pair, servers):
    balancer, port, config = pair()
    tiered = config.replace('{"name": "web-2"', '{"tier": 1, "name": "web-2"')
    balancer.reload(tiered)
    tell(balancer, "add", "web", "web-3", servers[2].address, "--tier", "2")
    balancer.write_config(config)
    done = balancer.tell("reload")
    assert done.returncode == 0
    assert (
        "warning: with what was added and removed at run time, "
        "pool 'web' has no backend in tier 1"
    ) in done.stderr
    assert backend(balancer, "web-3")["tier"] == 2


def test_asking_twice_comes_to_the_same(pair, servers):
    balancer, _, _ = pair()
    for _ in range(2):
        tell(balancer, "remove", "web/web-2")
    for _ in range(2):
        tell(balancer, "add", "web", "web-3", servers[2].address)
    assert sorted(names(balancer)) == ["web-1", "web-3"]


def test_a_removal_is_taken_back_by_adding_the_same(pair, servers):
    balancer, port, _ = pair()
    tell(balancer, "remove", "web/web-2")
    tell(balancer, "add", "web", "web-2", servers[1].address)
    assert served_by(port) == {"web-1", "web-2"}
    assert balancer.tell("reload").stderr == ""
    again = tell(balancer, "add", "web", "web-2", servers[1].address)
    assert again == ["done already, nothing differs"]
    events = [event["event"] for event in json.loads(balancer.get("/api/v1/events")[2])]
    assert events.count("backend_added") == 1


def test_a_backend_of_which_nothing_is_known_is_added_down(pair):
    balancer, port, _ = pair()
    tell(balancer, "add", "web", "web-3", "nowhere.invalid:80")
    seen = backend(balancer, "web-3")
    assert (seen["health"], seen["address"]) == ("down", None)
    assert served_by(port) == {"web-1", "web-2"}


def test_a_connection_that_lives_long_keeps_no_entries_of_those_that_come_and_go(pair, servers):
    balancer, port, _ = pair()
    with connected_to(port, "web-1") as client:
        for number in range(20):
            tell(balancer, "add", "web", f"come-{number}", servers[2].address)
            tell(balancer, "remove", f"web/come-{number}")
        wait_until(lambda: "come-" not in balancer.get("/metrics")[2])
        assert tcp.echoes(client)


def test_a_name_of_dots_is_a_name(pair, servers):
    balancer, _, _ = pair()
    tell(balancer, "add", "web", "..", servers[2].address)
    assert tell(balancer, "remove", "web/..") == ["pool web: backend .. removed"]


def test_what_is_no_utf8_is_no_reason_to_die(pair):
    balancer, _, _ = pair()
    done = holdfast(
        *("add", "web", "x", "\udcff:80", "--socket", balancer.socket),
        env={**os.environ, "SUDO_USER": "", "USER": "\udcff"},
    )
    assert done.returncode == 1, done
    assert "is no address" in done.stderr


def test_adding_and_removing_leaves_no_descriptor_behind(pair, servers):
    balancer, _, _ = pair()
    before = balancer.open_descriptors()
    for _ in range(20):
        tell(balancer, "add", "web", "web-3", servers[2].address)
        tell(balancer, "remove", "web/web-3")
    wait_until(lambda: balancer.open_descriptors() == before)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["add", "wbe", "x", "127.0.0.1:1"], "there is no pool 'wbe': did you mean 'web'?"),
        (["add", "web", "web-1", "127.0.0.1:1"], "the configuration file has a backend 'web-1'"),
        (["add", "web", "x", "127.0.0.1:0"], "a backend can't have port 0"),
        (["add", "web", "x", "unix:/a\nb"], "'unix:/a\nb' is no address: the path of a Unix"),
        (["add", "web", "x", "127.0.0.1"], "'127.0.0.1' is no address: write host:port"),
        (["remove", "web/web-4"], "there is no backend 'web-4' in pool 'web': did you mean"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(pair, words, message):
    balancer, _, _ = pair()
    before = backends(balancer)
    done = told(balancer, *words)
    assert done.returncode == 1
    assert done.stderr.startswith(f"holdfast: {message}"), done.stderr
    assert backends(balancer) == before


def checks_passed(balancer):
    name = "holdfast_backend_health_checks_total"
    return balancer.metrics().value(name, pool="web", backend="web-2", result="passed")


@pytest.mark.parametrize("where", ["port", "address"])
def test_an_added_backend_is_checked_where_its_pool_says(
    holdfast, servers, tcp_server, free_port, where
):
    front, nobody, checks = free_port(), free_port(), tcp_server(tcp.silent)
    place = {"port": checks.port} if where == "port" else {"address": checks.address}
    balancer = holdfast(checked(front, servers[0].address, **place))
    balancer.expect_log(DEATHS)
    tell(balancer, "add", "web", "web-2", f"127.0.0.1:{nobody}")
    wait_for_state(balancer, "up", "web-2")
    balancer.kill_worker()
    passed = checks_passed(balancer)
    wait_until(lambda: checks_passed(balancer) > passed + 3)
    assert state(balancer, "web-2") == "up", "the next worker checks it there too"
    checks.stop()
    wait_for_state(balancer, "down", "web-2")
