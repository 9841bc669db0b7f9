"""Three servers of a kind behind a balancer, one of which dies and comes back."""

from support.configuration import FAST_CHECKS, web
from support.ports import free_port
from support.waiting import accepts_connections, wait_until


class Trio:
    """`start` is a fixture that starts a server; `prepare(server)` makes each ready for use."""

    def __init__(self, holdfast, start, prepare=lambda server: None):
        self._start = start
        self._prepare = prepare
        self.servers = [self._start_one() for _ in range(3)]
        self.port = free_port()
        self.balancer = holdfast(
            web(
                f"127.0.0.1:{self.port}",
                *(server.address for server in self.servers),
                pool={"health": FAST_CHECKS},
            )
        )
        self._wait_until_all_are_checked()

    def kill(self, number):
        """SIGKILL to a server; returns once nobody listens on its port any more, which may be
        before or after the balancer knows."""
        server = self.servers[number - 1]
        server.kill()
        wait_until(lambda: not accepts_connections(server.port))

    def wait_until_down(self, number):
        self.balancer.wait_for_log(
            rf'backend down pool=web backend=web-{number} reason="connection refused" '
            r"check_ms=\d+\.\d up=2/3$"
        )

    def bring_back(self, number):
        """A new server on the port of the one that was killed; returns once it takes connections
        again, for which it must have passed `rise` checks."""
        before = self._passed_checks(number)
        said = len(self.balancer.log)
        self.servers[number - 1] = self._start_one(port=self.servers[number - 1].port)
        self.balancer.wait_for_log(
            rf'backend up pool=web backend=web-{number} reason="checks passed" '
            r"check_ms=\d+\.\d up=3/3$",
            after=said,
        )
        assert self._passed_checks(number) - before >= 2

    def connections(self, number):
        """How many were established to a server so far."""
        return self._value("holdfast_backend_connections_total", number)

    def active(self, number):
        """How many it has now."""
        return self._value("holdfast_backend_connections_active", number)

    def assert_metrics_tell_of_one_loss(self, number):
        """Web-`number` went down once and came back, nothing else changed its health, and no
        client was sent away."""
        metrics = self.balancer.metrics()
        for backend in (1, 2, 3):
            labels = {"pool": "web", "backend": f"web-{backend}"}
            lost = backend == number
            assert metrics.value("holdfast_backend_up", **labels) == 1
            for state, changes in {"up": 1 + lost, "down": int(lost)}.items():
                assert (
                    metrics.value("holdfast_backend_health_transitions_total", to=state, **labels)
                    == changes
                )
        assert metrics.value("holdfast_pool_no_backend_total", pool="web") == 0
        assert metrics.value("holdfast_pool_failovers_total", pool="web") == metrics.sum(
            "holdfast_backend_connect_failures_total", pool="web"
        )

    def _wait_until_all_are_checked(self):
        wait_until(
            lambda: all(
                self._value("holdfast_backend_state", number, state="up") for number in (1, 2, 3)
            )
        )

    def _passed_checks(self, number):
        return self._value("holdfast_backend_health_checks_total", number, result="passed")

    def _value(self, name, number, **labels):
        return self.balancer.metrics().value(
            name, pool="web", backend=f"web-{number}", **labels
        )

    def _start_one(self, **options):
        server = self._start(**options)
        self._prepare(server)
        return server
