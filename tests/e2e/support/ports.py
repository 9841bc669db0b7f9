"""Free TCP ports."""

import os
import random
import socket

# Processes that share the tests among them (pytest-xdist) have ports of their own, by the remainder.
_PROCESSES = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))
_OWN = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_PORTS = range(20000 + _OWN, 32768, _PROCESSES)

_handed_out = set()


def free_port():
    """A loopback port that nobody uses and that no later call returns.

    It lies below the ephemeral range (32768 and up, ip(7)): one that bind(2) chooses for port 0
    could be taken as the source port of any connection between now and its use, and a connect to
    a port nobody listens on could even meet itself.
    """
    for port in random.sample(_PORTS, 1000):
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
