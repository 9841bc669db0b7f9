"""No point in the life of a connection is unsafe: a worker dies at each of them, unnoticed.

The balancer is the build with fault points (cmake --preset faults). Each point gets two tests, one
for each of two signals; without HOLDFAST_LONG=1 in the environment it gets one, the signals in
turn. `make test-long` runs them all.
"""

import os
import random

import pytest
from support import faults as faults_module
from support.aftermath import (
    assert_nothing_is_left,
    assert_nothing_was_lost,
    assert_restarts,
    kill_worker,
)
from support.binary import BINARY as RELEASE
from support.continuity import RESTARTS
from support.faults import OF_OPERATORS, POINTS
from support.traffic import Traffic

SIGNALS = ("segv", "abort")
LONG = os.environ.get("HOLDFAST_LONG") == "1"

# Passed by the first worker alone, before it serves.
AT_START = {"listening_bound", "listening_recorded", "listening_listens"}

# Passed by a successor only, and some of them only by the successor of a worker that was killed at
# a certain point. (Killed: it isn't blamed on a connection then.)
RECOVERY = {
    "takeover_crash_noted": "session_woken",
    "takeover_client_found": "accept_client_unrecorded",
    "recovery_client_taken": "accept_client_unrecorded",
    "recovery_client_recorded": "accept_client_unrecorded",
    "recovery_pipe_half_closed": "pump_pipe_half_named",
    "recovery_pipe_closed": "pump_pipe_half_named",
    "recovery_held_counted": "pump_held_noted",
    "recovery_copy_measured": "copy_sent",
    "recovery_copy_dropped": "copy_sent",
    "recovery_copy_ended": "copy_sent",
    "recovery_socket_forgotten": "connector_polled",
    "recovery_second_forgotten": "connector_polled",
    "recovery_begins_again": "connector_polled",
}
ANYWHERE = "session_woken"

# Passed only when the worker before crashed at a connection, instead of being killed.
BLAMED = {"takeover_crash_noted"}

# Passed so seldom by a worker with a history that it takes a new one.
SELDOM = {"worker_cloned", "worker_starts", "pipes_made", "pipes_enlarged"}

# Passed only where a connection is given up, which other tests see to.
OF_LOST_CONNECTIONS = {
    "takeover_quarantined",
    "takeover_quarantine_counted",
    "recovery_given_up",
    "recovery_discarded",
    "poison",
}

SAFE = [point for point in POINTS if point not in {*OF_LOST_CONNECTIONS, *OF_OPERATORS}]


def runs(points):
    """Each point with each signal, or with one of them in turn."""
    return [
        (point, action)
        for number, point in enumerate(points)
        for turn, action in enumerate(SIGNALS)
        if LONG or number % len(SIGNALS) == turn
    ]


def died_first_at(point):
    """Where a worker has to be killed for its successor to pass the point."""
    if point in RECOVERY:
        return RECOVERY[point]
    if point in SELDOM or point.startswith(("takeover_", "recovery_")):
        return ANYWHERE
    return None


@pytest.mark.parametrize(("point", "action"), runs(SAFE))
def test_nobody_notices_that_a_worker_dies(faulty, tcp_server, faults, point, action):
    chance = random.Random(f"{point} {action}")
    traffic = Traffic(tcp_server)
    first = died_first_at(point)
    if point in AT_START:
        faults.arm(point, action, chance.randrange(1, 6))
    daemon = faulty(traffic.config)
    descriptors = daemon.open_descriptors()
    with traffic:
        said = len(daemon.log)
        if first:
            faults.arm(point, action)
            faults.arm(first, action if point in BLAMED else "kill", chance.randrange(1, 4))
        elif point not in AT_START:
            faults.arm(point, action, chance.randrange(1, 4))
        faults.wait_until_fired(point)
        if point not in AT_START:
            daemon.wait_for_log(r" info ready$", after=said)
    assert faults.fired(point) == 1
    if point in BLAMED:
        assert_restarts(daemon, crashed=2)
    elif point in SELDOM and daemon.metrics().sum(RESTARTS) == 1:
        # Another thread was killed while this one was still writing its stack.
        assert_restarts(daemon, killed=1)
    else:
        assert_restarts(daemon, crashed=1, killed=1 if first else 0)
    assert_nothing_was_lost(daemon)
    assert_nothing_is_left(daemon, descriptors)


@pytest.mark.parametrize("how", ["spliced", "copied"])
def test_every_byte_is_in_one_place_after_random_kills(faulty, tcp_server, how):
    """This build ends itself when a successor finds that what a connection's source gave is not
    what its sink got and what the pipe holds."""
    chance = random.Random(how)
    traffic = Traffic(tcp_server, has_pipes=how == "spliced")
    if how == "spliced":
        daemon = faulty(traffic.config)
    else:
        # All descriptors that the process and its 37 sockets don't need are for connections.
        daemon = faulty(
            traffic.config + "max_connections: 100\n", before=["prlimit", "--nofile=397"]
        )
        daemon.wait_for_log(r" info limits .* pipes=0$")
    descriptors = daemon.open_descriptors()
    kills = 10
    with traffic:
        for _ in range(kills):
            traffic.wait_for_any_answers(chance.randrange(1, 50))
            kill_worker(daemon)
    assert_restarts(daemon, killed=kills)
    assert_nothing_was_lost(daemon)
    assert_nothing_is_left(daemon, descriptors)


def test_the_release_binary_has_no_trace_of_fault_points():
    program = RELEASE.read_bytes()
    for trace in ("HOLDFAST_FAULT", "holdfast::fault", "N8holdfast5fault", *POINTS):
        if trace != "poison":
            assert trace.encode() not in program, trace


def test_the_fault_build_has_them_all():
    program = faults_module.BINARY.read_bytes()
    assert all(point.encode() in program for point in POINTS)
