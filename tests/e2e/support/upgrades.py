"""`holdfast upgrade` of a balancer under observation, and what must hold afterwards."""

import contextlib
import re

from support import tcp
from support.continuity import connected

UPGRADES = "holdfast_upgrades_total"
RESULTS = "succeeded", "refused", "rolled_back"


def upgrade(daemon):
    """To what the program's file holds now."""
    done = daemon.tell("upgrade")
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"upgraded, holdfast \S+ serves\n", done.stdout)
    daemon.wait_until_whole()


def rolled_back(daemon, reason, ends_with=None):
    """The same with a program that fails to take over, so that the one before it goes on: in
    another process when the first one, which was to execute the new program, ended with this."""
    daemon.expect_log(r" error upgrade rolled back ")
    done = daemon.tell("upgrade")
    assert done.returncode == 1
    assert done.stdout == ""
    goes_on = "holdfast: rolled back, the program that ran before goes on"
    assert done.stderr == f"{goes_on}: {reason}\n"
    if ends_with is not None:
        daemon.follow_guardian(ends_with)
    daemon.wait_until_whole()


def assert_upgrades(daemon, **results):
    """So many ended with each result."""
    metrics = daemon.metrics()
    counted = {result: metrics.value(UPGRADES, result=result) for result in RESULTS}
    assert counted == dict.fromkeys(RESULTS, 0) | results


def pair(daemon):
    return daemon.guardian_pid, daemon.worker_pid


@contextlib.contextmanager
def client_of(address):
    """Of a server that echoes. It and a new one must both be served when the block ends."""
    with connected(address, 1) as (client,):
        assert tcp.echoes(client)
        yield
        assert tcp.echoes(client)
    with connected(address, 1) as (client,):
        assert tcp.echoes(client)
