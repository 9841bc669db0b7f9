"""What becomes of connections when the balancer is told to end in the middle of an upgrade: what
becomes of them at any other time."""

import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest
from support import tcp
from support.binary import BINARY
from support.configuration import NO_CHECKS, web
from support.continuity import echoes, standing_still
from support.daemon import members_of
from support.waiting import wait_until


@pytest.fixture
def relaying(faulty, tcp_server, free_port):
    """A balancer in the build with fault points, and a connection through it."""
    address = ("127.0.0.1", free_port())
    daemon = faulty(
        web("%s:%d" % address, tcp_server(tcp.echo).address, pool={"health": NO_CHECKS})
    )
    with socket.create_connection(address, 10) as client:
        assert echoes(client)
        yield daemon, client


def test_a_worker_that_makes_way_is_followed_by_one_that_ends_in_order(relaying):
    daemon, client = relaying
    with standing_still(daemon.worker_pid):
        os.kill(daemon.pid, signal.SIGUSR2)
        wait_until(lambda: is_pending(daemon.worker_pid, signal.SIGUSR1))
        os.kill(daemon.pid, signal.SIGTERM)
        wait_until(lambda: is_pending(daemon.worker_pid, signal.SIGTERM))
    daemon.wait_for_log(r" worker took over .* connections=1 ")
    daemon.wait_for_log(r" info stopping connections=1 ")
    assert echoes(client)
    client.close()
    assert daemon.wait() == 0


def test_a_new_program_that_fails_has_not_taken_the_word_to_end_with_it(relaying, faults):
    daemon, client = relaying
    daemon.expect_log(r" error upgrade rolled back ")
    faults.arm("takeover_begins", "spin")
    os.kill(daemon.pid, signal.SIGUSR2)
    faults.wait_until_fired("takeover_begins")
    os.kill(daemon.pid, signal.SIGTERM)
    daemon.wait_for_log(r" error upgrade rolled back reason=\"it didn't serve in time\"")
    daemon.wait_for_log(r" info stopping connections=1 ")
    assert echoes(client)
    client.close()
    wait_until(lambda: not members_of(daemon.pid))
    daemon.expected_exit = -signal.SIGKILL  # of the program that failed


def test_who_asked_for_an_upgrade_that_stopping_comes_before_hears_of_it(
    holdfast, tcp_server, free_port
):
    address = ("127.0.0.1", free_port())
    daemon = holdfast(web("%s:%d" % address, tcp_server(tcp.echo).address))
    with socket.create_connection(address, 10) as client:
        assert echoes(client)
        with standing_still(daemon.guardian_pid):
            asking = subprocess.Popen(
                [BINARY, "upgrade", "--socket", daemon.socket], stderr=subprocess.PIPE, text=True
            )
            wait_until(lambda: is_pending(daemon.guardian_pid, signal.SIGUSR2))
            os.kill(daemon.guardian_pid, signal.SIGTERM)
        _, said = asking.communicate(timeout=20)  # sooner than it would give up waiting
        assert asking.returncode == 1
        assert said == "holdfast: not upgraded: the instance is stopping\n"
        assert echoes(client)
    assert daemon.wait() == 0


def is_pending(process, number):
    """Whether the signal waits for a process to take it (proc(5))."""
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    (pending,) = [line.split()[1] for line in status.splitlines() if line.startswith("ShdPnd:")]
    return bool(int(pending, 16) >> (number - 1) & 1)
