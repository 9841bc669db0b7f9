"""The holdfast unit of a machine that has booted systemd."""

import http.client
import os
import signal
import socket

from support import configuration, tcp
from support.daemon import children_of
from support.metrics import Metrics
from support.waiting import wait_until

UNIT = "holdfast.service"
ADDRESS = ("127.0.0.1", 8080)
ADMIN = ("127.0.0.1", 9870)  # unless it is configured
CONFIGURATION = "etc/holdfast/holdfast.yaml"


class Service:
    """The unit, as its administrator sees it, and its two processes, by their pids here. Its
    listener is at ADDRESS, in the machine's network."""

    def __init__(self, machine):
        self.machine = machine
        self._servers = []

    def start_before(self, handler):
        """Starts it in front of one server, with this handler (support.tcp)."""
        self.configure(self.tcp_server(handler).address)
        self.systemctl("start")

    def configure(self, *backends, **settings):
        """One pool of these addresses, which aren't checked."""
        settings = {"pool": {"health": configuration.NO_CHECKS}, **settings}
        self.write_configuration(configuration.web("%s:%d" % ADDRESS, *backends, **settings))

    def write_configuration(self, text):
        (self.machine.root / CONFIGURATION).write_text(text, encoding="utf-8")

    def systemctl(self, *verb, **options):
        """`systemctl VERB holdfast`."""
        return self.machine.systemctl(*verb, UNIT, **options)

    def show(self, name):
        return self.machine.property_of(UNIT, name)

    @property
    def state(self):
        return f"{self.show('ActiveState')} ({self.show('SubState')})"

    def journal(self):
        return self.machine.journal(UNIT)

    def processes(self):
        return self.machine.processes(UNIT)

    @property
    def guardian(self):
        return self.machine.main_process(UNIT)

    @property
    def worker(self):
        """None between two of them."""
        guardian = self.guardian
        children = children_of(guardian) if guardian else []
        return children[0] if children else None

    def is_whole(self):
        """systemd supervises a guardian, which has a worker, and there is nothing else."""
        guardian = self.guardian
        if guardian is None:
            return False
        pair = sorted([guardian, *children_of(guardian)])
        return len(pair) == 2 and self.processes() == pair and self.state == "active (running)"

    def wait_until_whole(self, timeout=20.0):
        wait_until(self.is_whole, timeout, "there is not one guardian with one worker")

    def kill(self, pid):
        """SIGKILL to one of its processes; returns once a pair without it serves."""
        said = len(self.journal())
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: any(line.endswith(" info ready") for line in self.journal()[said:]))
        wait_until(lambda: pid not in self.processes() and self.is_whole())

    def connect(self):
        """A client's connection to the listener."""
        with self.machine.network():
            return socket.create_connection(ADDRESS, 10)

    def refuses(self):
        """Whether a new client is turned away."""
        with self.machine.network(), socket.socket() as client:
            client.settimeout(20)
            return client.connect_ex(ADDRESS) != 0

    def metrics(self):
        with self.machine.network():
            connection = http.client.HTTPConnection(*ADMIN, timeout=20)
            connection.request("GET", "/metrics", headers={"Connection": "close"})
            return Metrics.parse(connection.getresponse().read().decode())

    def tcp_server(self, handler):
        """A support.tcp.TcpServer in the machine's network."""
        with self.machine.network():
            self._servers.append(tcp.TcpServer(handler))
        return self._servers[-1]

    def close(self):
        for server in self._servers:
            server.stop()
