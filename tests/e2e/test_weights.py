"""Weights that an operator gives to backends while the balancer runs."""

import pytest
from support import tcp
from support.configuration import NO_CHECKS, web
from support.operating import ask, backend, tell


@pytest.mark.parametrize("balance", ["random", "power_of_two", "maglev"])
def test_a_weight_counts_at_once_where_backends_are_drawn_too(
    holdfast, tcp_server, free_port, balance
):
    port = free_port()
    addresses = [tcp_server(tcp.greeter(f"web-{number}")).address for number in (1, 2, 3)]
    pool = {"balance": balance, "health": NO_CHECKS}
    if balance == "maglev":
        pool["hash"] = {"key": "client_ip_port"}
    balancer = holdfast(web(f"127.0.0.1:{port}", *addresses, pool=pool))
    for _ in range(3):
        tell(balancer, "weight", "web/web-1", "1000")
        assert [ask(port) for _ in range(10)].count("web-1") >= 8
        tell(balancer, "weight", "web/web-1", "1")


def test_a_weight_stays_until_the_file_has_another_one(holdfast, tcp_server, free_port):
    port, addresses = free_port(), [tcp_server(tcp.echo).address for _ in range(2)]

    def config(weight):
        return web(f"127.0.0.1:{port}", *addresses, weights=(weight,))

    balancer = holdfast(config(2))
    tell(balancer, "weight", "web/web-1", "9")
    assert balancer.reload(config(2)) == ["reloaded, nothing differs"]
    seen = backend(balancer, "web-1")
    assert (seen["weight"], seen["configured_weight"]) == (9, 2)
    assert balancer.reload(config(3)) == ["pool web: backend web-1 weight 2 -> 3"]
    assert backend(balancer, "web-1")["weight"] == 3
