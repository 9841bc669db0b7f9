"""A balancer before servers that say which one they are, and clients that see whom they got."""

import collections
import contextlib
import json
import socket

from support import tcp
from support.configuration import FAST_CHECKS
from support.waiting import wait_until


class Choice:
    """Servers web-1, web-2 ... that greet with their number, and a balancer in front. `backends`:
    further keys of each; `settings`: those of the pool."""

    def __init__(self, start, servers, port, backends, settings):
        self.servers = servers
        self.port = port
        self._open = contextlib.ExitStack()
        self.balancer = start(self.config(backends, **settings))

    def config(self, backends, top="", reverse=False, **settings):
        named = [
            {"name": f"web-{number}", "address": self.servers[number - 1].address, **keys}
            for number, keys in enumerate(backends, 1)
            if keys is not None
        ]
        if reverse:
            named.reverse()
        listener = {"name": "web", "bind": f"127.0.0.1:{self.port}", "pool": "web"}
        pool = {"name": "web", "health": FAST_CHECKS, "backends": named, **settings}
        return f"{top}\nlisteners: [{json.dumps(listener)}]\npools: [{json.dumps(pool)}]\n"

    def connect(self, source="127.0.0.1"):
        """A client that nobody has answered yet."""
        client = socket.create_connection(("127.0.0.1", self.port), 10, (source, 0))
        return self._open.enter_context(client)

    def held(self, source="127.0.0.1"):
        """A client that stays, and the number of its server."""
        client = self.connect(source)
        return client, int(client.recv(1))

    def ask(self, source="127.0.0.1"):
        """The number of the server that a client gets, which leaves again."""
        with socket.create_connection(("127.0.0.1", self.port), 10, (source, 0)) as client:
            number = int(tcp.read_exactly(client, 1))
            tcp.reset_on_close(client)
        return number

    def count(self, clients):
        return collections.Counter(self.ask() for _ in range(clients))

    def is_up(self, number):
        return self.balancer.metrics().value(
            "holdfast_backend_state", pool="web", backend=f"web-{number}", state="up"
        )

    def wait_until_up(self, *numbers):
        wait_until(lambda: all(self.is_up(number) for number in numbers))

    def take_down(self, *numbers):
        for number in numbers:
            self.servers[number - 1].refuse()
        wait_until(lambda: not any(self.is_up(number) for number in numbers))

    def bring_back(self, *numbers):
        for number in numbers:
            self.servers[number - 1].listen()
        self.wait_until_up(*numbers)

    def pool(self, metric, **labels):
        return self.balancer.metrics().value(f"holdfast_pool_{metric}", pool="web", **labels)

    def rejected(self, reason):
        return self.balancer.metrics().value(
            "holdfast_listener_rejected_total", listener="web", reason=reason
        )

    def close(self):
        self._open.close()
