"""Health checks that ask something, against servers of their kind: what passes, what fails, and why,
as the log, the events and the metrics tell it."""

import socket

import pytest
from support import tcp
from support.checks import assert_goes_down, checked, wait_for_state
from support.redis import Client
from support.waiting import wait_until


def test_http_goes_by_the_status(holdfast, nginx, free_port):
    front, server = free_port(), nginx()
    daemon = holdfast(checked(front, server.address, type="http", path="/hello"))
    wait_for_state(daemon, "up")

    changes = daemon.reload(checked(front, server.address, type="http", path="/missing"))
    assert changes == ["pool web: health.path /hello -> /missing"]
    assert_goes_down(daemon, "answered HTTP status 404")

    keys = {"type": "http", "path": "/missing", "status": "204,400-404"}
    daemon.reload(checked(front, server.address, **keys))
    wait_for_state(daemon, "up")

    daemon.reload(checked(front, server.address, type="http", path="/missing", method="HEAD"))
    assert_goes_down(daemon, "answered HTTP status 404")
    daemon.reload(checked(front, server.address, type="http", path="/hello", method="HEAD"))
    wait_for_state(daemon, "up")
    server.stop()
    assert_goes_down(daemon, "connection refused")


def test_http_asks_with_the_host_that_is_configured(holdfast, tcp_server, free_port):
    requests = []

    def serve(connection):
        request = b""
        while b"\r\n\r\n" not in request:
            part = connection.recv(4096)
            if not part:
                return
            request += part
        requests.append(request.decode())
        connection.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")

    front, server = free_port(), tcp_server(serve)
    daemon = holdfast(checked(front, server.address, type="http", path="/a?b=c"))
    wait_for_state(daemon, "up")
    lines = requests[-1].split("\r\n")
    assert lines[0] == "GET /a?b=c HTTP/1.1"
    assert f"Host: {server.address}" in lines
    assert "Connection: close" in lines

    daemon.reload(checked(front, server.address, type="http", host="www.example.org"))
    wait_until(lambda: "Host: www.example.org" in requests[-1])


def test_http_is_not_what_every_server_speaks(holdfast, tcp_server, free_port):
    server = tcp_server(tcp.sender(b"220 mail.example.org ESMTP\r\n"))
    daemon = holdfast(checked(free_port(), server.address, type="http"))
    assert_goes_down(daemon, "which is not HTTP")


ASKING = {
    "http": {"type": "http"},
    "send_expect": {"type": "send_expect", "send": "hello", "expect": "hi"},
    "agent": {"type": "agent", "send": "hello"},
}


@pytest.mark.parametrize("keys", ASKING.values(), ids=ASKING)
def test_who_asks_wants_an_answer(holdfast, tcp_server, free_port, keys):
    """A connect is enough for type tcp only: here servers accept and are silent, end and reset."""

    def hang_up(connection):
        connection.recv(4096)

    servers = [tcp_server(handler) for handler in (tcp.silent, hang_up, tcp.reset, tcp.echo)]
    addresses = [server.address for server in servers]
    daemon = holdfast(checked(free_port(), *addresses, timeout="1500ms", **keys))
    assert_goes_down(daemon, "timeout waiting for an answer", "web-1")
    assert_goes_down(daemon, "closed without an answer", "web-2")
    assert_goes_down(daemon, "connection reset by peer", "web-3")
    wait_for_state(daemon, "down", "web-4")  # which says what it is told
    daemon.reload(checked(free_port(), *addresses, timeout="1500ms"))
    for number in range(1, 5):
        wait_for_state(daemon, "up", f"web-{number}")


def test_redis_answers_what_is_expected(holdfast, redis, free_port):
    server = redis()
    keys = {"type": "send_expect", "send": r"PING\r\n", "expect": "+PONG", "timeout": "1s"}
    daemon = holdfast(checked(free_port(), server.address, **keys))
    wait_for_state(daemon, "up")
    with Client(server.port) as client:
        assert client.ask("CONFIG", "SET", "requirepass", "secret") == "+OK"
        assert_goes_down(daemon, "-NOAUTH")
        assert client.ask("CONFIG", "SET", "requirepass", "") == "+OK"
        wait_for_state(daemon, "up")


def test_bytes_of_every_value_are_sent_and_expected(holdfast, tcp_server, free_port):
    every_byte = bytes(range(256))
    received = []

    def serve(connection):
        received.append(tcp.read_exactly(connection, 256))
        connection.sendall(b"noise" + every_byte[::-1])
        tcp.wait_for_end(connection)

    written = "".join(f"\\x{byte:02x}" for byte in every_byte)
    expected = "".join(f"\\x{byte:02x}" for byte in every_byte[::-1])
    server = tcp_server(serve)
    daemon = holdfast(
        checked(free_port(), server.address, type="send_expect", send=written, expect=expected)
    )
    wait_for_state(daemon, "up")
    assert received[0] == every_byte


def test_keys_that_do_not_fit_are_refused_with_their_place(holdfast, tcp_server, free_port):
    front, echo = free_port(), tcp_server(tcp.echo)
    daemon = holdfast(checked(front, echo.address))
    daemon.expect_log("reload failed")
    daemon.config_file.write_text(
        f"""
listeners: [{{ name: web, bind: "127.0.0.1:{front}", pool: web }}]
pools:
  - name: web
    health:
      type: tcp
      path: /up
    backends: [{{ name: web-1, address: "{echo.address}" }}]
""",
        encoding="utf-8",
    )
    result = daemon.tell("reload")
    assert result.returncode == 1
    assert ":7:7: error: 'path' doesn't fit health.type tcp" in result.stderr
    assert "help: type http takes it" in result.stderr


def test_plain_connects_are_not_reset(holdfast, free_port):
    """What a check of an application leaves behind there is an ordinary end."""
    ends = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        daemon = holdfast(checked(free_port(), "127.0.0.1:%d" % server.getsockname()[1]))
        for _ in range(5):
            connection, _ = server.accept()
            with connection:
                connection.settimeout(10)
                connection.sendall(b"hello")
                ends.append(connection.recv(1))
    assert ends == [b""] * 5
    assert daemon.worker_pid
