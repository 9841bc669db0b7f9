"""Ending the balancer's processes, and what must hold of its connections then."""

import contextlib
import os
import signal
import socket
from pathlib import Path

from support import tcp
from support.waiting import wait_until

RESTARTS = "holdfast_worker_restarts_total"
RECOVERED = "holdfast_connections_recovered_total"
LOST = "holdfast_connections_lost_in_recovery_total"

# Lines of level error about a worker that was killed by the test, and about its guardian.
DEATHS = r" error (worker died|guardian died|worker hangs)"


def kill_worker(daemon, number=signal.SIGKILL):
    """Returns once its successor serves."""
    daemon.kill_worker(number)


@contextlib.contextmanager
def no_worker(daemon):
    """Within it the worker is dead and its guardian, the first one, stands still; afterwards a
    successor serves."""
    worker = daemon.worker_pid
    said = len(daemon.log)
    with standing_still(daemon.pid):
        os.kill(worker, signal.SIGKILL)
        wait_until(lambda: _is_dead(worker))
        yield
    daemon.wait_for_log(r" info ready$", after=said)


@contextlib.contextmanager
def standing_still(*processes):
    """SIGSTOP, until it has taken effect; SIGCONT afterwards."""
    try:
        for process in processes:
            os.kill(process, signal.SIGSTOP)
            wait_until(lambda: state_of(process) == "T")
        yield
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


def state_of(process):
    """One letter; the name before it may hold anything (proc(5))."""
    text = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    return text.rpartition(")")[2].split()[0]


def _is_dead(process):
    """Nobody has waited for it yet, and none of its threads is left."""
    return state_of(process) == "Z" and os.listdir(f"/proc/{process}/task") == [str(process)]


def echoes(client, data=b"are you there?"):
    client.sendall(data)
    return tcp.read_exactly(client, len(data)) == data


@contextlib.contextmanager
def connected(address, count):
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(socket.create_connection(address, 10)) for _ in range(count)]


def assert_nothing_was_lost(daemon, kills, cause="killed"):
    metrics = daemon.metrics()
    assert metrics.value(RESTARTS, cause=cause) == kills
    assert metrics.value(LOST) == 0
    assert metrics.sum("holdfast_listener_rejected_total") == 0
