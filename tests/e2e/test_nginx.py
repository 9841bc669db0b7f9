"""nginx behind the balancer: large files, many clients at once, and the loss of a server."""

import concurrent.futures
import contextlib
import hashlib
import http.client
import time

import pytest
from support.clients import Clients
from support.configuration import web
from support.trio import Trio

PARALLEL = 200


@contextlib.contextmanager
def connection(port):
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as client:
        yield client


def get(client, path, **headers):
    client.request("GET", path, headers=headers)
    return client.getresponse()


def hello(port):
    with connection(port) as client:
        response = get(client, "/hello", Connection="close")
        assert (response.status, response.read()) == (200, b"hello\n")


@pytest.fixture
def front(holdfast, nginx, free_port):
    """The port of a balancer before one nginx."""
    port = free_port()
    holdfast(web(f"127.0.0.1:{port}", nginx().address))
    return port


@pytest.fixture
def trio(holdfast, nginx):
    return Trio(holdfast, nginx)


def test_a_large_file_arrives_byte_for_byte(front, served_files):
    with connection(front) as client:
        response = get(client, "/big")
        digest = hashlib.sha256()
        size = 0
        while part := response.read(1 << 20):
            digest.update(part)
            size += len(part)
    assert size == served_files.big_size
    assert digest.hexdigest() == served_files.big_sha256


def test_two_hundred_clients_at_once_get_a_part_each(front, served_files):
    content = (served_files.root / "big").read_bytes()
    size = len(content) // PARALLEL

    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connection(front)) for _ in range(PARALLEL)]
        for number, client in enumerate(clients):
            begin = number * size
            client.request("GET", "/big", headers={"Range": f"bytes={begin}-{begin + size - 1}"})

        def part_is_right(number):
            response = clients[number].getresponse()
            return response.read() == content[number * size : (number + 1) * size]

        with concurrent.futures.ThreadPoolExecutor(16) as threads:
            assert all(threads.map(part_is_right, range(PARALLEL)))


def test_no_request_fails_while_a_server_is_down_and_comes_back(trio):
    with Clients(4, lambda _: hello(trio.port)) as clients:
        clients.wait_for_answers(50)
        trio.kill(2)
        dead_since = time.monotonic()
        clients.wait_for_answers(50)
        trio.wait_until_down(2)
        clients.wait_for_answers(50)
        trio.bring_back(2)
        served = trio.connections(2)
        clients.wait_for_answers(50)
        assert clients.failures_since(dead_since) == []
    assert trio.connections(2) > served
    trio.assert_metrics_tell_of_one_loss(2)


def test_downloads_from_the_other_servers_outlive_the_loss_of_one(trio, served_files):
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(connection(trio.port)) for _ in range(6)]
        responses = [get(client, "/big") for client in clients]
        assert [trio.active(number) for number in (1, 2, 3)] == [2, 2, 2]
        trio.kill(3)
        trio.wait_until_down(3)
        complete = [is_complete(response, served_files) for response in responses]
        assert sorted(complete) == [False, False, True, True, True, True]
    trio.bring_back(3)
    trio.assert_metrics_tell_of_one_loss(3)


def is_complete(response, served_files):
    """Reads to the end and says whether it is the whole file, unchanged."""
    digest = hashlib.sha256()
    try:
        while part := response.read(1 << 20):
            digest.update(part)
    except (ConnectionResetError, http.client.IncompleteRead):
        return False
    return digest.hexdigest() == served_files.big_sha256
