"""iperf3 through the balancer, both directions, and the loss of a server.

A test of iperf3 is two connections that must reach the same server, so each server has a listener
and a pool of its own. An idle server takes a health check for a client that goes away and is busy
for a moment: checks are rare here, and a client may have to ask again.
"""

import json

import pytest
from support.command import run
from support.process import Process
from support.waiting import wait_until

RARE_CHECKS = {"interval": "500ms", "timeout": "2s", "rise": 2, "fall": 1}
UPLOAD = ()
DOWNLOAD = ("--reverse",)


class Lane:
    """A listener of the balancer and the server behind it."""

    def __init__(self, number, port, server):
        self.name = f"lane-{number}"
        self.port = port
        self.server = server

    def listener(self):
        return {"name": self.name, "bind": f"127.0.0.1:{self.port}", "pool": self.name}

    def pool(self):
        backend = {"name": "only", "address": self.server.address}
        return {"name": self.name, "health": RARE_CHECKS, "backends": [backend]}

    def client(self, *options):
        return ["iperf3", "--client", "127.0.0.1", "--port", self.port, "--json", *options]


@pytest.fixture
def lanes(iperf3, free_port):
    return [Lane(number, free_port(), iperf3()) for number in (1, 2, 3)]


@pytest.fixture
def balancer(holdfast, lanes):
    return holdfast(
        f"listeners: {json.dumps([lane.listener() for lane in lanes])}\n"
        f"pools: {json.dumps([lane.pool() for lane in lanes])}\n"
    )


def received(output):
    """The bytes that arrived, by iperf3's own count; None when its test failed, which its exit
    code doesn't tell with --json."""
    result = json.loads(output)
    return None if "error" in result else result["end"]["sum_received"]["bytes"]


def transfer(lane, *options):
    """Runs a client to its end; the bytes that arrived."""
    return wait_until(lambda: received(run(lane.client(*options)).stdout))


def start_streaming(balancer, lane, *options):
    """A client that runs on and has its connections."""
    before = relayed(balancer, lane, options)

    def streams():
        client = Process(lane.client(*options))
        wait_until(
            lambda: relayed(balancer, lane, options) > before + (1 << 20)
            or client.exit_code is not None
        )
        return client if client.exit_code is None else None

    return wait_until(streams)


def relayed(balancer, lane, direction):
    name = "sent" if "--reverse" in direction else "received"
    return balancer.metrics().value(
        f"holdfast_listener_{name}_bytes_total", listener=lane.name
    )


@pytest.mark.parametrize("direction", [UPLOAD, DOWNLOAD], ids=["upload", "download"])
def test_streams_carry_what_iperf3_counts(balancer, lanes, direction):
    lane = lanes[0]
    arrived = transfer(lane, "--bytes", "512M", "--parallel", 4, *direction)
    assert arrived > 256 << 20  # the receiver ends before it has all that was sent
    wait_until(lambda: relayed(balancer, lane, direction) >= arrived)
    wait_until(
        lambda: balancer.metrics().value(
            "holdfast_listener_connections_active", listener=lane.name
        )
        == 0
    )


@pytest.mark.parametrize("direction", [UPLOAD, DOWNLOAD], ids=["upload", "download"])
def test_streams_to_the_other_servers_outlive_the_loss_of_one(
    balancer, lanes, iperf3, direction
):
    clients = []
    try:
        for lane in lanes:
            clients.append(
                start_streaming(balancer, lane, "--time", 4, "--bitrate", "200M", *direction)
            )
        lanes[1].server.kill()
        balancer.wait_for_log(r"backend down pool=lane-2 backend=only .* up=0/1$")
        for client in clients:
            client.wait(40)
        assert received("\n".join(clients[1].output)) is None
        for number in (0, 2):
            arrived = received("\n".join(clients[number].output))
            assert relayed(balancer, lanes[number], direction) >= arrived > 10 << 20
    finally:
        for client in clients:
            client.kill()

    lanes[1].server = iperf3(port=lanes[1].server.port)
    balancer.wait_for_log(
        r'backend up pool=lane-2 backend=only reason="checks passed" check_ms=\d+\.\d up=1/1$'
    )
    assert transfer(lanes[1], "--bytes", "256M", *direction) > 128 << 20
    metrics = balancer.metrics()
    for lane in lanes:
        labels = {"pool": lane.name, "backend": "only"}
        assert metrics.value("holdfast_backend_up", **labels) == 1
        assert metrics.value(
            "holdfast_backend_health_transitions_total", to="down", **labels
        ) == int(lane is lanes[1])
