"""What `holdfast upgrade` does: another program file serves, and no connection notices; or it is no
good, and the one that ran before goes on."""

import contextlib
import os
import re
import struct
from pathlib import Path

import pytest
from support import tcp
from support.aftermath import assert_nothing_is_left, assert_nothing_was_lost
from support.binary import BINARY, ROOT
from support.command import holdfast as run_holdfast
from support.configuration import NO_CHECKS, web
from support.continuity import connected
from support.crowd import LONG
from support.daemon import children_of
from support.ports import free_port
from support.process import Process
from support.program import PASSES
from support.traffic import Traffic
from support.upgrades import assert_upgrades, client_of, pair, upgrade
from support.waiting import wait_until

MANY = 20 if LONG else 4
LAYOUT = int(
    re.search(
        r"kLayoutVersion = (\d+);",
        (ROOT / "include/holdfast/state/header.h").read_text(encoding="utf-8"),
    )[1]
)


def descriptors(pid):
    """(number, flags) of each: proc(5), fdinfo."""
    found = {}
    for number in os.listdir(f"/proc/{pid}/fdinfo"):
        with (
            contextlib.suppress(FileNotFoundError),  # closed meanwhile: an answer's, say
            open(f"/proc/{pid}/fdinfo/{number}", encoding="ascii") as file,
        ):
            found[int(number)] = int(re.search(r"^flags:\s*(\d+)", file.read(), re.M)[1], 8)
    return found


@pytest.mark.limit(240)
def test_no_traffic_notices_upgrades(holdfast, program, tcp_server):
    traffic = Traffic(tcp_server)
    daemon = holdfast(traffic.config, binary=program.path)
    daemon.expect_log(r" error worker died")
    daemon.kill_worker()
    guardian, before = daemon.guardian_pid, daemon.open_descriptors()
    with traffic:
        for _ in range(MANY):
            program.become_another_build()
            upgrade(daemon)
            assert daemon.guardian_pid == guardian
            assert program.is_run_by(*pair(daemon))
            traffic.wait_for_any_answers(50)
    assert_upgrades(daemon, succeeded=MANY)
    assert_nothing_was_lost(daemon)
    assert_nothing_is_left(daemon, before)


@pytest.mark.limit(240)
def test_upgrades_and_deaths_in_turn_cost_nothing(holdfast, program, tcp_server):
    traffic = Traffic(tcp_server)
    daemon = holdfast(traffic.config, binary=program.path)
    daemon.expect_log(r" error worker died")
    with traffic:
        for _ in range(3):
            daemon.kill_worker()
            program.become_another_build()
            upgrade(daemon)
            traffic.wait_for_any_answers(20)
            daemon.kill_worker()
            assert program.is_run_by(*pair(daemon))
    assert_upgrades(daemon, succeeded=3)
    assert_nothing_was_lost(daemon)


def test_what_was_counted_and_whose_turn_it_is_outlive_an_upgrade(
    holdfast, program, tcp_server, address
):
    greeters = [tcp_server(tcp.greeter(name)).address for name in "abc"]
    text = web("%s:%d" % address, *greeters, pool={"health": NO_CHECKS})
    daemon = holdfast(text, binary=program.path)
    started = daemon.metrics().value("holdfast_start_time_seconds")
    names = []
    for number in range(1, 7):
        with connected(address, 1) as (client,):
            names.append(tcp.read_exactly(client, 1))
        program.become_another_build()
        upgrade(daemon)
        metrics = daemon.metrics()
        assert metrics.sum("holdfast_listener_connections_total") == number
        assert metrics.value("holdfast_start_time_seconds") == started
    assert names[:3] == names[3:]
    assert set(names) == {b"a", b"b", b"c"}


def test_descriptors_do_not_pile_up_and_no_program_inherits_them(echoing, program, address):
    with client_of(address):
        counts = []
        for _ in range(6):
            program.become_another_build()
            upgrade(echoing)
            counts.append(len(descriptors(echoing.guardian_pid)))
            for pid in pair(echoing):
                inherited = {
                    number
                    for number, flags in descriptors(pid).items()
                    if not flags & os.O_CLOEXEC
                }
                assert inherited <= {0, 1, 2}
        # An exchange with the admin interface may just have been under way.
        assert max(counts) - min(counts) <= 2, counts


def test_an_upgrade_to_the_same_file_starts_it_anew(echoing, program, address):
    worker = echoing.worker_pid
    with client_of(address):
        upgrade(echoing)
    assert echoing.worker_pid != worker
    assert program.is_run_by(*pair(echoing))


def test_an_upgrade_goes_by_the_configuration_in_force_and_a_reload_by_the_same_file(
    echoing, program, tcp_server, address
):
    other = web("%s:%d" % address, tcp_server(tcp.greeter("b")).address, pool={"health": NO_CHECKS})
    assert echoing.reload(other) != []
    echoing.write_config("somebody is half-way through an edit")
    program.become_another_build()
    upgrade(echoing)
    with connected(address, 1) as (client,):
        assert tcp.read_exactly(client, 1) == b"b"
    echoing.expect_log(r" error reload failed ")
    refused = echoing.tell("reload")
    assert refused.returncode == 1
    assert str(echoing.config_file) in refused.stderr
    last = web("%s:%d" % address, tcp_server(tcp.greeter("c")).address, pool={"health": NO_CHECKS})
    echoing.reload(last)
    with connected(address, 1) as (client,):
        assert tcp.read_exactly(client, 1) == b"c"


def test_after_the_guardian_was_killed_an_upgrade_goes_on_with_the_new_one(
    echoing, program, address
):
    echoing.expect_log(r" error guardian died")
    with client_of(address):
        echoing.kill_guardian()
        program.become_another_build()
        upgrade(echoing)
        assert program.is_run_by(*pair(echoing))
        echoing.kill_guardian()
        echoing.wait_until_whole()
        assert program.is_run_by(*pair(echoing))


def test_an_instance_stops_in_order_right_after_an_upgrade(echoing, program):
    program.become_another_build()
    done = echoing.tell("upgrade")
    assert done.returncode == 0, done.stderr
    assert echoing.stop() == 0
    assert echoing.log[-1].endswith(" info stopped")


def test_an_instance_that_is_told_to_stop_during_an_upgrade_stops_in_order(echoing, program):
    """The new program finds the signal when it is executed."""
    program.become(f"{PASSES}kill -TERM $$\nexec {BINARY} \"$@\"\n".encode())
    done = echoing.tell("upgrade")
    assert done.returncode == 1
    assert "the instance ended during the upgrade" in done.stderr
    assert echoing.wait() == 0
    assert echoing.log[-1].endswith(" info stopped")


REFUSED = {
    "says_nothing": (b"#!/bin/sh\nexit 0\n", 'is not holdfast: it says ""'),
    "says_something_else": (b"#!/bin/sh\necho GNU hello 2.10\n", 'it says "GNU hello 2.10"'),
    "fails": (
        b"#!/bin/sh\necho cannot start here >&2\nexit 7\n",
        r"can't take over \(exit code 7\): cannot start here",
    ),
    "crashes": (b"#!/bin/sh\nkill -SEGV $$\n", r"can't take over \(signal 11\)"),
    "hangs": (b"#!/bin/sh\nexec sleep 1000\n", "hangs: it didn't end within 5 s"),
    "talks_without_end": (b"#!/bin/sh\nexec yes\n", "hangs: it didn't end within 5 s"),
    "leaves_a_process": (
        b"#!/bin/sh\nsleep 1000 &\necho no >&2\nexit 1\n",
        r"can't take over \(exit code 1\): no",
    ),
    "is_no_program": (b"not a program", "exec format error"),
    "is_empty": (b"", "exec format error"),
    "is_cut_off": (BINARY.read_bytes()[:100_000], r"exec format error|can't take over \(signal"),
    "is_another_program": (Path("/bin/true").read_bytes(), "is not holdfast"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_program_that_is_no_good_is_refused(echoing, program, address, kind):
    content, reason = REFUSED[kind]
    with refused(echoing, address, reason):
        program.become(content)


def test_a_program_that_may_not_be_executed_is_refused(echoing, program, address):
    with refused(echoing, address, "permission denied"):
        program.become(BINARY.read_bytes(), mode=0o644)


def test_a_program_that_is_gone_is_refused(echoing, program, address):
    with refused(echoing, address, "no such file or directory"):
        program.remove()


def test_a_program_with_another_layout_of_the_state_is_refused(echoing, address):
    """As the running one is of another version than the file, it is the running one here."""
    reason = f"keeps its state in layout version {LAYOUT + 1}, this build in version {LAYOUT}"
    with refused(echoing, address, reason):
        set_layout(echoing, LAYOUT + 1)
    set_layout(echoing, LAYOUT)
    upgrade(echoing)


@contextlib.contextmanager
def refused(daemon, address, reason):
    """What is done within it makes an upgrade impossible, which changes nothing."""
    with client_of(address):
        before = pair(daemon), len(descriptors(daemon.guardian_pid))
        yield
        done = daemon.tell("upgrade")
        assert done.returncode == 1
        assert done.stdout == ""
        said = re.fullmatch(r"holdfast: refused, nothing was changed: (.*)\n", done.stderr)
        assert re.search(reason, said[1])
        daemon.wait_until_whole()
        assert children_of(daemon.worker_pid) == []
        assert pair(daemon) == before[0]
        wait_until(lambda: len(descriptors(daemon.guardian_pid)) <= before[1])
    assert_upgrades(daemon, refused=1)


def set_layout(daemon, version):
    """In the header of the region, where it comes after a number of eight bytes."""
    for entry in Path(f"/proc/{daemon.guardian_pid}/fd").iterdir():
        if os.readlink(entry).startswith("/memfd:holdfast-state"):
            with entry.open("r+b") as region:
                region.seek(8)
                region.write(struct.pack("=I", version))


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (b"", "this is not holdfast's shared memory"),
        (b"HOLDFAST", f"keeps its state in layout version 0, this build in version {LAYOUT}"),
        (
            struct.pack("=8sI", b"HOLDFAST", LAYOUT),
            f"has another size than layout version {LAYOUT} has",
        ),
    ],
    ids=["no_region", "other_layout", "other_size"],
)
def test_a_region_that_is_not_understood_fails_the_rehearsal(header, reason):
    region = os.memfd_create("region")
    try:
        os.ftruncate(region, 1 << 30)
        os.pwrite(region, header, 0)
        words = ["rehearse", "--region", region, "--config", region]
        done = run_holdfast(*words, pass_fds=[region])
    finally:
        os.close(region)
    assert done.returncode == 1
    assert done.stdout == ""
    assert reason in done.stderr


def test_an_instance_without_a_guardian_refuses(tmp_path, tcp_server, socket_directory):
    control = socket_directory / "control"
    file = tmp_path / "holdfast.yaml"
    rest = f"admin: {{ http: off, socket: {control} }}"
    backend = tcp_server(tcp.echo).address
    file.write_text(web(f"127.0.0.1:{free_port()}", backend, rest=rest), encoding="utf-8")
    alone = Process([BINARY, "run", "--no-guardian", "-c", file])
    try:
        alone.wait_for_log(r" info ready$")
        done = run_holdfast("upgrade", "--socket", control)
        assert done.returncode == 1
        assert "refused, nothing was changed: there is no guardian" in done.stderr
        assert alone.stop() == 0
    finally:
        alone.kill()
