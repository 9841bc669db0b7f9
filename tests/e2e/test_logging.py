"""The log: a line per event on standard error, key=value, that no outside text can forge."""

import re
import socket

import pytest
from support import configuration, tcp
from support.binary import BINARY
from support.daemon import LINE
from support.process import Process
from support.waiting import wait_for_port, wait_until

PLAIN = r'[^\s"=\\]+'
QUOTED = r'"(?:[^"\\\n]|\\["\\n]|\\x[0-9a-f]{2})*"'
EVENT = re.compile(rf"[a-zA-Z_ ]+(?: \w+=(?:{PLAIN}|{QUOTED}))*")
UNCHECKED = {"health": configuration.NO_CHECKS}


@pytest.fixture
def balancing(holdfast, tcp_server, free_port):
    """balancing(log) is the balancer before an echoing backend, with these log settings, and its
    listener's address."""

    def start(log, pool=UNCHECKED, backend=None):
        address = ("127.0.0.1", free_port())
        backend = backend or tcp_server(tcp.echo).address
        rest = f"log: {{ {log} }}\nthreads: 1"
        config = configuration.web("%s:%d" % address, backend, pool=pool, rest=rest)
        return holdfast(config), address

    return start


def assert_well_formed(daemon):
    assert daemon.log
    for line in daemon.log:
        match = LINE.match(line)
        assert match, line
        assert match["level"] in ("debug", "info", "warning", "error"), line
        assert EVENT.fullmatch(match["event"]), line
    assert daemon.output == []  # standard output is for data


def finished_connection(daemon, address):
    """A client that comes, is served and goes; its address."""
    with socket.create_connection(address, 20) as client:
        client.sendall(b"hello")
        assert tcp.read_exactly(client, 5) == b"hello"
        name = "%s:%d" % client.getsockname()
    wait_until(lambda: daemon.metrics().value("holdfast_connections_active") == 0)
    return name


def about_connections(daemon):
    return [line for line in daemon.log if re.search(r" connection (closed|rejected) ", line)]


def test_all_logs_what_became_of_each_connection(balancing):
    daemon, address = balancing("connections: all")
    names = [finished_connection(daemon, address) for _ in range(5)]
    wait_until(lambda: len(about_connections(daemon)) == 5)
    for name, line in zip(names, about_connections(daemon)):
        assert re.search(
            rf" info connection closed listener=web client={name} pool=web backend=web-1 "
            r"cause=finished attempts=1 duration_ms=\d+\.\d received=5 sent=5 suppressed=0$",
            line,
        )
    assert_well_formed(daemon)


def test_failed_logs_only_what_went_wrong(balancing, free_port):
    served, address = balancing("connections: failed")
    finished_connection(served, address)
    served.stop()
    assert about_connections(served) == []

    failing, address = balancing("connections: failed", backend=f"127.0.0.1:{free_port()}")
    name = tcp.rejected_connection(address)
    failing.wait_for_log(
        rf" warning connection rejected listener=web client={name} pool=web backend=none "
        r"cause=no_backend attempts=1 duration_ms=\d+\.\d received=0 sent=0 suppressed=0$"
    )
    assert_well_formed(failing)


def test_a_storm_of_failures_is_summed_up(balancing, free_port):
    daemon, address = balancing("connections: failed", backend=f"127.0.0.1:{free_port()}")
    asked = 0

    def summed_up():
        nonlocal asked
        tcp.rejected_connection(address)
        asked += 1
        return sum(suppressed(daemon)) > 0

    wait_until(summed_up)
    assert len(about_connections(daemon)) < asked
    assert len(about_connections(daemon)) + sum(suppressed(daemon)) <= asked


def suppressed(daemon):
    return [int(line.rpartition("suppressed=")[2]) for line in about_connections(daemon)]


def test_none_logs_no_connection(balancing, free_port):
    daemon, address = balancing("connections: none", backend=f"127.0.0.1:{free_port()}")
    tcp.rejected_connection(address)
    daemon.stop()
    assert about_connections(daemon) == []


@pytest.mark.parametrize(
    ("level", "seen"),
    [
        ("debug", {"debug", "info", "warning"}),
        ("info", {"info", "warning"}),
        ("warning", {"warning"}),
        ("error", set()),
    ],
)
def test_the_level_is_the_least_that_is_logged(tmp_path, free_port, level, seen):
    address, file = ("127.0.0.1", free_port()), tmp_path / "holdfast.yaml"
    rest = f"admin: {{ http: off, socket: off }}\nlog: {{ level: {level} }}"
    backend = f"127.0.0.1:{free_port()}"
    file.write_text(configuration.web("%s:%d" % address, backend, pool=UNCHECKED, rest=rest))
    process = Process([BINARY, "run", "-c", file])
    try:
        wait_for_port(address[1])
        tcp.rejected_connection(address)
        assert process.stop() == 0
    finally:
        process.kill()
    assert {LINE.match(line)["level"] for line in process.log} == seen


FORGED = 'x\n2026-01-02T03:04:05.678Z error a="\\\x1b"'
ESCAPED = r'x\n2026-01-02T03:04:05.678Z error a=\"\\\x1b\"'


def test_the_name_of_a_unix_client_forges_no_line(holdfast, tcp_server, tmp_path_factory):
    directory = tmp_path_factory.mktemp("s")
    rest = "log: { connections: all }"
    daemon = holdfast(
        configuration.web(f"unix:{directory}/web", tcp_server(tcp.echo).address, rest=rest)
    )
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        client.bind(f"{directory}/{FORGED}")
        client.connect(f"{directory}/web")
        client.sendall(b"hello")
        assert tcp.read_exactly(client, 5) == b"hello"
    logged = re.escape(f'client="unix:{directory}/{ESCAPED}" pool=web')
    daemon.wait_for_log(f" connection closed listener=web {logged}")
    assert_well_formed(daemon)


def test_the_path_of_a_unix_listener_forges_no_field(holdfast, tcp_server, tmp_path_factory):
    """Control characters, a line's end among them, are refused in it."""
    directory = tmp_path_factory.mktemp("s")
    bind = f'unix:{directory}/x" pool=forged a="\\'
    daemon = holdfast(configuration.web(bind, tcp_server(tcp.echo).address))
    logged = re.escape(f'address="unix:{directory}/' + r'x\" pool=forged a=\"\\" pool=web')
    daemon.wait_for_log(f" info listening listener=web {logged}")
    assert_well_formed(daemon)
