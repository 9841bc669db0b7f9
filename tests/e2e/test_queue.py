"""Backends that are full, and clients that wait for a place."""

import socket
import threading

import pytest
from support import tcp
from support.choosing import Choice
from support.configuration import NO_CHECKS
from support.continuity import DEATHS, LOST, kill_worker
from support.operating import tell
from support.waiting import wait_until


@pytest.fixture
def choice(holdfast, tcp_server, free_port):
    """choice(backends, **settings of the pool), see Choice."""
    made = []

    def start(backends, **settings):
        servers = [tcp_server(tcp.greeter(str(n))) for n in range(1, len(backends) + 1)]
        made.append(Choice(holdfast, servers, free_port(), backends, {"health": NO_CHECKS, **settings}))
        return made[-1]

    yield start
    for one in made:
        one.close()


class Line:
    """Clients that wait, and the order in which they are served."""

    def __init__(self, web, count):
        self._web = web
        self.clients = []
        self.served = []
        for number in range(count):
            self.join(number)

    def join(self, number):
        """Once it waits, so that it is known who came first."""
        before = self._web.pool("queue_length")
        client = self._web.connect()
        wait_until(lambda: self._web.pool("queue_length") == before + 1)
        self.clients.append(client)
        threading.Thread(target=self._wait, args=(number, client), daemon=True).start()

    def _wait(self, number, client):
        try:
            if client.recv(1):
                self.served.append(number)
        except OSError:
            self.served.append((number, "reset"))

    def leave(self, number):
        self.clients[number].shutdown(socket.SHUT_RDWR)


def is_reset(web):
    return bool(tcp.rejected_connection(("127.0.0.1", web.port)))


def test_who_finds_all_full_is_rejected_at_once_where_there_is_no_queue(choice):
    web = choice([{"max_connections": 1}, {"max_connections": 2}])
    held = [web.held()[0] for _ in range(3)]
    assert is_reset(web)
    assert web.rejected("backends_full") == 1
    assert web.rejected("no_backend") == 0
    held[0].close()
    wait_until(lambda: web.balancer.metrics().sum("holdfast_backend_connections_active") == 2)
    web.held()


def test_one_client_too_many_for_the_queue_is_rejected(choice):
    web = choice([{"max_connections": 1}], queue={"size": 2, "timeout": "1m"})
    held, _ = web.held()
    line = Line(web, 2)
    assert is_reset(web)
    assert web.rejected("queue_full") == 1
    held.close()
    wait_until(lambda: line.served == [0])
    assert web.pool("queue_length") == 1
    assert web.balancer.metrics().value("holdfast_pool_queue_duration_seconds_count", pool="web") == 1


@pytest.mark.parametrize("threads", [1, 4])
def test_clients_are_served_in_order_whatever_thread_they_are_on(choice, threads):
    web = choice([{"max_connections": 1}], queue={"size": 50, "timeout": "1m"})
    backends = [{"max_connections": 1}]
    settings = {"health": NO_CHECKS, "queue": {"size": 50, "timeout": "1m"}}
    web.balancer.reload(web.config(backends, top=f"threads: {threads}", **settings))
    held, _ = web.held()
    line = Line(web, 12)
    held.close()
    for number in range(12):
        wait_until(lambda number=number: line.served == list(range(number + 1)))
        assert web.balancer.metrics().sum("holdfast_backend_connections_active") == 1
        line.clients[number].close()
    wait_until(lambda: web.balancer.metrics().sum("holdfast_backend_connections_active") == 0)


@pytest.mark.parametrize("leave", ["fin", "reset", "after_data"])
def test_a_client_that_leaves_frees_its_place_in_the_queue(choice, leave):
    web = choice([{"max_connections": 1}], queue={"size": 2, "timeout": "1m"})
    held, _ = web.held()
    first = web.connect()
    wait_until(lambda: web.pool("queue_length") == 1)
    line = Line(web, 1)
    if leave == "after_data":
        first.sendall(b"what nobody reads")
    if leave == "reset":
        tcp.reset_now(first)
    else:
        first.close()
    wait_until(lambda: web.rejected("queue_left") == 1)
    assert web.pool("queue_length") == 1
    held.close()
    wait_until(lambda: line.served == [0])


def test_a_client_that_has_sent_its_request_waits_with_it(choice):
    web = choice([{"max_connections": 1}], queue={"size": 2, "timeout": "1m"})
    held, _ = web.held()
    client = web.connect()
    client.sendall(b"a question asked early")
    wait_until(lambda: web.pool("queue_length") == 1)
    held.close()
    assert tcp.read_exactly(client, 23) == b"1a question asked early"


def test_a_client_does_not_wait_for_ever(choice):
    web = choice([{"max_connections": 1}], queue={"size": 2, "timeout": "200ms"})
    web.held()
    assert is_reset(web)
    assert web.rejected("queue_timeout") == 1
    assert web.pool("queue_length") == 0


OPERATIONS = {
    "ready": (["drain", "web/web-2"], ["ready", "web/web-2"]),
    "weight": (["weight", "web/web-2", "0"], ["weight", "web/web-2", "1"]),
    "add": (["remove", "web/web-2"], ["add", "web", "web-2", "{address}"]),
    "drain": (["ready", "web/web-1"], ["drain", "web/web-1"]),  # web-2 is in the next tier then
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_who_waits_has_been_served_when_an_operator_who_makes_room_is_answered(choice, operation):
    tier = {"tier": 1} if operation == "drain" else {}
    web = choice([{"max_connections": 1}, tier], queue={"size": 5, "timeout": "1m"})
    before, after = OPERATIONS[operation]
    address = web.servers[1].address
    for _ in range(5):  # one that comes at a moment when somebody looks anyway proves nothing
        tell(web.balancer, *before)
        held, number = web.held()
        assert number == 1
        client = web.connect()
        wait_until(lambda: web.pool("queue_length") == 1)
        tell(web.balancer, *(word.format(address=address) for word in after))
        assert web.pool("queue_length") == 0
        assert client.recv(1) == b"2"
        for one in (held, client):
            one.close()
        wait_until(
            lambda: web.balancer.metrics().sum("holdfast_backend_connections_active") == 0
        )


def test_the_queue_and_its_order_outlive_the_worker(choice):
    web = choice(
        [{"max_connections": 2}], queue={"size": 20, "timeout": "1m"}
    )
    held = [web.held()[0] for _ in range(2)]
    line = Line(web, 8)
    web.balancer.expect_log(DEATHS)
    for _ in range(3):
        kill_worker(web.balancer)
        assert web.pool("queue_length") == 8
    assert line.served == []
    line.leave(3)
    wait_until(lambda: web.pool("queue_length") == 7)
    waiting = [number for number in range(8) if number != 3]
    places = [*held, *(line.clients[number] for number in waiting)]
    for number in range(len(waiting)):
        places[number].close()
        served = waiting[: number + 1]
        wait_until(lambda served=served: [n for n in line.served if n != (3, "reset")] == served)
    assert web.balancer.metrics().value(LOST) == 0


def test_who_waits_goes_on_waiting_when_its_listener_is_gone_and_the_worker_dies(choice, free_port):
    backends = [{"max_connections": 1}]
    settings = {"health": NO_CHECKS, "queue": {"size": 20, "timeout": "1m"}}
    web = choice(backends, **settings)
    held, _ = web.held()
    line = Line(web, 3)
    other = web.config(backends, **settings).replace(
        f'"name": "web", "bind": "127.0.0.1:{web.port}"',
        f'"name": "other", "bind": "127.0.0.1:{free_port()}"',
    )
    web.balancer.reload(other)
    web.balancer.expect_log(DEATHS)
    for _ in range(2):
        kill_worker(web.balancer)
        assert web.pool("queue_length") == 3
    assert line.served == []
    for number, place in enumerate([held, *line.clients[:2]]):
        place.close()
        wait_until(lambda number=number: line.served == list(range(number + 1)))
    assert web.balancer.metrics().value(LOST) == 0


def test_who_waits_goes_on_waiting_when_the_queue_is_gone_and_the_worker_dies(choice):
    web = choice([{"max_connections": 1}], queue={"size": 20, "timeout": "1m"})
    held, _ = web.held()
    line = Line(web, 1)
    web.balancer.reload(web.config([{"max_connections": 1}], health=NO_CHECKS))
    web.balancer.expect_log(DEATHS)
    kill_worker(web.balancer)
    held.close()
    wait_until(lambda: line.served == [0])


def test_a_timeout_runs_on_over_a_crash(choice):
    web = choice([{"max_connections": 1}], queue={"size": 2, "timeout": "3s"})
    web.held()
    line = Line(web, 1)
    web.balancer.expect_log(DEATHS)
    kill_worker(web.balancer)
    wait_until(lambda: line.served == [(0, "reset")])
    assert web.rejected("queue_timeout") == 1


def test_a_backend_that_a_reload_adds_serves_those_who_wait(choice):
    queue = {"size": 20, "timeout": "1m"}
    settings = {"health": NO_CHECKS, "queue": queue}
    web = choice([{"max_connections": 1}, {"max_connections": 1}], queue=queue)
    web.balancer.reload(web.config([{"max_connections": 1}, None], **settings))
    web.held()
    line = Line(web, 3)
    web.balancer.reload(web.config([{"max_connections": 1}, {"max_connections": 1}], **settings))
    wait_until(lambda: line.served == [0])
    web.balancer.reload(web.config([{"max_connections": 3}, {"max_connections": 1}], **settings))
    wait_until(lambda: sorted(line.served) == [0, 1, 2])


def test_a_backend_that_comes_back_serves_those_who_wait(choice):
    checks = {"interval": "50ms", "timeout": "100ms", "rise": 1, "fall": 1}
    web = choice(
        [{"max_connections": 1}, {}], queue={"size": 20, "timeout": "1m"}, health=checks
    )
    web.wait_until_up(1, 2)
    web.take_down(2)
    assert web.held()[1] == 1
    line = Line(web, 3)
    web.bring_back(2)
    wait_until(lambda: sorted(line.served) == [0, 1, 2])


def test_who_waits_is_given_another_backend_when_the_one_it_got_refuses(choice):
    web = choice(
        [{"max_connections": 1}, {"max_connections": 1}], queue={"size": 20, "timeout": "1m"}
    )
    held = dict(reversed(web.held()) for _ in range(2))
    line = Line(web, 1)
    web.servers[0].refuse()
    held[1].close()
    wait_until(lambda: web.pool("failovers_total") == 1 or web.pool("queue_length") == 1)
    held[2].close()
    wait_until(lambda: line.served == [0])


def test_no_place_is_lost_by_many_clients_in_a_hurry(choice):
    web = choice(
        [{"max_connections": 2}, {"max_connections": 1}], queue={"size": 1000, "timeout": "1m"}
    )
    asked = []

    def hurry():
        for _ in range(30):
            web.ask()
            asked.append(1)

    threads = [threading.Thread(target=hurry, daemon=True) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(40)
    assert len(asked) == 12 * 30
    wait_until(lambda: web.balancer.metrics().sum("holdfast_backend_connections_active") == 0)
    assert web.pool("queue_length") == 0
    assert web.balancer.metrics().sum("holdfast_listener_rejected_total") == 0


def test_waiting_costs_no_processor_time(choice):
    web = choice([{"max_connections": 1}], queue={"size": 20, "timeout": "1m"})
    web.held()
    line = Line(web, 5)
    for client in line.clients:
        client.sendall(b"unread " * 100)  # scar 39: what is readable wakes nobody
    assert web.balancer.cpu_share(1) < 0.3
    assert web.pool("queue_length") == 5
