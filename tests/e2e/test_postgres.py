"""PostgreSQL behind the balancer: pgbench, and the loss of a server."""

import re

import pytest
from support.command import run
from support.configuration import web
from support.process import Process
from support.trio import Trio
from support.waiting import wait_until

ALL_TRANSACTIONS_RAN = 0
SOME_CLIENTS_WERE_LOST = 2  # pgbench(1), EXIT STATUS


@pytest.fixture
def trio(holdfast, postgres, fill):
    return Trio(holdfast, postgres, fill)


def processed(output):
    return int(re.search(r"transactions actually processed: (\d+)", output)[1])


def test_every_transaction_runs(holdfast, postgres, fill, pgbench, free_port):
    server, port = postgres(), free_port()
    fill(server)
    holdfast(web(f"127.0.0.1:{port}", server.address))
    done = run(pgbench(port, "-n", "-c", 8, "-j", 2, "-t", 50))
    assert done.returncode == ALL_TRANSACTIONS_RAN, done.stderr
    assert processed(done.stdout) == 8 * 50


def test_a_connection_for_each_transaction_leaves_nothing_behind(
    holdfast, postgres, fill, pgbench, free_port
):
    server, port = postgres(), free_port()
    fill(server)
    balancer = holdfast(web(f"127.0.0.1:{port}", server.address))
    done = run(pgbench(port, "-n", "-C", "-S", "-c", 4, "-t", 25))
    assert done.returncode == ALL_TRANSACTIONS_RAN, done.stderr
    labels = {"pool": "web", "backend": "web-1"}
    wait_until(
        lambda: balancer.metrics().value("holdfast_backend_connections_active", **labels) == 0
    )
    assert balancer.metrics().value("holdfast_backend_connections_total", **labels) >= 4 * 25


def test_sessions_on_the_other_servers_outlive_the_loss_of_one(trio, pgbench):
    sessions = Process(pgbench(trio.port, "-n", "-S", "-c", 6, "-j", 2, "-T", 5, "-P", 1))
    try:
        wait_until(lambda: [trio.active(number) for number in (1, 2, 3)] == [2, 2, 2])
        trio.kill(2)
        trio.wait_until_down(2)
        assert [trio.active(number) for number in (1, 3)] == [2, 2]

        new = run(pgbench(trio.port, "-n", "-C", "-S", "-c", 2, "-t", 10))
        assert new.returncode == ALL_TRANSACTIONS_RAN, new.stderr
        assert trio.active(2) == 0

        assert sessions.wait(40) == SOME_CLIENTS_WERE_LOST
        lost = set(re.findall(r"client (\d+) .*aborted", "\n".join(sessions.log)))
        assert len(lost) == 2, sessions.tail()
        assert processed("\n".join(sessions.output)) > 0
    finally:
        sessions.kill()

    trio.bring_back(2)
    served = trio.connections(2)
    again = run(pgbench(trio.port, "-n", "-S", "-c", 6, "-t", 20))
    assert again.returncode == ALL_TRANSACTIONS_RAN, again.stderr
    assert processed(again.stdout) == 6 * 20
    assert trio.connections(2) >= served + 2
    trio.assert_metrics_tell_of_one_loss(2)
