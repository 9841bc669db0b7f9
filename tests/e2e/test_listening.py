"""Where it listens, and what it says when it can't."""

import contextlib
import socket
import stat
from pathlib import Path

import pytest
from support import command, configuration, tcp

TAKEN = "address already in use; stop what listens there or choose another port"


@pytest.fixture
def refused(tmp_path):
    """refused(bind) is the last line that a `holdfast run` says which doesn't start."""

    def start(bind, before=()):
        file = tmp_path / "refused.yaml"
        rest = "admin: { http: off, socket: off }"
        file.write_text(configuration.web(bind, "127.0.0.1:1", rest=rest), encoding="utf-8")
        result = command.holdfast("run", "-c", file, before=before)
        assert (result.returncode, result.stdout) == (1, ""), result.stderr
        assert " ready" not in result.stderr
        return result.stderr.splitlines()[-1]

    return start


@pytest.fixture
def backend(tcp_server):
    return tcp_server(tcp.echo).address


def connect(address):
    """To a (host, port), or to the path of a Unix socket."""
    if isinstance(address, tuple):
        return socket.create_connection(address, 20)
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(20)
    client.connect(str(address))
    return client


def assert_serves(address):
    with connect(address) as client:
        client.sendall(b"hello")
        assert tcp.read_exactly(client, 5) == b"hello"


def test_a_port_that_another_program_has_is_named(refused, tcp_server):
    taken = tcp_server(tcp.silent).address
    assert refused(taken) == f"holdfast: listener web: cannot listen on {taken}: {TAKEN}"


# Both set SO_REUSEPORT for their threads, which would let them share it.
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_port_that_another_holdfast_has_is_not_shared_with_it(
    holdfast, refused, backend, free_port, host
):
    port = free_port()
    holdfast(configuration.web(f"127.0.0.1:{port}", backend, rest="threads: 2"))
    taken = f"{host}:{port}"
    assert refused(taken) == f"holdfast: listener web: cannot listen on {taken}: {TAKEN}"
    for _ in range(20):
        assert_serves(("127.0.0.1", port))


def test_a_listener_that_cannot_be_opened_leaves_nothing_of_the_others(
    refused, tcp_server, socket_directory
):
    path = socket_directory / "web.sock"
    taken = tcp_server(tcp.silent).address
    assert TAKEN in refused([f"unix:{path}", taken])
    assert not path.exists()


def test_a_port_that_only_root_may_have_says_what_it_takes(refused):
    first_free_for_all = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")
    port = int(first_free_for_all.read_text(encoding="ascii")) - 1
    assert refused(f"127.0.0.1:{port}", before=command.WITHOUT_RIGHTS) == (
        f"holdfast: listener web: cannot listen on 127.0.0.1:{port}: permission denied; "
        "ports below 1024 need root or CAP_NET_BIND_SERVICE"
    )


def test_an_address_of_another_host_is_named(refused):
    # 192.0.2.0/24 is nobody's (RFC 5737).
    assert refused("192.0.2.1:8080") == (
        "holdfast: listener web: cannot listen on 192.0.2.1:8080: cannot assign requested address"
    )


def test_one_listener_takes_ipv4_ipv6_and_unix_at_once(
    holdfast, backend, free_port, socket_directory
):
    port, path = free_port(), socket_directory / "web.sock"
    binds = [f"0.0.0.0:{port}", f"[::]:{port}", f"unix:{path}"]
    daemon = holdfast(configuration.web(binds, backend))
    for bind in binds:
        logged = f" listening listener=web address={bind} pool=web"
        assert any(logged in line for line in daemon.log)
    for address in (("127.0.0.1", port), ("::1", port), path):
        assert_serves(address)
    assert daemon.metrics().value("holdfast_listener_connections_total", listener="web") == 3


def test_a_host_name_is_looked_up(holdfast, backend, free_port):
    port = free_port()
    holdfast(configuration.web(f"localhost:{port}", backend))
    assert_serves(("localhost", port))


def test_port_0_is_any_free_one_and_the_log_tells_which(holdfast, backend):
    daemon = holdfast(configuration.web("127.0.0.1:0", backend))
    port = int(daemon.wait_for_log(r" listening .*address=127\.0\.0\.1:(\d+)")[1])
    assert port != 0
    assert_serves(("127.0.0.1", port))


@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_every_thread_takes_part(holdfast, backend, free_port, socket_directory, kind):
    port, path = free_port(), socket_directory / "web.sock"
    bind, address = {
        "tcp": (f"127.0.0.1:{port}", ("127.0.0.1", port)),
        "unix": (f"unix:{path}", path),
    }[kind]
    daemon = holdfast(configuration.web(bind, backend, rest="threads: 4"))
    names = [file.read_text().strip() for file in Path(f"/proc/{daemon.worker_pid}/task").glob("*/comm")]
    assert names.count("relay") == 4
    assert daemon.metrics().value("holdfast_threads") == 4
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connect(address)) for _ in range(64)]
        for client in clients:
            client.sendall(b"hello")
        for client in clients:
            assert tcp.read_exactly(client, 5) == b"hello"
        assert daemon.metrics().value("holdfast_listener_connections_active", listener="web") == 64


def test_the_file_of_a_unix_socket_goes_with_its_listener(holdfast, backend, socket_directory):
    path = socket_directory / "web.sock"
    daemon = holdfast(configuration.web(f"unix:{path}", backend))
    assert_serves(path)
    assert daemon.stop() == 0
    assert not path.exists()


# scar 42
def test_the_file_that_a_killed_holdfast_left_is_replaced(holdfast, backend, socket_directory):
    path = socket_directory / "web.sock"
    config = configuration.web(f"unix:{path}", backend)
    first = holdfast(config)
    first.kill()
    first.expected_exit = first.exit_code
    assert stat.S_ISSOCK(path.stat().st_mode)
    holdfast(config)
    assert_serves(path)


# scar 42
def test_a_unix_socket_that_somebody_listens_on_is_left_alone(
    holdfast, refused, backend, socket_directory
):
    path = socket_directory / "web.sock"
    holdfast(configuration.web(f"unix:{path}", backend))
    message = refused(f"unix:{path}")
    assert message.startswith(f"holdfast: listener web: somebody listens on {path}: {TAKEN}")
    assert_serves(path)


# scar 42
def test_a_successor_keeps_its_file_when_the_one_before_it_ends(
    holdfast, backend, socket_directory
):
    path = socket_directory / "web.sock"
    config = configuration.web(f"unix:{path}", backend)
    first = holdfast(config)
    path.unlink()
    holdfast(config)
    assert first.stop() == 0
    assert_serves(path)


def test_a_file_that_is_no_socket_is_left_alone(refused, socket_directory):
    path = socket_directory / "web.sock"
    path.write_text("mine", encoding="ascii")
    assert f"{path} exists and is not a socket" in refused(f"unix:{path}")
    assert path.read_text(encoding="ascii") == "mine"


def test_a_unix_socket_in_no_directory_is_named(refused, socket_directory):
    path = socket_directory / "absent" / "web.sock"
    assert refused(f"unix:{path}") == (
        f"holdfast: listener web: cannot listen on unix:{path}: no such file or directory"
    )
