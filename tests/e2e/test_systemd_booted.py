"""The unit under a systemd that has really booted: what happens there to connections when processes
die, and what its administrator is told."""

import contextlib
import re
from pathlib import Path

import pytest
from support import cgroup, tcp
from support.waiting import wait_until

CROWD = 100

pytestmark = pytest.mark.limit(240)


@pytest.fixture
def echo(service):
    """A running unit in front of a server that sends back what comes."""
    service.start_before(tcp.echo)
    return service


def status_of(pid):
    """proc(5), status."""
    content = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return dict(line.split(":\t", 1) for line in content.splitlines())


def test_it_runs_and_says_how_it_is(echo):
    assert echo.state == "active (running)"
    assert echo.is_whole()
    wait_until(lambda: echo.show("StatusText") == "0 connections, 1 of 1 backends up")
    with echo.connect() as client:
        assert tcp.echoes(client)
        wait_until(lambda: echo.show("StatusText") == "1 connections, 1 of 1 backends up")


def test_both_processes_are_in_the_sandbox(echo):
    for pid in echo.guardian, echo.worker:
        status = status_of(pid)
        assert "0" not in status["Uid"].split()
        assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")  # 2: a filter


def test_a_worker_that_is_killed_in_the_sandbox_costs_no_connection(echo):
    guardian, worker = echo.guardian, echo.worker
    with echo.connect() as client:
        assert tcp.echoes(client)
        for _ in range(3):
            echo.kill(echo.worker)
            assert tcp.echoes(client)
    assert (echo.guardian, echo.show("NRestarts")) == (guardian, "0")
    assert echo.worker != worker


def test_a_worker_that_runs_out_of_memory_costs_no_connection(echo):
    if not cgroup.has_controller("memory"):
        pytest.skip("no hierarchy of control groups for memory alone on this machine")
    guardian, worker = echo.guardian, echo.worker
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(echo.connect())
        memory = stack.enter_context(memory_of_its_own(worker))
        assert tcp.echoes(client)
        memory.set("memory.limit_in_bytes", 1 << 16)
        crowd = [stack.enter_context(echo.connect()) for _ in range(CROWD)]  # costs memory
        wait_until(lambda: worker not in echo.processes() and echo.is_whole())
        assert oom_kills(memory) == 1
        assert all(tcp.echoes(one) for one in [client, *crowd])
    assert (echo.guardian, echo.show("NRestarts")) == (guardian, "0")
    wait_until(lambda: any(" worker died cause=killed " in line for line in echo.journal()))


@contextlib.contextmanager
def memory_of_its_own(pid):
    group = cgroup.ControlGroup(f"holdfast-memory-{pid}", "memory")
    group.add(pid)
    try:
        yield group
    finally:
        group.set("memory.limit_in_bytes", -1)
        group.close()


def oom_kills(memory):
    (folder,) = memory.folders
    content = (folder / "memory.oom_control").read_text(encoding="ascii")
    return int(re.search(r"^oom_kill (\d+)$", content, re.MULTILINE)[1])


def test_a_configuration_that_is_mended_heals_a_unit_that_does_not_start(service):
    service.write_configuration("listeners: nothing of the kind")
    service.systemctl("start", check=False)
    wait_until(lambda: int(service.show("NRestarts")) >= 3)
    wait_until(lambda: any("holdfast.yaml:1:12: error: " in line for line in service.journal()))
    service.configure("127.0.0.1:1")
    service.wait_until_whole()


def test_stop_lets_connections_finish_and_leaves_nothing(echo):
    with echo.connect() as client:
        assert tcp.echoes(client)
        echo.systemctl("stop", "--no-block")
        wait_until(lambda: echo.state == "deactivating (stop-sigterm)")
        wait_until(echo.refuses)
        assert tcp.echoes(client)
    wait_until(lambda: echo.state == "inactive (dead)")
    assert echo.show("Result") == "success"
    wait_until(lambda: echo.processes() == [])
