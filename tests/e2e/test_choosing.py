"""Whom a client gets: tiers, panic, slow start, affinity, limits."""

import pytest
from support import tcp
from support.choosing import Choice
from support.configuration import NO_CHECKS
from support.continuity import DEATHS, kill_worker
from support.operating import tell
from support.waiting import wait_until


@pytest.fixture
def choice(holdfast, tcp_server, free_port):
    """choice(backends, **settings of the pool), see Choice."""
    made = []

    def start(backends, **settings):
        servers = [tcp_server(tcp.greeter(str(n))) for n in range(1, len(backends) + 1)]
        made.append(Choice(holdfast, servers, free_port(), backends, settings))
        if settings.get("health") != NO_CHECKS:
            made[-1].wait_until_up(*range(1, len(backends) + 1))
        return made[-1]

    yield start
    for one in made:
        one.close()


def test_a_tier_spills_over_when_it_is_down_and_takes_its_clients_back(choice):
    web = choice([{}, {}, {"tier": 1}])
    assert web.count(6) == {1: 3, 2: 3}
    web.take_down(1)
    assert web.count(4) == {2: 4}
    web.take_down(2)
    assert web.count(4) == {3: 4}
    web.balancer.wait_for_log(r" warning pool spills over pool=web tier=1 up=1/3$")
    assert web.pool("tier") == 1
    web.bring_back(1)
    assert web.count(4) == {1: 4}
    web.balancer.wait_for_log(r" info pool comes back pool=web tier=0 up=2/3$")
    assert web.pool("tier") == 0


def test_a_tier_that_has_too_few_left_is_helped_by_the_next(choice):
    web = choice([{}, {}, {"tier": 1}], min_healthy=2)
    assert web.count(6) == {1: 3, 2: 3}
    web.take_down(2)
    assert web.count(6) == {1: 3, 3: 3}


def test_a_client_whose_tier_refuses_is_served_by_the_next(choice):
    web = choice([{}, {"tier": 1}], health=NO_CHECKS)
    web.servers[0].refuse()
    assert web.count(3) == {2: 3}


def test_in_a_panic_those_that_only_seem_to_be_down_serve(choice):
    checks = {"interval": "50ms", "timeout": "100ms", "rise": 100, "fall": 1}
    web = choice([{}, {}, {}], panic_threshold="50%", health=checks)
    web.take_down(1, 2)
    web.balancer.wait_for_log(r' warning pool panics pool=web panic_threshold="?50%"? up=1/3$')
    assert web.pool("panic") == 1
    # They refuse: nobody notices.
    assert web.count(6) == {3: 6}
    for server in web.servers[:2]:
        server.listen()
    # No check has called them up yet.
    assert web.count(6) == {1: 2, 2: 2, 3: 2}


def test_without_a_panic_threshold_what_is_down_is_left_alone(choice):
    checks = {"interval": "50ms", "timeout": "100ms", "rise": 100, "fall": 1}
    web = choice([{}, {}, {}], health=checks)
    web.take_down(1, 2)
    for server in web.servers[:2]:
        server.listen()
    assert web.count(6) == {3: 6}


@pytest.mark.parametrize("balance", ["round_robin", "random", "power_of_two", "first", "maglev"])
def test_a_backend_that_comes_back_starts_slowly(choice, balance):
    web = choice([{}, {}], slow_start="1h", balance=balance)
    web.take_down(1)
    web.bring_back(1)
    sources = [f"127.0.0.{host}" for host in range(2, 52)]
    assert sum(web.ask(source) == 1 for source in sources) <= 2
    web.balancer.reload(web.config([{}, {}], slow_start="off", balance=balance))
    assert sum(web.ask(source) == 1 for source in sources) >= 10


def test_a_backend_comes_back_from_maintenance_slowly_too(choice):
    web = choice([{}, {}], slow_start="1h")
    tell(web.balancer, "maint", "web/web-1")
    tell(web.balancer, "ready", "web/web-1")
    assert web.count(20)[2] >= 19
    tell(web.balancer, "drain", "web/web-2")
    tell(web.balancer, "ready", "web/web-2")
    assert web.count(20)[2] >= 19, "what was drained has been at work all the time"


def test_a_slow_start_comes_to_its_end(choice):
    web = choice([{}, {}], slow_start="4s")
    web.take_down(1)
    web.bring_back(1)
    assert web.count(20)[1] < 10
    wait_until(lambda: web.count(20)[1] == 10, 30)


def test_nobody_starts_slowly_with_holdfast_itself(choice):
    web = choice([{}, {}], slow_start="1h")
    assert web.count(20) == {1: 10, 2: 10}
    web.balancer.expect_log(DEATHS)
    kill_worker(web.balancer)
    assert web.count(20) == {1: 10, 2: 10}
    web.balancer.reload(web.config([{}, {}], slow_start="1h", min_healthy=1))
    assert web.count(20) == {1: 10, 2: 10}


def test_a_slow_start_goes_on_after_a_crash(choice):
    web = choice([{}, {}], slow_start="1h")
    web.take_down(1)
    web.bring_back(1)
    web.balancer.expect_log(DEATHS)
    kill_worker(web.balancer)
    assert web.count(20)[2] >= 19


def test_maglev_keeps_a_client_at_its_backend_over_crashes_and_reloads(choice):
    backends = [{}, {}, {}, {}]
    web = choice(backends, balance="maglev")
    sources = [f"127.0.0.{host}" for host in range(2, 102)]
    before = {source: web.ask(source) for source in sources}
    assert set(before.values()) == {1, 2, 3, 4}
    assert {source: web.ask(source) for source in sources} == before

    web.balancer.expect_log(DEATHS)
    kill_worker(web.balancer)
    assert {source: web.ask(source) for source in sources} == before

    # The order in the file doesn't matter.
    web.balancer.reload(web.config(backends, balance="maglev", reverse=True, top="threads: 3"))
    assert {source: web.ask(source) for source in sources} == before

    # One that is down loses its clients and gets exactly those back.
    web.take_down(2)
    meanwhile = {source: web.ask(source) for source in sources}
    assert {source for source in sources if meanwhile[source] != before[source]} == {
        source for source in sources if before[source] == 2
    }
    web.bring_back(2)
    assert {source: web.ask(source) for source in sources} == before

    # One that is removed takes few others along.
    web.balancer.reload(web.config([{}, {}, None, {}], balance="maglev"))
    after = {source: web.ask(source) for source in sources}
    moved = sum(after[source] != before[source] for source in sources)
    assert moved <= 1.3 * sum(number == 3 for number in before.values()) + 3


def test_maglev_can_tell_clients_apart_by_their_ports(choice):
    web = choice([{}, {}, {}], balance="maglev", hash={"key": "client_ip_port"})
    assert set(web.count(60)) == {1, 2, 3}


def test_maglev_spreads_those_of_one_address_to_one_backend(choice):
    web = choice([{}, {}, {}], balance="maglev")
    assert len(web.count(60)) == 1


def test_the_first_backend_is_filled_before_the_next(choice):
    web = choice([{"max_connections": 2}, {"max_connections": 1}, {}], balance="first")
    held = [web.held() for _ in range(5)]
    assert [number for _, number in held] == [1, 1, 2, 3, 3]
    held[0][0].close()
    wait_until(
        lambda: web.balancer.metrics().value(
            "holdfast_backend_connections_active", pool="web", backend="web-1"
        )
        == 1
    )
    assert web.held()[1] == 1
