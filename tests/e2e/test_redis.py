"""Redis behind the balancer: pipelined commands, and the loss of a server."""

import contextlib

import pytest
from support import tcp
from support.clients import Clients
from support.command import run
from support.configuration import web
from support.redis import Client, command
from support.trio import Trio
from support.waiting import wait_until


def redis_benchmark(port, requests):
    """100 clients that set and get in pipelines of 32 commands."""
    command = ["redis-benchmark", "-h", "127.0.0.1", "-p", port, "-t", "set,get", "--csv"]
    done = run([*command, "-n", requests, "-c", 100, "-P", 32, "-d", 100, "-r", 10000])
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"SET"' in done.stdout and '"GET"' in done.stdout


def commands_done(server, name):
    with Client(server.port) as client:
        line = f"cmdstat_{name}:calls="
        text = client.ask_for_text("INFO", "commandstats")
        return int(text.partition(line)[2].partition(",")[0] or 0)


@pytest.fixture
def trio(holdfast, redis):
    return Trio(holdfast, redis)


def test_pipelined_commands_are_all_done(holdfast, redis, free_port):
    server, port = redis(), free_port()
    balancer = holdfast(web(f"127.0.0.1:{port}", server.address))
    redis_benchmark(port, 100_000)
    assert commands_done(server, "set") == 100_000
    assert commands_done(server, "get") == 100_000
    wait_until(lambda: balancer.metrics().sum("holdfast_backend_connections_closed_total") >= 200)


def test_pipelined_answers_come_in_order_and_unchanged(holdfast, redis, free_port):
    server, port = redis(), free_port()
    holdfast(web(f"127.0.0.1:{port}", server.address))
    pairs = [(f"key-{number}", f"{number}-" * (number % 500)) for number in range(5_000)]
    answers = b"+OK\r\n" * len(pairs) + b"".join(
        b"$%d\r\n%s\r\n" % (len(value), value.encode()) for _, value in pairs
    )
    with Client(port) as client:
        client.socket.sendall(
            b"".join(command("SET", *pair) for pair in pairs)
            + b"".join(command("GET", key) for key, _ in pairs)
        )
        assert tcp.read_exactly(client.socket, len(answers)) == answers


def test_pipelines_run_while_a_server_is_down_and_after_it_came_back(trio):
    trio.kill(1)
    redis_benchmark(trio.port, 20_000)
    trio.wait_until_down(1)
    redis_benchmark(trio.port, 20_000)
    trio.bring_back(1)
    redis_benchmark(trio.port, 20_000)
    assert commands_done(trio.servers[0], "set") > 0
    trio.assert_metrics_tell_of_one_loss(1)


def test_connections_to_the_other_servers_outlive_the_loss_of_one(trio):
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(Client(trio.port)) for _ in range(6)]
        for client in held:
            assert client.ask("PING") == "+PONG"
        assert [trio.active(number) for number in (1, 2, 3)] == [2, 2, 2]
        counts = [0] * 6
        lost = set()

        def count_one(number):
            """Counts on a key of the client's own, where it must never be told a wrong number."""
            try:
                answer = held[number].ask("INCR", f"client-{number}")
            except OSError:
                lost.add(number)
                return False
            counts[number] += 1
            assert answer == f":{counts[number]}"
            return True

        with Clients(6, count_one) as clients:
            clients.wait_for_answers(100)
            trio.kill(2)
            trio.wait_until_down(2)
            clients.wait_for_answers(100)
            trio.bring_back(2)
            clients.wait_for_answers(100)
        assert len(lost) == 2
        for number in set(range(6)) - lost:
            assert held[number].ask("PING") == "+PONG"
    trio.assert_metrics_tell_of_one_loss(2)
