"""A balancer between clients and backends, each backend on a host of its own."""

import socket

from support.configuration import web

PORT = 8080


class Site:
    """`balancer` on the host `front`, and backends web-1, web-2 ... on `hosts`, of which `servers` are
    the processes. `directory` is for Unix sockets: clients out here reach the balancer by one, which
    takes none of its host's ports."""

    def __init__(self, holdfast, namespaces, directory, hosts=3, backends=(), **settings):
        network = namespaces(hosts)
        self.front = network.front
        self.hosts = network.hosts
        self.socket = f"{directory}/web"
        self.servers = [host.serve(f"web-{number}") for number, host in enumerate(self.hosts, 1)]
        self.addresses = [*(f"{host.address}:{PORT}" for host in self.hosts), *backends]
        self._admin = f'admin: {{ http: "unix:{directory}/admin" }}'
        self.balancer = holdfast(self.configuration(**settings), before=self.front.before)

    def configuration(self, pool=None, listener=None):
        binds = [f"127.0.0.1:{PORT}", f"unix:{self.socket}"]
        return web(binds, *self.addresses, pool=pool, listener=listener, rest=self._admin)

    def ask(self, timeout=10):
        """Which backend answers a new client. One that gets no service raises an OSError. The backend
        ends the connection, so that it is its port, not the balancer's, that has to wait (tcp(7))."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(timeout)
            client.connect(str(self.socket))
            client.sendall(b"GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n")
            answer = b"".join(iter(lambda: client.recv(4096), b""))
        if not answer:
            raise ConnectionResetError("closed without an answer")
        return answer.partition(b"\r\n\r\n")[2].decode().split()[0]

    def asked(self, times):
        """The names of those who answered."""
        return {self.ask() for _ in range(times)}

    def is_refused(self):
        try:
            self.ask()
        except (ConnectionResetError, BrokenPipeError):
            return True
        return False

    def connect(self):
        """A client, over TCP."""
        with self.front.inside():
            return socket.create_connection(("127.0.0.1", PORT), 10)

    def failures(self, **labels):
        return self.balancer.metrics().sum("holdfast_backend_connect_failures_total", **labels)

    def active(self):
        return self.balancer.metrics().sum("holdfast_backend_connections_active")

    def wait_for(self, state, *numbers, after=0):
        """Until the log says that these backends are up, or down."""
        for number in numbers:
            self.balancer.wait_for_log(
                f" backend {state} pool=web backend=web-{number} ", 20, after=after
            )
