"""Free TCP ports."""

import random
import socket

_handed_out = set()


def free_port():
    """A loopback port that nobody uses and that no later call returns.

    It lies below the ephemeral range (32768 and up, ip(7)): one that bind(2) chooses for port 0
    could be taken as the source port of any connection between now and its use, and a connect to
    a port nobody listens on could even meet itself.
    """
    for port in random.sample(range(20000, 32768), 1000):
        if port in _handed_out:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("", port))
            except OSError:
                continue
        _handed_out.add(port)
        return port
    raise RuntimeError("no free port")
