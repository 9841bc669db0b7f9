"""What connections and the administrator notice when systemd restarts, reloads, upgrades or loses
the balancer: of connections, nothing."""

import contextlib
import hashlib
import os
import re
import signal
from pathlib import Path

import pytest
from support import tcp
from support.clients import Clients
from support.daemon import BINARY
from support.waiting import wait_until

IDLE = 20
DEATHS = 10
INVALID = """
listeners: [{ name: web, bind: "127.0.0.1:8080", pool: nowhere }]
pools: [{ name: web, balance: by_the_moon, backends: [] }]
"""

pytestmark = pytest.mark.limit(240)


@pytest.fixture
def busy(service):
    """A running unit with clients: one that keeps asking on its connection, one that keeps making
    new ones, and IDLE that only hold one. Not one request may fail all along."""
    service.start_before(tcp.echo)
    with contextlib.ExitStack() as stack:
        idle = [stack.enter_context(service.connect()) for _ in range(IDLE)]
        kept = stack.enter_context(service.connect())

        def on_one_connection(_):
            assert tcp.echoes(kept)

        def on_a_connection_of_its_own(_):
            with service.connect() as client:
                assert tcp.echoes(client)

        old = stack.enter_context(Clients(1, on_one_connection))
        new = stack.enter_context(Clients(1, on_a_connection_of_its_own))
        yield service
        for clients in old, new:
            clients.wait_for_answers(10)
            assert clients.failures == []
        assert all(tcp.echoes(client) for client in idle)


@pytest.fixture
def quiet(service):
    """A running unit in front of a server that sends back what comes."""
    service.start_before(tcp.echo)
    return service


def replace_program(service, content):
    """As a package manager does: the running processes keep the old file."""
    program = service.machine.root / "usr/sbin/holdfast"
    new = program.with_suffix(".new")
    new.write_bytes(content)
    new.chmod(0o755)
    new.rename(program)


def another_build():
    """The same program with an end that nobody looks at."""
    return BINARY.read_bytes() + b"another build"


def assert_runs(service, program):
    """Guardian and worker are both this program."""
    digests = {digest_of(f"/proc/{pid}/exe") for pid in service.processes()}
    assert digests == {hashlib.sha256(program).hexdigest()}


def digest_of(file):
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


def assert_went_on(service, before):
    """It is the same instance as it was: the unit is supervised, and its counters go on."""
    service.wait_until_whole()
    assert connections_so_far(service) >= before


def connections_so_far(service):
    return service.metrics().sum("holdfast_listener_connections_total")


def assert_stops_in_order(service):
    """A client that is connected may finish; then nothing is left."""
    with service.connect() as client:
        assert tcp.echoes(client)
        service.systemctl("stop", "--no-block")
        wait_until(lambda: service.state == "deactivating (stop-sigterm)")
        wait_until(service.refuses)
        assert tcp.echoes(client)
    wait_until(lambda: service.state == "inactive (dead)")
    assert service.show("Result") == "success"
    wait_until(lambda: service.processes() == [])


def test_systemd_goes_on_when_a_process_runs_out_of_memory(quiet):
    # What it would do by itself is to stop all of the unit; it hears of it in version 2 of the
    # control groups alone.
    assert quiet.show("OOMPolicy") == "continue"


def test_a_guardian_that_is_killed_costs_no_connection(busy):
    before, guardian = connections_so_far(busy), busy.guardian
    busy.kill(guardian)
    assert_went_on(busy, before)
    assert busy.guardian != guardian


def test_guardian_and_worker_may_be_killed_in_turn(busy):
    before = connections_so_far(busy)
    for death in range(DEATHS):
        busy.kill(busy.worker if death % 2 else busy.guardian)
    assert_went_on(busy, before)


def test_after_the_death_of_a_guardian_the_unit_stops_in_order(quiet):
    quiet.kill(quiet.guardian)
    assert_stops_in_order(quiet)


def test_a_guardian_that_is_killed_while_it_stops_leaves_nothing(quiet):
    with quiet.connect() as client:
        assert tcp.echoes(client)
        quiet.systemctl("stop", "--no-block")
        wait_until(quiet.refuses)
        os.kill(quiet.guardian, signal.SIGKILL)
        wait_until(lambda: quiet.show("ActiveState") in ("inactive", "failed"))
    wait_until(lambda: quiet.processes() == [])


def test_a_restart_costs_no_connection(busy):
    before, invocation = connections_so_far(busy), busy.show("InvocationID")
    for _ in range(3):
        busy.systemctl("restart")
        assert_went_on(busy, before)
    assert busy.show("InvocationID") != invocation
    assert busy.show("NRestarts") == "0"


def test_a_restart_at_the_moment_a_process_dies_costs_no_connection(busy):
    before = connections_so_far(busy)
    for victim in "worker", "guardian":
        os.kill(getattr(busy, victim), signal.SIGKILL)
        busy.systemctl("restart")
        assert_went_on(busy, before)


def test_after_a_restart_the_unit_stops_in_order_and_starts_anew(quiet):
    quiet.systemctl("restart")
    quiet.wait_until_whole()
    assert_stops_in_order(quiet)
    quiet.systemctl("start")
    quiet.wait_until_whole()
    assert connections_so_far(quiet) == 0


def test_a_restart_without_a_message_bus_costs_no_connection(busy):
    busy.machine.systemctl("stop", "dbus.socket", "dbus.service")
    before = connections_so_far(busy)
    busy.systemctl("restart")
    assert_went_on(busy, before)


def test_a_restart_puts_a_new_program_in_place(busy):
    before = connections_so_far(busy)
    assert_runs(busy, BINARY.read_bytes())
    replace_program(busy, another_build())
    busy.systemctl("restart")
    assert_went_on(busy, before)
    assert_runs(busy, another_build())
    for victim in "guardian", "worker":
        busy.kill(getattr(busy, victim))
        assert_runs(busy, another_build())
    assert_went_on(busy, before)


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        (b"not a program", "Exec format error"),
        (b"#!/bin/sh\necho cannot start here >&2\nexit 1\n", "cannot start here"),
    ],
    ids=["no_program", "fails"],
)
def test_a_restart_with_a_broken_program_costs_no_connection(busy, program, reason):
    before, good = connections_so_far(busy), BINARY.read_bytes()
    replace_program(busy, program)
    busy.systemctl("restart", check=False)  # which may well say that it failed
    assert_went_on(busy, before)
    assert_runs(busy, good)
    # Said by the process that was to become it, which systemd doesn't wait for.
    wait_until(lambda: any(reason in line for line in busy.journal()))
    replace_program(busy, another_build())
    busy.systemctl("restart")
    assert_went_on(busy, before)
    assert_runs(busy, another_build())


# scar 46
def test_a_restart_with_an_invalid_configuration_costs_no_connection(busy):
    before = connections_so_far(busy)
    busy.write_configuration(INVALID)
    busy.systemctl("restart", check=False)
    assert_went_on(busy, before)
    assert_journal_has_all_errors(busy)


def test_a_reload_brings_a_new_configuration_into_force(quiet):
    before, pair = connections_so_far(quiet), quiet.processes()
    other = quiet.tcp_server(tcp.greeter("the other one"))
    with quiet.connect() as old:
        assert tcp.echoes(old)
        quiet.configure(other.address)
        quiet.systemctl("reload")
        with quiet.connect() as new:
            assert tcp.read_exactly(new, 13) == b"the other one"
        assert tcp.echoes(old)
    assert_went_on(quiet, before)
    assert quiet.processes() == pair


# scar 45
def test_an_invalid_reload_fails_at_once_and_changes_nothing(busy):
    before, pair = connections_so_far(busy), busy.processes()
    busy.write_configuration(INVALID)
    for _ in range(2):
        result = busy.systemctl("reload", check=False, timeout=10)
        assert result.returncode != 0
        assert busy.state == "active (running)"
    assert_went_on(busy, before)
    assert busy.processes() == pair
    assert_journal_has_all_errors(busy)


def assert_journal_has_all_errors(service):
    for wrong in "nowhere", "by_the_moon":
        error = re.compile(rf"holdfast\.yaml:\d+:\d+: .*{wrong}")
        wait_until(lambda error=error: any(map(error.search, service.journal())))
