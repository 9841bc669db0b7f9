"""What must hold after workers have died, of a balancer that relays support.traffic."""

import os
import signal

from support.traffic import Traffic
from support.waiting import wait_until

RESTARTS = "holdfast_worker_restarts_total"


def kill_worker(daemon):
    """Returns once its successor serves."""
    said = len(daemon.log)
    os.kill(daemon.worker_pid, signal.SIGKILL)
    daemon.wait_for_log(r" info ready$", after=said)


def assert_restarts(daemon, **causes):
    metrics = daemon.metrics()
    for cause in ("crashed", "killed", "hung", "exited", "guardian"):
        assert metrics.value(RESTARTS, cause=cause) == causes.get(cause, 0), cause


def assert_nothing_was_lost(daemon):
    metrics = daemon.metrics()
    assert metrics.value("holdfast_connections_lost_in_recovery_total") == 0
    assert metrics.value("holdfast_connections_quarantined_total") == 0
    for listener in set(Traffic.LISTENERS) - Traffic.REJECTING:
        assert metrics.sum("holdfast_listener_rejected_total", listener=listener) == 0


def assert_nothing_is_left(daemon, before):
    """Once all clients are gone: no connection in any count, and no descriptor more than a worker
    has that never had a client."""

    def open_connections():
        metrics = daemon.metrics()
        return {
            (name, *labels): value
            for name in (
                "holdfast_connections_active",
                "holdfast_listener_connections_active",
                "holdfast_backend_connections_active",
            )
            for labels, value in metrics.named(name).items()
            if value != 0
        }

    try:
        wait_until(lambda: not open_connections())
    except AssertionError:
        assert open_connections() == {}
    kill_worker(daemon)
    try:
        wait_until(lambda: daemon.open_descriptors() == before)
    except AssertionError:
        assert daemon.open_descriptors() == before
