"""A balancer with both of its ends in the test's hands."""

import contextlib
import socket

from support.configuration import NO_CHECKS, web
from support.ports import free_port


class Place:
    """Where to listen: on IPv4, IPv6 or a Unix socket in `directory`."""

    def __init__(self, kind, directory, name):
        self.family = {
            "ipv4": socket.AF_INET,
            "ipv6": socket.AF_INET6,
            "unix": socket.AF_UNIX,
        }[kind]
        if kind == "unix":
            self.target = str(directory / name)
            self.address = f"unix:{self.target}"
        else:
            host = {"ipv4": "127.0.0.1", "ipv6": "::1"}[kind]
            self.target = (host, free_port())
            self.address = ("[%s]:%d" if kind == "ipv6" else "%s:%d") % self.target

    def listen(self):
        listener = socket.socket(self.family)
        listener.bind(self.target)
        listener.listen(128)
        return listener

    def connect(self):
        client = socket.socket(self.family)
        client.settimeout(10)
        client.connect(self.target)
        return client


class Wire:
    """join() is a new connection through the balancer: the client's socket and the backend's. `back`
    is where the backend listens."""

    def __init__(self, holdfast, directory, front="ipv4", back="ipv4", listener=None, health=None):
        self._open = contextlib.ExitStack()
        self._front = Place(front, directory, "front")
        self.back = Place(back, directory, "back")
        self._backend = self._open.enter_context(self.back.listen())
        self._backend.settimeout(10)
        self.balancer = holdfast(
            web(
                self._front.address,
                self.back.address,
                listener=listener,
                pool={"health": health or NO_CHECKS},
            )
        )

    def connect(self):
        return self._open.enter_context(self._front.connect())

    def join(self):
        client = self.connect()
        server, _ = self._backend.accept()
        self._open.enter_context(server)
        server.settimeout(10)
        return client, server

    def active(self):
        return self.balancer.metrics().value("holdfast_connections_active")

    def closed(self, cause):
        return self.balancer.metrics().value(
            "holdfast_backend_connections_closed_total", pool="web", backend="web-1", cause=cause
        )

    def close(self):
        self._open.close()
