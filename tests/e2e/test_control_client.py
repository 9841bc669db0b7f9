"""What `holdfast reload` and `holdfast upgrade` make of an instance's answers, or of none."""

import contextlib
import http.server
import json
import os
import socket
import socketserver
import threading

import pytest
from support.command import holdfast


class Answering(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        status, body = self.server.answers.pop(0)
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def address_string(self):
        return "a Unix socket"

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def instance(path, *answers):
    """Something at a control socket that gives these answers, one after the other."""
    with socketserver.UnixStreamServer(path, Answering) as server:
        server.answers = list(answers)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


NOT_NOW = (503, {"result": "failed", "changes": [], "messages": "not now\n"})
FINE = (200, {"result": "succeeded", "changes": ["threads 1 -> 2"], "messages": ""})


def test_a_reload_that_comes_too_soon_is_asked_for_again(socket_directory):
    path = f"{socket_directory}/control"
    with instance(path, NOT_NOW, NOT_NOW, FINE):
        done = holdfast("reload", "--socket", path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "threads 1 -> 2\n"


def test_a_reload_that_is_never_taken_ends(socket_directory):
    path = f"{socket_directory}/control"
    with instance(path, *[NOT_NOW] * 1000) as server:
        done = holdfast("reload", "--socket", path)
    assert len(server.answers) > 0
    assert done.returncode == 1
    assert done.stderr == "not now\nholdfast: not reloaded, nothing was changed\n"


def test_a_path_that_no_socket_can_have_is_said_to_be_one(socket_directory):
    path = f"{socket_directory}/" + "a" * 108
    for command in ("reload", "upgrade"):
        done = holdfast(command, "--socket", path)
        assert done.returncode == 1
        assert done.stderr == f"holdfast: {path} is too long for a Unix socket's path\n"


@pytest.mark.parametrize("command", [("reload",), ("upgrade",), ("backends",)])
def test_an_instance_that_hangs_up_at_once_is_not_taken_for_nobody(socket_directory, command):
    # As a worker does that makes way after it has accepted, however late the client looks.
    path = f"{socket_directory}/control"
    with socket.socket(socket.AF_UNIX) as listener, contextlib.ExitStack() as ending:
        listener.bind(path)
        listener.listen()

        def hang_up():
            with contextlib.suppress(OSError):
                while True:
                    listener.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        ending.callback(thread.join)
        ending.callback(listener.shutdown, socket.SHUT_RDWR)
        done = holdfast(*command, "--socket", path)
    assert done.returncode == 1, done
    assert done.stderr.endswith("ended meanwhile\n")


def test_an_instance_that_has_no_time_for_more_is_not_taken_for_nobody(socket_directory):
    path = f"{socket_directory}/control"
    with socket.socket(socket.AF_UNIX) as listener, contextlib.ExitStack() as others:
        listener.bind(path)
        listener.listen(0)
        with contextlib.suppress(BlockingIOError):
            while True:
                other = others.enter_context(socket.socket(socket.AF_UNIX))
                other.setblocking(False)
                other.connect(path)
        done = holdfast("upgrade", "--socket", path)
    assert done.returncode == 1, done
    assert done.stderr == f"holdfast: the instance at {path} is busy or ended meanwhile\n"


def test_who_may_not_ask_is_told_so(socket_directory):
    path = f"{socket_directory}/control"
    nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
    with instance(path):
        os.chmod(path, 0)
        for command in ("reload", "upgrade"):
            done = holdfast(command, "--socket", path, before=nobody if os.geteuid() == 0 else ())
            assert done.returncode == 1
            assert done.stderr == f"holdfast: cannot connect to {path}: permission denied\n"
