"""A worker that dies in the middle of what an operator asked for leaves it done or not done, never
half. In the build with fault points; what asked for it asks again."""

import contextlib

import pytest
from support import tcp
from support.configuration import FAST_CHECKS, web
from support.faults import OF_OPERATORS
from support.operating import backend, connected_to, tell
from support.waiting import wait_until

DRAIN = ["drain", "web/web-1", "--close-after", "0s", "--spread", "100ms"]
WORDS = {
    "administration_weight_marked": ["weight", "web/web-1", "7"],
    "administration_health_forgotten": ["ready", "web/web-1"],
    "administration_state_set": DRAIN,
    "closing_half_noted": DRAIN,
    "closing_noted": DRAIN,
    "relay_backend_closes": DRAIN,
    "reload_text_in_force": ["remove", "web/web-1"],
    "reload_changes_in_force": ["remove", "web/web-1"],
}


def test_every_such_point_has_its_test():
    assert set(WORDS) == set(OF_OPERATORS)


@pytest.mark.parametrize("point", OF_OPERATORS)
def test_a_worker_that_dies_there_is_not_noticed(faulty, faults, tcp_server, free_port, point):
    port = free_port()
    addresses = [tcp_server(tcp.greeter(name)).address for name in ("web-1", "web-2")]
    daemon = faulty(web(f"127.0.0.1:{port}", *addresses, pool={"health": FAST_CHECKS}))
    with connected_to(port, "web-1") as one, connected_to(port, "web-2") as two:
        if point == "administration_health_forgotten":
            tell(daemon, "maint", "web/web-1")
        said = len(daemon.log)
        faults.arm(point, "segv")
        tell(daemon, *WORDS[point])
        faults.wait_until_fired(point)
        daemon.wait_for_log(r" info ready$", after=said)
        assert tcp.echoes(two)
        words = WORDS[point]
        if words == DRAIN:
            with contextlib.suppress(ConnectionResetError):  # it was greeted a moment ago
                assert tcp.read_all(one) == b""
            assert backend(daemon, "web-1")["state"] == "drain"
            wait_until(lambda: backend(daemon, "web-1")["closing"] is None)
        else:
            assert tcp.echoes(one)
            seen = backend(daemon, "web-1")
            expected = {"weight": "ready", "ready": "ready", "remove": "removed"}[words[0]]
            assert seen["state"] == expected
            assert words[0] != "weight" or seen["weight"] == 7
    for _ in range(3):
        with connected_to(port, "web-2") as client:
            assert tcp.echoes(client)
