"""A guardian or worker that can't open one more descriptor when its counterpart is to be looked after:
nothing is lost, and what couldn't be done is done once there is room."""

import contextlib
import os
import resource
import signal

from support.upgrades import assert_upgrades, client_of, pair, rolled_back, upgrade


@contextlib.contextmanager
def full_table(pid):
    """Not one number below the limit is free (getrlimit(2)) as long as this lasts."""
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, hard))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))


def test_an_upgrade_that_nobody_could_take_back_is_not_begun(echoing, program, address):
    before = pair(echoing)
    with client_of(address):
        program.become_another_build()
        with full_table(echoing.guardian_pid):
            rolled_back(echoing, "it can't be executed: too many open files")
        assert pair(echoing) == before
        assert_upgrades(echoing, rolled_back=1)
        upgrade(echoing)
        assert_upgrades(echoing, rolled_back=1, succeeded=1)


def test_a_guardian_that_could_not_be_replaced_at_once_is_replaced_later(echoing, address):
    worker = echoing.worker_pid
    echoing.expect_log(r" error (guardian died|guardian not replaced|worker died) ")
    said = len(echoing.log)
    with client_of(address):
        with full_table(worker):
            os.kill(echoing.guardian_pid, signal.SIGKILL)
            echoing.wait_for_log(r' error guardian not replaced reason="too many open files"')
        echoing.wait_for_log(r" info ready$", after=said)
        echoing.follow_guardian(-signal.SIGKILL)
        echoing.wait_until_whole()
