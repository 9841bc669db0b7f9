"""An upgrade to a program that is good when it is looked at and fails when it is to take over: the
one that ran before goes on with every connection."""

import contextlib
import signal

import pytest
from support import tcp
from support.aftermath import assert_nothing_was_lost
from support.binary import BINARY
from support.configuration import NO_CHECKS, web
from support.daemon import members_of
from support.faults import BINARY as FAULTS_BINARY
from support.ports import free_port
from support.program import PASSES, Program
from support.traffic import Traffic
from support.upgrades import assert_upgrades, client_of, pair, rolled_back, upgrade

# What the new program does instead of taking over; with what its process ends, None: it doesn't,
# it is the old program again; what is said of it.
FAILURES = {
    "fails": ("exit 3", 3, "it ended before it served"),
    "ends": ("exit 0", 0, "it ended before it served"),
    "crashes": ("kill -SEGV $$", -signal.SIGSEGV, "it ended before it served"),
    "is_killed": ("kill -KILL $$", -signal.SIGKILL, "it ended before it served"),
    "hangs": ("exec sleep 1000", -signal.SIGKILL, "it didn't serve in time"),
    "refuses_its_arguments": (f"exec {BINARY} run --nonsense", 2, "it ended before it served"),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_program_that_fails_to_take_over_is_rolled_back(echoing, program, address, failure):
    action, ends_with, reason = FAILURES[failure]
    echoing.expect_log(r" error (worker|guardian) died")
    with client_of(address):
        program.become(f"{PASSES}{action}\n".encode())
        rolled_back(echoing, reason, ends_with)
        assert_upgrades(echoing, rolled_back=1)
        echoing.kill_worker()
        program.become_another_build()
        upgrade(echoing)
        assert program.is_run_by(*pair(echoing))
        echoing.kill_worker()
        assert_upgrades(echoing, rolled_back=1, succeeded=1)
        echoing.kill_guardian()
        assert program.is_run_by(*pair(echoing))
