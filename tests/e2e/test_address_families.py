"""Clients and backends on IPv4, IPv6 and Unix sockets, in every combination."""

import itertools
import os
import socket
import threading

import pytest
from support import tcp
from support.configuration import FAST_CHECKS
from support.waiting import wait_until

FAMILIES = ("ipv4", "ipv6", "unix")


@pytest.mark.parametrize(("front", "back"), itertools.product(FAMILIES, FAMILIES))
def test_bytes_and_half_closes_cross_families(wire, front, back):
    line = wire(front=front, back=back)
    client, server = line.join()
    request, answer = os.urandom(1 << 20), os.urandom(8 << 20)

    def serve():
        assert tcp.read_all(server) == request
        server.sendall(answer)
        server.shutdown(socket.SHUT_WR)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    client.sendall(request)
    client.shutdown(socket.SHUT_WR)
    assert tcp.read_all(client) == answer
    thread.join(20)
    wait_until(lambda: line.active() == 0)  # the last that is noted of it
    assert line.closed("finished") == 1


@pytest.mark.parametrize("back", FAMILIES)
def test_checks_find_a_backend_up_and_down(wire, back):
    line = wire(back=back, health=FAST_CHECKS)
    line.balancer.wait_for_log('backend up pool=web backend=web-1 reason="first check passed"')
    line.close()
    line.balancer.wait_for_log('backend down pool=web backend=web-1 reason="connection refused"')


def test_a_unix_socket_whose_file_is_gone_is_a_refusal(wire):
    line = wire(back="unix")
    os.unlink(line.back.target)
    with pytest.raises(ConnectionResetError):
        line.connect().recv(1)
    refused = line.balancer.metrics().value(
        "holdfast_backend_connect_failures_total", pool="web", backend="web-1", reason="refused"
    )
    assert refused == 1
