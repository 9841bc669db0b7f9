"""Who may ask what of an instance over admin.socket."""

import contextlib
import http.client
import os
import socket

import pytest
from support import tcp
from support.command import holdfast as run_holdfast
from support.configuration import web
from support.operating import backend, state, tell
from support.reloading import RELOADS


def test_commands_without_an_instance_say_so(socket_directory):
    for command in ("reload", "upgrade"):
        done = run_holdfast(command, "--socket", socket_directory / "nobody.sock")
        assert done.returncode == 3
        assert "no instance answers at" in done.stderr


def test_the_control_socket_takes_posts_only_and_admin_http_none(
    holdfast, tcp_server, free_port
):
    daemon = holdfast(web(f"127.0.0.1:{free_port()}", tcp_server(tcp.echo).address))
    connection = http.client.HTTPConnection(daemon.admin, timeout=20)
    connection.request("POST", "/api/v1/reload")
    assert connection.getresponse().status == 403
    assert os.stat(daemon.socket).st_mode & 0o777 == 0o600
    assert daemon.metrics().value(RELOADS, result="succeeded") == 0


def test_two_instances_cannot_share_a_control_socket(holdfast, tcp_server, free_port, tmp_path):
    backend = tcp_server(tcp.echo).address
    daemon = holdfast(web(f"127.0.0.1:{free_port()}", backend))
    file = tmp_path / "second.yaml"
    rest = f"admin: {{ http: off, socket: {daemon.socket} }}"
    file.write_text(web(f"127.0.0.1:{free_port()}", backend, rest=rest), encoding="utf-8")
    done = run_holdfast("run", "-c", file)
    assert done.returncode == 1
    assert f"another instance runs with the control socket {daemon.socket}" in done.stderr


@pytest.fixture
def daemon(holdfast, tcp_server, free_port):
    return holdfast(web(f"127.0.0.1:{free_port()}", tcp_server(tcp.echo).address))


def operator(daemon):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(10)
    client.connect(str(daemon.socket))
    return client


# scar 44
def test_operators_that_send_half_of_what_they_want_keep_nobody_out(daemon):
    half = (
        b"POST /api/v1/backends/web/web-1/maint HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n\r\n"
        b'{"by": "a half"'
    )
    with contextlib.ExitStack() as stack:
        for sent in (b"", b"PO", half[:60], half) * 10:
            client = stack.enter_context(operator(daemon))
            with contextlib.suppress(OSError):  # the oldest are asked to leave
                client.sendall(sent)
        tell(daemon, "drain", "web/web-1")
        assert state(daemon, "web-1") == "drain"
    tell(daemon, "weight", "web/web-1", "3")
    # Whose words never came to an end has said nothing.
    assert backend(daemon, "web-1")["set_by"] == "anna"
    assert state(daemon, "web-1") == "drain"


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b"7", b'"drain"', b"\xff\xfe", b"\0" * 100, b"[" * 16000, b'{"by": 7}', b'{"b\\u0000y": ""}'],
)
def test_a_body_that_makes_no_sense_changes_nothing(daemon, body):
    with operator(daemon) as client:
        head = b"POST /api/v1/backends/web/web-1/drain HTTP/1.1\r\nHost: a\r\n"
        length = b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
        client.sendall(head + length + body)
        assert tcp.read_all(client).startswith(b"HTTP/1.1 422 ")
    assert state(daemon, "web-1") == "ready"


def test_many_operators_at_once_are_all_answered(daemon):
    asks = b"GET /api/v1/backends HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    for _ in range(100):
        with operator(daemon) as client:
            client.sendall(asks)
            assert tcp.read_all(client).startswith(b"HTTP/1.1 200 ")
