"""Health checks behind a TLS handshake: which certificates are taken, and what is said of others."""

import pytest
from support import tcp
from support.certificates import Certificate
from support.checks import assert_goes_down, checked, state, wait_for_state


@pytest.fixture
def certificate(tmp_path):
    return Certificate(tmp_path, "web.example.org")


def test_a_tls_handshake_is_verified(holdfast, tcp_server, certificate, free_port):
    seen = []
    front, server = free_port(), tcp_server(certificate.handler(tcp.echo, seen))
    trusted = {"ca": str(certificate.path)}
    daemon = holdfast(
        checked(front, server.address, tls=trusted | {"sni": "web.example.org"})
    )
    wait_for_state(daemon, "up")
    assert seen[-1] == "web.example.org"

    daemon.reload(checked(front, server.address, tls=trusted | {"sni": "db.example.org"}))
    assert_goes_down(daemon, "certificate not valid: hostname mismatch")

    # It is for this address too, which is what is verified without a name.
    daemon.reload(checked(front, server.address, tls=trusted))
    wait_for_state(daemon, "up")
    assert seen[-1] is None

    # By the system's authorities only.
    daemon.reload(checked(front, server.address, tls="on"))
    assert_goes_down(daemon, "certificate not valid: self-signed certificate")

    daemon.reload(checked(front, server.address, tls={"verify": False}))
    wait_for_state(daemon, "up")


def test_an_address_with_a_zone_is_verified_like_one_without(
    holdfast, tcp_server, certificate, free_port
):
    front, trusted = free_port(), {"ca": str(certificate.path)}
    server = tcp_server(certificate.handler(tcp.echo), host="::1")
    daemon = holdfast(checked(front, f"[::1%1]:{server.port}", tls=trusted))
    assert_goes_down(daemon, "certificate not valid: IP address mismatch")


def test_a_certificate_is_good_for_its_days(holdfast, tcp_server, tmp_path, free_port):
    expired = Certificate(tmp_path, "web.example.org", days=-1)
    front, server = free_port(), tcp_server(expired.handler(tcp.echo))
    keys = {"ca": str(expired.path), "sni": "web.example.org"}
    daemon = holdfast(checked(front, server.address, tls=keys))
    assert_goes_down(daemon, "certificate not valid: certificate has expired")
    daemon.reload(checked(front, server.address, tls={"verify": "off", "sni": "web.example.org"}))
    wait_for_state(daemon, "up")


def test_tls_is_not_what_every_server_speaks(holdfast, tcp_server, free_port):
    server = tcp_server(tcp.sender(b"220 mail.example.org ESMTP\r\n"))
    daemon = holdfast(checked(free_port(), server.address, tls={"verify": False}))
    assert_goes_down(daemon, "TLS: wrong version number")


def test_a_silent_server_ends_a_handshake_by_the_limit(holdfast, tcp_server, free_port):
    server = tcp_server(tcp.silent)
    keys = {"tls": {"verify": False}, "timeout": "1s"}
    daemon = holdfast(checked(free_port(), server.address, **keys))
    assert_goes_down(daemon, "timeout in the TLS handshake")


def test_http_and_bytes_go_through_tls(holdfast, tcp_server, certificate, free_port):
    def serve(connection):
        assert connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello")

    front, server = free_port(), tcp_server(certificate.handler(serve))
    tls = {"ca": str(certificate.path)}
    daemon = holdfast(checked(front, server.address, type="http", tls=tls))
    wait_for_state(daemon, "up")
    daemon.reload(checked(front, server.address, type="http", tls=tls, status="500-599"))
    assert_goes_down(daemon, "answered HTTP status 200")
    keys = {"type": "send_expect", "send": "hi", "expect": "hello", "tls": tls}
    daemon.reload(checked(front, server.address, **keys))
    wait_for_state(daemon, "up")


def test_certificates_that_vanish_hold_nothing_against_a_backend(
    holdfast, tcp_server, certificate, free_port
):
    front, server = free_port(), tcp_server(certificate.handler(tcp.echo))
    config = checked(front, server.address, tls={"ca": str(certificate.path)})
    daemon = holdfast(config)
    daemon.expect_log(r"worker died|reload failed")
    wait_for_state(daemon, "up")
    certificate.path.unlink()
    result = daemon.tell("reload")
    assert result.returncode == 1
    assert f"cannot open {certificate.path}" in result.stderr

    daemon.kill_worker()
    daemon.wait_for_log(r"check inconclusive pool=web backend=web-1 reason=.*cannot read the cert")
    assert state(daemon) == "up"
