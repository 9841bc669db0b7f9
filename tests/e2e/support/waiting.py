"""Waiting for something to become true, instead of sleeping and hoping.

A time limit is for what never comes. It costs nothing where all is well, so it leaves room for a machine
that has other things to do.
"""

import socket
import time


def wait_until(condition, timeout=20.0, message=None, interval=0.01):
    """Returns the first true value of condition(); fails after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(message or f"not true within {timeout} s: {_name(condition)}")
        time.sleep(interval)


def accepts_connections(port, host="127.0.0.1"):
    """Whether somebody listens on the port."""
    with socket.socket() as probe:
        probe.settimeout(5)
        return probe.connect_ex((host, port)) == 0


def wait_for_port(port, timeout=30.0):
    wait_until(lambda: accepts_connections(port), timeout, f"nobody listens on port {port}")


def _name(condition):
    code = condition.__code__
    return f"{condition.__name__} ({code.co_filename}:{code.co_firstlineno})"
