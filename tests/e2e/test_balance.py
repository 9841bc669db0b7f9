"""Who gets the next connection."""

import collections
import contextlib
import socket

import pytest
from support import tcp
from support.configuration import NO_CHECKS, web
from support.waiting import wait_until


@pytest.fixture
def balancing(holdfast, tcp_server, free_port):
    """balancing(weights, **settings of the pool) is a balancer with a backend for each weight, and
    a function that connects to it: it gives the connection and the number of its backend."""
    with contextlib.ExitStack() as stack:

        def start(weights, **pool):
            port = free_port()
            servers = [
                tcp_server(tcp.greeter(str(number))) for number in range(1, len(weights) + 1)
            ]
            balancer = holdfast(
                web(
                    f"127.0.0.1:{port}",
                    *(server.address for server in servers),
                    pool={"health": NO_CHECKS, **pool},
                    weights=weights,
                )
            )

            def connect():
                client = socket.create_connection(("127.0.0.1", port), 10)
                stack.callback(client.close)
                return client, int(client.recv(1))

            return balancer, connect

        yield start


def active(balancer, number):
    return balancer.metrics().value(
        "holdfast_backend_connections_active", pool="web", backend=f"web-{number}"
    )


@pytest.mark.parametrize("weights", [(1, 1, 1), (1, 2, 3), (5, 0, 1)])
def test_round_robin_gives_each_backend_exactly_its_share(balancing, weights):
    balancer, connect = balancing(weights, balance="round_robin")
    rounds = 5
    served = collections.Counter(connect()[1] for _ in range(rounds * sum(weights)))
    assert served == {
        number: rounds * weight for number, weight in enumerate(weights, 1) if weight
    }
    assert [active(balancer, number) for number in (1, 2, 3)] == [
        rounds * weight for weight in weights
    ]


def test_a_heavier_backend_does_not_get_its_share_in_one_go(balancing):
    _, connect = balancing((4, 2), balance="round_robin")
    order = [connect()[1] for _ in range(12)]
    assert all(order[place : place + 3].count(2) == 1 for place in range(0, 12, 3))


def test_least_connections_fills_up_whoever_has_fewest(balancing):
    balancer, connect = balancing((1, 1, 1), balance="least_connections")
    held = [connect() for _ in range(9)]
    assert collections.Counter(number for _, number in held) == {1: 3, 2: 3, 3: 3}
    for client, number in held:
        if number == 2:
            client.close()
    wait_until(lambda: active(balancer, 2) == 0)
    assert [connect()[1] for _ in range(3)] == [2, 2, 2]
    assert {connect()[1] for _ in range(3)} == {1, 2, 3}


def test_least_connections_counts_by_weight(balancing):
    _, connect = balancing((1, 3), balance="least_connections")
    served = collections.Counter(connect()[1] for _ in range(16))
    assert served == {1: 4, 2: 12}
