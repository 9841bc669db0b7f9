"""Configurations that change, and clients that see to which server they came."""

import errno
import socket

from support import tcp

RELOADS = "holdfast_config_reloads_total"
LAST = "holdfast_config_last_reload_successful"


def named(name):
    """A server that says its name, then echoes."""

    def handler(connection):
        connection.sendall(name)
        tcp.echo(connection)

    return handler


def connect(port, name, host="127.0.0.1"):
    client = socket.create_connection((host, port), 10)
    assert tcp.read_exactly(client, len(name)) == name
    return client


def echoes(client, data=b"still there?"):
    client.sendall(data)
    return tcp.read_exactly(client, len(data)) == data


def config(listeners, pools, rest=""):
    """listeners: {name: (bind ..., pool)}, pools: {name: {backend: address}}."""
    lines = ["listeners:"]
    for name, (*binds, pool) in listeners.items():
        addresses = ", ".join(f'"{bind}"' for bind in binds)
        lines.append(f"  - {{ name: {name}, bind: [{addresses}], pool: {pool} }}")
    lines.append("pools:")
    for name, backends in pools.items():
        lines.append(f"  - name: {name}\n    health: {{ type: none }}\n    backends:")
        lines += [f'      - {{ name: {one}, address: "{at}" }}' for one, at in backends.items()]
    return "\n".join(lines) + "\n" + rest + "\n"


def refuses(host, port):
    with socket.socket() as client:
        client.settimeout(20)
        return client.connect_ex((host, int(port))) == errno.ECONNREFUSED


def accepts(port):
    with socket.socket() as client:
        client.settimeout(0.2)
        try:
            client.connect(("127.0.0.1", port))
        except OSError:
            return False
        return True
