"""What operators do to backends of a running balancer."""

import json
import os

from support import tcp
from support.command import holdfast
from support.waiting import wait_until

ANNA = {**os.environ, "SUDO_USER": "anna", "USER": "root"}


def tell(balancer, *words):
    """`holdfast drain web/web-1` and its like, by a user named anna; the lines it says."""
    done = told(balancer, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def told(balancer, *words, timeout=60):
    """The same, however it ends: support.command's result."""
    return holdfast(*words, "--socket", balancer.socket, timeout=timeout, env=ANNA)


def backend(balancer, name, pool="web"):
    """What is to be seen of one; None when there is none."""
    for found in backends(balancer):
        if (found["pool"], found["name"]) == (pool, name):
            return found
    return None


def backends(balancer):
    status, _, body = balancer.get("/api/v1/backends")
    assert status == 200
    return json.loads(body)["backends"]


def state(balancer, name):
    return backend(balancer, name)["state"]


def connected_to(port, name):
    """A client that came to this one of several support.tcp.greeters."""

    def try_one():
        client = tcp.connect(("127.0.0.1", port))
        if tcp.read_exactly(client, len(name)) == name.encode():
            return client
        client.close()
        return None

    return wait_until(try_one)


def ask(port):
    """Which of several support.tcp.greeters serves a new client."""
    with tcp.connect(("127.0.0.1", port)) as client:
        name = tcp.read_exactly(client, 5).decode()
        assert tcp.echoes(client)
        return name


def closed(balancer, cause, **labels):
    """Connections that ended for this cause."""
    name = "holdfast_backend_connections_closed_total"
    return balancer.metrics().sum(name, cause=cause, **labels)
