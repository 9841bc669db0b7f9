"""What becomes of a connection, and of all others, when workers die, or stand still, at the points
where that costs something. In the build with fault points (cmake --preset faults)."""

import contextlib
import os
import signal
import socket

import pytest
from support import tcp
from support.aftermath import (
    assert_nothing_is_left,
    assert_nothing_was_lost,
    assert_restarts,
)
from support.configuration import NO_CHECKS, web
from support.continuity import echoes
from support.faults import ALWAYS, POINTS
from support.traffic import Traffic
from support.waiting import wait_until
from support.wire import Place

CLOSING = POINTS[POINTS.index("session_end_lingers") : POINTS.index("session_given_back") + 1]


@pytest.mark.parametrize(
    ("kind", "end"), [("ipv4", "idle"), ("ipv4", "half-closed"), ("unix", "idle")]
)
@pytest.mark.parametrize("point", CLOSING)
def test_a_connection_that_was_being_closed_is_not_begun_again(
    faulty, tcp_server, socket_directory, faults, point, kind, end
):
    """Its client's socket looks like one that was accepted and not recorded."""

    def greet(connection):
        connection.sendall(b"hello")
        tcp.wait_for_end(connection)

    front, server = Place(kind, socket_directory, "front"), tcp_server(greet)
    daemon = faulty(
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
    faulty, tcp_server, faults, also_at
):
    """And by the fourth, when the third dies of giving it up."""
    traffic = Traffic(tcp_server)
    daemon = faulty(traffic.config)
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


@pytest.mark.parametrize(
    ("point", "thread"), [("session_woken", "relay-0"), ("control_turns", "control")]
)
def test_a_worker_that_spins_is_replaced(faulty, tcp_server, free_port, faults, point, thread):
    address = ("127.0.0.1", free_port())
    daemon = faulty(
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
    daemon.wait_for_log(rf" error worker hangs thread={thread} watchdog_ms=1500$")
    # It is the spinning thread that wrote its stack; only the control thread's begins in main().
    assert any("__libc_start_main" in line for line in daemon.log) == (thread == "control")
    assert_restarts(daemon, hung=1)
    assert_nothing_was_lost(daemon)


def test_workers_that_die_as_soon_as_they_start_lose_nothing(
    faulty, tcp_server, free_port, faults
):
    address = ("127.0.0.1", free_port())
    daemon = faulty(
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
    faulty, socket_directory, free_port, faults, point
):
    """The middle of a copy from a Unix socket: the kernel keeps no ledger of it. The backend must
    not take what it got for all there was."""
    path = str(socket_directory / "front")
    with contextlib.ExitStack() as stack:
        backend = stack.enter_context(socket.create_server(("127.0.0.1", free_port())))
        daemon = faulty(
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


@pytest.mark.parametrize(
    ("end", "answered"), [("reset", False), ("reset", True), ("finish", True)]
)
def test_an_upload_that_was_cut_off_does_not_look_complete(
    faulty, free_port, faults, end, answered
):
    """The worker dies with the news of the reset, or of the end, before or after the backend's own
    FIN."""
    front = ("127.0.0.1", free_port())
    with contextlib.ExitStack() as stack:
        backend = stack.enter_context(socket.create_server(("127.0.0.1", free_port())))
        daemon = faulty(
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


def test_a_thread_that_is_late_hands_its_listening_sockets_on_in_the_end(
    faulty, tcp_server, free_port, faults
):
    """Reloads that move sockets to another thread and back come while it is busy."""
    address = ("127.0.0.1", free_port())
    server = tcp_server(tcp.echo)

    def threads(count):
        return web("%s:%d" % address, server.address, rest=f"threads: {count}\nwatchdog: 1m")

    daemon = faulty(threads(2).replace('"backends"', '"health": {"type": "none"}, "backends"'))
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(socket.create_connection(address, 10)) for _ in range(20)]
        assert all(echoes(client) for client in clients)
        faults.arm("session_woken", "spin")
        clients[0].sendall(b"x")
        faults.wait_until_fired("session_woken")
        for count in (1, 2, 1, 2, 1):
            daemon.reload(threads(count))
        faults.disarm("session_woken")
        assert tcp.read_exactly(clients[0], 1) == b"x"
        for _ in range(20):
            clients.append(stack.enter_context(socket.create_connection(address, 10)))
        assert all(echoes(client) for client in clients)
    assert_restarts(daemon)
    assert_nothing_was_lost(daemon)
