"""No point in the life of a connection is unsafe: a worker dies at each of them, unnoticed.

The balancer is the build with fault points (cmake --preset faults). Each point gets two tests, one
for each of two signals; without HOLDFAST_LONG=1 in the environment it gets one, the signals in
turn. `make test-long` runs them all.
"""

import contextlib
import os
import random
import signal
import socket

import pytest
from support import faults as faults_module
from support import tcp
from support.configuration import NO_CHECKS, web
from support.daemon import BINARY as RELEASE
from support.faults import ALWAYS, POINTS
from support.traffic import Traffic
from support.waiting import wait_until
from support.wire import Place

SIGNALS = ("segv", "abort")
LONG = os.environ.get("HOLDFAST_LONG") == "1"
RESTARTS = "holdfast_worker_restarts_total"
DEATHS = r" error (worker died cause=(crashed|killed|hung)|worker hangs)"

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
    "recovery_socket_forgotten": "session_connect_polled",
    "recovery_begins_again": "session_connect_polled",
}
ANYWHERE = "session_woken"

# Passed only when the worker before crashed at a connection, instead of being killed.
BLAMED = {"takeover_crash_noted"}

# Passed so seldom by a worker with a history that it takes a new one.
SELDOM = {"worker_starts", "pipes_made", "pipes_enlarged"}

# Passed only where a connection is given up, which other tests see to.
OF_LOST_CONNECTIONS = {
    "takeover_quarantined",
    "takeover_quarantine_counted",
    "recovery_given_up",
    "recovery_discarded",
    "poison",
}

SAFE = [point for point in POINTS if point not in OF_LOST_CONNECTIONS]


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


@pytest.fixture
def faults(tmp_path):
    assert faults_module.BINARY.exists(), f"{faults_module.BINARY} is not built"
    made = faults_module.Faults(tmp_path)
    yield made
    made.close()


@pytest.fixture
def balancing(holdfast, faults):
    """balancing(config) is the balancer with fault points."""

    def start(config, **options):
        daemon = holdfast(
            config, environment=faults.environment, binary=faults_module.BINARY, **options
        )
        daemon.expect_log(DEATHS)
        return daemon

    return start


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
    for listener in set(Traffic.LISTENERS) - {"nobody"}:
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


@pytest.mark.parametrize(("point", "action"), runs(SAFE))
def test_nobody_notices_that_a_worker_dies(balancing, tcp_server, faults, point, action):
    chance = random.Random(f"{point} {action}")
    traffic = Traffic(tcp_server)
    first = died_first_at(point)
    if point in AT_START:
        faults.arm(point, action, chance.randrange(1, 6))
    daemon = balancing(traffic.config)
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
    else:
        assert_restarts(daemon, crashed=1, killed=1 if first else 0)
    assert_nothing_was_lost(daemon)
    assert_nothing_is_left(daemon, descriptors)


@pytest.mark.parametrize("how", ["spliced", "copied"])
def test_every_byte_is_in_one_place_after_random_kills(balancing, tcp_server, how):
    """This build ends itself when a successor finds that what a connection's source gave is not
    what its sink got and what the pipe holds."""
    chance = random.Random(how)
    traffic = Traffic(tcp_server)
    if how == "spliced":
        daemon = balancing(traffic.config)
    else:
        # All descriptors that the process and its 16 sockets don't need are for connections.
        daemon = balancing(
            traffic.config + "max_connections: 100\n", before=["prlimit", "--nofile=376"]
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


CLOSING = POINTS[POINTS.index("session_end_lingers") : POINTS.index("session_given_back") + 1]


@pytest.mark.parametrize(
    ("kind", "end"), [("ipv4", "idle"), ("ipv4", "half-closed"), ("unix", "idle")]
)
@pytest.mark.parametrize("point", CLOSING)
def test_a_connection_that_was_being_closed_is_not_begun_again(
    balancing, tcp_server, socket_directory, faults, point, kind, end
):
    """Its client's socket looks like one that was accepted and not recorded."""

    def greet(connection):
        connection.sendall(b"hello")
        tcp.wait_for_end(connection)

    front, server = Place(kind, socket_directory, "front"), tcp_server(greet)
    daemon = balancing(
        web(
            front.address,
            server.address,
            listener={"idle_timeout": "500ms", "half_close_timeout": "1ms"},
            pool={"health": NO_CHECKS},
        )
    )
    with front.connect() as client:
        assert tcp.read_exactly(client, 5) == b"hello"
        faults.arm(point, "segv")
        if end == "half-closed":
            client.shutdown(socket.SHUT_WR)
            with pytest.raises(ConnectionResetError):
                client.recv(1)
        else:
            assert client.recv(1) == b""
        faults.wait_until_fired(point)
        daemon.wait_for_log(r" worker took over .* unrecorded=0 ")
    assert server.accepted == 1
    assert_restarts(daemon, crashed=1)


@pytest.mark.parametrize(
    "also_at", [None, "takeover_quarantined", "takeover_quarantine_counted"]
)
def test_a_connection_that_workers_die_of_is_given_up_by_the_third(
    balancing, tcp_server, faults, also_at
):
    """And by the fourth, when the third dies of giving it up."""
    traffic = Traffic(tcp_server)
    daemon = balancing(traffic.config)
    descriptors = daemon.open_descriptors()
    faults.arm("poison", "segv", ALWAYS)
    if also_at:
        faults.arm(also_at, "segv")
    with traffic, traffic.connect("echo") as poisonous:
        poisonous.sendall(b"poison")
        with pytest.raises(ConnectionResetError):
            poisonous.recv(1)
        if also_at:
            faults.wait_until_fired(also_at)
        else:
            daemon.wait_for_log(r" worker took over .* quarantined=1 ")
    assert faults.fired("poison") == 2
    assert_restarts(daemon, crashed=3 if also_at else 2)
    metrics = daemon.metrics()
    # Dead between the two, a worker has given it up and not counted it.
    counted = 0 if also_at == "takeover_quarantined" else 1
    assert metrics.value("holdfast_connections_quarantined_total") == counted
    assert metrics.value("holdfast_connections_lost_in_recovery_total") == 0
    assert_nothing_is_left(daemon, descriptors)


@pytest.mark.parametrize("point", ["session_woken", "control_turns"])
def test_a_worker_that_spins_is_replaced(balancing, tcp_server, free_port, faults, point):
    address = ("127.0.0.1", free_port())
    daemon = balancing(
        web(
            "%s:%d" % address,
            tcp_server(tcp.echo).address,
            pool={"health": NO_CHECKS},
            rest="watchdog: 1500ms\nthreads: 1",
        )
    )
    with (
        socket.create_connection(address, 10) as client,
        socket.create_connection(address, 10) as other,
    ):
        for one in (client, other):
            one.sendall(b"before")
            assert tcp.read_exactly(one, 6) == b"before"
        said = len(daemon.log)
        faults.arm(point, "spin")
        client.sendall(b"and now")
        assert tcp.read_exactly(client, 7) == b"and now"
        daemon.wait_for_log(r" info ready$", after=said)
        for one in (client, other):
            one.sendall(b"after")
            assert tcp.read_exactly(one, 5) == b"after"
    assert faults.fired(point) == 1
    daemon.wait_for_log(r" error worker hangs watchdog_ms=1500$")
    assert_restarts(daemon, hung=1)
    assert_nothing_was_lost(daemon)


def test_workers_that_die_as_soon_as_they_start_lose_nothing(
    balancing, tcp_server, free_port, faults
):
    address = ("127.0.0.1", free_port())
    daemon = balancing(
        web("%s:%d" % address, tcp_server(tcp.echo).address, pool={"health": NO_CHECKS})
    )
    with socket.create_connection(address, 10) as client:
        client.sendall(b"before")
        assert tcp.read_exactly(client, 6) == b"before"
        faults.arm("worker_starts", "abort", ALWAYS)
        os.kill(daemon.worker_pid, signal.SIGKILL)
        faults.wait_until_fired("worker_starts", 12, timeout=20)
        assert daemon.exit_code is None
        with socket.create_connection(address, 10) as queued:
            for one in (client, queued):
                one.sendall(b"after")
            faults.disarm("worker_starts")
            for one in (client, queued):
                assert tcp.read_exactly(one, 5) == b"after"
    deaths = faults.fired("worker_starts")
    assert_restarts(daemon, killed=1, crashed=deaths)
    assert_nothing_was_lost(daemon)
    pauses = [
        int(daemon.wait_for_log(r"worker died .* restart_in_ms=(\d+)$", after=number)[1])
        for number, line in enumerate(daemon.log)
        if " error worker died " in line
    ]
    assert len(pauses) == 1 + deaths
    assert pauses[-12:] == sorted(pauses[-12:]) and pauses[-1] == 1000


@pytest.mark.parametrize("point", [None, "recovery_given_up", "recovery_discarded"])
def test_what_cannot_be_gone_on_with_is_reset_even_by_the_next(
    balancing, socket_directory, free_port, faults, point
):
    """The middle of a copy from a Unix socket: the kernel keeps no ledger of it. The backend must
    not take what it got for all there was."""
    path = str(socket_directory / "front")
    with contextlib.ExitStack() as stack:
        backend = stack.enter_context(socket.create_server(("127.0.0.1", free_port())))
        daemon = balancing(
            web(
                f"unix:{path}",
                "%s:%d" % backend.getsockname(),
                pool={"health": NO_CHECKS},
                rest="threads: 1\nmax_connections: 10",
            ),
            before=["prlimit", "--nofile=166"],  # none left for pipes
        )
        daemon.wait_for_log(r" info limits .* pipes=0$")

        def join():
            client = stack.enter_context(socket.socket(socket.AF_UNIX))
            client.connect(path)
            server = stack.enter_context(backend.accept()[0])
            for side in (client, server):
                side.settimeout(10)
            return client, server

        bystander, peer = join()
        client, server = join()
        client.sendall(b"before")
        assert tcp.read_exactly(server, 6) == b"before"
        if point:
            faults.arm(point, "segv")
        faults.arm("copy_sent", "kill")
        client.sendall(b"lost")
        with pytest.raises(ConnectionResetError):
            tcp.read_all(server)
        bystander.sendall(b"here")
        assert tcp.read_exactly(peer, 4) == b"here"
        if point:
            faults.wait_until_fired(point)
        assert_restarts(daemon, killed=1, crashed=1 if point else 0)
        lost = daemon.metrics().value("holdfast_connections_lost_in_recovery_total")
        assert lost == (0 if point else 1)  # counted once it is done


def test_the_release_binary_has_no_trace_of_fault_points():
    program = RELEASE.read_bytes()
    for trace in ("HOLDFAST_FAULT", "holdfast::fault", "N8holdfast5fault", *POINTS):
        if trace != "poison":
            assert trace.encode() not in program, trace


def test_the_fault_build_has_them_all():
    program = faults_module.BINARY.read_bytes()
    assert all(point.encode() in program for point in POINTS)


@pytest.mark.parametrize(
    ("end", "answered"), [("reset", False), ("reset", True), ("finish", True)]
)
def test_an_upload_that_was_cut_off_does_not_look_complete(
    balancing, free_port, faults, end, answered
):
    """The worker dies with the news of the reset, or of the end, before or after the backend's own
    FIN."""
    front = ("127.0.0.1", free_port())
    with contextlib.ExitStack() as stack:
        backend = stack.enter_context(socket.create_server(("127.0.0.1", free_port())))
        daemon = balancing(
            web("%s:%d" % front, "%s:%d" % backend.getsockname(), pool={"health": NO_CHECKS})
        )
        client = stack.enter_context(socket.create_connection(front, 10))
        server = stack.enter_context(backend.accept()[0])
        server.settimeout(10)
        if answered:
            server.shutdown(socket.SHUT_WR)
            assert client.recv(1) == b""
        client.sendall(b"half of it")
        assert tcp.read_exactly(server, 10) == b"half of it"
        point = {"reset": "session_reset_seen", "finish": "pump_eof_noted"}[end]
        faults.arm(point, "segv")
        if end == "reset":
            tcp.reset_now(client)
            with pytest.raises(ConnectionResetError):
                server.recv(1)
        else:
            client.shutdown(socket.SHUT_WR)
            assert server.recv(1) == b""
        faults.wait_until_fired(point)
        wait_until(lambda: daemon.metrics().value("holdfast_connections_active") == 0)
        assert_restarts(daemon, crashed=1)
        assert_nothing_was_lost(daemon)
