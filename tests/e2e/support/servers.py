"""Real servers on loopback ports, ready when the call returns."""

import os
import pwd
import shutil
import signal
import subprocess
from pathlib import Path

from support.binary import BINARY
from support.ports import free_port
from support.process import Process
from support.waiting import wait_for_port

POSTGRES_USER = "postgres"


class Server(Process):
    """A server process that listens on `port`; `address` is what a configuration says."""

    def __init__(self, port, command, stop_signal=signal.SIGTERM, **options):
        self.port = port
        self.address = f"127.0.0.1:{port}"
        self._stop_signal = stop_signal
        super().__init__(command, **options)
        try:
            wait_for_port(port)
        except AssertionError:
            self.kill()
            raise AssertionError(f"{command[0]} does not start:\n{self.tail()}") from None

    def stop(self, number=None, timeout=30.0):
        return super().stop(number or self._stop_signal, timeout)


def nginx(directory, root, port=None):
    """Serves the files below `root` over HTTP."""
    port = port or free_port()
    configuration = directory / "nginx.conf"
    configuration.write_text(
        f"""
        {"user root;" if os.geteuid() == 0 else ""}
        daemon off;
        worker_processes 1;
        pid {directory}/nginx.pid;
        error_log stderr warn;
        events {{ worker_connections 4096; }}
        http {{
          access_log off;
          sendfile on;
          keepalive_requests 1000000;
          client_body_temp_path {directory}/body;
          proxy_temp_path {directory}/proxy;
          fastcgi_temp_path {directory}/fastcgi;
          uwsgi_temp_path {directory}/uwsgi;
          scgi_temp_path {directory}/scgi;
          server {{ listen 127.0.0.1:{port}; root {root}; }}
        }}
        """,
        encoding="utf-8",
    )
    return Server(port, ["/usr/sbin/nginx", "-p", directory, "-c", configuration, "-e", "stderr"])


def redis(directory, port=None):
    port = port or free_port()
    command = ["redis-server", "--port", port, "--bind", "127.0.0.1", "--dir", directory]
    return Server(port, [*command, "--save", "", "--appendonly", "no"])


def iperf3(port=None):
    port = port or free_port()
    return Server(port, ["iperf3", "--server", "--bind", "127.0.0.1", "--port", port])


def instance(name, port=None):
    """holdfast's own small HTTP service, which says its name."""
    port = port or free_port()
    command = [BINARY, "instance", "--listen", f"127.0.0.1:{port}", "--name", name]
    return Server(port, command)


class PostgresCluster:
    """A freshly made PostgreSQL cluster to start servers from; each has a copy of its own.

    PostgreSQL refuses to run as root, so root runs it as the user of Debian's package, in a
    directory that this user can reach.
    """

    def __init__(self, directory):
        self._directory = Path(directory)
        self._bin = max(Path("/usr/lib/postgresql").glob("*/bin"), key=_version)
        self._copies = 0
        self._options = {"cwd": self._directory}
        self.user = pwd.getpwuid(os.geteuid()).pw_name
        if os.geteuid() == 0:
            self.user = POSTGRES_USER
            self._options |= {"user": self.user, "group": self.user, "extra_groups": []}
            shutil.chown(self._directory, self.user, self.user)
        self._template = self._directory / "template"
        command = [self._bin / "initdb", "-D", self._template, "-U", POSTGRES_USER]
        subprocess.run(
            [*command, "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"],
            check=True,
            stdout=subprocess.DEVNULL,
            **self._options,
        )

    def start(self, port=None):
        """A server; its superuser is `postgres`, without a password."""
        port = port or free_port()
        self._copies += 1
        data = self._directory / f"data-{self._copies}"
        subprocess.run(["cp", "-a", self._template, data], check=True)
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": str(self._directory),
            "fsync": "off",
            "dynamic_shared_memory_type": "mmap",  # nothing left in /dev/shm after a SIGKILL
        }
        command = [self._bin / "postgres", "-D", data, "-p", port]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        # SIGINT is its fast shutdown: open sessions are ended.
        server = Server(port, command, stop_signal=signal.SIGINT, **self._options)
        server.wait_for_log("ready to accept connections", 30)  # listens before, and refuses
        return server

    def program(self, name):
        """The path of pgbench, psql and the like."""
        return self._bin / name


def _version(folder):
    return int(folder.parent.name)
