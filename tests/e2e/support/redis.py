"""As much of Redis' protocol as is needed to ask and to count."""

import socket


class Client:
    """A connection that speaks as much of Redis' protocol as is needed here."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self._reader = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._reader.close()
        self.socket.close()

    def ask(self, *words):
        """The first line of the answer."""
        self.socket.sendall(command(*words))
        line = self._reader.readline()
        if not line:
            raise ConnectionResetError("closed by Redis")
        return line.rstrip(b"\r\n").decode()

    def ask_for_text(self, *words):
        size = int(self.ask(*words).removeprefix("$"))
        return self._reader.read(size + 2)[:-2].decode()


def command(*words):
    encoded = [str(word).encode() for word in words]
    parts = [b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded]
    return b"*%d\r\n%s" % (len(encoded), b"".join(parts))
