"""The admin address: metrics and readiness, whatever others do to it."""

import contextlib
import socket

import pytest
from support import command, configuration, tcp

PLACES = (
    "/metrics, /healthz, /readyz, /api/v1/instance, /api/v1/events and /api/v1/backends\n"
)


@pytest.fixture
def balancing(holdfast, tcp_server, free_port):
    """The balancer and the address of its listener, before an echoing backend."""
    address = ("127.0.0.1", free_port())
    backend = tcp_server(tcp.echo).address
    return holdfast(configuration.web("%s:%d" % address, backend)), address


def admin_client(daemon):
    host, _, port = daemon.admin.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), 20)


def assert_echo(address, data=b"hello"):
    with socket.create_connection(address, 20) as client:
        client.sendall(data)
        assert tcp.read_exactly(client, len(data)) == data


def request(daemon, head):
    """Everything that comes back for these bytes."""
    with admin_client(daemon) as client:
        client.sendall(head)
        return tcp.read_all(client)


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/healthz", 200, "ok\n"),
        ("/readyz", 200, "ready\n"),
        ("/readyz?verbose", 200, "ready\n"),
        ("/metrics/", 404, "not found; there are " + PLACES),
        ("/etc/passwd", 404, "not found; there are " + PLACES),
    ],
)
def test_what_there_is_and_what_there_is_not(balancing, path, status, body):
    daemon, _ = balancing
    assert daemon.get(path)[::2] == (status, body)


def test_metrics_are_in_the_format_that_prometheus_asks_for(balancing):
    daemon, address = balancing
    assert_echo(address)
    status, headers, text = daemon.get("/metrics")
    assert status == 200
    assert headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    result = command.run(["promtool", "check", "metrics"], given=text)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert "127.0.0.1" not in text


def test_only_reading_is_allowed(balancing):
    daemon, _ = balancing
    head = b"%s /readyz HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3\r\n\r\nnow"
    answer = request(daemon, head % b"POST")
    assert answer.startswith(b"HTTP/1.1 405 ")
    assert b"\r\nAllow: GET, HEAD\r\n" in answer
    assert daemon.get("/readyz")[0] == 200


def test_head_answers_without_a_body(balancing):
    daemon, _ = balancing
    answer = request(daemon, b"HEAD /readyz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"\r\n\r\n")


def test_one_connection_carries_many_requests(balancing):
    daemon, _ = balancing
    ask = b"GET /healthz HTTP/1.1\r\nHost: a\r\n%s\r\n"
    answer = request(daemon, ask % b"" + ask % b"" + ask % b"Connection: close\r\n")
    assert answer.count(b"HTTP/1.1 200 ") == 3


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /metrics HTTP/9.9\r\n\r\n", b"505"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: many\r\n\r\n", b"400"),
        (b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\n\r\n", b"414"),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 20000 + b"\r\n\r\n", b"431"),
        # What isn't even a request line ends the connection, without a word.
        (b"hello\r\n\r\n", None),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)), None),
    ],
    ids=["version", "length", "path", "header", "word", "tls"],
)
def test_garbage_gets_an_http_error_and_touches_nothing(balancing, sent, status):
    daemon, address = balancing
    with socket.create_connection(address, 20) as client:
        client.sendall(b"hel")
        answer = request(daemon, sent)
        if status is None:
            assert answer == b""
        else:
            assert answer.startswith(b"HTTP/1.1 " + status)
        client.sendall(b"lo")
        assert tcp.read_exactly(client, 5) == b"hello"
    assert daemon.get("/readyz")[0] == 200


# scar 44: more of them than it serves at once, and none that the timeout of idle clients ends.
def test_clients_that_drip_their_request_do_not_keep_metrics_from_others(balancing):
    daemon, _ = balancing
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(admin_client(daemon)) for _ in range(300)]
        for byte in b"GET /":
            for client in clients:
                with contextlib.suppress(OSError):
                    client.sendall(bytes([byte]))
            assert daemon.metrics().value("holdfast_connections_active") == 0


def test_clients_that_send_nothing_do_not_keep_metrics_from_others(balancing):
    daemon, _ = balancing
    with contextlib.ExitStack() as stack:
        for _ in range(300):
            stack.enter_context(admin_client(daemon))
        assert daemon.get("/metrics")[0] == 200


def test_a_client_that_does_not_take_its_answer_does_not_keep_metrics_from_others(balancing):
    daemon, _ = balancing
    with admin_client(daemon) as client:
        client.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                client.send(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n" * 1000)
        assert daemon.get("/metrics")[0] == 200


def test_a_busy_admin_port_is_named_and_nothing_is_left_behind(tmp_path, tcp_server):
    taken = tcp_server(tcp.silent).address
    file, path = tmp_path / "holdfast.yaml", tmp_path / "web.sock"
    file.write_text(
        configuration.web(f"unix:{path}", "127.0.0.1:1", rest=f"admin: {{ http: {taken}, socket: off }}")
    )
    result = command.holdfast("run", "-c", file)
    assert (result.returncode, result.stdout) == (1, "")
    assert " ready" not in result.stderr
    assert result.stderr.splitlines()[-1] == (
        f"holdfast: admin.http {taken}: address already in use; "
        'is another holdfast running? choose another address, or "off"'
    )
    assert not path.exists()


def test_it_may_be_an_ipv6_address(holdfast, tcp_server, free_port):
    rest = f'admin: {{ http: "[::1]:{free_port()}" }}'
    backend = tcp_server(tcp.echo).address
    daemon = holdfast(configuration.web(f"127.0.0.1:{free_port()}", backend, rest=rest))
    assert daemon.get("/readyz")[0] == 200


def test_it_may_be_off(holdfast, tcp_server, free_port):
    address = ("127.0.0.1", free_port())
    backend = tcp_server(tcp.echo).address
    daemon = holdfast(configuration.web("%s:%d" % address, backend, rest="admin: { http: off }"))
    assert not any("admin listening" in line for line in daemon.log)
    assert_echo(address)
