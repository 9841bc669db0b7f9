"""Bulk data whose every byte is compared at the end."""

import hashlib
import os
import random
import socket
import time

from support import tcp

BLOCK = os.urandom(1 << 20)


class Stream:
    """Bulk both ways on one connection to a server that echoes, with a reader slow enough for pipes
    to hold bytes all along."""

    def __init__(self, number):
        self._chance = random.Random(number)
        self._sent = hashlib.sha256()
        self._received = hashlib.sha256()
        self._bytes_sent = 0
        self._bytes_received = 0
        self._client = None

    def begin(self, client):
        self._client = client

    def go_on(self):
        for _ in range(10):
            readable, writable = tcp.wait_until_ready(self._client, 10)
            if writable:
                start = self._chance.randrange(len(BLOCK) // 2)
                part = BLOCK[start : start + (256 << 10)]
                sent = self._client.send(part, socket.MSG_DONTWAIT)
                self._sent.update(part[:sent])
                self._bytes_sent += sent
            if readable:
                self._receive(self._client.recv(128 << 10))
            if not readable and not writable:
                raise TimeoutError("the stream stands still")
            time.sleep(0.001)

    def _receive(self, part):
        assert part, "the stream ended"
        self._received.update(part)
        self._bytes_received += len(part)

    def finish(self):
        """Reads what is still under way."""
        self._client.shutdown(socket.SHUT_WR)
        while part := self._client.recv(1 << 20):
            self._receive(part)

    def assert_complete(self):
        assert self._bytes_received == self._bytes_sent
        assert self._received.digest() == self._sent.digest()
