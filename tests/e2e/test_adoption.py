"""`holdfast run` as systemd starts it, while an instance lives from before: it adopts that one. To
the start, the process of these tests is systemd: both are its children."""

import contextlib
import ctypes
import os
import re

import pytest
from support import tcp
from support.command import holdfast as run_holdfast
from support.configuration import NO_CHECKS, web
from support.continuity import connected
from support.process import Process
from support.program import PASSES
from support.upgrades import assert_upgrades, client_of, pair
from support.waiting import wait_until

PR_SET_CHILD_SUBREAPER = 36
RELOADS = "holdfast_config_reloads_total"


@pytest.fixture
def start(systemd, echoing, program):
    """start() is a start by systemd of the same unit as `echoing` is of."""
    started = []

    def begin():
        command = [program.path, "run", "-c", echoing.config_file]
        started.append(Process(command, env={**os.environ, **systemd.environment}))
        return started[-1]

    yield begin
    for process in started:
        process.kill()


def assert_adopted(start, systemd, daemon):
    """The start has ended well, and systemd knows who it is about from now on."""
    assert start.wait(20) == 0, start.tail()
    assert systemd.next() == [f"MAINPID={daemon.guardian_pid}", "READY=1"]
    assert start.log[-1] == f"holdfast: the instance goes on, guardian {daemon.guardian_pid}"
    daemon.wait_until_whole()


def test_a_start_adopts_the_instance_that_lives(echoing, program, address, start, systemd):
    before = pair(echoing)
    with client_of(address):
        assert_adopted(start(), systemd, echoing)
    assert pair(echoing) == before
    assert_upgrades(echoing)
    assert echoing.metrics().value(RELOADS, result="succeeded") == 1


def test_a_start_from_another_file_upgrades_the_instance(
    echoing, program, address, start, systemd
):
    guardian = echoing.guardian_pid
    program.become_another_build()
    with client_of(address):
        assert_adopted(start(), systemd, echoing)
        assert echoing.guardian_pid == guardian
        assert program.is_run_by(*pair(echoing))
        assert_upgrades(echoing, succeeded=1)
        # Once more, from the same file now.
        assert_adopted(start(), systemd, echoing)
        assert_upgrades(echoing, succeeded=1)


def test_a_start_puts_the_file_in_force(echoing, tcp_server, address, start, systemd):
    other = tcp_server(tcp.greeter("b")).address
    echoing.write_config(web("%s:%d" % address, other, pool={"health": NO_CHECKS}))
    assert_adopted(start(), systemd, echoing)
    with connected(address, 1) as (client,):
        assert tcp.read_exactly(client, 1) == b"b"


def test_a_start_with_an_invalid_file_changes_nothing(echoing, address, start, systemd):
    before = pair(echoing)
    socket = f"admin: {{ socket: {echoing.socket} }}"
    echoing.config_file.write_text(f"{socket}\nlisteners: nonsense\n", encoding="utf-8")
    echoing.expect_log(r" error reload failed ")
    with client_of(address):
        adopting = start()
        assert_adopted(adopting, systemd, echoing)
    assert any("holdfast.yaml:2:" in line for line in adopting.log)
    assert "holdfast: not reloaded, nothing was changed" in adopting.log
    assert pair(echoing) == before


def test_a_start_from_a_program_that_cannot_take_over_changes_nothing(
    echoing, program, address, start, systemd
):
    before = pair(echoing)
    refusing = f'#!/bin/sh\n[ "$1" = rehearse ] && exit 9\nexec {program.copy()} "$@"\n'
    program.become(refusing.encode())
    with client_of(address):
        adopting = start()
        assert_adopted(adopting, systemd, echoing)
    assert any(
        re.match(r"holdfast: error: upgrade refused, .*exit code 9", line) for line in adopting.log
    )
    assert pair(echoing) == before
    assert_upgrades(echoing, refused=1)


def test_a_start_from_a_program_that_fails_to_take_over_adopts_the_one_that_goes_on(
    echoing, program, address, start, systemd
):
    failing = f'{PASSES}[ "$4" = --take-over ] && exit 3\nexec {program.copy()} "$@"\n'
    program.become(failing.encode())
    echoing.expect_log(r" error upgrade rolled back ")
    with client_of(address), orphans_are_ours():
        adopting = start()
        adopting.wait_for_log(r"holdfast: error: upgrade rolled back, ", 20)
        echoing.follow_guardian(3)
        assert_adopted(adopting, systemd, echoing)
        assert_upgrades(echoing, rolled_back=1)


def test_a_start_adopts_an_instance_whose_guardian_was_replaced(
    echoing, address, start, systemd
):
    echoing.expect_log(r" error guardian died")
    with client_of(address), orphans_are_ours():
        echoing.kill_guardian()
        assert_adopted(start(), systemd, echoing)


@contextlib.contextmanager
def orphans_are_ours():
    """A process whose parent has ended becomes our child meanwhile, as it becomes systemd's
    (PR_SET_CHILD_SUBREAPER, prctl(2))."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    assert prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    try:
        yield
    finally:
        prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def test_a_start_waits_for_an_instance_that_ends_and_is_the_next_one(
    echoing, address, start, systemd
):
    """Whose guardian isn't a child of systemd yet: it can't be adopted."""
    echoing.expect_log(r" error guardian died")
    echoing.kill_guardian()
    waiting = start()
    wait_until(lambda: pauses_of(waiting) > 10)  # it looks again and again
    assert waiting.exit_code is None
    echoing.assert_ends_well()
    waiting.wait_for_log(r" info ready$", 20)
    assert "READY=1" in systemd.next()
    with client_of(address):
        pass
    assert waiting.stop() == 0
    assert waiting.log[-1].endswith(" info stopped")


def pauses_of(process):
    """How often it has waited for something (proc(5), status)."""
    with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
        return int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", file.read(), re.M)[1])


def test_a_start_by_anybody_else_is_refused(echoing, address):
    before = pair(echoing)
    environment = {name: value for name, value in os.environ.items() if name != "NOTIFY_SOCKET"}
    with client_of(address):
        done = run_holdfast("run", "-c", echoing.config_file, env=environment)
        assert done.returncode == 1
        assert f"another instance runs with the control socket {echoing.socket}" in done.stderr
    assert pair(echoing) == before
