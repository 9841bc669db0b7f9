"""Who may ask what of an instance over admin.socket."""

import http.client
import os

from support import tcp
from support.command import holdfast as run_holdfast
from support.configuration import web
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
    connection = http.client.HTTPConnection(daemon.admin, timeout=5)
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
