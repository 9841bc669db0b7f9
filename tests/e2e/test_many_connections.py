"""More connections at once than the kernel grants an unprivileged user pipes for."""

import contextlib
import os
import resource
import selectors
import socket

import pytest
from support import tcp
from support.command import AS_NOBODY
from support.configuration import NO_CHECKS, web
from support.waiting import wait_until

CONNECTIONS = 1_500
EACH = 256 << 10
THREADS = 2
# 16,384 pages make 1,024 pipes of the usual 16 pages; those that follow have 2 (pipe(7)).
USUAL_PIPES = 1_024
MOST_IDLE_PIPES = THREADS * (64 + 4)


@pytest.fixture
def enough_descriptors():
    """Both ends are in this process."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


class Client:
    """Sends what nobody else sends, and must get it back."""

    def __init__(self, port, data):
        self.socket = socket.socket()
        # Little room here, and segments for which the balancer's socket needs little room: so what
        # comes back stays in a pipe.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1460)
        self.socket.settimeout(10)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setblocking(False)
        self._data = data
        self._sent = 0
        self._received = 0

    def send(self):
        """As much as there is room for; says whether that was all."""
        with contextlib.suppress(BlockingIOError):
            self._sent += self.socket.send(self._data[self._sent :])
        return self._sent == len(self._data)

    def make_room(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, EACH)

    def receive(self):
        """What there is; says whether that was all."""
        part = self.socket.recv(EACH)
        assert part == self._data[self._received : self._received + len(part)]
        assert part, f"ended after {self._received} bytes"
        self._received += len(part)
        return self._received == len(self._data)


def drive(clients, event, step):
    """Runs step(client) whenever `event` allows, until each has said that it is done."""
    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client.socket, event, client)
        left = len(clients)
        while left:
            ready = selector.select(10)
            assert ready, f"{left} connections stand still"
            for key, _ in ready:
                if step(key.data):
                    selector.unregister(key.fileobj)
                    left -= 1


# scars 2, 29
def test_1500_connections_carry_their_bytes_for_a_user_without_rights(
    holdfast, tcp_server, free_port, enough_descriptors
):
    port = free_port()
    server = tcp_server(tcp.echo, backlog=4096)
    balancer = holdfast(
        web(
            f"127.0.0.1:{port}",
            server.address,
            pool={"health": NO_CHECKS, "connect": {"timeout": "20s", "attempts": 1}},
            # Touching so much memory for the first time can hold a virtual CPU up for seconds.
            rest=f"threads: {THREADS}\nwatchdog: 30s",
        ),
        before=AS_NOBODY,
    )
    pipes_before = balancer.open_pipes()
    sockets_before = balancer.open_sockets()
    assert os.stat(f"/proc/{balancer.pid}").st_uid != 0
    content = memoryview(os.urandom(EACH + CONNECTIONS))

    with contextlib.ExitStack() as stack:
        clients = []
        for number in range(CONNECTIONS):
            clients.append(Client(port, content[number : number + EACH]))
            stack.callback(clients[-1].socket.close)
        drive(clients, selectors.EVENT_WRITE, Client.send)
        wait_until(lambda: balancer.open_pipes() > USUAL_PIPES, 20)
        # The kernel takes a client's bytes before the balancer takes the client.
        wait_until(
            lambda: balancer.metrics().value("holdfast_connections_active") == CONNECTIONS, 20
        )
        for client in clients:
            client.make_room()
        drive(clients, selectors.EVENT_READ, Client.receive)

    wait_until(lambda: balancer.open_sockets() == sockets_before, 20)
    assert balancer.open_pipes() - pipes_before <= MOST_IDLE_PIPES
    wait_until(lambda: balancer.metrics().value("holdfast_connections_active") == 0)
    metrics = balancer.metrics()
    assert metrics.value("holdfast_listener_connections_active", listener="web") == 0
    labels = {"pool": "web", "backend": "web-1"}
    assert metrics.value("holdfast_backend_connections_active", **labels) == 0
    assert metrics.value("holdfast_backend_connections_total", **labels) == CONNECTIONS
    assert metrics.value("holdfast_backend_sent_bytes_total", **labels) == CONNECTIONS * EACH
    assert metrics.value("holdfast_backend_received_bytes_total", **labels) == CONNECTIONS * EACH
