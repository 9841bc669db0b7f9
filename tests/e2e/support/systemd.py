"""The other end of sd_notify(3)."""

import socket

from support.waiting import wait_until


class Systemd:
    """Receives what a service says that is started with `environment`."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.settimeout(20)
        self.environment = {"NOTIFY_SOCKET": str(path)}

    def next(self):
        """The assignments of the next message."""
        return self._socket.recv(4096).decode().splitlines()

    def next_with(self, assignment):
        """The next message that has this assignment; fails when none comes."""

        def message():
            assignments = self.next()
            return assignments if assignment in assignments else None

        return wait_until(message, 30, f"systemd was never told {assignment}")

    def close(self):
        self._socket.close()
