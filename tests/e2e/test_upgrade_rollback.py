"""An upgrade to a program that is good when it is looked at and fails when it is to take over: the
one that ran before goes on with every connection."""

import contextlib
import os
import signal
from concurrent.futures import ThreadPoolExecutor

import pytest
from support import tcp
from support.aftermath import assert_nothing_is_left, assert_nothing_was_lost
from support.binary import BINARY
from support.configuration import NO_CHECKS, web
from support.continuity import state_of
from support.crowd import LONG
from support.daemon import children_of
from support.faults import BINARY as FAULTS_BINARY
from support.program import PASSES, Program
from support.traffic import Traffic
from support.upgrades import assert_upgrades, client_of, pair, rolled_back, upgrade
from support.waiting import wait_until

DEATHS = r" error (worker|guardian) died"
MANY = 10 if LONG else 3
ENDED = "it ended before it served"
HUNG = "it didn't serve in time"

# What the new program does instead of taking over, what its process ends with, and what is said.
FAILURES = {
    "fails": ("exit 3", 3, ENDED),
    "ends": ("exit 0", 0, ENDED),
    "crashes": ("kill -SEGV $$", -signal.SIGSEGV, ENDED),
    "is_killed": ("kill -KILL $$", -signal.SIGKILL, ENDED),
    "hangs": ("exec sleep 1000", -signal.SIGKILL, HUNG),
    "is_not_holdfast": ("exec /bin/true", 0, ENDED),
}

# Where the new program's worker fails before it may serve, how, and what its guardian ends with.
WORKER_FAILURES = [
    ("worker_starts", "segv", 1, ENDED),
    ("worker_starts", "stop", -signal.SIGKILL, HUNG),
    ("takeover_begins", "kill", 1, ENDED),
    ("takeover_counts_cleared", "abort", 1, ENDED),
    ("takeover_counted", "segv", 1, ENDED),
    ("takeover_done", "kill", 1, ENDED),
    ("takeover_done", "spin", -signal.SIGKILL, HUNG),
]


def that_does(action):
    """A program that passes the look at it, and does this when it is to take over."""
    return f"{PASSES}{action}\n".encode()


def assert_can_be_upgraded(daemon, program):
    program.become_another_build()
    upgrade(daemon)
    assert program.is_run_by(*pair(daemon))


@pytest.fixture
def fault_program():
    with contextlib.closing(Program(FAULTS_BINARY)) as made:
        yield made


@pytest.fixture
def faulty_echoing(holdfast, fault_program, faults, tcp_server, address):
    """The same as `echoing`, in the build with fault points."""
    assert FAULTS_BINARY.exists(), f"{FAULTS_BINARY} is not built"
    text = web("%s:%d" % address, tcp_server(tcp.echo).address, pool={"health": NO_CHECKS})
    return holdfast(text, binary=fault_program.path, environment=faults.environment)


@pytest.mark.parametrize("failure", FAILURES)
def test_a_program_that_fails_to_take_over_is_rolled_back(echoing, program, address, failure):
    action, ends_with, reason = FAILURES[failure]
    echoing.expect_log(DEATHS)
    with client_of(address):
        program.become(that_does(action))
        rolled_back(echoing, reason, ends_with)
        assert_upgrades(echoing, rolled_back=1)
        echoing.kill_worker()
        assert_can_be_upgraded(echoing, program)
        assert_upgrades(echoing, rolled_back=1, succeeded=1)
        echoing.kill_worker()
        echoing.kill_guardian()
        assert program.is_run_by(*pair(echoing))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("rm $0", "no such file or directory"),
        ("chmod a-x $0", "permission denied"),
        ("echo no program > $0.new; chmod +x $0.new; mv $0.new $0", "exec format error"),
    ],
    ids=["is_gone", "may_not_be_executed", "is_no_program"],
)
def test_a_program_that_changed_after_the_look_at_it_is_rolled_back(
    echoing, program, address, change, reason
):
    before = echoing.guardian_pid
    with client_of(address):
        program.become(f'#!/bin/sh\n{change}\nexec {BINARY} "$@"\n'.encode())
        rolled_back(echoing, f"it can't be executed: {reason}")
        assert_can_be_upgraded(echoing, program)
        assert echoing.guardian_pid == before
        assert_upgrades(echoing, rolled_back=1, succeeded=1)


@pytest.mark.parametrize(("point", "action", "ends_with", "reason"), WORKER_FAILURES)
def test_a_program_whose_worker_fails_before_it_serves_is_rolled_back(
    faulty_echoing, fault_program, faults, address, point, action, ends_with, reason
):
    faulty_echoing.expect_log(DEATHS)
    with client_of(address):
        fault_program.become_another_build()
        faults.arm(point, action)
        rolled_back(faulty_echoing, reason, ends_with)
        assert faults.fired(point) == 1
        faulty_echoing.kill_worker()
        assert_can_be_upgraded(faulty_echoing, fault_program)
        assert_upgrades(faulty_echoing, rolled_back=1, succeeded=1)


def test_a_new_programs_worker_that_wakes_up_too_late_ends(
    faulty_echoing, fault_program, faults, address
):
    """Its guardian has died, and the keeper has another worker by then."""
    faulty_echoing.expect_log(DEATHS)
    first = faulty_echoing.guardian_pid
    with client_of(address), ThreadPoolExecutor() as threads:
        fault_program.become_another_build()
        faults.arm("worker_cloned", "stop")
        done = threads.submit(rolled_back, faulty_echoing, ENDED)
        faults.wait_until_fired("worker_cloned")
        (late,) = wait_until(lambda: [pid for pid in children_of(first) if state_of(pid) == "T"])
        os.kill(first, signal.SIGKILL)
        faulty_echoing.follow_guardian(-signal.SIGKILL)
        os.kill(late, signal.SIGCONT)
        done.result()
        faulty_echoing.wait_until_whole()
        assert_can_be_upgraded(faulty_echoing, fault_program)


def test_a_worker_that_crashes_once_it_serves_is_followed_by_another_of_the_new_program(
    faulty_echoing, fault_program, faults, address
):
    """There is no way back by then: the old program has made way."""
    faulty_echoing.expect_log(DEATHS)
    with client_of(address):
        fault_program.become_another_build()
        faults.arm("recovery_resumed", "segv")
        upgrade(faulty_echoing)
        faulty_echoing.wait_for_log(r" warning worker took over cause=crashed ")
        faulty_echoing.wait_until_whole()
        assert fault_program.is_run_by(*pair(faulty_echoing))
        assert_upgrades(faulty_echoing, succeeded=1)


@pytest.mark.limit(180)
def test_no_traffic_notices_upgrades_that_are_rolled_back(holdfast, program, tcp_server):
    traffic = Traffic(tcp_server)
    daemon = holdfast(traffic.config, binary=program.path)
    daemon.expect_log(DEATHS)
    daemon.kill_worker()
    descriptors = daemon.open_descriptors()
    with traffic:
        for _ in range(MANY):
            for action, ends_with, reason in FAILURES["fails"], FAILURES["hangs"]:
                program.become(that_does(action))
                rolled_back(daemon, reason, ends_with)
                traffic.wait_for_any_answers(50)
        assert_upgrades(daemon, rolled_back=2 * MANY)
        assert_can_be_upgraded(daemon, program)
    assert_nothing_was_lost(daemon)
    assert_nothing_is_left(daemon, descriptors)


def test_an_instance_stops_in_order_after_an_upgrade_was_rolled_back(echoing, program):
    program.become(that_does("exit 3"))
    rolled_back(echoing, ENDED, 3)
    # What the fixture looks at in the end; here it is what the test is about.
    echoing.assert_ends_well()
    assert echoing.log[-1].endswith(" info stopped")


def test_systemd_learns_which_process_goes_on(holdfast, program, systemd, tcp_server, address):
    text = web("%s:%d" % address, tcp_server(tcp.echo).address, pool={"health": NO_CHECKS})
    daemon = holdfast(text, binary=program.path, environment=systemd.environment)
    program.become(that_does("exit 3"))
    rolled_back(daemon, ENDED, 3)
    systemd.next_with(f"MAINPID={daemon.guardian_pid}")
